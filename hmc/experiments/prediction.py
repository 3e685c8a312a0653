"""Scores and predicted terms of new rows, by a saved model, as CSV files."""

from __future__ import annotations

import csv
import dataclasses
import io
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hmc.data.dataset import DataWarning
from hmc.data.rows import read_rows
from hmc.files import write_atomically
from hmc.hierarchy import Hierarchy
from hmc.results.store import MODEL as MODEL_FOLDER
from hmc.rules import decide
from hmc.settings import DatasetSettings, SettingsError, build, did_you_mean, setting
from hmc.training.saved import MODEL, Model, load_model, preferred_rule


@dataclass(frozen=True)
class PredictSettings:
    """What to predict, and where to write it."""

    model: str = setting("")
    """The folder of a saved model, or of a cell that kept one; with * for parts that one folder alone fits."""
    features: str = setting("")
    """The file of new rows: CSV, TSV, Parquet or ARFF, with the columns that the model was fitted on."""
    output: str = setting("predictions")
    """The folder for scores.csv and terms.csv."""
    rule: str = setting("")
    """The decision rule; empty: the model's tuned one, or half."""
    top: int = setting(0, minimum=0)
    """In place of a rule: so many terms with the highest scores."""
    id: str = setting("")
    """The column that names the rows; empty: the model's own, or the number of the row."""
    device: str = setting("auto")
    threads: int = setting(1, minimum=1, maximum=1024)


def predict(asked: PredictSettings) -> str:
    """Score the rows of a file and write both tables; returns what was done, in a few lines.

    Raises SettingsError for settings that do not fit, ModelError, DataError or ArffError for files that do not, UnwritableError.
    """
    for name in ("model", "features"):
        if not getattr(asked, name):
            raise SettingsError(f"{name} must name a {'folder' if name == 'model' else 'file'}; set {name}=PATH")
    model = load_model(_folder(asked.model))
    rule = _rule(model, asked.rule)
    if not Path(asked.features).expanduser().is_file():
        raise SettingsError(f"features={asked.features!r} must be a file of rows, but there is no such file; correct the path")
    rows = read_rows(Path(asked.features).expanduser(), _reading(model, asked), model.feature_names)
    for note in rows.notes:
        warnings.warn(note, DataWarning, stacklevel=2)
    # torch takes seconds to import; mistakes above are told before.
    from hmc.training.device import limit_threads

    limit_threads(asked.threads)
    scores = model.scores(rows.features, asked.device)
    ids = rows.ids or tuple(str(number) for number in range(1, len(scores) + 1))
    hierarchy, folder = model.hierarchy, Path(asked.output).expanduser()
    shown = np.flatnonzero(hierarchy.evaluated)
    if asked.top:
        labels = _best(scores, shown, asked.top)
        how = f"the {asked.top} with the highest scores"
    else:
        labels, how = decide(scores, model.thresholds[rule], hierarchy).labels, f"by the rule {rule}"
    header = ["id", *(hierarchy.names[node] for node in shown)]
    _write(folder / "scores.csv", header, ([name, *map(_text, row[shown])] for name, row in zip(ids, scores, strict=True)))
    terms = list(_terms(ids, scores, labels, hierarchy, shown))
    _write(folder / "terms.csv", ["id", "term", "score", "most_specific"], terms)
    return (
        f"{len(ids)} rows scored by {model.about.get('cell', asked.model)}\n"
        f"  {folder / 'scores.csv'}: {len(shown)} scores a row\n"
        f"  {folder / 'terms.csv'}: {len(terms)} terms, {how}"
    )


def _folder(wanted: str) -> Path:
    """The folder of the one model that a path or a pattern names. Raises SettingsError where a pattern names none, or several."""
    found = [Path(wanted).expanduser()]
    if "*" in wanted:
        start = Path(found[0].anchor) if found[0].is_absolute() else Path()
        found = sorted(start.glob(str(found[0].relative_to(start) if found[0].is_absolute() else found[0])))
    folders = [folder / part for folder in found for part in (".", MODEL_FOLDER) if (folder / part / MODEL).is_file()]
    if "*" not in wanted:
        return folders[0] if folders else found[0]
    if len(folders) != 1:
        shown = f": {', '.join(str(folder) for folder in folders[:3])}" if folders else ""
        remedy = "name one of them" if folders else "train one with save_model=true, or correct the path"
        raise SettingsError(f"model={wanted!r} must fit the folder of one model, got {len(folders)}{shown}; {remedy}")
    return folders[0]


def _rule(model: Model, wanted: str) -> str:
    known = list(model.thresholds)
    if wanted:
        if wanted not in known:
            raise SettingsError(f"rule={wanted!r} has no thresholds in this model{did_you_mean(wanted, known)}")
        return wanted
    return preferred_rule(known)


def _reading(model: Model, asked: PredictSettings) -> DatasetSettings:
    """How the file is to be read: as those that the model was trained on, or as a table where these were arrays."""
    trained = build(DatasetSettings, model.about["settings"]["dataset"], at="dataset")
    kind = "arff" if trained.kind == "arff" and asked.features.lower().endswith(".arff") else "table"
    table = dataclasses.replace(trained.table, id=asked.id) if asked.id else trained.table
    return dataclasses.replace(trained, kind=kind, table=table)


def _best(scores: np.ndarray, shown: np.ndarray, count: int) -> np.ndarray:
    """bool [rows, nodes]: the nodes with the highest scores; of equal ones those that come first, and so the more general."""
    order = np.argsort(-scores[:, shown], axis=1, kind="stable")[:, :count]
    labels = np.zeros(scores.shape, dtype=bool)
    np.put_along_axis(labels, shown[order], True, axis=1)
    return labels


def _terms(
    ids: Sequence[str], scores: np.ndarray, labels: np.ndarray, hierarchy: Hierarchy, shown: np.ndarray
) -> Iterable[list[str]]:
    """A line a predicted term: best first, with whether none of its children is predicted."""
    evaluated = np.zeros(len(hierarchy), dtype=bool)
    evaluated[shown] = True
    for name, of_row, row in zip(ids, scores, labels & evaluated, strict=True):
        nodes = np.flatnonzero(row)
        for node in nodes[np.argsort(-of_row[nodes], kind="stable")]:
            specific = not row[hierarchy.children.of(node)].any()
            yield [name, hierarchy.names[node], _text(of_row[node]), str(int(specific))]


def _text(score: np.floating) -> str:
    """A float32 in as many digits as tell it from its neighbours."""
    return f"{score:.9g}" if score else "0"


def _write(path: Path, header: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    write_atomically(path, buffer.getvalue())
