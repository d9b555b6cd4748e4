"""How much must be computed, by plain sets of tuples; and how much is, counted on the modules themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tiny_models import CONTEXT

from neurosteer.model import Model

Tokens = tuple[int, ...]
Group = Sequence[Tokens]  # the two sentences of a pair
NODES, ROWS = min(128, CONTEXT), 8  # nodes of a row and rows of a pass, on a CPU


@dataclass
class Row:
    """Groups that share what they can; each distinct prefix is a node."""

    groups: list[Group] = field(default_factory=list)
    nodes: set[Tokens] = field(default_factory=set)


def prefixes(tokens: Tokens) -> set[Tokens]:
    return {tokens[:end] for end in range(1, len(tokens) + 1)}


def packs_of(groups: Sequence[Group], *, rows: int = ROWS) -> list[list[Row]]:
    """Rows fill in sorted order; one is full where a group would bring more prefixes than it holds.

    The widest come first, so that those of a pack are alike.
    """
    filled: list[Row] = []
    for group in sorted(groups, key=sorted):
        new = set().union(*map(prefixes, group))
        if not filled or len(filled[-1].nodes | new) > NODES:
            filled.append(Row())
        filled[-1].groups.append(group)
        filled[-1].nodes |= new
    filled.sort(key=lambda row: len(row.nodes), reverse=True)
    return [filled[i : i + rows] for i in range(0, len(filled), rows)]


def shape_of(pack: Sequence[Row]) -> tuple[int, int]:
    """Rows are as wide as the widest of them."""
    return len(pack), max(len(row.nodes) for row in pack)


@dataclass
class Counted:
    """What went through a model: the shape of each pass, how often each block ran, the rows of each unembedding."""

    passes: list[tuple[int, int]] = field(default_factory=list)
    blocks: Counter[int] = field(default_factory=Counter)
    unembedded: list[int] = field(default_factory=list)


@contextmanager
def counting(model: Model) -> Iterator[Counted]:
    """Counts by plain torch hooks, which leave the hook points of TransformerLens alone."""
    counted, network = Counted(), model.bridge.original_model
    unembedding = network.get_output_embeddings().original_component  # behind the hook that picks its rows

    def enter(_module: Any, given: tuple[Any, ...]) -> None:
        counted.passes.append(tuple(given[0].shape))

    def unembed(_module: Any, given: tuple[Any, ...]) -> None:
        counted.unembedded.append(given[0].numel() // model.d_model)

    def block(layer: int) -> Any:
        return lambda *_given: counted.blocks.update([layer])

    handles = [
        network.get_input_embeddings().register_forward_pre_hook(enter),
        unembedding.register_forward_pre_hook(unembed),
        *(at.attn.register_forward_pre_hook(block(layer)) for layer, at in enumerate(model.bridge.blocks)),
    ]
    try:
        yield counted
    finally:
        for handle in handles:
            handle.remove()
