"""One layer of one task: the probes and neuron sets that transfer, overlap and causal transfer compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosteer.data import EosStates, UnitStats
from neurosteer.errors import InputError
from neurosteer.experiments.design import Design
from neurosteer.experiments.experiment import Task, Work
from neurosteer.neurons import STATS, best_units
from neurosteer.pairs import Pairs, Split, sentence_hashes
from neurosteer.probes import Probes, welch
from neurosteer.runner.units import STORED_AS, Read, Unit, UnitResult
from neurosteer.seeds import generator, seed_of
from neurosteer.store import file_stem
from neurosteer.studies.examples import Examples, fit_dense
from neurosteer.studies.masked_probes import Masks, chosen_lambda, fit_masks
from neurosteer.vocabulary import PaperMethod

from . import costs
from .stability import StabilitySettings
from .states import states_name, states_of

GENERAL_PAIRS = 100  # of each part, from which a probe of many tasks learns and chooses
Values = Float[Tensor, "pair side layer unit"]
ProbeName = Literal["sparse", "dense", "null_sparse", "null_dense"]
PROBES: tuple[ProbeName, ...] = get_args(ProbeName)


@dataclass(frozen=True, eq=False)
class ScoredUnits:
    """What the unit of a task holds of the units of the layer."""

    t: Float[np.ndarray, "unit"]
    l0: Float[np.ndarray, "unit"]  # the size of an L0 probe's weights
    token_mean: Float[np.ndarray, "unit"]  # over train sentences, as the next three
    token_var: Float[np.ndarray, "unit"]
    eos_mean: Float[np.ndarray, "unit"]
    eos_var: Float[np.ndarray, "unit"]
    tokens: Int[np.ndarray, "1"]

    def scores(self, method: PaperMethod) -> Float[np.ndarray, "unit"]:
        return np.abs(self.t) if method == "welch" else self.l0

    def stats(self, layer: int) -> UnitStats:
        """Of the train sentences."""
        arrays = {name: torch.tensor(getattr(self, name))[None] for name in STATS}
        return UnitStats(**arrays, tokens=int(self.tokens[0]), layers=(layer,))


@dataclass(frozen=True, eq=False)
class ProbedTask:
    """What it holds of the probes, which are those of standardised states, and the states that they are tested on."""

    mean: Float[np.ndarray, "unit"]
    scale: Float[np.ndarray, "unit"]
    dense_weights: Float[np.ndarray, "unit"]
    dense_bias: Float[np.ndarray, "1"]
    sparse_weights: Float[np.ndarray, "unit"]
    sparse_bias: Float[np.ndarray, "1"]
    null_dense_weights: Float[np.ndarray, "unit"]
    null_dense_bias: Float[np.ndarray, "1"]
    null_sparse_weights: Float[np.ndarray, "unit"]
    null_sparse_bias: Float[np.ndarray, "1"]
    states_train: Float[np.ndarray, "pair side unit"]
    states_validation: Float[np.ndarray, "pair side unit"]
    states_test: Float[np.ndarray, "pair side unit"]
    sentences: Sequence[Sequence[str]]  # digests of the two sentences of every pair
    parts: Mapping[str, Sequence[int]]  # of the split

    def raw(self, probe: ProbeName) -> tuple[Float[np.ndarray, "unit"], float]:
        """A probe's weights and bias for states as they are (float64)."""
        weights = getattr(self, f"{probe}_weights").astype(float) / self.scale
        return weights, float(getattr(self, f"{probe}_bias")[0]) - float(weights @ self.mean)

    @property
    def tested(self) -> list[set[str]]:
        """The digests of the two sentences of each test pair."""
        return [set(self.sentences[pair]) for pair in self.parts["test"]]

    @property
    def seen(self) -> set[str]:
        """Those of the train and validation pairs."""
        pairs = (*self.parts["train"], *self.parts["validation"])
        return {sentence for pair in pairs for sentence in self.sentences[pair]}


@dataclass(frozen=True, eq=False)
class ChosenMask:
    """What it holds of the sparse probe's mask."""

    kept: Float[np.ndarray, "1"]  # share of units
    lam: Float[np.ndarray, "1"] = field(metadata={STORED_AS: "lambda"})


def one_layer_name(task: str) -> str:
    return f"focus-{file_stem(task)}"


def one_layer_unit(work: Work, task: Task) -> Unit:
    """What is known of a task at the layer that is looked at."""
    pairs, split, design = task.pairs, task.split, work.design
    needs, stability = states_name(task.name), work.recipe.of(StabilitySettings)

    def compute(read: Read) -> UnitResult:
        every_layer, row = read(needs), design.states_layers.index(design.layer)
        every = states_of(every_layer, pairs, design)
        states = replace(every, values=every.values[:, :, row : row + 1], layers=(design.layer,))
        values, device = states.values, work.model.float64_device
        arrays = _probes(states, split, "l0", design, device) | _null(states, split, design, device)
        arrays |= {name: every_layer.arrays[name][row] for name in STATS} | {"tokens": every_layer.arrays["tokens"]}
        arrays |= {"t": welch(values, split.train_indices).t[0].numpy()}
        for part, indices in split.indices.items():
            most = None if part == "test" else GENERAL_PAIRS
            arrays[f"states_{part}"] = values[torch.as_tensor(indices[:most])][:, :, 0].numpy()
        if "stability" in design.needs:
            arrays |= _stability(values.to(device), pairs, split, design, stability)
        parts = {part: list(indices) for part, indices in split.indices.items()}
        hashes = [sentence_hashes([pair]) for pair in pairs]
        return UnitResult(arrays, {"parts": parts, "sentences": hashes})

    cost = costs.ONE_LAYER * 2 * len(split.train) * design.width * (1 + 2 * stability.repeats)
    size = 8 * (len(split.test) + 2 * GENERAL_PAIRS) * design.width
    return Unit(one_layer_name(pairs.task), pairs.task, cost, compute, needs=(needs,), size=size)


