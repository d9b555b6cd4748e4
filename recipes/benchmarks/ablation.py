"""One ablation at the middle layer and 19 matched controls, on test pairs: a plain loop of hooks, and one sweep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

import neurosteer as ns
from neurosteer.forward import from_parting, pairs_of_texts, score_texts, variant_of
from neurosteer.model import Model
from neurosteer.neurons import NeuronSet
from neurosteer.pairs import Pairs

from .padded import lens_logprobs, padded_tokens
from .setup import Setup, computed, sequences_of
from .turns import Comparison, Side, take_turns

BATCH, CONTROLS = 32, 19


def compare(setup: Setup, pairs: Pairs) -> Iterator[Comparison]:
    model = setup.load()
    layer = model.n_layers // 2
    train, _, test = pairs.split()
    ranking = ns.rank_neurons(model, train, layers=[layer])
    top = ranking.top(40, layers=layer)
    sets = [top, *ranking.controls(top, CONTROLS)]
    sequences = sequences_of(model, test, "last")
    passes = 1 + len(sets)
    above = (model.n_layers - 1 - layer) / model.n_layers  # of the blocks, that an edited pass runs
    loop = Side(
        "TransformerLens run_with_hooks, batches of 32",
        lambda: _loop(model, sequences, sets, layer),
        passes * padded_tokens(sequences, BATCH),
    )
    ours = Side(
        "neurosteer",
        lambda: sweep(model, test, sets),
        round((1 + above * len(sets)) * computed(model, [sequence[:-1] for sequence in sequences])),
    )
    take_turns([loop, ours], setup.repeats, setup.say)
    apart = float((loop.result - ours.result).abs().max())
    job = f"1 ablation + {CONTROLS} controls, layer {layer}"
    yield Comparison(job, test.task, loop, ours, passes * len(sequences), "sentence", 4.0, f"{apart:.0e} nat")


def _loop(model: Model, sequences: Sequence[tuple[int, ...]], sets: Sequence[NeuronSet], layer: int) -> Tensor:
    """Margins `[run, pair]`: unedited, then with each set at zero at every token but BOS."""
    totals = [lens_logprobs(model, sequences, BATCH, [])]
    for chosen in sets:
        units = chosen.units.to(model.device)

        def ablate(values: Tensor, hook: object, units: Tensor = units) -> Tensor:
            values = values.clone()
            values[:, 1:, units] = 0
            return values

        totals.append(lens_logprobs(model, sequences, BATCH, [(f"blocks.{layer}.hook_out", ablate)]))
    sides = torch.stack(totals).unflatten(1, (-1, 2))
    return sides[..., 0] - sides[..., 1]


def sweep(model: Model, pairs: Pairs, sets: Sequence[NeuronSet]) -> Tensor:
    variants = [variant_of(model, ns.Edit.ablate(chosen)) for chosen in sets]
    found = score_texts(model, from_parting(pairs_of_texts(model, pairs, "sum")), variants)
    sides = torch.cat([found.clean[None], found.edited]).unflatten(1, (-1, 2))
    return sides[..., 0] - sides[..., 1]
