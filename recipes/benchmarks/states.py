"""EOS states of all layers: padded TransformerLens batches, Hugging Face's base model, and the prefix forest."""

from __future__ import annotations

from collections.abc import Iterator

import torch

import neurosteer as ns
from neurosteer.model import Model
from neurosteer.pairs import Pairs

from .padded import base_states, lens_states, padded_tokens
from .setup import Setup, computed, multiplies_bfloat16, sequences_of
from .turns import Comparison, Side, take_turns

LENS, SORTED = 32, 64  # batches: what TransformerLens' documentation does, and what is best for Hugging Face


def compare(setup: Setup, pairs: Pairs) -> Iterator[Comparison]:
    """Each peer in the same dtype; and where the plain loop is in float32, bfloat16 beside it."""
    model, network = setup.load(), setup.plain()
    sequences = sequences_of(model, pairs)
    lens = Side(
        f"TransformerLens run_with_cache, batches of {LENS}",
        lambda: lens_states(model, sequences, LENS),
        padded_tokens(sequences, LENS),
    )
    base = Side(
        f"Hugging Face base model, sorted batches of {SORTED}",
        lambda: base_states(network, sequences, SORTED),
        padded_tokens(sequences, SORTED, by_length=True),
    )
    ours = _ours("neurosteer", model, pairs)
    asked = [(lens, ours, 3.0), (base, ours, 1.25)]
    if setup.dtype == "float32" and multiplies_bfloat16(model.device.type):
        asked.append((lens, _ours("neurosteer, bfloat16", setup.load("bfloat16"), pairs), 6.0))
    else:
        setup.say("without a side in bfloat16: it takes a float32 loop and a processor that multiplies bfloat16")
    take_turns([lens, base, *(side for peer, side, _ in asked if peer is lens)], setup.repeats, setup.say)
    for peer, side, target in asked:
        apart = f"{_apart(peer.result, side.result):.0e} of the norm"
        yield Comparison(
            f"EOS states, all layers{side.name.removeprefix('neurosteer')}",
            pairs.task,
            peer,
            side,
            len(sequences),
            "sentence",
            target,
            apart,
        )


def _ours(name: str, model: Model, pairs: Pairs) -> Side:
    return Side(
        name,
        lambda: ns.eos_states(model, pairs, cache=False).values.flatten(0, 1),
        computed(model, sequences_of(model, pairs)),
    )


def _apart(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).norm() / a.norm())
