"""Packs: what must hold for any sequences, against the plainest account of what a prefix is."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurosteer.forward.forest import Pack, Packing, Tokens, plan

FEW_TOKENS = st.lists(st.integers(0, 3), min_size=1, max_size=7).map(tuple)  # few, so that beginnings coincide
GROUPS = st.lists(st.lists(FEW_TOKENS, min_size=1, max_size=3), min_size=1, max_size=25)
PACKINGS = st.builds(Packing, rows=st.integers(1, 4), nodes=st.integers(1, 40))
SHARED = st.booleans()


def flat(groups: list[list[Tokens]]) -> list[Tokens]:
    return [tokens for group in groups for tokens in group]


def ancestors(pack: Pack, row: int, node: int) -> list[int]:
    """The way from the root to a node, by its parents."""
    way = [node]
    while (parent := int(pack.parents[row, way[0]])) >= 0:
        way.insert(0, parent)
    return way


@given(GROUPS, PACKINGS, SHARED)
def test_every_sequence_has_one_path_that_spells_it(groups: list[list[Tokens]], packing: Packing, shared: bool):
    packs = plan(groups, packing, shared=shared)
    sequences = flat(groups)
    assert sorted(np.concatenate([pack.sequences for pack in packs]).tolist()) == list(range(len(sequences)))
    for pack in packs:
        assert pack.shared is shared
        for sequence, row, path, leaf in zip(pack.sequences, pack.rows, pack.paths, pack.leaves, strict=True):
            assert tuple(pack.tokens[row, path].tolist()) == sequences[sequence]
            assert pack.depths[row, path].tolist() == list(range(len(path)))
            assert ancestors(pack, row, leaf) == path.tolist()


@given(GROUPS, PACKINGS)
def test_no_prefix_is_computed_twice_in_a_row(groups: list[list[Tokens]], packing: Packing):
    sequences = flat(groups)
    for pack in plan(groups, packing):
        wanted = Counter()
        for row in range(len(pack.tokens)):
            inside = [sequences[s] for s in pack.sequences[pack.rows == row]]
            distinct = {tokens[:end] for tokens in inside for end in range(1, len(tokens) + 1)}
            used = {int(node) for path, r in zip(pack.paths, pack.rows, strict=True) if r == row for node in path}
            spelt = {tuple(pack.tokens[row, ancestors(pack, row, node)].tolist()) for node in used}
            assert spelt == distinct
            assert len(used) == len(distinct)
            wanted["nodes"] += len(distinct)
        assert pack.computed == wanted["nodes"]


@given(GROUPS, PACKINGS)
def test_groups_stay_together_in_rows_of_the_size_asked_for(groups: list[list[Tokens]], packing: Packing):
    numbers = iter(range(len(flat(groups))))
    group_of = {next(numbers): i for i, group in enumerate(groups) for _ in group}
    homes: dict[int, set[tuple[int, int]]] = {}
    for p, pack in enumerate(plan(groups, packing)):
        assert len(pack.tokens) <= packing.rows
        for sequence, row in zip(pack.sequences.tolist(), pack.rows.tolist(), strict=True):
            homes.setdefault(group_of[sequence], set()).add((p, row))
        longest_group = max(sum(map(len, groups[group_of[s]])) for s in pack.sequences.tolist())
        assert pack.tokens.shape[1] <= max(packing.nodes, longest_group)
    assert all(len(rows) == 1 for rows in homes.values())


@given(GROUPS, PACKINGS)
def test_no_pack_of_the_same_rows_would_pad_less(groups: list[list[Tokens]], packing: Packing):
    """Widest rows first: the k-th pack is as wide as the widest row that k full packs cannot hold, and no wider."""
    packs = plan(groups, packing)
    widths = sorted((int(used) for pack in packs for used in pack.real().sum(axis=1)), reverse=True)
    assert [pack.tokens.shape[1] for pack in packs] == widths[:: packing.rows]


@given(GROUPS, PACKINGS, SHARED)
def test_a_node_sees_its_ancestors_and_itself(groups: list[list[Tokens]], packing: Packing, shared: bool):
    """Padding, which nobody sees, sees all."""
    for pack in plan(groups, packing, shared=shared):
        visible = pack.visible()
        for row, node in np.ndindex(*pack.tokens.shape):
            seen = np.flatnonzero(visible[row, node]).tolist()
            padding = not pack.real()[row, node]
            assert seen == (list(range(pack.tokens.shape[1])) if padding else sorted(ancestors(pack, row, node)))


@given(GROUPS, PACKINGS, SHARED, st.integers(0, 2), st.sampled_from([None, -1]), st.randoms(use_true_random=False))
def test_counts(groups: list[list[Tokens]], packing: Packing, shared: bool, skip: int, stop: int | None, random):
    """Added up over all packs, each node is counted once for every chosen sequence that has it as a prefix."""
    sequences = flat(groups)
    chosen = np.array([random.random() < 0.5 for _ in sequences])
    naive = Counter(
        tokens[:end]
        for tokens, wanted in zip(sequences, chosen, strict=True)
        if wanted
        for end in range(skip + 1, len(tokens) + (stop or 0) + 1)
    )
    counted: Counter[Tokens] = Counter()
    for pack in plan(groups, packing, shared=shared):
        counts = pack.counts(chosen, slice(skip, stop))
        for row, node in zip(*counts.nonzero(), strict=True):
            prefix = tuple(pack.tokens[row, ancestors(pack, row, int(node))].tolist())
            counted[prefix] += int(counts[row, node])
    assert counted == naive


@given(GROUPS, PACKINGS)
def test_buckets_hold_whole_sequences_of_one_length(groups: list[list[Tokens]], packing: Packing):
    sequences = flat(groups)
    for pack in plan(groups, packing, shared=False):
        assert {len(sequences[s]) for s in pack.sequences} == {pack.tokens.shape[1]}
        assert sorted(pack.rows.tolist()) == list(range(len(pack.tokens)))
        assert pack.computed == pack.tokens.size


@settings(max_examples=30)
@given(GROUPS, PACKINGS, SHARED)
def test_the_plan_is_a_function_of_its_arguments(groups: list[list[Tokens]], packing: Packing, shared: bool):
    for first, second in zip(plan(groups, packing, shared=shared), plan(groups, packing, shared=shared), strict=True):
        for name in ("tokens", "depths", "parents", "sequences", "rows", "leaves"):
            assert np.array_equal(getattr(first, name), getattr(second, name))


@given(GROUPS, PACKINGS, SHARED, st.data())
def test_halves_hold_what_the_whole_holds(groups: list[list[Tokens]], packing: Packing, shared: bool, data):
    """Cut as often as one likes: each sequence in one part, spelt and seen as before, no node lost or made."""
    sequences = flat(groups)
    for whole in plan(groups, packing, shared=shared):
        parts = [whole]
        for _ in range(data.draw(st.integers(0, 3))):
            if len(largest := max(parts, key=len)) > 1:
                parts.remove(largest)
                parts += largest.halves()
                assert len(parts[-2]) - len(parts[-1]) in {0, 1}
        assert sum(map(len, parts)) == len(whole)
        assert sum(pack.computed for pack in parts) == whole.computed
        assert sorted(s for pack in parts for s in pack.sequences.tolist()) == sorted(whole.sequences.tolist())
        for pack in parts:
            assert pack.shared is shared
            assert pack.real().any(axis=0).all()  # no column of padding alone
            visible = pack.visible()
            for sequence, row, path in zip(pack.sequences, pack.rows, pack.paths, strict=True):
                assert tuple(pack.tokens[row, path].tolist()) == sequences[sequence]
                assert pack.depths[row, path].tolist() == list(range(len(path)))
                assert np.flatnonzero(visible[row, path[-1]]).tolist() == sorted(path.tolist())


def test_sharing_saves_what_it_should():
    """Two sentences with four of six tokens in common need eight nodes, not twelve."""
    pair = [(1, 2, 3, 4, 5, 6), (1, 2, 3, 4, 7, 8)]
    [forest] = plan([pair], Packing())
    assert forest.computed == 8
    assert sum(pack.computed for pack in plan([pair], Packing(), shared=False)) == 12


@pytest.mark.parametrize("nodes", [1, 9, 1000])
def test_a_pair_larger_than_a_row_gets_a_row_of_its_own(nodes: int):
    pair = [tuple(range(20)), tuple(range(20, 40))]
    [pack] = plan([pair], Packing(rows=2, nodes=nodes))
    assert pack.tokens.shape == (1, 40)
