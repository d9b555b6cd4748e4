"""The masks of one task at every layer, in each variant of their training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.data import EosStates
from neurosteer.experiments import costs
from neurosteer.experiments.design import Design
from neurosteer.experiments.states import states_name, states_of
from neurosteer.experiments.sweep import welch_of
from neurosteer.model import Model
from neurosteer.pairs import Pairs, Split
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.seeds import generator
from neurosteer.store import file_stem
from neurosteer.studies.examples import BLOCK, Examples, Masks, fit_dense, fit_masks_at, mask_noise
from neurosteer.studies.finding.agreement import largest_spearman, spearman

from .variants import Variant, variants

Arrays = dict[str, np.ndarray]
DENSE = "dense"
TOGETHER = 0.5  # of the time of one start, where several are trained together


def sensitivity_units(model: Model, pairs: Pairs, split: Split, design: Design) -> list[Unit]:
    """The dense probes of a task, and a unit for each variant; all layers in each."""
    needs, device = states_name(pairs.task), model.float64_device
    points = len(design.layers) * len(design.lambdas)

    def unit(what: str, cost: float, size: int, of_block: Callable[[Examples, str], Arrays]) -> Unit:
        def compute(read: Read) -> UnitResult:
            states = states_of(read(needs), pairs, design)
            blocks = [of_block(examples, pairs.task) for examples in _blocks(states, split, design, device)]
            return UnitResult({name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}, {})

        return Unit(sensitivity_name(pairs.task, what), pairs.task, cost, compute, needs=(needs,), size=size)

    one_step = costs.MASK_STEP * len(design.layers) * 2 * len(split.train) * design.width
    dense = unit(DENSE, 30 * one_step, 32 * len(design.layers), lambda examples, _: _dense(examples))
    return [
        dense,
        *(
            unit(
                variant.name,
                TOGETHER * one_step * variant.steps[-1] * len(variant.starts),
                4 * points * len(variant.steps) * 7 * len(variant.starts),
                lambda examples, task, variant=variant: _masks(examples, task, variant, design),  # type: ignore[misc]
            )
            for variant in variants(design.l0, design.unpenalised_steps)
        ),
    ]


def sensitivity_name(task: str, what: str) -> str:
    return f"sensitivity-{file_stem(task)}-{what}"


def _blocks(states: EosStates, split: Split, design: Design, device: torch.device) -> list[Examples]:
    rows = [design.states_layers.index(layer) for layer in design.layers]
    every = [slice(row, row + 1) for row in rows]
    if rows == list(range(rows[0], rows[-1] + 1)):  # neighbours: a block at a time
        every = [slice(row, min(row + BLOCK, rows[-1] + 1)) for row in range(rows[0], rows[-1] + 1, BLOCK)]
    return [Examples.of(states, split.indices, part, device) for part in every]


def _dense(examples: Examples) -> Arrays:
    """`dense`, `validation` `[layer]`: accuracies; `level`, `loudest` `[layer]`: the root mean square of the units'
    standard deviations, and the largest of them."""
    assert examples.standard is not None
    judged = fit_dense(examples).judged
    return {
        "dense": np.array([accuracy.test for accuracy in judged]),
        "validation": np.array([accuracy.validation for accuracy in judged]),
        "level": examples.standard.level[:, 0, 0].cpu().double().numpy(),
        "loudest": examples.standard.scale[:, 0].amax(dim=1).cpu().double().numpy(),
    }


def _masks(examples: Examples, task: str, variant: Variant, design: Design) -> Arrays:
    """`kept`, `accuracy`, `validation`, `spearman`, `limit`, `loss`, `penalty`, each `[layer start step lambda]`,
    float32.

    The loss is the variant's own, on train data, with 200 draws of noise that all variants share; less the penalty it
    is the paper's.
    """
    noise, t = mask_noise(task, examples.layers, design.seed), welch_of(examples)
    found = fit_masks_at(examples, design.lambdas, noise, variant.steps, variant.starts)
    stages = [[_stage(masks, t, examples, task, design) for masks in start] for start in found]
    return {
        name: np.stack([np.stack([stage[name] for stage in start], axis=1) for start in stages], axis=1).astype(
            np.float32
        )
        for name in stages[0][0]
    }


def _stage(masks: Masks, t: Float[Tensor, "layer unit"], examples: Examples, task: str, design: Design) -> Arrays:
    gates, layers = masks.gates.cpu(), range(len(examples.layers))
    ranks = [[(t[i], gates[i, j]) for j in range(len(design.lambdas))] for i in layers]
    shared = generator(design.seed, task, "loss")
    return {
        "kept": masks.kept.cpu().numpy(),
        "accuracy": examples.accuracy(masks.probes, "test").numpy(),
        "validation": examples.accuracy(masks.probes, "validation").numpy(),
        "spearman": np.array([[spearman(*both) for both in row] for row in ranks], dtype=float),
        "limit": np.array([[largest_spearman(*both) for both in row] for row in ranks], dtype=float),
        "loss": masks.fitted.loss(masks.train, examples.y["train"], design.lambdas, shared).cpu().numpy(),
        "penalty": masks.fitted.penalty.cpu().numpy(),
    }
