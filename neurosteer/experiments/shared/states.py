"""EOS states of one task as a unit: they pass through the run, and are dropped when the task's probes are done."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from neurosteer.data import EosStates
from neurosteer.experiments.design import Design
from neurosteer.forward import states_and_stats
from neurosteer.model import Model
from neurosteer.neurons import STATS
from neurosteer.pairs import Pairs, Split
from neurosteer.progress import Progress
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.store import file_stem

from . import costs

TRAINED = "trained"


def states_name(task: str, model_name: str = TRAINED) -> str:
    return f"states-{model_name}-{file_stem(task)}"


def states_unit(
    model: Callable[[], Model],
    pairs: Pairs,
    split: Split,
    design: Design,
    progress: Progress,
    *,
    seconds: float,
    model_name: str = TRAINED,
) -> Unit:
    """The states of all pairs at the layers that are asked for, and the statistics of the train sentences.

    `seconds` is about what a token takes.
    """
    train = split.indices["train"]

    def compute(_: Read) -> UnitResult:
        states, stats = states_and_stats(
            model(),
            pairs,
            train,
            site=design.site,
            layers=design.states_layers,
            position=design.position,
            cache=False,
            progress=progress,
        )
        arrays = {name: getattr(stats, name).numpy() for name in STATS}
        arrays |= {"values": states.values.numpy(), "tokens": np.array([stats.tokens])}
        return UnitResult(arrays, {"model": states.model, "pairs": pairs.digest})

    cost = 2 * len(pairs) * costs.TOKENS * seconds
    size = 8 * len(pairs) * len(design.states_layers) * design.width
    return Unit(states_name(pairs.task, model_name), pairs.task, cost, compute, scratch=True, size=size)


def states_of(piece: UnitResult, pairs: Pairs, design: Design) -> EosStates:
    """The states that a unit left behind."""
    return EosStates(
        torch.from_numpy(np.asarray(piece.arrays["values"])),
        design.states_layers,
        pairs.task,
        piece.values["model"],
        design.site,
        design.position,
        pairs.digest,
    )
