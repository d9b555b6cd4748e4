"""A neuron card: where one neuron is high, what it tells apart, what the model does without it.

Activations are in units of the site, margins in nats.
"""

from __future__ import annotations

from dataclasses import dataclass

from neurosteer.shown import short_repr
from neurosteer.vocabulary import Site

from .effect import EffectResult
from .pairs_used import PairsUsed


@dataclass(frozen=True, kw_only=True)
class TokenActivations:
    """A sentence, its tokens and the neuron's activation at each."""

    source: str  # the task, or the name of the neutral text
    tokens: tuple[str, ...]
    values: tuple[float, ...]
    side: str = ""  # good or bad, of a pair's sentence

    __repr__ = short_repr

    @property
    def highest(self) -> float:
        return max(self.values)

    @property
    def lowest(self) -> float:
        return min(self.values)


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """How the neuron tells good sentences from bad ones at EOS, on train pairs of the find, or on all."""

    t: float  # Welch's, good minus bad
    p: float  # of the paired t of the differences
    q: float  # Benjamini-Hochberg over the units of the layer
    good: tuple[float, ...]  # its value at each sentence's EOS
    bad: tuple[float, ...]

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class PlaceInRanking:
    """Where a finished find ranks the neuron."""

    task: str
    method: str
    score: float
    place: int  # 1 is the best
    among: int  # units of the ranking
    place_in_layer: int
    run: str

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class Word:
    """A token and how far the neuron raises its logit, beside that of the mean word."""

    text: str
    weight: float

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class NeuronCardResult:
    """All that is known of one neuron."""

    layer: int
    unit: int
    site: Site
    model: str
    task: str
    data: PairsUsed
    mean: float  # over tokens of the task's sentences
    sd: float
    massive: bool  # far larger than the units of its layer
    bos: float | None  # its value at BOS
    sink: bool | None  # whether that is 10 times as far from zero as it is at other tokens; None without BOS
    contrast: Contrast
    places: tuple[PlaceInRanking, ...]
    high: tuple[TokenActivations, ...]  # sentences of the highest activations, highest first
    low: tuple[TokenActivations, ...]
    raised: tuple[Word, ...] | None  # words it promotes on the direct way out; None where the network hides it
    lowered: tuple[Word, ...] | None
    effect: EffectResult | None  # of ablating it alone, with doses and matched single units
    reading: str

    __repr__ = short_repr

    @property
    def name(self) -> str:
        """`14:301`."""
        return f"{self.layer}:{self.unit}"
