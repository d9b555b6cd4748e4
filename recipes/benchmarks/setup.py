"""What the jobs share: the model, the pairs, and how tokens are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import neurosteer as ns
from neurosteer.forward.forest import plan
from neurosteer.forward.loop import packing_for
from neurosteer.model import Model, encode
from neurosteer.pairs import Pairs

Tokens = tuple[int, ...]


@dataclass(frozen=True)
class Setup:
    """On what the jobs run."""

    model: str
    dtype: str
    device: str
    data: str
    tasks: tuple[str, ...]
    n: int  # pairs of each task
    repeats: int
    say: Callable[[str], None]

    def load(self, dtype: str | None = None) -> Model:
        """The model, in a dtype of its own or in that of the setup."""
        return _load(self.model, dtype or self.dtype, self.device)

    def pairs(self, task: str) -> Pairs:
        return ns.load_pairs(task, source=self.data, n=self.n)

    def each_task(self) -> Iterator[Pairs]:
        for task in self.tasks:
            self.say(f"{task}")
            yield self.pairs(task)

    def only(self, **changes: Any) -> Setup:
        return replace(self, **changes)


@cache
def _load(name: str, dtype: str, device: str) -> Model:
    return ns.load_model(name, dtype=dtype, device=device)


def sentences_of(pairs: Pairs) -> list[str]:
    """Good and bad in turns."""
    return [sentence for pair in pairs for sentence in (pair.good, pair.bad)]


def sequences_of(model: Model, pairs: Pairs, position: str = "eos") -> list[Tokens]:
    return encode(model, sentences_of(pairs), position=position)


def distinct(model: Model, sequences: Sequence[Tokens]) -> int:
    """Tokens that the prefix forest computes for pairs of sequences, no padding counted."""
    groups = [sequences[i : i + 2] for i in range(0, len(sequences), 2)]
    return sum(pack.computed for pack in plan(groups, packing_for(model)))


@contextmanager
def counting(network: Any) -> Iterator[list[int]]:
    """The sizes of the batches that a network embeds inside the block, padding included."""
    sizes: list[int] = []
    handle = network.get_input_embeddings().register_forward_pre_hook(lambda _, given: sizes.append(given[0].numel()))
    try:
        yield sizes
    finally:
        handle.remove()
