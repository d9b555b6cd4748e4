"""What a causal mask found: the smallest set of units that takes away the preference at little disturbance."""

from __future__ import annotations

from dataclasses import dataclass

from neurosteer.shown import short_repr
from neurosteer.vocabulary import FixedReference

from .record import Estimate


@dataclass(frozen=True)
class MaskedNeuron:
    """A unit of the set, and the share of the path over which its gate stays open."""

    layer: int
    unit: int
    score: float


@dataclass(frozen=True, kw_only=True)
class MaskPoint:
    """The first k units of the ranking, ablated."""

    k: int
    lost: float  # share of the margin that can be lost, on validation pairs
    kl: float  # on neutral text that no mask was trained on, in nats per token


@dataclass(frozen=True, kw_only=True)
class WithMassive:
    """The search again with massive units, by its first seed; None for what it did not find."""

    k: int | None
    massive: int  # massive units among the first k
    lost: float | None  # on validation pairs
    kl: float | None
    shared: float | None  # share of the smaller of both sets that the other has too


@dataclass(frozen=True, kw_only=True)
class CausalMask:
    """What `find --method causal-l0` found in one task.

    The margin that can be lost is that of the clean model less what remains when every unit of these layers is
    ablated.
    """

    to: FixedReference
    layers: tuple[int, ...]
    units: int  # of these layers together
    massive: int  # of them left out
    share: float  # of the margin that can be lost, asked for
    most_kl: float  # nats per token, asked for
    seeds: int
    steps: int
    start: float | None  # the mean of a gate at the start; None where no mask was trained
    clean: float  # mean margin of the validation pairs, in nats
    none: float  # the same with every unit ablated
    found: bool
    why: str  # nothing was found; empty where something was
    k: int | None  # how many units the set has
    lost: Estimate  # share of the margin that can be lost, on test pairs
    kl: float | None  # on neutral text that no mask was trained on
    before: float | None  # accuracy on test pairs
    after: float | None
    overlap: float | None  # share of their first k units that two seeds have in common, in the mean
    chance: float | None  # the same of sets drawn by lot
    curve: tuple[MaskPoint, ...]
    with_massive: WithMassive | None  # None where no unit is massive
    neurons: tuple[MaskedNeuron, ...]  # the set, best first

    __repr__ = short_repr
