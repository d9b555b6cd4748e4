"""What the frontier is, as it is kept."""

from __future__ import annotations

from dataclasses import dataclass

from neurosteer.results import Estimate
from neurosteer.shown import short_repr
from neurosteer.vocabulary import Method

NAME = "frontier"


@dataclass(frozen=True)
class FrontierCell:
    """One task and method at one KL; shares of the clean mean margin."""

    task: str
    method: Method
    kl: float  # nats per token of neutral text
    units: float | None  # how many units disturb as much; None where the whole order does not
    own: float  # lost of the task's own margin
    others: float | None  # size of what other tasks lose or gain, their mean; None of a single task
    controls: float  # own, mean of matched orders at the same KL
    controls_low: float
    controls_high: float

    __repr__ = short_repr


@dataclass(frozen=True)
class FrontierPoint:
    """Mean over tasks at one KL of the figure."""

    method: Method
    kl: float
    own: float
    others: float | None
    controls: float
    controls_low: float  # smallest of the matched orders' means over tasks
    controls_high: float


@dataclass(frozen=True)
class FrontierFamily:
    """A method at one KL: is more lost than under matched orders there? All methods and KLs are one family."""

    method: Method
    kl: float
    tasks: int
    own: Estimate  # mean over tasks
    others: Estimate
    beyond: Estimate  # own, beyond the mean of its matched orders
    p: float | None  # two-sided, stratified permutation; None for too few
    q: float | None
    beside: Estimate  # own, less that of the method which the recipe names first

    __repr__ = short_repr


@dataclass(frozen=True)
class Area:
    """Mean share lost over all KLs up to the largest, by trapezoids."""

    method: Method
    own: Estimate
    others: Estimate
    controls: Estimate

    __repr__ = short_repr


@dataclass(frozen=True)
class Frontier:
    experiment: str
    methods: tuple[Method, ...]
    budgets: tuple[float, ...]
    pooled: bool
    layers: tuple[int, ...]  # whose units are chosen from
    controls: int
    test_pairs: int
    tokens: int  # of neutral text
    left_out: tuple[str, ...]  # tasks without a clean preference
    cells: list[FrontierCell]
    curves: list[FrontierPoint]
    families: list[FrontierFamily]
    areas: list[Area]

    __repr__ = short_repr
