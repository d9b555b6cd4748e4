"""Figure 6: do probes transfer between tasks? Claim (e).

Every task's sparse and dense probe of one layer on every task; the means of each row within and across phenomena; and
a dense probe of all other phenomena, on an unseen one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product

import numpy as np

from neurosteer.experiments.experiment import Drawing, Experiment, Results, Rows, Work
from neurosteer.experiments.scope import Scope
from neurosteer.experiments.shared.transfer_probes import KINDS, Kind, Member, general_units
from neurosteer.report.numbers import count_range, in_words, number
from neurosteer.report.table import Table, mean
from neurosteer.results import Verdict
from neurosteer.runner.units import Unit

from .charts import charts, charts_pairwise
from .figures import caption, caption_pairwise, draw, draw_pairwise
from .result import NAME, PROBES, Fig6, GeneralProbe, Probe, RowMeans, above_chance, compute

BROAD = 0.75  # of the tasks of other phenomena
MEANS = ("sparse_own", "sparse_same", "sparse_other", "dense_own", "dense_same", "dense_other")


@dataclass(frozen=True)
class TransferCell:
    """A row of the CSV."""

    trained: str
    tested: str
    pairs: int
    sparse_accuracy: float | None
    sparse_pairwise: float | None
    dense_accuracy: float | None
    dense_pairwise: float | None


def joint_units(work: Work) -> list[Unit]:
    return general_units([Member(task.name, task.phenomenon) for task in work.tasks])


def csvs(result: Fig6) -> Mapping[str, Rows]:
    values = [result.matrices(probe).of(kind) for probe, kind in product(PROBES, KINDS)]
    cells = [
        TransferCell(trained, tested, result.pairs[i][j], *(matrix[i][j] for matrix in values))
        for i, trained in enumerate(result.tasks)
        for j, tested in enumerate(result.tasks)
    ]
    return {"": cells, "means": result.means, "general": result.general}


def tables(result: Fig6, scope: Scope) -> list[Table]:
    """Mean accuracy by phenomenon of the training task, at threshold 0 and pairwise."""
    return [
        _by_phenomenon(result, "accuracy", "Test accuracy at threshold 0"),
        _by_phenomenon(result, "pairwise", "Pairwise test accuracy"),
    ]


def _by_phenomenon(result: Fig6, kind: Kind, what: str) -> Table:
    names = list(dict.fromkeys(result.phenomena))
    pairs: dict[str, list[int]] = {name: [] for name in names}
    for phenomenon, counts in zip(result.phenomena, result.pairs, strict=True):
        pairs[phenomenon] += counts
    rows = []
    for name in names:
        means = [row for row in result.means if row.phenomenon == name]
        general = [row for row in result.general if row.phenomenon == name]
        rows.append((in_words(name), *_means(means, general, kind), count_range(pairs[name])))
    rows.append(("all", *_means(result.means, result.general, kind), count_range(chain(*pairs.values()))))
    headers = ("phenomenon", "tasks", "sparse: itself", "same phenomenon", "others", "dense: itself")
    seen = f" ({result.left_out:,} are left out in all: the training task has seen a sentence of theirs)"
    caption = (
        f"{what}, mean over the tasks of a phenomenon as training tasks; general: a dense probe trained on the other "
        f"phenomena, tested on these tasks; pairs: on which a cell rests{seen if result.left_out else ''}; "
        f"probes of flipped labels on other tasks: {_null_in_words(result, kind)}"
    )
    return Table(caption, (*headers, "same phenomenon", "others", "general", "pairs a cell"), tuple(rows))


def _means(rows: Sequence[RowMeans], general: Sequence[GeneralProbe], kind: Kind) -> tuple[str, ...]:
    values = (number(mean([row.of(name, kind) for row in rows])) for name in MEANS)
    return (str(len(rows)), *values, number(mean([row.of(kind) for row in general])))


def _null_in_words(result: Fig6, kind: Kind) -> str:
    found = {probe: result.null_of(probe, kind) for probe in PROBES}
    return ", ".join(
        f"{probe} {number(null.mean, 3)} (sd of rows {number(null.row_sd, 3)})" for probe, null in found.items()
    )


def verdicts(results: Results, scope: Scope) -> list[Verdict]:
    """Claim (e)."""
    result: Fig6 = results[NAME]
    shares = {probe: shares_above_chance(result, probe) for probe in PROBES}
    broad = [name for name, share in zip(result.tasks, shares["sparse"], strict=True) if share >= BROAD]
    dense = sum(share >= BROAD for share in shares["dense"])
    named = f" ({', '.join(broad[:3])}{', ...' if len(broad) > 3 else ''})" if broad else ""
    others = mean([row.sparse_other for row in result.means])
    nulls = [result.null_of(probe, "accuracy").above for probe in PROBES]
    sparse_null, dense_null = ("none" if above is None else f"{100 * above:.1f} %" for above in nulls)
    reading = "There are no tasks of other phenomena."
    if others is not None:
        reading = (
            f"{len(broad)} sparse probes do{named}, {dense} dense ones; on tasks of other phenomena a sparse probe "
            f"is right in {others:.3f} of the sentences on average. Of the cells of probes of flipped labels "
            f"{sparse_null} (dense {dense_null}) are above "
            "chance too, where 5 % would be due."
        )
    return [
        Verdict.counted(
            "e",
            "Some tasks' probes transfer broadly.",
            "a sparse probe is above chance (one-sided binomial p < .05, threshold 0) in at least 75 % of the tasks "
            "of other phenomena",
            len(broad),
            len(result.tasks),
            "training tasks",
            reading,
        )
    ]


def shares_above_chance(result: Fig6, probe: Probe) -> list[float]:
    """For each row the share of the tasks of other phenomena whose cell is above chance."""
    values, names = np.array(result.matrices(probe).accuracy, dtype=float), np.array(result.phenomena)
    others = (names[:, None] != names) & np.isfinite(values)
    above = above_chance(values, np.array(result.pairs)) & others
    return [float(share) for share in above.sum(axis=1) / np.maximum(others.sum(axis=1), 1)]


EXPERIMENT = Experiment(
    "Figure 6: transfer between tasks",
    Fig6,
    compute,
    tables,
    Drawing(draw, caption, charts),
    csvs,
    verdicts,
    needs={"one_layer", "transfer"},
    joint_units=joint_units,
    more={"pairwise": Drawing(draw_pairwise, caption_pairwise, charts_pairwise)},
)
