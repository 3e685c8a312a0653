import dataclasses
import itertools
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from hmc.report import claims, page
from hmc.report.claims import Claim
from hmc.report.criteria import Criterion
from hmc.report.grid import build_grid, collect
from hmc.report.table import DASH, MeanStd, Number, Table
from hmc.report.tables import tables
from hmc.results import Record, published, store
from hmc.settings import TableSettings
from tests.report.examples import cells_of, from_outside, place_of, record_of, results_of
from tests.results.examples import make_cell, make_record

METHODS = ("chmcnn", "ensemble", "weighted", "weighted_focal_bbma", "weighted_focal_gmu")
NASTY = "<img src=x onerror=\"document.title='broken'\">"


def value(cell):
    return 0.05 + (0.02 * METHODS.index(cell.method) if cell.method in METHODS else 0) * (1 + 0.1 * place_of(cell))


def written(folder, cells, results, judged=None, **parts):
    grid = build_grid(cells, results.frame)
    judged = claims.judge(claims.load(), grid) if judged is None else judged
    return page.write_page(grid, results, tables(grid, published.load()), judged, folder, **{"suite": "trial", **parts})


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A page with everything in it, and names that would break one that does not escape."""
    cells = [*cells_of(METHODS), *cells_of(METHODS[:2], protocol="corrected"), make_cell(NASTY + "_0", NASTY, group="own")]
    return written(tmp_path_factory.mktemp("report"), cells, results_of(cells, value), title="A trial")


class Outline(HTMLParser):
    """Headings, ids, table rows and whatever names another place."""

    def __init__(self, text):
        super().__init__()
        self.headings, self.ids, self.links, self.tags = [], [], [], []
        self._open = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, content in attributes:
            if name == "id":
                self.ids.append(content)
            if name in ("src", "href", "action", "data", "poster", "srcset", "xlink:href", "background"):
                self.links.append(content)
        if re.fullmatch("h[1-6]", tag):
            self._open = tag
            self.headings.append([tag, ""])

    def handle_endtag(self, tag):
        if tag == self._open:
            self._open = None

    def handle_data(self, data):
        if self._open:
            self.headings[-1][1] += data


def test_the_page_names_no_place_outside_itself(full):
    text = full.read_text()
    outline = Outline(text)
    assert outline.links
    assert all(link.startswith("#") for link in outline.links)
    assert {link[1:] for link in outline.links} <= set(outline.ids)
    assert not {"link", "iframe", "object", "embed", "base", "form"} & set(outline.tags)
    assert not re.search(r"(?:https?:)?//[a-z]|@import|url\((?!#)", re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL))
    assert "default-src 'none'" in text


def test_verdicts_come_first_and_headings_do_not_skip_a_level(full):
    outline = Outline(full.read_text())
    sections = [text for tag, text in outline.headings if tag == "h2"]
    assert sections == [
        "What was decided",
        "The paper's claims",
        "Questions of ours",
        "Tables",
        "Significance",
        "Recall and precision against node frequency",
        "Learning curves",
        "Provenance",
    ]
    levels = [int(tag[1]) for tag, _ in outline.headings]
    assert levels[0] == 1
    assert max(after - before for before, after in itertools.pairwise(levels)) == 1
    assert len(outline.ids) == len(set(outline.ids))


def test_names_are_escaped_everywhere(full):
    text = full.read_text()
    assert "<img" not in text
    assert "&lt;img" in text


def test_the_same_records_give_the_same_bytes_also_when_the_figures_are_there_already(tmp_path):
    cells = cells_of(METHODS[:2], datasets=1)
    first = written(tmp_path / "a", cells, results_of(cells, value)).read_bytes()
    assert written(tmp_path / "b", cells[::1], results_of(reversed(cells), value)).read_bytes() == first
    assert written(tmp_path / "a", cells, results_of(cells, value)).read_bytes() == first


def test_a_suite_without_cells_or_records_still_has_a_page(tmp_path):
    for name, cells in (("empty", []), ("undone", [make_cell()])):
        text = written(tmp_path, cells, results_of([], value), suite=name).read_text()
        assert f"0 of {len(cells)} planned cells are done" in " ".join(text.split())
        assert "supported</span>" not in text
        assert text.count("not tested here</span>") == len(claims.load())


def test_provenance_tells_records_at_hand_from_lines_of_runs_csv_and_shows_failures(tmp_path):
    cells = [make_cell(seed=seed) for seed in range(3)]
    listed = [store.row(make_record(cells[1], environment={"commit": "beef", "dirty": True, "python": "3.12"}))]
    failed = Record.failed(cells[2], "the file <a> is damaged")
    results = collect([make_record(cells[0]), failed], listed)
    text = " ".join(written(tmp_path, cells, results).read_text().split())
    assert "2 complete of 3 planned: 1 at hand as files, 1 from runs.csv alone" in text
    assert "<code>beef</code>, with uncommitted changes" in text
    assert "<code>c0ffee</code> <span" in text
    assert "python 3.12" in text
    assert "ab" * 32 in text
    assert "enron, chmcnn, seed 2: the file &lt;a&gt; is damaged" in text


def test_records_of_other_settings_or_suites_do_not_show(tmp_path):
    cells = [make_cell()]
    others = [make_cell(epochs=9), make_cell("diatoms")]
    assert "0 complete of 1 planned" in written(tmp_path, cells, collect(map(make_record, others))).read_text()


def test_a_record_goes_before_a_line_of_the_same_identity():
    cell = make_cell()
    results = collect([make_record(cell, {"au_prc": 0.5})], [store.row(make_record(cell, {"au_prc": 0.25}))])
    assert results.frame["au_prc"].tolist() == [0.5]
    assert list(results.curves) == [cell.identity]


def test_entries_sort_by_their_number_and_means_stay_last():
    table = Table(
        "t",
        "T",
        ("dataset", "ours", "difference", "verdict"),
        (
            ("b", MeanStd(0.5, 0.1, 3, 3), Number(0.25, "+.2f"), "match"),
            ("mean of 2 datasets", MeanStd(None, None, 1, 3), DASH, DASH),
        ),
        strong=frozenset({(0, 1)}),
    )
    parts = page.table_parts(table)
    assert [numeric for _, numeric in parts["header"]] == [False, True, True, False]
    assert [entry["value"] for entry in parts["rows"][0]["entries"]] == [None, 0.5, 0.25, None]
    assert [entry["value"] for entry in parts["rows"][1]["entries"]] == [None, None, None, None]
    assert [row["last"] for row in parts["rows"]] == [False, True]
    assert parts["rows"][0]["entries"][1]["strong"]


def section(text, name):
    """The part of a page from one section's heading to the next's."""
    return text[text.index(f'<h2 id="{name}">') :].split("<h2 ")[1]


DECIDED = Claim(
    "decided",
    "It is <better>.",
    why="Because of this.",
    criteria=(Criterion("difference", ("weighted",), "macro_f1", against="chmcnn"),),
)
UNTESTED = Claim(
    "untested", "Nobody knows.", why="Or that.", criteria=(Criterion("difference", ("absent",), "macro_f1", against="chmcnn"),)
)
BESIDE = dataclasses.replace(DECIDED.criteria[0], metric="macro_recall", why="By recall:")
OURS = dataclasses.replace(DECIDED, id="ours", text="Is it?", why="We asked.", origin="ours", beside=(BESIDE,))


@pytest.fixture(scope="module")
def judged_page(tmp_path_factory):
    """A page on two claims of the paper's and one of ours, under two protocols of which one has too few datasets."""
    cells = [*cells_of(("chmcnn", "weighted")), *cells_of(("chmcnn", "weighted"), datasets=2, protocol="corrected")]
    results = results_of(cells, value)
    judged = claims.judge([DECIDED, UNTESTED, OURS], build_grid(cells, results.frame))
    return written(tmp_path_factory.mktemp("judged"), cells, results, judged=judged).read_text()


