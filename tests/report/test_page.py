import itertools
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from hmc.report import claims, page
from hmc.report.grid import build_grid, collect
from hmc.report.render import DASH, Estimate, Table
from hmc.report.tables import tables
from hmc.results import Record, published, store
from tests.report.examples import cells_of, place_of, results_of
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


def test_claims_come_first_and_headings_do_not_skip_a_level(full):
    outline = Outline(full.read_text())
    sections = [text for tag, text in outline.headings if tag == "h2"]
    assert sections == [
        "Claims and verdicts",
        "Tables",
        "Significance",
        "Recall against node frequency",
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
            ("b", Estimate(0.5, 0.1, 3, 3), "+0.25 (p 0.1)", "match"),
            ("mean of 2 datasets", Estimate(None, None, 1, 3), DASH, DASH),
        ),
        strong=frozenset({(0, 1)}),
    )
    parts = page.table_parts(table)
    assert [numeric for _, numeric in parts["header"]] == [False, True, True, False]
    assert [entry["value"] for entry in parts["rows"][0]["entries"]] == [None, 0.5, 0.25, None]
    assert [entry["value"] for entry in parts["rows"][1]["entries"]] == [None, None, None, None]
    assert [row["last"] for row in parts["rows"]] == [False, True]
    assert parts["rows"][0]["entries"][1]["strong"]


def test_the_page_marks_what_is_not_significantly_different_from_the_best(tmp_path):
    cells = cells_of(("a", "b", "c"), datasets=1, seeds=7)
    levels = {"a": 0.5, "b": 0.4, "c": 0.3}
    close = results_of(cells, lambda cell: 0.5 + 0.01 * cell.seed if cell.method != "c" else 0.25 - 0.002 * cell.seed)
    text = written(tmp_path, cells, close, judged=[]).read_text()
    assert "<em" not in text  # b is as good as a, so both are strong
    near = results_of(cells, lambda cell: levels[cell.method] + (0.3 if cell.method == "b" and cell.seed > 4 else 0))
    table = re.search(
        r'id="table-fun_results".*?<tbody>\n(.*?)</tbody>', written(tmp_path, cells, near, judged=[]).read_text(), re.DOTALL
    )
    assert table is not None
    firsts = [re.findall(r"<td[^>]*>(.*?)</td>", row)[0] for row in table[1].split("</tr>")[:3]]
    assert [re.sub(r"^<\w+[^>]*>", "", cell) for cell in firsts] == [
        "50.00 ± 0.00</strong>",
        "48.57 ± 14.64</em>",
        "30.00 ± 0.00",
    ]
    assert '<em title="not significantly different from the best">48.57' in table[1]


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