def _probes(
    states: EosStates, split: Split, noise: str, design: Design, device: torch.device
) -> dict[str, np.ndarray]:
    """The dense and the sparse probe, for standardised states, and how states are standardised."""
    examples = Examples.of(states, split.indices, slice(0, 1), device)
    assert examples.standard is not None
    dense = fit_dense(examples)
    masks = _masks(examples, [(states.task, design.layer, noise)], design)
    validation = examples.accuracy(masks.probes, "validation")[0].tolist()
    place, _ = chosen_lambda(validation, dense.judged[0].validation)
    return {
        **_named("dense", dense.best),
        **_named("sparse", masks.probes.pick(torch.tensor([place]))),
        "lambda": np.array([design.one_layer_lambdas[place]]),
        "kept": masks.kept[0, place : place + 1].cpu().double().numpy(),
        "l0": _l0_scores(masks, design.k)[0].numpy(),
        "l2": dense.l2[0].cpu().numpy(),
        "mean": examples.standard.mean[0, 0].cpu().numpy(),
        "scale": examples.standard.scale[0, 0].cpu().numpy(),
    }


def _null(states: EosStates, split: Split, design: Design, device: torch.device) -> dict[str, np.ndarray]:
    """The same probes, chosen in the same way, of labels that are flipped within half of the pairs (drawn by lot)."""
    flipped = torch.rand(len(states.values), generator=generator(design.seed, states.task, "null")) < 0.5
    turned = torch.where(flipped[:, None, None, None], states.values.flip(1), states.values)
    found = _probes(replace(states, values=turned), split, "null", design, device)
    names = (f"{probe}_{what}" for probe in ("dense", "sparse") for what in ("weights", "bias"))
    return {f"null_{name}": found[name] for name in names}


def _stability(
    values: Values, pairs: Pairs, split: Split, design: Design, asked: StabilitySettings
) -> dict[str, np.ndarray]:
    """Top k by Welch and by L0 in disjoint folds of the train pairs, and in the train parts of other splits.

    `folds_welch`, `folds_l0` `[repeat fold k]`; `seeds_welch`, `seeds_l0` `[repeat k]`; -1 fills a set up to k.
    """
    train = torch.as_tensor(split.train_indices)
    size = len(train) // asked.folds
    folds, labels = [], []
    for repeat in range(asked.repeats):
        order = train[torch.randperm(len(train), generator=generator(design.seed, pairs.task, "folds", repeat))]
        folds += [values[part] for part in order[: size * asked.folds].split(size)]
        labels += [(pairs.task, design.layer, "l0", "fold", repeat, fold) for fold in range(asked.folds)]
    by_fold = _top_sets(torch.cat(folds, dim=2), labels, design)
    found = {f"folds_{method}": sets.reshape(asked.repeats, asked.folds, -1) for method, sets in by_fold.items()}
    others: dict[str, list[np.ndarray]] = {"welch": [], "l0": []}
    for repeat in range(asked.repeats):
        seed = seed_of(design.seed, "stability", repeat) >> 32
        try:
            indices = pairs.split(split.kind, seed).train_indices
        except InputError:  # the words that allow a lexical split with one seed need not do so with another
            continue
        label = (pairs.task, design.layer, "l0", "seed", repeat)
        for method, sets in _top_sets(values[torch.as_tensor(indices)], [label], design).items():
            others[method].append(sets[0])
    width = (0, design.k)
    return found | {
        f"seeds_{method}": np.stack(sets) if sets else np.zeros(width, dtype=np.int64)
        for method, sets in others.items()
    }


def searched(
    values: Values, labels: Sequence[tuple[str | int, ...]], design: Design, methods: Sequence[str] = ("welch", "l0")
) -> dict[str, Float[Tensor, "problem unit"]]:
    """The scores that each method gives the units of every problem: |t|, and the size of an L0 probe's weights.

    A problem is a layer of `values`, all of whose pairs train it.
    """
    found = {}
    if "welch" in methods:
        found["welch"] = welch(values, range(len(values))).t.abs()
    if "l0" in methods:
        examples = Examples.of_values(range(values.shape[2]), {"train": values})
        found["l0"] = _l0_scores(_masks(examples, labels, design), design.k)
    return found


def _top_sets(
    values: Values, labels: Sequence[tuple[str | int, ...]], design: Design
) -> dict[str, Int[np.ndarray, "problem k"]]:
    """The top k of each problem by both methods."""
    found = searched(values, labels, design)
    return {method: best_units(scores, design.k, above=0.0).numpy() for method, scores in found.items()}


def _masks(examples: Examples, labels: Sequence[tuple[str | int, ...]], design: Design) -> Masks:
    """The L0 probes of each problem by lambda; its label draws where its gates start, and their noise."""
    noise = [generator(design.seed, *label) for label in labels]
    return fit_masks(examples, design.one_layer_lambdas, noise, design.l0)


def _l0_scores(masks: Masks, k: int) -> Float[Tensor, "problem unit"]:
    """The size of the effective weights at the smallest lambda that keeps k units or more; at the largest if none."""
    enough = (masks.gates > 0).sum(dim=2) >= k
    places = torch.where(enough.any(dim=1), enough.int().argmax(dim=1), enough.shape[1] - 1)
    return masks.probes.pick(places.cpu()).weights[:, 0].abs().cpu()


def _named(name: str, probes: Probes) -> dict[str, np.ndarray]:
    return {
        f"{name}_weights": probes.weights[0, 0].cpu().numpy(),
        f"{name}_bias": probes.bias[0].cpu().numpy(),
    }
