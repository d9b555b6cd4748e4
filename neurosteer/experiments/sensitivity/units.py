"""The masks of one task at every layer, in each variant of their training: as units, and read back for all tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neurosteer.data import EosStates
from neurosteer.experiments.design import Design
from neurosteer.experiments.experiment import Task, Work
from neurosteer.experiments.shared import costs
from neurosteer.experiments.shared.layer_probes import FLOOR, rank_agreement, welch_of
from neurosteer.experiments.shared.states import states_name, states_of
from neurosteer.pairs import Split
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.seeds import generator
from neurosteer.store import file_stem
from neurosteer.studies.examples import BLOCK, Examples, fit_dense
from neurosteer.studies.masked_probes import Masks, fit_masks_at, mask_noise

from .result import NAME, Configuration
from .settings import SensitivitySettings
from .variants import TrainingVariant, variants

Arrays = dict[str, np.ndarray]
Curves = Float[np.ndarray, "task layer lambda"]
Points = Float[np.ndarray, "task layer"]
DENSE = "dense"
TOGETHER = 0.5  # of the time of one start, where several are trained together


def task_units(work: Work, task: Task) -> list[Unit]:
    """The dense probes of a task, and a unit for each variant; all layers in each."""
    pairs, split, design, device = task.pairs, task.split, work.design, work.model.float64_device
    needs = states_name(task.name)
    points = len(design.layers) * len(design.lambdas)

    def unit(what: str, cost: float, size: int, of_block: Callable[[Examples], Arrays]) -> Unit:
        def compute(read: Read) -> UnitResult:
            states = states_of(read(needs), pairs, design)
            blocks = [of_block(examples) for examples in _blocks(states, split, design, device)]
            return UnitResult({name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}, {})

        return Unit(sensitivity_name(task.name, what), task.name, cost, compute, needs=(needs,), size=size)

    one_step = costs.MASK_STEP * len(design.layers) * 2 * len(split.train) * design.width
    dense = unit(DENSE, 30 * one_step, 32 * len(design.layers), _dense)
    masks = [
        unit(
            variant.name,
            TOGETHER * one_step * variant.steps[-1] * len(variant.settings),
            4 * points * len(variant.steps) * 7 * len(variant.settings),
            partial(_masks, task=task.name, variant=variant, design=design),
        )
        for variant in variants(design.l0, work.recipe.of(SensitivitySettings).unpenalised_steps)
    ]
    return [dense, *masks]


def sensitivity_name(task: str, what: str) -> str:
    return f"{NAME}-{file_stem(task)}-{what}"


def _blocks(states: EosStates, split: Split, design: Design, device: torch.device) -> list[Examples]:
    rows = [design.states_layers.index(layer) for layer in design.layers]
    every = [slice(row, row + 1) for row in rows]
    if rows == list(range(rows[0], rows[-1] + 1)):  # neighbours: a block at a time
        every = [slice(row, min(row + BLOCK, rows[-1] + 1)) for row in range(rows[0], rows[-1] + 1, BLOCK)]
    return [Examples.of(states, split.indices, part, device) for part in every]


def _dense(examples: Examples) -> Arrays:
    """`dense`, `validation` `[layer]`: accuracies; `level`, `loudest` `[layer]`: the median of the units' standard
    deviations, and the largest of them."""
    assert examples.standard is not None
    judged = fit_dense(examples).judged
    return {
        "dense": np.array([accuracy.test for accuracy in judged]),
        "validation": np.array([accuracy.validation for accuracy in judged]),
        "level": examples.standard.level[:, 0, 0].cpu().double().numpy(),
        "loudest": examples.standard.scale[:, 0].amax(dim=1).cpu().double().numpy(),
    }


def _masks(examples: Examples, task: str, variant: TrainingVariant, design: Design) -> Arrays:
    """`kept`, `accuracy`, `validation`, `spearman`, `limit`, `loss`, `penalty`, each `[layer start step lambda]`,
    float32.

    The loss is the variant's own, on train data, with 200 draws of noise that all variants share; less the penalty it
    is the paper's.
    """
    noise, t = mask_noise(task, examples.layers, design.seed), welch_of(examples)
    found = fit_masks_at(examples, design.lambdas, noise, variant.steps, variant.settings)
    stages = [[_stage(masks, t, examples, task, design) for masks in start] for start in found]
    return {
        name: np.stack([np.stack([stage[name] for stage in start], axis=1) for start in stages], axis=1).astype(
            np.float32
        )
        for name in stages[0][0]
    }


def _stage(masks: Masks, t: Float[Tensor, "layer unit"], examples: Examples, task: str, design: Design) -> Arrays:
    agreement, limit = rank_agreement(t, masks.gates.cpu())
    shared = generator(design.seed, task, "loss")
    return {
        "kept": masks.kept.cpu().numpy(),
        "accuracy": examples.accuracy(masks.probes, "test").numpy(),
        "validation": examples.accuracy(masks.probes, "validation").numpy(),
        "spearman": agreement,
        "limit": limit,
        "loss": masks.fitted.loss(masks.train, examples.y["train"], design.lambdas, shared).cpu().numpy(),
        "penalty": masks.fitted.penalty.cpu().numpy(),
    }


@dataclass(frozen=True, eq=False)
class DenseProbes:
    """The dense probes of all tasks, and how far the units of a layer vary."""

    accuracy: Points  # on test sentences
    validation: Points
    level: Points  # median of the units' standard deviations
    loudest: Points  # the largest of them

    @classmethod
    def read(cls, read: Read, tasks: Sequence[str]) -> DenseProbes:
        """From the units of `task_units`."""
        by_task = [read(sensitivity_name(task, DENSE)).arrays for task in tasks]
        return cls(
            *(np.stack([arrays[name] for arrays in by_task]) for name in (DENSE, "validation", "level", "loudest"))
        )

    def where_readable(self, values: Points) -> Points:
        """NaN where the dense probe reads nothing, as far as validation data tell."""
        return np.where(self.validation >= FLOOR, values, np.nan)


@dataclass(frozen=True, eq=False)
class TrainedMasks:
    """The masks of all tasks in one configuration."""

    configuration: Configuration
    kept: Curves  # share of the units whose gate is open
    accuracy: Curves  # on test sentences
    validation: Curves
    spearman: Curves  # of |t| and gate; NaN where all gates are equal
    limit: Curves  # the largest that ties allow
    loss: Curves  # on train sentences
    penalty: Curves  # the part of the loss that the weights cause

    def trained(self, lambdas: Sequence[float]) -> Bool[np.ndarray, "lambda"]:
        """Whether masks reach at most the loss of closed gates, lambda ln 2, on average over tasks and layers."""
        return self.loss.mean(axis=(0, 1)) <= np.log(2) * np.array(lambdas)


def read_masks(read: Read, work: Work) -> Iterator[TrainedMasks]:
    """Every configuration, from the units of `task_units`."""
    names = ("kept", "accuracy", "validation", "spearman", "limit", "loss", "penalty")
    for variant in variants(work.design.l0, work.recipe.of(SensitivitySettings).unpenalised_steps):
        by_task = [read(sensitivity_name(task, variant.name)).arrays for task in work.names]
        stacked = [np.stack([arrays[name] for arrays in by_task]).astype(float) for name in names]
        for i, of_start in enumerate(variant.configurations()):
            for j, configuration in enumerate(of_start):
                yield TrainedMasks(configuration, *(every[:, :, i, j] for every in stacked))
