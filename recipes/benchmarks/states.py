"""EOS states of all layers: padded TransformerLens batches, Hugging Face's base model, and the prefix forest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from torch import Tensor

import neurosteer as ns
from neurosteer.model import Model
from neurosteer.pairs import Pairs

from .padded import Batch, base_states, batches, lens_states, padded_tokens
from .parts import InParts
from .setup import Setup, computed, multiplies_bfloat16, sequences_of
from .turns import OF_TOKENS, Comparison, Side, take_turns

PARTS = 5  # a peer does a fifth of its batches in a turn
LENS, SORTED = 32, 64  # batches: what TransformerLens' documentation does, and what is best for Hugging Face


def compare(setup: Setup, pairs: Pairs) -> Iterator[Comparison]:
    """Each peer in the same dtype; and where the plain loop is in float32, bfloat16 beside it."""
    model, network = setup.load(), setup.plain()
    sequences = sequences_of(model, pairs)
    lens, of_lens = _peer(
        f"TransformerLens run_with_cache, batches of {LENS}",
        batches(sequences, LENS),
        lambda batch: lens_states(model, batch),
    )
    base, of_base = _peer(
        f"Hugging Face base model, sorted batches of {SORTED}",
        batches(sequences, SORTED, by_length=True),
        lambda batch: base_states(network, batch),
    )
    ours = _ours("neurosteer", model, pairs)
    asked = [(lens, of_lens, ours, 3.0), (base, of_base, ours, 1.25)]
    if setup.dtype == "float32" and multiplies_bfloat16(model.device.type):
        asked.append((lens, of_lens, _ours("neurosteer, bfloat16", setup.load("bfloat16"), pairs), 6.0))
    else:
        setup.say("without a side in bfloat16: it takes a float32 loop and a processor that multiplies bfloat16")
    take_turns([lens, base, *(side for peer, _, side, _ in asked if peer is lens)], setup.repeats, setup.say)
    for peer, found, side, target in asked:
        apart = f"{_apart(found.found, side.result):.0e} of a state"
        yield Comparison(
            f"EOS states, all layers{side.name.removeprefix('neurosteer')}",
            pairs.task,
            peer,
            side,
            len(sequences),
            "sentence",
            target,
            apart,
            of_tokens=OF_TOKENS if side is ours else None,  # another number type computes tokens at another speed
        )


def _peer(name: str, padded: list[Batch], do: Callable[[Batch], Tensor]) -> tuple[Side, InParts[Batch, Tensor]]:
    """Does a part of its batches in each turn."""
    parts = InParts(padded, do, PARTS, weight=lambda batch: batch.ids.numel())
    return Side(name, parts, padded_tokens(padded), parts.share), parts


def _ours(name: str, model: Model, pairs: Pairs) -> Side:
    return Side(
        name,
        lambda: ns.eos_states(model, pairs, cache=False).values.flatten(0, 1),
        computed(model, sequences_of(model, pairs)),
    )


def _apart(peer: Mapping[Batch, Tensor], ours: Tensor) -> float:
    """The largest difference of one sentence's state at one layer, as a share of its norm."""
    return max(
        float(((theirs - ours[batch.places]).norm(dim=-1) / theirs.norm(dim=-1)).max())
        for batch, theirs in peer.items()
    )