def test_the_page_opens_with_the_verdicts_at_a_glance(judged_page):
    glance = section(judged_page, "verdicts")
    rows = re.findall(r"<tr>(.*?)</tr>", glance, re.DOTALL)
    cells = [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]
    assert cells == [
        ["claim", "released", "corrected"],
        ["1. It is &lt;better&gt;.", "supported", "–"],
        ["1 not tested here"],
        ["claim", "released", "corrected"],
        ["1. Is it?", "supported", "–"],
    ]
    assert '<a href="#claim-decided">' in glance


def test_what_is_not_tested_is_folded_and_still_says_why(judged_page):
    paper = section(judged_page, "claims-paper")
    folded = re.findall(r"<details[^>]*>(.*?)</details>", paper, re.DOTALL)
    shown = re.sub(r"<details.*?</details>", "", paper, flags=re.DOTALL)
    assert "not tested here" not in shown.replace("1 not tested here", "")
    assert "Nobody knows." not in re.sub(r"<details><summary>1 not tested here</summary>.*", "", paper, flags=re.DOTALL)
    assert any("Not tested here: corrected" in part and "2 benchmark datasets are complete" in part for part in folded)
    assert "no cell of absent is planned" in paper


def test_questions_of_ours_have_a_section_with_why_and_findings_after_the_papers_claims(judged_page):
    paper, ours = section(judged_page, "claims-paper"), section(judged_page, "claims-ours")
    assert "Is it?" not in paper
    assert "It is &lt;better&gt;." not in ours
    visible = re.sub(r"<details.*?</details>", "", ours, flags=re.DOTALL)
    assert "We asked." in visible
    assert "Because of this." not in re.sub(r"<details.*?</details>", "", paper, flags=re.DOTALL)
    assert re.search(r"By recall:</th><td class=\"supported\">supported</td><td>n = 8, Macro recall of weighted \+\d", visible)
    assert "n = 8, Macro F1 of weighted +" in visible
    assert "p = 0.00781 (Wilcoxon)" in visible
    assert "Wilcoxon signed-rank, two-sided, exact" in ours
    assert "Wilcoxon signed-rank, two-sided, exact" not in visible


