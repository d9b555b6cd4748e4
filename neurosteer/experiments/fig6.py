"""Figure 6: do probes transfer between tasks? Claim (e).

Every task's sparse and dense probe of one layer on every task; the means of each row within and across phenomena; and
a dense probe of all other phenomena, on an unseen one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import Annotated, Literal, TypeAlias, get_args

import numpy as np
from jaxtyping import Bool
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch
from scipy import stats

from neurosteer.report.canvas import BLUE, DASHED, GREY, INK, VERMILION, Look, finish
from neurosteer.report.matrix import Matrix, as_array, draw_matrix, name_rows, names_of, reach_of
from neurosteer.report.numbers import count_range, in_words, lambda_text, number, percent
from neurosteer.report.palette import about, rising
from neurosteer.report.sheet import Panel, new_sheet, vertical_grid
from neurosteer.report.table import Table, mean
from neurosteer.results import Estimate, key
from neurosteer.runner.units import Read, Unit
from neurosteer.vocabulary import LEVEL

from .experiment import Caption, Drawing, Experiment, Results, Rows, Verdict, Work
from .scope import Scope
from .shared.one_layer import one_layer_name
from .shared.transfer_probes import TRANSFER, Member, general_name, general_units

NAME = "fig6"
BROAD = 0.75  # of the tasks of other phenomena
Kind = Literal["accuracy", "pairwise"]  # at threshold 0; whether the good sentence of a pair scores higher
Probe = Literal["sparse", "dense"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PROBES: tuple[Probe, ...] = get_args(Probe)
Arrays: TypeAlias = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Matrices:
    """Accuracy in every cell: rows are training tasks, columns the tasks tested on."""

    accuracy: list[list[float | None]]
    pairwise: list[list[float | None]]

    def of(self, kind: Kind) -> list[list[float | None]]:
        return self.accuracy if kind == "accuracy" else self.pairwise


@dataclass(frozen=True)
class RowMeans:
    """What the probes of one task read on average: on itself, its phenomenon's other tasks, and other phenomena."""

    task: str
    phenomenon: str
    sparse_own: float | None
    sparse_same: float | None
    sparse_other: float | None
    dense_own: float | None
    dense_same: float | None
    dense_other: float | None
    sparse_own_pairwise: float | None
    sparse_same_pairwise: float | None
    sparse_other_pairwise: float | None
    dense_own_pairwise: float | None
    dense_same_pairwise: float | None
    dense_other_pairwise: float | None

    def of(self, column: str, kind: Kind) -> float | None:
        """`sparse_own` and so on, of either kind of accuracy."""
        value: float | None = getattr(self, column if kind == "accuracy" else f"{column}_{kind}")
        return value


@dataclass(frozen=True)
class GeneralProbe:
    """A dense probe that was trained on all other phenomena, on one task."""

    task: str
    phenomenon: str
    accuracy: float | None
    pairwise: float | None
    pairs: int | None  # test pairs with no sentence that its training has seen

    def of(self, kind: Kind) -> float | None:
        return self.accuracy if kind == "accuracy" else self.pairwise


@dataclass(frozen=True)
class NullCells:
    """Probes of labels flipped within pairs, on every task but their own."""

    mean: float | None
    row_sd: float | None  # how much the means of rows differ
    above: float | None  # share of cells that the binomial test of single cells calls above chance


@dataclass(frozen=True)
class Fig6:
    experiment: str
    layer: int
    lambdas: Annotated[list[float], key("lambda")]  # of each task's mask
    kept: list[float]  # share of units that it keeps
    tasks: list[str]
    phenomena: list[str]
    sparse: Matrices
    dense: Matrices
    means: list[RowMeans]
    general: list[GeneralProbe]
    null: Mapping[str, NullCells]  # accuracy_sparse, ...
    pairs: list[list[int]]  # test pairs of each cell
    left_out: int  # pairs not in a cell, as its training has seen a sentence of theirs

    def matrices(self, probe: Probe) -> Matrices:
        return self.sparse if probe == "sparse" else self.dense


@dataclass(frozen=True)
class Cell:
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


