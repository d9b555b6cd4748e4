"""What `find` reports of one task, as `results` in the JSON of `neurosteer find` has it.

All accuracies are shares of the test sentences, from 0 to 1; an `Interval` is the 95 % interval of one, over the test
pairs. None stands for what was not measured, or does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from neurosteer.errors import InputError
from neurosteer.pairs import Baselines
from neurosteer.shown import short_repr
from neurosteer.vocabulary import NOUNS, DirectionKind, Grain, Method, Position, Site

from .mask import CausalMask
from .pairs_used import PairsUsed, SplitSizes
from .record import WHERE_KNOWN, key

Interval: TypeAlias = tuple[float, float]  # lower and upper end


@dataclass(frozen=True, kw_only=True)
class FindData(PairsUsed):
    """The pairs that were searched, and how they were split."""

    split: SplitSizes
    split_new_words: SplitSizes | None  # the lexical split beside a split by pair

    __repr__ = short_repr


@dataclass(frozen=True)
class TokenIntervals:
    """The intervals of the baselines of tokens."""

    count: Interval
    unigram: Interval
    bigram: Interval


@dataclass(frozen=True)
class BaselineIntervals:
    """The interval of each of the `Baselines`; None for those of words where the script does not part words."""

    majority: None  # it is .5 by definition
    length: Interval | None
    last_word: Interval | None
    unigram: Interval | None
    stem: Interval | None
    bigram: Interval | None
    tokens: TokenIntervals | None

    __repr__ = short_repr


@dataclass(frozen=True)
class RandomSets:
    """Accuracies of probes on random sets of as many units as the top k; None where too few units remain."""

    mean: float | None
    low: float | None  # of the worst draw
    high: float | None  # of the best draw


@dataclass(frozen=True)
class MaskedProbe:
    """The L0 probe of a layer."""

    lam: Annotated[float, key("lambda")]  # the penalty that was chosen on validation pairs
    kept: float  # share of the layer's units that the mask leaves open
    accuracy: float
    reached: bool  # whether any lambda came close enough to the dense probe


@dataclass(frozen=True)
class Agreement:
    """How far two methods rank the units of a layer alike."""

    methods: tuple[Method, Method]
    spearman: float | None  # over all units, -1 to 1; None where all scores of one are equal
    overlap: float  # share of the top k that both have
    chance: float  # the share that two random sets of these sizes have in common


@dataclass(frozen=True)
class PredictedDrop:
    """What attribution predicts of a layer."""

    drop: float  # of the mean margin on validation pairs when the top k are ablated, in nats


@dataclass(frozen=True)
class NewWords:
    """Accuracies on the lexical split: the contrasting words of its test pairs occur in no contrast of train."""

    dense: float
    topk: float


@dataclass(frozen=True)
class FindIntervals:
    """The intervals of a layer's accuracies, under their names."""

    dense: Interval
    topk: Interval
    topk_by_method: Mapping[Method, Interval]
    random: Interval | None  # of the mean over the draws
    l0: Interval | None
    new_words_dense: Interval | None = None
    new_words_topk: Interval | None = None

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class FindLayer:
    """The probes of one layer."""

    layer: int  # block, counted from 0
    dense: float  # the probe on all units
    topk: float  # the probe on the top k by the first method
    topk_by_method: Mapping[Method, float]
    random: RandomSets
    l0: MaskedProbe | None
    spearman: float | None  # of |t| and the gates of the mask, -1 to 1
    agreement: tuple[Agreement, ...] = ()  # of each two methods
    attribution: PredictedDrop | None = None
    significant: int  # units that tell good from bad at a false discovery rate of .05, over all layers searched
    new_words: NewWords | None
    l2: float  # the strength of L2 that was chosen on validation pairs
    along: Annotated[Mapping[DirectionKind, float] | None, WHERE_KNOWN] = None  # read along a direction alone
    intervals: FindIntervals

    __repr__ = short_repr


@dataclass(frozen=True)
class RankedNeuron:
    """One unit, or head, and its score by the method that ranked it."""

    layer: int
    unit: int  # of a head its first
    score: float
    head: Annotated[int | None, WHERE_KNOWN] = None

    @property
    def member(self) -> int:
        """The unit, or the head: its place in the layer."""
        return self.unit if self.head is None else self.head

    @property
    def name(self) -> str:
        """`14:301`; of a head `14:3`."""
        return f"{self.layer}:{self.member}"


@dataclass(frozen=True, kw_only=True)
class FindResult:
    """One task of `neurosteer find`.

    Example:
        >>> found.result.at(1).dense, found.result.at(1).intervals.dense[1]
        (1.0, 1.0)
    """

    task: str
    phenomenon: str | None
    data: FindData
    site: Site
    position: Position
    by: Annotated[Grain, WHERE_KNOWN] = "unit"  # what was ranked
    width: int  # units, or heads, of a layer
    baselines: Baselines
    baselines_intervals: BaselineIntervals
    baselines_new_words: Baselines | None  # on the lexical split beside a split by pair
    baselines_new_words_intervals: BaselineIntervals | None
    layers: tuple[FindLayer, ...]  # ascending
    best_layer: int  # of the first method, chosen on validation pairs
    best_layers: Mapping[Method, int]
    direction_layers: Annotated[Mapping[DirectionKind, int] | None, WHERE_KNOWN] = None  # of each direction asked for
    topk: Annotated[int, key("k")]  # how many neurons, or heads
    methods: tuple[Method, ...]
    random_equivalent: float | None  # how many times k random units reach the top k of the best layer; None: none did
    random_equivalent_interval: tuple[float | None, float | None] | None  # None as an end: there is none
    rankings: Mapping[Method, str] = field(default_factory=dict)  # the files of a saved run
    neurons: Mapping[Method, tuple[RankedNeuron, ...]]  # the top k at the method's best layer, best first
    mask: Annotated[CausalMask | None, WHERE_KNOWN] = None  # of `causal-l0`
    notices: tuple[str, ...]
    interpretation: Annotated[str, key("reading")]  # what the numbers say, in two or three sentences

    __repr__ = short_repr

    @property
    def noun(self) -> str:
        """What was ranked: `neuron`, `head`."""
        return NOUNS[self.by]

    def at(self, layer: int) -> FindLayer:
        """The layer of this index. Raises `InputError` where it was not searched."""
        for row in self.layers:
            if row.layer == layer:
                return row
        raise InputError(f"no layer {layer} here; there is {', '.join(str(row.layer) for row in self.layers)}")

    @property
    def best(self) -> FindLayer:
        """The layer that the first method chose."""
        return self.at(self.best_layer)