def test_the_figure_of_tuned_thresholds_stands_beside_the_verdicts(tmp_path):
    cells = cells_of(("chmcnn", "weighted"), datasets=2)
    records = [record_of(cell, value(cell), metrics={"macro_f1@prior": 0.5, "macro_ap": 0.25}) for cell in cells]
    grid = build_grid(cells, collect(records).frame)
    path = page.write_page(grid, collect(records), [], [], tmp_path, suite="a b", asked=TableSettings(tuned="prior"))
    front = section(path.read_text(), "verdicts")
    assert "Macro F1 at 0.5 and with tuned thresholds (prior)" in front
    assert "<svg " in front
    assert (tmp_path / path.stem / "tuned_thresholds.svg").is_file()
    assert path.stem.startswith("a_b-")
    without = written(tmp_path, cells, results_of(cells, value), judged=[], suite="without").read_text()
    assert "<svg " not in section(without, "verdicts")


def test_a_page_of_another_rule_says_so_and_has_a_name_of_its_own(tmp_path):
    cells = cells_of(("chmcnn", "weighted"), datasets=6)
    metrics = {"macro_f1@prior": 0.5, "macro_recall@prior": 0.25, "recall_frequency_0@prior": 0.125}
    records = [record_of(cell, value(cell), metrics={name: one + value(cell) for name, one in metrics.items()}) for cell in cells]
    results = collect(records)
    grid = build_grid(cells, results.frame)
    path = page.write_page(
        grid, results, [], [], tmp_path, suite="trial", asked=TableSettings(rule="prior"), formats=("svg", "png")
    )
    assert path.name == "trial_prior.html"
    text = path.read_text()
    assert "decision rule <code>prior</code>" in text
    assert "Macro F1 with rule prior: which methods differ" in text
    assert (tmp_path / "trial_prior" / "recall_frequency_fun_released_prior.png").is_file()
    assert "decision rule" not in section(written(tmp_path, cells, results, judged=[]).read_text(), "verdicts")


