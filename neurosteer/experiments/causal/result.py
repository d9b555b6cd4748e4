"""The result of causal transfer, as `results.json` and the CSV files have it.

Changes of a mean margin are in nats, negative where it falls; drops are positive there. None is what is not known: of
a task in which the method chose no neuron, or of too few tasks for an interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from neurosteer.results import Estimate
from neurosteer.shown import short_repr
from neurosteer.vocabulary import CausalMethod

Kind = Literal["own", "related", "unrelated", "other"]  # of one task, of two of a phenomenon or not, of any two
Contrast = Literal["own - related", "own - unrelated", "related - unrelated", "own - other"]
Quantity = Literal["measured", "beyond controls", "beyond others' controls", "predicted"]
FamilyName = Literal["own", "other", "search"]
Compared = Literal[
    "probe transfer ~ causal",
    "set overlap ~ causal",
    "predicted ~ measured",
    "probe transfer ~ predicted",
    "set overlap ~ predicted",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
CONTRASTS: tuple[Contrast, ...] = get_args(Contrast)
Cells: TypeAlias = list[list[float | None]]  # a row for each source, a column for each target


@dataclass(frozen=True)
class Cell:
    """The margin of one task, the target, while the neurons of another, the source, are zero."""

    method: CausalMethod
    source: str
    target: str
    delta: float | None  # change of the mean margin
    controls_mean: float | None  # the same of the set's matched controls
    controls_sd: float | None
    beyond: float | None  # delta - controls_mean
    p: float | None  # two-sided, among the controls
    accuracy_before: float | None
    accuracy_after: float | None
    others_controls_mean: float | None  # change under the controls of all other sources
    beyond_others: float | None  # delta - others_controls_mean
    predicted: float | None  # delta, to first order
    related: bool  # two tasks of one phenomenon
    margin_before: float
    margin_low: float
    margin_high: float
    nothing_to_lose: bool  # the unedited model has no clean preference in the target
    pairs: int  # that it is measured on
    left_out: int  # test pairs of the target that some task has seen
    units: int  # neurons of the set
    controls: int
    q: float | None = None  # over the own or over the other cells of a method; None where no cell is judged alone

    __repr__ = short_repr

    @property
    def own(self) -> bool:
        return self.source == self.target


@dataclass(frozen=True)
class Family:
    """Cells of one method that are tested together against matched controls (`search`: against null searches)."""

    method: CausalMethod
    family: FamilyName
    tasks: int  # with any of its cells
    cells: int
    nothing_to_lose: int  # cells left out
    empty: int  # cells left out besides, as the source has no neurons
    sets: int  # of each task: its own and those that it is tested against
    draws: int  # of the permutation test, at most
    mean: float | None  # change of the mean margin
    controls_mean: float | None
    beyond: float | None  # mean - controls_mean
    null_low: float | None  # the middle 95 % of what the draws give
    null_high: float | None
    p: float | None  # two-sided
    share_lost: float | None  # of the clean margin, beyond the controls
    detectable: float | None  # the smallest such share that is found with 80 % power
    verdict: str

    __repr__ = short_repr


@dataclass(frozen=True)
class NeutralRow:
    """Neutral text while a set is zero, beside the mean, the smallest and the largest of its controls."""

    method: CausalMethod
    source: str
    units: int
    kl: float | None  # of the unedited model from the edited one, nats per token
    kl_controls_mean: float | None
    kl_controls_low: float | None
    kl_controls_high: float | None
    perplexity_before: float | None
    perplexity: float | None
    perplexity_controls_mean: float | None
    perplexity_controls_low: float | None
    perplexity_controls_high: float | None
    unmatched: float | None  # distance of a control's neurons from the set's, in standard deviations
    overlap: float | None  # share of the set's neurons that are in a control too
    tokens: int

    __repr__ = short_repr


@dataclass(frozen=True)
class MeanDrop:
    """A mean over sources, each counting once, of the cells of one kind; or of the difference of two kinds."""

    method: CausalMethod
    what: Quantity
    kind: Kind | Contrast
    drop: float | None
    low: float | None
    high: float | None
    sources: int

    @property
    def estimate(self) -> Estimate:
        return Estimate(self.drop, self.low, self.high)

    @property
    def change(self) -> Estimate:
        """The same with the sign of a change."""
        return Estimate(_minus(self.drop), _minus(self.high), _minus(self.low))


@dataclass(frozen=True)
class ControlMean:
    """The mean change under one control of every source: the first of each, the second, and so on."""

    method: CausalMethod
    control: int
    kind: Kind
    delta: float | None


@dataclass(frozen=True)
class NullChange:
    """The change of a task's own margin under what one null search found."""

    method: CausalMethod
    task: str
    null: int
    units: int
    delta: float