def compute(read: Read, work: Work, scope: Scope) -> Fig6:
    members = [Member(task.name, task.phenomenon) for task in work.tasks]
    arrays = read(TRANSFER).arrays
    masks = [read(one_layer_name(member.task)).arrays for member in members]
    return Fig6(
        experiment=NAME,
        layer=work.design.layer,
        lambdas=[float(mask["lambda"][0]) for mask in masks],
        kept=[float(mask["kept"][0]) for mask in masks],
        tasks=work.names,
        phenomena=work.phenomena,
        sparse=_matrices(arrays, "sparse"),
        dense=_matrices(arrays, "dense"),
        means=[_row_means(arrays, i, members) for i in range(len(members))],
        general=_general(read, members),
        null={f"{kind}_{probe}": _null_cells(arrays, kind, probe) for kind, probe in product(KINDS, PROBES)},
        pairs=arrays["pairs"].tolist(),
        left_out=int((arrays["pairs"].max(axis=0) - arrays["pairs"]).sum()),
    )


def _matrices(arrays: Arrays, probe: Probe) -> Matrices:
    return Matrices(*([[_known(cell) for cell in row] for row in arrays[f"{kind}_{probe}"]] for kind in KINDS))


def _row_means(arrays: Arrays, i: int, members: Sequence[Member]) -> RowMeans:
    own = members[i]
    same = np.array([member.phenomenon == own.phenomenon and member != own for member in members])
    other = np.array([member.phenomenon != own.phenomenon for member in members])
    values: list[float | None] = []
    for kind, probe in product(KINDS, PROBES):
        row = arrays[f"{kind}_{probe}"][i]
        values += [_known(row[i]), _mean(row[same]), _mean(row[other])]
    return RowMeans(own.task, own.phenomenon, *values)


def _null_cells(arrays: Arrays, kind: Kind, probe: Probe) -> NullCells:
    matrix = arrays[f"{kind}_null_{probe}"]
    others = np.where(np.eye(len(matrix), dtype=bool), np.nan, matrix)
    rows = [mean for mean in map(_mean, others) if mean is not None]
    known = np.isfinite(others)
    above = above_chance(others[known], arrays["pairs"][known])
    sd = float(np.std(rows, ddof=1)) if len(rows) > 1 else None
    return NullCells(_mean(others), sd, float(above.mean()) if known.any() else None)


def above_chance(accuracy: np.ndarray, pairs: np.ndarray) -> Bool[np.ndarray, "..."]:
    """Which cells are above chance: one-sided binomial test of their sentences at threshold 0."""
    sentences = 2 * np.maximum(1, pairs)
    return np.asarray(accuracy > stats.binom.isf(LEVEL, sentences, 0.5) / sentences)


def _general(read: Read, members: Sequence[Member]) -> list[GeneralProbe]:
    rows = []
    for phenomenon in dict.fromkeys(member.phenomenon for member in members):
        arrays = read(general_name(phenomenon)).arrays
        own = [member for member in members if member.phenomenon == phenomenon]
        for i, member in enumerate(own):
            pairs = _known(arrays["pairs"][i])
            accuracy, pairwise = (_known(arrays[kind][i]) for kind in KINDS)
            rows.append(
                GeneralProbe(member.task, phenomenon, accuracy, pairwise, None if pairs is None else int(pairs))
            )
    return rows


def _known(value: float) -> float | None:
    return Estimate.of(value).value


