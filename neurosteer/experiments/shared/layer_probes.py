"""The probes of one task in a block of layers: dense, L0 over a grid of lambda, top k over a grid of k, random sets.

The same curves in three variants: of the model's own neurons, of the axes of a randomly rotated basis, and of a model
of the same shape with random weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from neurosteer.data import EosStates
from neurosteer.experiments.design import NEURONS, ROTATED, UNTRAINED, Design
from neurosteer.experiments.experiment import Task, Work
from neurosteer.neurons import spearman
from neurosteer.pairs import Split
from neurosteer.probes import welch
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.seeds import generator
from neurosteer.store import file_stem
from neurosteer.studies.examples import BLOCK, Dense, Examples, ProbeAccuracy, fit_dense, random_accuracies, top_units
from neurosteer.studies.finding.agreement import largest_spearman
from neurosteer.studies.masked_probes import fit_masks, mask_noise

from . import costs
from .states import TRAINED, states_name, states_of

FLOOR = 0.55  # a dense probe that reads less than this (on validation) leaves nothing that few neurons could encode
NO_POINTS: dict[str, tuple[int, ...]] = {"chosen": (), "random": (0, 0)}  # their empty grids; of all others (0,)
Arrays = dict[str, np.ndarray]


def layer_probe_units(work: Work, task: Task, variant: str) -> list[Unit]:
    """One unit per block of layers."""
    pairs, split, design = task.pairs, task.split, work.design
    needs = states_name(pairs.task, UNTRAINED if variant == UNTRAINED else TRAINED)
    rows = [design.states_layers.index(layer) for layer in design.layers]
    device = work.model.float64_device
    fits = len(design.tops) / 2 + design.draws * len(design.sizes) / 3 * ("random_sets" in design.needs)
    fits += 8 * len(design.lambdas) * ("masks" in design.needs)
    cost = costs.PROBE * 2 * len(split.train) * design.width * fits

    def unit(block: Sequence[int]) -> Unit:
        def compute(read: Read) -> UnitResult:
            states = states_of(read(needs), pairs, design)
            return UnitResult(fit_block(states, split, slice(block[0], block[-1] + 1), design, variant, device), {})

        name = layer_probes_name(pairs.task, design.states_layers[block[0]], variant)
        size = 8 * len(block) * (2 * len(design.ks) + 5 * len(design.lambdas) + design.draws * len(design.sizes))
        return Unit(name, pairs.task, cost * len(block), compute, needs=(needs,), size=size)

    return [unit(block) for block in _runs(rows)]


def layer_probes_name(task: str, layer: int, variant: str) -> str:
    return f"probes-{variant}-{file_stem(task)}-{layer}"


def block_starts(design: Design) -> list[int]:
    """The first layer of every unit of a task."""
    return [design.states_layers[block[0]] for block in _runs([design.states_layers.index(x) for x in design.layers])]


def _runs(rows: Sequence[int]) -> list[list[int]]:
    """Rows in order, parted into runs of neighbours of at most a block."""
    runs: list[list[int]] = []
    for row in rows:
        if runs and row == runs[-1][-1] + 1 and len(runs[-1]) < BLOCK:
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def fit_block(
    states: EosStates, split: Split, rows: slice, design: Design, variant: str, device: torch.device
) -> Arrays:
    """The curves of the layers in `rows` that the experiments want; accuracies are of test data unless named so.

    `dense`, `dense_validation`, `l2` `[layer]`; `topk`, `topk_validation` `[layer k]`; `chosen [layer]`, the top k
    that random sets are held against, and `random [layer size draw]`; `kept`, `masked`, `masked_validation`,
    `spearman`, `limit` `[layer lambda]`.
    """
    examples = Examples.of(states, split.indices, rows, device)
    if variant == ROTATED:
        examples = examples.rotated(rotation(design.width, design.seed))
    t, dense = welch_of(examples), fit_dense(examples)
    judged = {k: examples.judge_units(top_units(t, k), dense.l2) for k in design.tops} | {design.width: dense.judged}
    arrays = {
        "layers": np.array(examples.layers),
        "l2": dense.l2[:, 0].cpu().double().numpy(),
        "dense": _test(dense.judged),
        "dense_validation": _validation(dense.judged),
    }
    if "topk_grid" in design.needs:
        arrays |= {
            "topk": np.stack([_test(judged[k]) for k in design.ks], axis=1),
            "topk_validation": np.stack([_validation(judged[k]) for k in design.ks], axis=1),
        }
    if "random_sets" in design.needs:
        drawn = _random(examples, t, dense, states.task, design)
        arrays |= {"chosen": _test(judged[design.k]), "random": drawn}
    return arrays | (_masks(examples, t, states.task, design) if "masks" in design.needs else {})


def _random(
    examples: Examples, t: Float[Tensor, "layer unit"], dense: Dense, task: str, design: Design
) -> np.ndarray:
    """Accuracies `[layer size draw]` of random units from outside the top k."""
    chosen = top_units(t, design.k)
    drawn = [
        random_accuracies(examples, chosen, dense.l2, size, draws=design.draws, task=task, seed=design.seed)
        for size in design.sizes
    ]
    accuracies = np.array([[_test(draw) for draw in draws] for draws in drawn])
    return rearrange(accuracies, "size draw layer -> layer size draw")


def welch_of(examples: Examples) -> Float[Tensor, "layer unit"]:
    """|t| of every unit over the train examples."""
    values = rearrange(examples.x["train"], "layer (side pair) unit -> pair side layer unit", side=2)
    return welch(values, range(values.shape[0])).t.abs().float().cpu()


def _test(judged: Sequence[ProbeAccuracy]) -> np.ndarray:
    return np.array([accuracy.test for accuracy in judged])


def _validation(judged: Sequence[ProbeAccuracy]) -> np.ndarray:
    return np.array([accuracy.validation for accuracy in judged])


def _masks(examples: Examples, t: Float[Tensor, "layer unit"], task: str, design: Design) -> Arrays:
    l0 = fit_masks(examples, design.lambdas, mask_noise(task, examples.layers, design.seed), design.l0)
    agreement, limit = rank_agreement(t, l0.gates.cpu())
    return {
        "kept": l0.kept.cpu().double().numpy(),
        "masked": examples.accuracy(l0.probes, "test").double().numpy(),
        "masked_validation": examples.accuracy(l0.probes, "validation").double().numpy(),
        "spearman": agreement,
        "limit": limit,
    }


def rank_agreement(
    t: Float[Tensor, "layer unit"], gates: Float[Tensor, "layer lambda unit"]
) -> tuple[Float[np.ndarray, "layer lambda"], Float[np.ndarray, "layer lambda"]]:
    """Spearman of |t| and the gates, and the largest that their ties allow; NaN where all gates are equal."""
    both = [[(ranks, mask) for mask in masks] for ranks, masks in zip(t, gates, strict=True)]
    of_each = ([[value(*pair) for pair in row] for row in both] for value in (spearman, largest_spearman))
    agreement, limit = (np.array(rows, dtype=float) for rows in of_each)  # None becomes NaN
    return agreement, limit


@cache
def rotation(width: int, seed: int) -> Float[Tensor, "unit axis"]:
    """A random orthogonal matrix, uniform over all (QR of a Gaussian one, Stewart 1980)."""
    gaussian = torch.randn(width, width, generator=generator(seed, "rotation"), dtype=torch.float64)
    q, r = torch.linalg.qr(gaussian)
    return (q * r.diagonal().sign()).float()


@dataclass(frozen=True, eq=False)
class LayerProbes:
    """The probes of all tasks at all layers of one variant: test accuracies, unless named otherwise.

    What no experiment of the run asked for has an empty grid, or is NaN.
    """

    dense: Float[np.ndarray, "task layer"]
    dense_validation: Float[np.ndarray, "task layer"]
    topk: Float[np.ndarray, "task layer k"]  # of the k units of the largest |t|
    topk_validation: Float[np.ndarray, "task layer k"]
    chosen: Float[np.ndarray, "task layer"]  # of the top k that random sets are held against
    random: Float[np.ndarray, "task layer size draw"]
    kept: Float[np.ndarray, "task layer lambda"]  # share of units whose gate is open
    masked: Float[np.ndarray, "task layer lambda"]
    masked_validation: Float[np.ndarray, "task layer lambda"]
    spearman: Float[np.ndarray, "task layer lambda"]  # of |t| and gate; NaN where all gates are equal
    limit: Float[np.ndarray, "task layer lambda"]  # the largest that ties allow

    @classmethod
    def read(cls, read: Read, tasks: Sequence[str], design: Design, variant: str = NEURONS) -> LayerProbes:
        """From the units of `layer_probe_units`."""
        starts = block_starts(design)
        by_task = [[read(layer_probes_name(task, start, variant)).arrays for start in starts] for task in tasks]

        def stacked(name: str) -> np.ndarray:
            if name not in by_task[0][0]:
                return np.full((len(tasks), len(design.layers), *NO_POINTS.get(name, (0,))), np.nan)
            return np.stack([np.concatenate([block[name] for block in blocks]) for blocks in by_task])

        return cls(**{one.name: stacked(one.name) for one in fields(cls)})

    @property
    def readable(self) -> Bool[np.ndarray, "task layer"]:
        """Where the dense probe reads anything, as far as validation data tell."""
        return self.dense_validation >= FLOOR

    def where(self, counted: Bool[np.ndarray, "task layer"]) -> LayerProbes:
        """The same, NaN where not counted."""

        def masked(values: np.ndarray) -> np.ndarray:
            beside = counted.reshape(*counted.shape, *[1] * (values.ndim - 2))
            return np.where(beside, values, np.nan)

        return LayerProbes(**{one.name: masked(getattr(self, one.name)) for one in fields(self)})
