"""The result of `sensitivity`: what masks show in every configuration of their training, and what follows for claims.

Its fields are the JSON keys; rows of `configurations`, `rows` and `by_layer` begin with the four choices of a
configuration. Shares and accuracies lie in [0, 1]; None is a number that is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple, get_args

from neurosteer.results import Estimate, key
from neurosteer.shown import short_repr
from neurosteer.vocabulary import L0Start, L0States

NAME = "sensitivity"
ClaimName = Literal["b", "b_equal", "d", "d_equal"]  # at equal lambda, and at an equal kept share
Factor = Literal["states", "start", "log_alpha", "training"]
Answer = Literal["up", "down", "not shown", "cannot be judged"]  # of one configuration to one claim
ClaimVerdict = Literal["holds", "fails", "depends on training", "not shown", "cannot be judged"]
CLAIMS: tuple[ClaimName, ...] = get_args(ClaimName)
FACTORS: tuple[Factor, ...] = get_args(Factor)
UP, DOWN, NOT_SHOWN, UNJUDGED = ANSWERS = get_args(Answer)
HOLDS, FAILS, DEPENDS, *_ = get_args(ClaimVerdict)


@dataclass(frozen=True)
class Configuration:
    """One way to train masks."""

    states: L0States  # what masks are trained on
    start: L0Start  # of the weights
    log_alpha: float  # where gates start
    training: str  # `6000 steps` of the paper's loss, or `with a penalty`

    @property
    def factors(self) -> tuple[L0States, L0Start, float, str]:
        return self.states, self.start, self.log_alpha, self.training

    @property
    def line(self) -> tuple[L0States, L0Start, float]:
        """All but the training: what is one line in every column of the figures."""
        return self.states, self.start, self.log_alpha

    def choice(self, factor: Factor) -> str | float:
        chosen: str | float = getattr(self, factor)
        return chosen


@dataclass(frozen=True)
class LambdaPoint(Configuration):
    """The masks of one layer at one lambda: means over tasks."""

    layer: int
    lam: Annotated[float, key("lambda")]
    accuracy: Estimate  # on test sentences
    kept: Estimate  # share of the units whose gate is open
    limit: Estimate  # the largest Spearman that ties of the gates allow
    loss: Estimate  # on train sentences, the training's own
    penalty: Estimate  # the part of the loss that the weights cause
    spearman: Estimate  # of |t| and gate

    __repr__ = short_repr


@dataclass(frozen=True)
class LayerPoint(Configuration):
    """One layer, at the run's lambda and (`equal`) at the same kept share: means over tasks."""

    layer: int
    kept: Estimate
    agreement: float | None  # Spearman of |t| and gate over the largest that ties allow
    agreement_equal: float | None
    relative_equal: float | None  # accuracy over the dense probe's
    needed: Estimate  # share of the units that reaches 95 % of the dense probe's validation accuracy

    __repr__ = short_repr


@dataclass(frozen=True)
class Summary(Configuration):
    """One configuration over all layers, at the run's lambda and (`equal`) at the same kept share.

    The last four fields are its answers to the claims.
    """

    lam: Annotated[float, key("lambda")]
    kept: float | None
    accuracy: float | None
    relative: float | None  # accuracy over the dense probe's, where that reads anything
    loss: float | None
    trained: bool  # whether that is at most the loss of closed gates: else nothing is judged at this lambda
    rho: Estimate  # Spearman of layer and kept share
    rising_lambdas: int  # below 1, at which rho is above 0 with its whole interval
    falling_lambdas: int
    of_lambdas: int  # at which masks are trained in this sense
    beyond_half: Estimate  # the mean of `agreement` over layers, less half
    agreeing_layers: int  # whose agreement is half or more
    of_layers: int  # that have an agreement
    relative_equal: float | None
    needed: float | None
    rho_equal: Estimate  # Spearman of layer and needed share
    tasks_equal: int  # whose needed share is known at every layer
    of_tasks: int
    beyond_half_equal: Estimate
    agreeing_layers_equal: int
    of_layers_equal: int
    b: Answer
    b_equal: Answer
    d: Answer
    d_equal: Answer

    __repr__ = short_repr


class UpCount(NamedTuple):
    """How many configurations answer `up`, of how many that can be judged."""

    up: int
    of: int


@dataclass(frozen=True)
class TrainingDifference:
    """The claim's number with choice `a` less that with `b`: mean over configurations alike but for this choice."""

    factor: Factor
    a: str | float
    b: str | float
    difference: float
    low: float  # of the interval, which holds for all differences of a claim at once
    high: float
    apart: bool  # whether 0 is outside of the interval


@dataclass(frozen=True)
class Claim:
    """The verdict on a claim, from the configurations that are crossed: those on scaled states do not count."""

    claim: ClaimName
    verdict: ClaimVerdict
    text: str  # the counts in words
    holds: int  # configurations that answer `up`
    of: int  # configurations that can be judged
    up: int
    down: int
    not_shown: int
    unjudged: int
    configurations: Annotated[int, key("ways")]
    by_choice: Annotated[dict[Factor, dict[str, UpCount]], key("by")]
    differences: list[TrainingDifference]  # the largest first
    depends_on: Annotated[list[Factor], key("on")]  # strongest first; none where a combination of choices decides

    __repr__ = short_repr


@dataclass(frozen=True)
class Scale:
    """How far the units of a layer vary, and what its dense probe reads: means over tasks."""

    layer: int
    level: float | None  # median of the units' standard deviations
    loudest: float | None  # the largest of them
    dense: float | None  # test accuracy


@dataclass(frozen=True)
class Sensitivity:
    experiment: str
    lambdas: tuple[float, ...]
    lam: Annotated[float, key("lambda")]  # at which configurations are compared
    share: float  # of the units kept, at which they are compared too
    layers: tuple[int, ...]
    rows: list[LambdaPoint]
    by_layer: list[LayerPoint]
    configurations: Annotated[list[Summary], key("ways")]
    claims: list[Claim]
    level: list[Scale]

    __repr__ = short_repr

    def claim(self, name: ClaimName) -> Claim:
        """What all configurations say of one claim."""
        return next(one for one in self.claims if one.claim == name)

    @property
    def trainings(self) -> list[str]:
        """Each once, in order."""
        return list(dict.fromkeys(row.training for row in self.configurations))

    @property
    def lines(self) -> list[tuple[L0States, L0Start, float]]:
        """What has a line in the figures: all choices but the training."""
        return list(dict.fromkeys(row.line for row in self.configurations))