def _mean(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


# what it shows

TITLES: dict[Kind, str] = {
    "accuracy": "test accuracy at threshold 0 (share of sentences)",
    "pairwise": "pairwise test accuracy (share of pairs in which the good sentence scores higher)",
}
MEANS = ("sparse_own", "sparse_same", "sparse_other", "dense_own", "dense_same", "dense_other")
DRAWN: dict[str, tuple[str, Look]] = {
    "sparse_own": ("itself, sparse", {"color": GREY, "marker": "^", "markersize": 4}),
    "sparse_same": ("same phenomenon, sparse", {"color": BLUE, "marker": "D", "markersize": 3.4}),
    "sparse_other": ("other phenomena, sparse", {"color": VERMILION, "marker": "o", "markersize": 4.4}),
    "dense_other": (
        "other phenomena, dense",
        {"color": INK, "marker": "o", "markersize": 4.4, "markerfacecolor": "none"},
    ),
}
NULL: dict[Probe, Look] = {
    "sparse": {"facecolor": GREY, "alpha": 0.28, "linewidth": 0},
    "dense": {"facecolor": "none", "edgecolor": INK, "linewidth": 0.9, "linestyle": DASHED},
}
LEAST = 0.02  # what a scale of differences spans at least


def csvs(result: Fig6) -> Mapping[str, Rows]:
    values = [result.matrices(probe).of(kind) for probe, kind in product(PROBES, KINDS)]
    cells = [
        Cell(trained, tested, result.pairs[i][j], *(matrix[i][j] for matrix in values))
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
    pairs = {name: _pairs_of(result, name) for name in names}
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


def _pairs_of(result: Fig6, name: str) -> list[int]:
    """The pairs of every cell whose training task is of this phenomenon."""
    of_rows = zip(result.phenomena, result.pairs, strict=True)
    return [count for phenomenon, row in of_rows if phenomenon == name for count in row]


def _means(rows: Sequence[RowMeans], general: Sequence[GeneralProbe], kind: Kind) -> tuple[str, ...]:
    values = (number(mean([row.of(name, kind) for row in rows])) for name in MEANS)
    return (str(len(rows)), *values, number(mean([row.of(kind) for row in general])))


def _null_in_words(result: Fig6, kind: Kind) -> str:
    found = {probe: result.null[f"{kind}_{probe}"] for probe in PROBES}
    return ", ".join(
        f"{probe} {number(null.mean, 3)} (sd of rows {number(null.row_sd, 3)})" for probe, null in found.items()
    )


def draw(result: Fig6, scope: Scope) -> Figure:
    """At threshold 0."""
    return _draw(result, scope, "accuracy")


def draw_pairwise(result: Fig6, scope: Scope) -> Figure:
    return _draw(result, scope, "pairwise")


def _draw(result: Fig6, scope: Scope, kind: Kind) -> Figure:
    """Heat maps of the sparse and of the dense probes, the mean of each row, and the difference."""
    subtitle = scope.subtitle(f"layer {result.layer}", TITLES[kind], f"{tested_on(result.pairs)} a cell")
    names = names_of(result.tasks, result.phenomena)
    figure, panels = new_sheet(4, "Fig. 6 · Probes trained on one task, tested on another", subtitle, names)
    sparse, dense, means, difference = panels
    for panel, matrices in ((sparse, result.sparse), (dense, result.dense)):
        image = _draw_map(panel, result, matrices.of(kind), 0.5, 0.5)
        panel.colour_bar(image, "share correct")
    sparse.title(f"sparse probe ({_kept(result)})")
    dense.title("dense probe")
    _draw_difference(difference, result, kind)
    _draw_row_means(means.axes, result, kind)
    means.title("mean of each row")
    return finish(figure)


def tested_on(pairs: Sequence[Sequence[int]]) -> str:
    """`141 to 200 test pairs`."""
    return f"{count_range(count for row in pairs for count in row)} test pairs"


def _kept(result: Fig6) -> str:
    """`λ = .2, 12% of the units`, `λ .2 to .8, 6.1% to 18% of the units`: over the tasks' probes."""
    low, high = (lambda_text(end(result.lambdas)) for end in (min, max))
    fewest, most = (percent(end(result.kept)) for end in (min, max))
    values = f"λ = {low}" if low == high else f"λ {low} to {high}"
    return f"{values}, {fewest} to {most} of the units"


def _draw_map(panel: Panel, result: Fig6, matrix: Matrix, middle: float, reach: float) -> AxesImage:
    look = (rising(), about(middle, reach))
    rows = "trained on" if panel.first else ""
    return draw_matrix(panel.axes, matrix, result.tasks, result.phenomena, look, rows=rows, columns="tested on")


def _draw_difference(panel: Panel, result: Fig6, kind: Kind) -> None:
    values = as_array(result.sparse.of(kind)) - as_array(result.dense.of(kind))
    image = _draw_map(panel, result, values.tolist(), 0.0, reach_of(values, LEAST))
    panel.colour_bar(image, "difference of shares")
    panel.title("difference: sparse − dense")  # noqa: RUF001  (a minus sign)


def _draw_row_means(axes: Axes, result: Fig6, kind: Kind) -> None:
    """One line per training task: its own test, others of its phenomenon, and tasks of other phenomena."""
    for column, (label, look) in DRAWN.items():
        values = [(row.of(column, kind), place) for place, row in enumerate(result.means)]
        known = [(value, place) for value, place in values if value is not None]
        across, down = [value for value, _ in known], [place for _, place in known]
        axes.plot(across, down, label=label, linestyle="", markeredgewidth=0.8, **look)
    keys = [*axes.get_legend_handles_labels()[0], *_draw_null(axes, result, kind)]
    axes.set_ylim(len(result.tasks) - 0.5, -0.5)
    name_rows(axes, result.tasks, result.phenomena)
    axes.set_ylabel("trained on", fontsize=9)
    vertical_grid(axes)
    axes.set_xlabel("mean over the tasks tested on (share correct)", fontsize=9)
    place: Look = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.12), "ncols": 2}
    axes.legend(handles=keys, frameon=False, fontsize=8.5, **place)