def test_results_beside_the_plan_do_not_count_as_planned_and_say_where_they_come_from(tmp_path):
    cells = cells_of(("chmcnn",), datasets=1, seeds=1)
    beside = [
        record_of(make_cell("data_0", "predict_all", group="fun")),
        from_outside(make_cell("data_0", "mine", group="fun"), {"macro_f1": 0.5}),
    ]
    text = " ".join(written(tmp_path, cells, collect([*map(record_of, cells), *beside]), judged=[]).read_text().split())
    assert "1 of 1 planned cells are done" in text
    assert "1 complete of 1 planned, and 2 to compare with" in text
    assert "data_0, mine: scores from outside, file sha256 ab" in text
    assert "mine ‡" in text


def test_a_table_of_many_columns_is_turned_on_the_page():
    header = ("dataset", *(f"method_{place}" for place in range(30)))
    table = Table("t", "T", header, (("enron", *(MeanStd(0.1 * place) for place in range(30))),), turn_to="method")
    parts = page.table_parts(table)
    assert [name for name, _ in parts["header"]] == ["method", "enron"]
    assert len(parts["rows"]) == 30


# --- in a browser ---------------------------------------------------------------------------------------------------

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="module")
def dom(full, tmp_path_factory):
    """The page's document after its script ran, with a click on a heading that a script of the test adds."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser was found (looked for {', '.join(BROWSERS)})")
    folder = tmp_path_factory.mktemp("browser")
    click = (
        "<script>var heads = document.querySelectorAll('#table-fun_macro_f1 ~ .scroll th[scope=col] button');"
        "heads[1].click(); heads[1].click();"
        "var root = document.documentElement; document.body.dataset.wide = root.scrollWidth - root.clientWidth;</script></body>"
    )
    copy = folder / "page.html"
    copy.write_text(full.read_text().replace("</body>", click))
    options = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    options += " --disable-component-update --disable-sync --dump-dom --window-size=500,900"
    profile = folder / "profile"
    shown = subprocess.run(
        [browser, *options.split(), f"--user-data-dir={profile}", copy.as_uri()],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "HOME": str(folder)},
    )
    if not shown.stdout.startswith("<!DOCTYPE html>"):
        pytest.skip(f"{browser} does not start here: {shown.stderr.strip()[-200:]}")
    return shown.stdout


def test_a_browser_shows_claims_tables_and_figures_and_runs_no_name_as_code(dom):
    outline = Outline(dom)
    assert outline.tags.count("svg") >= 4
    assert outline.tags.count("table") > 8
    assert "<title>A trial" in dom
    assert "<img" not in dom


def test_a_click_on_a_heading_sorts_its_table_and_the_mean_stays_last(dom):
    body = re.search(r'id="table-fun_macro_f1".*?<tbody>(.*?)</tbody>', dom, flags=re.DOTALL)
    assert body is not None
    rows = re.findall(r'<tr[^>]*><th scope="row">([^<]*)</th><td data-value="([^"]*)"', body[1])
    values = [float(number) for _, number in rows]
    assert rows[-1][0].startswith("mean of ")
    assert values[:-1] == sorted(values[:-1], reverse=True)
    assert 'aria-sort="descending"' in dom


def test_on_a_narrow_screen_only_tables_and_figures_scroll_sideways(dom):
    assert 'data-wide="0"' in dom
