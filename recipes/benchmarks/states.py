"""EOS states of all layers: padded TransformerLens batches, Hugging Face's base model, and the prefix forest."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from transformers import AutoModelForCausalLM

import neurosteer as ns
from neurosteer.pairs import Pairs
from neurosteer.store import home

from .padded import base_states, lens_states, padded_tokens
from .setup import Setup, distinct, sequences_of
from .turns import Comparison, Side, take_turns

LENS, SORTED = 32, 64  # batches: what TransformerLens' documentation does, and what is best for Hugging Face


def compare(setup: Setup, pairs: Pairs) -> Iterator[Comparison]:
    """Three comparisons: each peer in the same dtype, and bfloat16 with the plain loop in float32."""
    model = setup.load()
    network = plain_network(setup)
    half = None if setup.dtype == "bfloat16" else setup.load("bfloat16")
    sequences = sequences_of(model, pairs)
    lens = Side("TransformerLens run_with_cache, batches of 32", lambda: lens_states(model, sequences, LENS))
    base = Side("Hugging Face base model, sorted batches of 64", lambda: base_states(network, sequences, SORTED))
    ours = Side("neurosteer", lambda: ns.eos_states(model, pairs, cache=False).values.flatten(0, 1))
    lens.tokens = padded_tokens(sequences, LENS)
    ours.tokens = distinct(model, sequences)
    base.tokens = padded_tokens(sequences, SORTED, by_length=True)
    sides = [lens, base, ours]
    if half is not None:
        sides.append(
            Side(
                "neurosteer, bfloat16",
                lambda: ns.eos_states(half, pairs, cache=False).values.flatten(0, 1),
                distinct(half, sequences),
            )
        )
    for side in sides:  # warm
        side.job()
    take_turns(sides, setup.repeats, setup.say)
    for peer, mine, target in ((lens, ours, 3.0), (base, ours, 1.25), (lens, sides[-1], 6.0)):
        if peer is not lens or mine is ours or half is not None:
            yield Comparison(
                "EOS states, all layers",
                pairs.task,
                peer,
                mine,
                len(sequences),
                "sentence",
                target,
                f"{_apart(peer.result, mine.result):.0e} of the norm",
            )


def plain_network(setup: Setup) -> torch.nn.Module:
    """The same weights as Hugging Face loads them, without TransformerLens around them."""
    folder = home() / "models" / setup.model
    network = AutoModelForCausalLM.from_pretrained(
        folder if folder.is_dir() else setup.model, dtype=setup.load().dtype, attn_implementation="sdpa"
    )
    return network.eval().to(setup.load().device)


def _apart(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).norm() / a.norm())
