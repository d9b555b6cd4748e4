"""The prefix forest: token sequences arranged so that every distinct prefix is computed once.

A sentence's hidden states at a token depend only on the tokens up to it, so sentences with a common prefix share the
states of that prefix. Sequences become paths in a trie. A row of a pack is one trie, in which a node attends to its
ancestors and to itself, and its position is its depth. The two sentences of a pair are always in the same row.

If the positions of an architecture cannot be set, `plan` makes rows of single sequences of equal length instead: the
same packs, without shared nodes and without a mask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

Tokens = tuple[int, ...]
Array = np.ndarray
Inputs = tuple[Tensor, Tensor | None, Tensor | None]  # of one pass: tokens, which nodes each attends to, depths


@dataclass(frozen=True)
class Packing:
    """The size of packs: rows per pack and nodes per row. A row is longer if a single pair needs more nodes."""

    rows: int = 8
    nodes: int = 128


@dataclass(frozen=True, eq=False)
class Pack:
    """One forward pass: rows of trie nodes, and the nodes of each sequence's tokens."""

    tokens: Int[Array, "row node"]
    depths: Int[Array, "row node"]
    parents: Int[Array, "row node"]  # -1 at roots and padding
    shared: bool  # rows are tries and need the mask `visible`; else each row is one sequence
    sequences: Int[Array, "sequence"]  # indices into the planned sequences
    rows: Int[Array, "sequence"]
    paths: tuple[Int[Array, "_"], ...]  # nodes of each sequence, first token to last
    computed: int  # distinct nodes, padding not counted

    def __len__(self) -> int:
        """Rows."""
        return len(self.tokens)

    @property
    def leaves(self) -> Int[Array, "sequence"]:
        """The node of each sequence's last token."""
        return np.array([path[-1] for path in self.paths], dtype=np.int64)

    def visible(self) -> Bool[Array, "row node node"]:
        """Which nodes each node attends to: its ancestors and itself.

        No node attends to padding. Padding attends to the whole row, which distinguishes it from a node.
        """
        rows, nodes = self.tokens.shape
        # One more row for the parent of roots (-1), which attends to nothing.
        seen = np.zeros((rows, nodes + 1, nodes), dtype=bool)
        every = np.arange(rows)
        for node in range(nodes):
            seen[:, node] = seen[every, self.parents[:, node]]
            seen[:, node, node] = True
        seen = seen[:, :-1]
        seen[~self.real()] = True
        return seen

    def real(self) -> Bool[Array, "row node"]:
        """Which nodes are not padding."""
        real = np.zeros(self.tokens.shape, dtype=bool)
        for row, path in zip(self.rows, self.paths, strict=True):
            real[row, path] = True
        return real

    def inputs(self) -> Inputs:
        """The arguments of a pass: tokens, and in a forest the attention mask and the depths."""
        tokens = torch.from_numpy(self.tokens)
        if not self.shared:
            return tokens, None, None
        return tokens, torch.from_numpy(self.visible()), torch.from_numpy(self.depths)

    def counts(self, chosen: Bool[Array, "all"], within: slice) -> Int[Array, "row node"]:
        """For each node, how many of the chosen sequences have it among their tokens in the slice `within`."""
        counts = np.zeros(self.tokens.shape, dtype=np.int64)
        for sequence, row, path in zip(self.sequences, self.rows, self.paths, strict=True):
            if chosen[sequence]:
                counts[row, path[within]] += 1
        return counts

    def halves(self) -> tuple[Pack, Pack]:
        """The upper and the lower rows."""
        return self.cut((len(self) + 1) // 2)

    def cut(self, row: int) -> tuple[Pack, Pack]:
        """The rows above this one, and the others."""
        return self._rows(0, row), self._rows(row, len(self))

    def _rows(self, start: int, stop: int) -> Pack:
        real = self.real()[start:stop]
        block = slice(start, stop), slice(0, int(real.any(axis=0).sum()))  # padding is at the end
        kept = np.flatnonzero((start <= self.rows) & (self.rows < stop))
        return Pack(
            tokens=self.tokens[block],
            depths=self.depths[block],
            parents=self.parents[block],
            shared=self.shared,
            sequences=self.sequences[kept],
            rows=self.rows[kept] - start,
            paths=tuple(self.paths[i] for i in kept),
            computed=int(real.sum()),
        )


@dataclass
class _Row:
    """A trie under construction."""

    tokens: list[int] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    children: dict[tuple[int, int], int] = field(default_factory=dict)
    paths: list[tuple[int, list[int]]] = field(default_factory=list)
    root: int = -1  # the parent of first tokens: a negative number, one for each trie in the row

    def add(self, first: int, group: Sequence[Tokens], most: int, *, apart: bool = False) -> bool:
        """Add a group of sequences, numbered from `first` on, unless the row then had more than `most` nodes.

        An empty row accepts any group. Returns whether the group was added. With `apart` it begins a trie of its own.
        """
        before = len(self.tokens)
        self.root = -1 - before if apart else -1
        paths = [self._grow(tokens) for tokens in group]
        if before and len(self.tokens) > most:
            self._shrink(before)
            return False
        self.paths += enumerate(paths, start=first)
        return True

    def _grow(self, tokens: Tokens) -> list[int]:
        """Add the nodes of a sequence that the trie does not have yet; returns its path."""
        node, path = self.root, []
        for depth, token in enumerate(tokens):
            child = self.children.setdefault((node, token), len(self.tokens))
            if child == len(self.tokens):
                self.tokens.append(token)
                self.depths.append(depth)
                self.parents.append(max(node, -1))
            node = child
            path.append(node)
        return path

    def _shrink(self, size: int) -> None:
        """Keep only the first nodes: every node has one entry among the children, in order."""
        for column in (self.tokens, self.depths, self.parents):
            del column[size:]
        while len(self.children) > size:
            self.children.popitem()


def plan(
    groups: Sequence[Sequence[Tokens]], packing: Packing, *, shared: bool = True, apart: bool = False
) -> list[Pack]:
    """Arrange groups of token sequences (the two sentences of a pair) into packs.

    Sequences are numbered through all groups in order. Every sequence gets a path in exactly one pack, and the result
    depends on nothing but the arguments. With `apart` only sequences of one group share nodes, so that an edit of one
    group leaves the others alone. With `shared=False` no two sequences share a node and every row of a pack has the
    same length.
    """
    starts = np.cumsum([0, *(len(group) for group in groups)]).tolist()
    if shared:
        order = sorted(range(len(groups)), key=lambda i: (sorted(groups[i]), i))
        rows = list(_tries(groups, starts, order, packing.nodes, apart))
        rows.sort(key=lambda row: -len(row.tokens))  # so that the rows of a pack are about equally long
        batches = [rows[i : i + packing.rows] for i in range(0, len(rows), packing.rows)]
    else:
        batches = list(_buckets(groups, starts, packing))
    return [_pack(batch, shared=shared) for batch in batches]


def padded(groups: Sequence[Sequence[Tokens]], packing: Packing) -> list[Pack]:
    """Packs without shared nodes, in which every sequence is a row and a group's rows are in one pack.

    Rows are filled up at the end, where a causal model looks from nowhere.
    """
    starts = np.cumsum([0, *(len(group) for group in groups)]).tolist()
    longest = [max(map(len, group)) for group in groups]
    packs: list[list[_Row]] = [[]]
    for index in sorted(range(len(groups)), key=lambda i: (longest[i], i)):
        if packs[-1] and (len(packs[-1]) + len(groups[index])) * longest[index] > packing.rows * packing.nodes:
            packs.append([])
        for side, tokens in enumerate(groups[index]):
            row = _Row()
            row.add(starts[index] + side, [tokens], packing.nodes)
            packs[-1].append(row)
    return [_pack(rows, shared=False) for rows in packs if rows]


def _tries(
    groups: Sequence[Sequence[Tokens]], starts: list[int], order: list[int], nodes: int, apart: bool
) -> Iterator[_Row]:
    row = _Row()
    for index in order:
        if not row.add(starts[index], groups[index], nodes, apart=apart):
            yield row
            row = _Row()
            row.add(starts[index], groups[index], nodes, apart=apart)
    if row.tokens:
        yield row


def _buckets(groups: Sequence[Sequence[Tokens]], starts: list[int], packing: Packing) -> Iterator[list[_Row]]:
    flat = [(starts[i] + side, tokens) for i, group in enumerate(groups) for side, tokens in enumerate(group)]
    flat.sort(key=lambda item: (len(item[1]), item[0]))
    batch: list[_Row] = []
    for sequence, tokens in flat:
        full = len(batch) * len(tokens) >= packing.rows * packing.nodes
        if batch and (full or len(batch[0].tokens) != len(tokens)):
            yield batch
            batch = []
        row = _Row()
        row.add(sequence, [tokens], packing.nodes)
        batch.append(row)
    if batch:
        yield batch


def _pack(rows: Sequence[_Row], *, shared: bool) -> Pack:
    width = max(len(row.tokens) for row in rows)
    tokens, depths = np.zeros((2, len(rows), width), dtype=np.int64)
    parents = np.full((len(rows), width), -1, dtype=np.int64)
    for i, row in enumerate(rows):
        used = len(row.tokens)
        tokens[i, :used], depths[i, :used], parents[i, :used] = row.tokens, row.depths, row.parents
    where = [(sequence, i, path) for i, row in enumerate(rows) for sequence, path in row.paths]
    return Pack(
        tokens=tokens,
        depths=depths,
        parents=parents,
        shared=shared,
        sequences=np.array([sequence for sequence, _, _ in where], dtype=np.int64),
        rows=np.array([row for _, row, _ in where], dtype=np.int64),
        paths=tuple(np.array(path, dtype=np.int64) for _, _, path in where),
        computed=sum(len(row.tokens) for row in rows),
    )
