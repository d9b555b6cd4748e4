"""What several models gave: each task in each model, means over tasks, and the neurons that two models share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from neurosteer.experiments.model_list import KEY
from neurosteer.results import Estimate, key
from neurosteer.shown import short_repr
from neurosteer.vocabulary import FixedReference

NAME = KEY
Axis = Literal["step", "size", "order"]  # training steps; parameters; as the recipe lists them
ENCODED: Literal["welch"] = "welch"  # the rankings
USED: Literal["attribution"] = "attribution"
TO: FixedReference = "mean"  # what neurons are moved towards


@dataclass(frozen=True)
class ModelRow:
    """One model, as the recipe names it."""

    model: str
    step: int | None  # None where its name says none
    parameters: int
    n_layers: int
    width: int  # units of a layer
    k: int

    __repr__ = short_repr


@dataclass(frozen=True)
class TaskInModel:
    """One task in one model. Accuracies are of test sentences, margins in nats, intervals over test pairs."""

    model: str
    task: str
    phenomenon: str
    encoded_layer: int  # whose top-k probe is best on validation pairs
    dense: Estimate
    topk: Estimate
    baseline: str  # of words or tokens: the best on validation pairs
    known: Estimate  # what it is right in
    above: Estimate  # dense - known
    encoded: bool  # whether that is above 0
    used_layer: int  # where attribution predicts the largest drop on validation pairs
    units: int  # that were ablated
    margin: Estimate  # of the unedited model
    lost: Estimate  # share of it that is lost; None where there is no clean preference
    control: float | None  # mean share lost under matched controls
    control_low: float | None
    control_high: float | None
    p: float | None  # one-sided, among the set and its controls
    used: bool | None  # None: cannot tell
    why: str  # it cannot

    __repr__ = short_repr


@dataclass(frozen=True)
class ModelMean:
    """One model over all tasks."""

    model: str
    tasks: int
    dense: Estimate
    topk: Estimate
    known: Estimate
    encoded: int  # tasks
    margin: Estimate  # of the unedited model, in nats
    lost: Estimate  # over the tasks with a preference
    control: float | None
    with_preference: int  # tasks
    decided: Annotated[int, key("told")]  # tasks of which it can be told whether the neurons are used
    used: int

    __repr__ = short_repr


@dataclass(frozen=True)
class Kept:
    """The top k of one task in two models, one after the other; overlaps are |A and B| / |A or B|."""

    earlier: str
    later: str
    task: str
    method: str
    layer: int  # the best one of the later model
    shared: int  # units
    overlap: float  # at that layer
    all_layers: float  # mean over layers
    chance: float  # of two sets of these sizes drawn by lot, at that layer
    p: float  # that so many are shared by lot, one-sided

    __repr__ = short_repr


@dataclass(frozen=True)
class KeptMean:
    """The same over all tasks."""

    earlier: str
    later: str
    method: str
    tasks: int
    overlap: Estimate
    all_layers: Estimate
    chance: float
    beyond: int  # tasks that share more than chance does, p at most .05

    __repr__ = short_repr


@dataclass(frozen=True)
class Models:
    experiment: str
    axis: Axis
    controls: int
    models: list[ModelRow]  # along the axis
    means: list[ModelMean]
    kept_means: list[KeptMean]
    rows: list[TaskInModel]
    kept: list[Kept]

    __repr__ = short_repr

    @property
    def tasks(self) -> list[str]:
        return list(dict.fromkeys(row.task for row in self.rows))