@dataclass(frozen=True)
class MatrixAgreement:
    """Rank correlation of two matrices, over their cells of two different tasks."""

    method: CausalMethod
    what: Compared
    spearman: float | None
    low: float | None  # 95 % interval over tasks
    high: float | None
    cells: int

    @property
    def estimate(self) -> Estimate:
        return Estimate(self.spearman, self.low, self.high)


@dataclass(frozen=True)
class MethodSummary:
    """One method: mean changes of the measured cells by kind, and how many cells stand out by themselves."""

    cells: int
    own_delta: float | None
    own_low: float | None
    own_high: float | None
    related_delta: float | None
    related_low: float | None
    related_high: float | None
    unrelated_delta: float | None
    unrelated_low: float | None
    unrelated_high: float | None
    other_delta: float | None
    other_low: float | None
    other_high: float | None
    judged_own: int  # cells that have a q
    significant_own: int | None  # with q below .05; None where none is judged
    judged_other: int
    significant_other: int | None
    in_common: float | None  # share of a set's neurons that another task's set has too, mean
    in_common_chance: float | None  # of sets drawn at random

    __repr__ = short_repr

    def stand_out(self, kind: Literal["own", "other"]) -> str | None:
        """`3 of 12`: cells of q < .05, and cells that are judged; None where none is."""
        own = kind == "own"
        count, of = (self.significant_own, self.judged_own) if own else (self.significant_other, self.judged_other)
        return None if count is None else f"{count} of {of}"


@dataclass(frozen=True)
class CausalTransfer:
    """What happens to the margin of each task when the neurons of each task are ablated, at one layer."""

    experiment: str
    layer: int
    k: int  # neurons of a set, at most
    controls: int  # of each set
    cell_controls: int  # with which single cells are judged
    null_searches: int  # of each task and method
    pairs: int  # test pairs of a target, at most
    tasks: list[str]
    phenomena: list[str]
    measured: list[str]
    nothing_to_lose: list[str]  # tasks without a clean preference: they are in no mean and no family
    methods: tuple[CausalMethod, ...]
    massive: list[int]  # units that no set and no control has
    predicted: Mapping[CausalMethod, Cells]  # changes of all cells, to first order
    cells: list[Cell]  # the measured ones
    families: list[Family]
    neutral: list[NeutralRow]
    effects: list[MeanDrop]
    control_means: list[ControlMean]
    null_changes: list[NullChange]
    agreement: list[MatrixAgreement]
    summary: Mapping[CausalMethod, MethodSummary]

    __repr__ = short_repr

    def cells_of(self, method: CausalMethod) -> list[Cell]:
        return [cell for cell in self.cells if cell.method == method]

    def mean_drops(self, what: Quantity) -> dict[tuple[CausalMethod, Kind | Contrast], MeanDrop]:
        """By method and kind of cell."""
        return {(row.method, row.kind): row for row in self.effects if row.what == what}

    def measured_phenomena(self) -> list[str]:
        """The phenomenon of each measured task."""
        of = dict(zip(self.tasks, self.phenomena, strict=True))
        return [of[task] for task in self.measured]


def _minus(value: float | None) -> float | None:
    return None if value is None else -value
