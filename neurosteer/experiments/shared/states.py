"""EOS states of one task as a unit: they pass through the run, and are dropped when the task's probes are done."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.data import EosStates
from neurosteer.experiments.design import UNTRAINED, Design
from neurosteer.experiments.experiment import Task, Work
from neurosteer.forward import states_and_stats
from neurosteer.neurons import STATS
from neurosteer.pairs import Pairs
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.store import file_stem

from . import costs

TRAINED = "trained"


def states_name(task: str, model_name: str = TRAINED) -> str:
    return f"states-{model_name}-{file_stem(task)}"


def states_unit(work: Work, task: Task, model_name: str = TRAINED) -> Unit:
    """The states of all pairs at the layers that are asked for, and the statistics of the train sentences."""
    pairs, design = task.pairs, work.design

    def compute(_: Read) -> UnitResult:
        states, stats = states_and_stats(
            work.untrained() if model_name == UNTRAINED else work.model,
            pairs,
            task.split.train_indices,
            site=design.site,
            layers=design.states_layers,
            position=design.position,
            cache=False,
            progress=work.progress,
        )
        arrays = {name: getattr(stats, name).numpy() for name in STATS}
        arrays |= {"values": states.values.numpy(), "tokens": np.array([stats.tokens])}
        return UnitResult(arrays, {"model": states.model, "pairs": pairs.digest})

    cost = 2 * len(pairs) * costs.TOKENS * costs.token_seconds(work.model)
    size = 8 * len(pairs) * len(design.states_layers) * design.width
    return Unit(states_name(pairs.task, model_name), pairs.task, cost, compute, scratch=True, size=size)


def values_of(result: UnitResult) -> Float[Tensor, "pair side layer unit"]:
    """The values of the states alone."""
    return torch.from_numpy(np.asarray(result.arrays["values"]))


def states_of(result: UnitResult, pairs: Pairs, design: Design) -> EosStates:
    """The states that a unit left behind."""
    return EosStates(
        values_of(result),
        design.states_layers,
        pairs.task,
        str(result.values["model"]),
        design.site,
        design.position,
        pairs.digest,
    )