def _draw_null(axes: Axes, result: Fig6, kind: Kind) -> list[Patch]:
    """Where the row means of probes of flipped labels lie, sparse and dense: mean and two standard deviations."""
    axes.axvline(0.5, color=INK, linewidth=0.8, zorder=1)
    bands: list[Patch] = []
    for probe, look in NULL.items():
        null = result.null[f"{kind}_{probe}"]
        if null.mean is not None and null.row_sd is not None:
            ends = null.mean - 2 * null.row_sd, null.mean + 2 * null.row_sd
            bands.append(axes.axvspan(*ends, label=f"flipped labels, {probe}: ± 2 sd", zorder=0, **look))
    return bands


def caption(scope: Scope) -> Caption:
    return Caption(
        "Rows are training tasks, columns the tasks tested on, grouped by phenomenon. Grey is chance, blue and dark "
        "better, yellow and light worse. A dark row is a probe that transfers broadly, a dark block one that "
        "transfers within its phenomenon. Accuracy at threshold 0 asks whether the very boundary carries over. "
        "Beside the mean of each row, bands say where the same means lie for probes of flipped labels, over all "
        "other tasks: filled for sparse ones, dashed for dense ones. Hold the means over other phenomena against "
        "them; those over fewer tasks spread more. Test pairs with a sentence that a training task has seen are left "
        "out of its cells.",
        "What transfers: sentence length, frequency or a last word shared by two tasks would too. Cells of one row "
        "share a probe, and are no independent findings." + _of_split(scope),
    )


def caption_pairwise(scope: Scope) -> Caption:
    return Caption(
        "The same probes, judged by whether the good sentence of a pair scores higher than the bad one: the "
        "direction alone counts, wherever the boundary lies.",
        "More than figure 6: a high value here beside a low one there means that a direction is shared, and its "
        "threshold is not." + _of_split(scope),
    )


def _of_split(scope: Scope) -> str:
    if scope.data.split != "lexical":
        return ""
    return (
        " Words are held out on the diagonal alone: the training of another task may have seen the words that a task "
        "is tested on."
    )


def verdicts(results: Results, scope: Scope) -> list[Verdict]:
    """Claim (e)."""
    result: Fig6 = results[NAME]
    shares = {probe: shares_above_chance(result, probe) for probe in PROBES}
    broad = [name for name, share in zip(result.tasks, shares["sparse"], strict=True) if share >= BROAD]
    dense = sum(share >= BROAD for share in shares["dense"])
    named = f" ({', '.join(broad[:3])}{', ...' if len(broad) > 3 else ''})" if broad else ""
    others = mean([row.sparse_other for row in result.means])
    reading = "There are no tasks of other phenomena."
    if others is not None:
        reading = (
            f"{len(broad)} sparse probes do{named}, {dense} dense ones; on tasks of other phenomena a sparse probe "
            f"is right in {others:.3f} of the sentences on average. Of the cells of probes of flipped labels "
            f"{_share(result.null['accuracy_sparse'])} (dense {_share(result.null['accuracy_dense'])}) are above "
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


def _share(null: NullCells) -> str:
    return "none" if null.above is None else f"{100 * null.above:.1f} %"


EXPERIMENT = Experiment(
    name=NAME,
    heading="Figure 6: transfer between tasks",
    needs=frozenset({"one_layer", "transfer"}),
    result=Fig6,
    compute=compute,
    tables=tables,
    csvs=csvs,
    drawings={NAME: Drawing(draw, caption), f"{NAME}.pairwise": Drawing(draw_pairwise, caption_pairwise)},
    verdicts=verdicts,
    joint_units=joint_units,
)
