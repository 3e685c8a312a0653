"""Metrics as a report shows them: title, unit, digits, and their names under a decision rule."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hmc.metrics.grouped import FREQUENCY_BANDS

HALF = "half"
"""The papers' decision rule, a threshold of 0.5. Its metrics have plain names; those of another rule end in ``@rule``."""


@dataclass(frozen=True)
class Metric:
    """A metric of the records and how it is shown.

    name: the grid's column, such as macro_f1 or macro_f1@scaled_rate. unit: percent, fraction or bits. scale: what turns the
    record's value into the unit. digits: decimals shown. of_rule: whether its value depends on the decision rule.
    """

    name: str
    title: str
    unit: str
    scale: float
    digits: int
    of_rule: bool = True

    @property
    def points(self) -> float:
        """What turns a difference of the records' values into the unit of differences: points (hundredths), or bits."""
        return 1.0 if self.unit == "bits" else 100.0

    @property
    def difference_unit(self) -> str:
        return "bits" if self.unit == "bits" else "points"

    @property
    def in_sentence(self) -> str:
        """The title within a sentence.

        >>> metric("macro_f1").in_sentence, metric("au_prc").in_sentence, metric("fmax").in_sentence
        ('macro F1', 'AU(PRC)', 'Fmax')
        """
        return self.title if self.title.startswith(("AU", "CLUS", "F", "Smin")) else self.title[0].lower() + self.title[1:]

    def under(self, rule: str) -> Metric:
        """The metric under a decision rule; itself under ``half``, and where no rule changes it.

        >>> metric("macro_f1").under("global").name, metric("au_prc").under("global").name
        ('macro_f1@global', 'au_prc')
        """
        return metric(self.name, rule) if self.of_rule else self


_TITLES = {
    "au_prc": "AU(PRC)",
    "macro_ap": "Macro AP",
    "example_ap": "Mean AP of rows",
    "clus_pooled_area": "CLUS pooled area",
    "clus_average_area": "CLUS average area",
    "clus_weighted_area": "CLUS weighted area",
    "fmax": "Fmax",
    "smin": "Smin",
    "smin_seen": "Smin over seen nodes",
    "incoherent_share": "Incoherent share",
    "macro_f1_of_means": "F1 of macro means",
    "macro_precision_seen": "Macro precision of nodes in test",
    "macro_recall_seen": "Macro recall of nodes in test",
    "macro_f1_seen": "Macro F1 of nodes in test",
    "micro_ap_of_predictions": "Micro AP of predictions",
}
_SCORES_ALONE = re.compile(r"au_prc|macro_ap|example_ap|clus_|fmax|smin|incoherent")
"""How the names of metrics begin that need no decision rule."""

BANDS = {
    band: f"over {least - 1}" if most is None else f"{least} to {most}" if least < most else str(least)
    for band, least, most in FREQUENCY_BANDS
}
"""Ranges of training frequency by the name that they have in metrics: positive training rows, in words."""


def metric(name: str, rule: str = HALF) -> Metric:
    """A metric by its name in the grid.

    rule: the decision rule, where the name does not say it. A name that is not known gets a title of its own words.

    >>> metric("macro_f1@scaled_rate").title, metric("recall_frequency_4_10").title, metric("smin").unit
    ('Macro F1 with rule scaled_rate', 'Recall of nodes with 4 to 10 training rows', 'bits')
    """
    base, _, named = name.partition("@")
    rule = named or rule
    of_rule = not _SCORES_ALONE.match(base)
    title = _title(base)
    if of_rule and rule != HALF:
        name, title = f"{base}@{rule}", f"{title} with rule {rule}"
    if base.startswith("smin"):
        return Metric(name, title, "bits", 1, 2, of_rule)
    if base == "au_prc":
        return Metric(name, title, "fraction", 1, 3, of_rule)
    return Metric(name, title, "percent", 100, 2, of_rule)


def _title(base: str) -> str:
    if base in _TITLES:
        return _TITLES[base]
    group = re.fullmatch(r"(recall|macro_ap)_(frequency|depth)_(.+)", base)
    if group:
        what = {"recall": "Recall", "macro_ap": "Macro AP"}[group[1]]
        if group[2] == "depth":
            return f"{what} of nodes at depth {group[3]}"
        return f"{what} of nodes with {BANDS.get(group[3], group[3])} training rows"
    part = re.fullmatch(r"(fmax|smin)_(.+)", base)
    if part:
        return f"{part[1].capitalize()}, {part[2].replace('_', ' ')}"
    return re.sub(r"\bf1\b", "F1", base.replace("_", " ").capitalize())


MACRO_F1 = metric("macro_f1")
MACRO_PRECISION = metric("macro_precision")
MACRO_RECALL = metric("macro_recall")
MACRO_AP = metric("macro_ap")
AU_PRC = metric("au_prc")
METRICS = (MACRO_F1, MACRO_PRECISION, MACRO_RECALL, MACRO_AP, AU_PRC)
"""The metrics of the tables of results."""


def under(metrics: Iterable[Metric], rule: str) -> tuple[Metric, ...]:
    """The metrics under a decision rule, in their order."""
    return tuple(one.under(rule) for one in metrics)


def suffix(rule: str) -> str:
    """What a decision rule adds to the name of a file.

    >>> suffix("half"), suffix("scaled_rate")
    ('', '_scaled_rate')
    """
    return "" if rule == HALF else f"_{rule}"
