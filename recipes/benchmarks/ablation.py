"""One ablation at the middle layer and 19 matched controls, on test pairs: a plain loop of hooks, and one sweep.

The peer makes a part of its passes in each turn, all of them over the turns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

import neurosteer as ns
from neurosteer.forward import from_first_difference, pairs_of_texts, score_texts, variant_of
from neurosteer.model import Model
from neurosteer.neurons import NeuronSet
from neurosteer.pairs import Pairs

from .padded import Batch, batches, lens_logprobs, padded_tokens
from .parts import InParts
from .setup import Setup, computed, sequences_of
from .turns import Comparison, Side, take_turns

BATCH, CONTROLS = 32, 19
PARTS = 5  # the peer makes a fifth of its passes in a turn


def compare(setup: Setup, pairs: Pairs) -> Iterator[Comparison]:
    model = setup.load()
    layer = model.n_layers // 2
    train, _, test = pairs.split()
    ranking = ns.rank_neurons(model, train, layers=[layer])
    top = ranking.top(40, layers=layer)
    sets = [top, *ranking.controls(top, CONTROLS)]
    sequences = sequences_of(model, test, "last")
    padded = batches(sequences, BATCH)
    passes = 1 + len(sets)
    above = (model.n_layers - 1 - layer) / model.n_layers  # of the blocks, that an edited pass runs
    in_parts = InParts(range(passes), lambda i: _loop(model, padded, sets[i - 1] if i else None, layer), PARTS)
    loop = Side(
        "TransformerLens run_with_hooks, batches of 32",
        in_parts,
        passes * padded_tokens(padded),
        in_parts.share,
    )
    ours = Side(
        "neurosteer",
        lambda: margins_without(model, test, sets),
        round((1 + above * len(sets)) * computed(model, [sequence[:-1] for sequence in sequences])),
    )
    take_turns([loop, ours], setup.repeats, setup.say)
    apart = max(float((ours.result[i] - margins).abs().max()) for i, margins in in_parts.found.items())
    job = f"1 ablation + {CONTROLS} controls, layer {layer}, {len(test)} test pairs"
    yield Comparison(job, test.task, loop, ours, passes * len(sequences), "sentence", 4.0, f"{apart:.0e} nat")


def _loop(model: Model, padded: Sequence[Batch], chosen: NeuronSet | None, layer: int) -> Tensor:
    """Margins `[pair]`, unedited or with a set at zero at every token but BOS."""

    def ablate(values: Tensor, hook: object) -> Tensor:
        assert chosen is not None
        values = values.clone()
        values[:, 1:, chosen.units.to(values.device)] = 0
        return values

    hooks = [] if chosen is None else [(f"blocks.{layer}.hook_out", ablate)]
    good, bad = lens_logprobs(model, padded, hooks).view(-1, 2).T
    return good - bad


def margins_without(model: Model, pairs: Pairs, sets: Sequence[NeuronSet]) -> Tensor:
    """Margins `[run, pair]`, unedited and with each set at zero, from one sweep."""
    variants = [variant_of(model, ns.Edit.ablate(chosen)) for chosen in sets]
    found = score_texts(model, from_first_difference(pairs_of_texts(model, pairs, "sum")), variants)
    sides = torch.cat([found.clean[None], found.edited]).unflatten(1, (-1, 2))
    return sides[..., 0] - sides[..., 1]
