"""How much is computed: no prefix twice in a row, no block below an edit twice, no logit that nobody reads."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from plain_edits import neurons_at
from plain_packs import Group, Row, Tokens, counting, packs_of, prefixes, shape_of
from sizes import quick_and_slow
from tiny_models import LAYERS, ids_of, random_pairs

from neurosteer.edits import Edit
from neurosteer.forward import (
    attribute,
    eos_states,
    from_first_difference,
    pairs_of_texts,
    score,
    score_texts,
    states_and_stats,
    variant_of,
)
from neurosteer.forward.forest import Packing, plan
from neurosteer.forward.loop import packing_for
from neurosteer.model import Model, load_model
from neurosteer.pairs import Pairs, load_pairs
from neurosteer.progress import Progress

SIZES = {"one row": 4, "one pass": 30, "several passes": 400}
ONE_ROW, ONE_PASS, SEVERAL = (random_pairs(n, seed=5) for n in SIZES.values())
EVERY_SIZE = pytest.mark.parametrize("pairs", [ONE_ROW, ONE_PASS, SEVERAL], ids=SIZES)


class Told(Progress):
    """The last count and the total of every job."""

    def __init__(self) -> None:
        self.jobs: dict[str, tuple[int, int]] = {}

    def step(self, what: str, done: int, total: int) -> None:
        self.jobs[what] = (done, total)


def tried(model: Model) -> Model:
    """After the short cuts were tried on it, which takes a few passes once per model."""
    groups = pairs_of_texts(model, random_pairs(1), "sum")
    score_texts(model, groups, [variant_of(model, Edit.ablate(neurons_at(model, [(0, 0)])))])
    return model


@pytest.fixture(params=["llama", "gpt2"])
def model(request: pytest.FixtureRequest, tiny: Callable[[str], Model]) -> Model:
    return tried(tiny(request.param))


def read(pairs: Pairs) -> list[Group]:
    """What is run for EOS states."""
    return [tuple(tuple(ids_of(sentence)) for sentence in (pair.good, pair.bad)) for pair in pairs]


def scored(pairs: Pairs) -> list[Group]:
    """What is run for scores: nothing is predicted from the last word, and EOS is never scored."""
    return [tuple(tokens[:-2] for tokens in group) for group in read(pairs)]


def contexts(pairs: Pairs, *, parted: bool) -> set[tuple[Group, Tokens]]:
    """Every (group, prefix) from which a word is predicted; `parted`: one that not both sentences have there."""
    found = set()
    for group, run in zip(read(pairs), scored(pairs), strict=True):
        good, bad = (tokens[:-1] for tokens in group)
        same = next((i for i, (a, b) in enumerate(zip(good, bad, strict=False)) if a != b), min(len(good), len(bad)))
        first = same if parted else 1
        found |= {(run, tokens[:end]) for tokens in (good, bad) for end in range(first, len(tokens))}
    return found


def rows_unembedded(packs: Sequence[Sequence[Row]], wanted: set[tuple[Group, Tokens]]) -> list[int]:
    """A prefix that several groups of a row want is unembedded once."""
    return [sum(len({prefix for group, prefix in wanted if group in row.groups}) for row in pack) for pack in packs]


@EVERY_SIZE
def test_states_compute_every_distinct_prefix_once(pairs: Pairs, model: Model):
    """In a row, that is; a row is cut where it would grow beyond its nodes, and eight of them are a pass."""
    packs, told = packs_of(read(pairs)), Told()
    with counting(model) as counted:
        eos_states(model, pairs, cache=False, progress=told)
    assert counted.passes == [shape_of(pack) for pack in packs]
    computed = sum(len(row.nodes) for pack in packs for row in pack)
    assert set(told.jobs.values()) == {(computed, computed)}
    if pairs is ONE_ROW:
        distinct = {prefix for group in read(pairs) for tokens in group for prefix in prefixes(tokens)}
        assert counted.passes == [(1, len(distinct))]
        assert computed == len(distinct) < sum(len(tokens) for group in read(pairs) for tokens in group)
    else:
        assert (len(packs) > 1) == (pairs is SEVERAL)


@pytest.mark.parametrize(
    ("device", "dtype", "window", "memory_factor", "rows", "nodes"),
    [
        ("cpu", torch.float32, 2048, 1, 8, 128),
        ("cpu", torch.float64, 2048, 1, 8, 128),
        ("cpu", torch.bfloat16, 2048, 1, 16, 64),
        ("cpu", torch.float16, 2048, 1, 16, 64),
        ("cuda", torch.float32, 2048, 1, 64, 128),
        ("cuda", torch.bfloat16, 2048, 1, 64, 128),
        ("cpu", torch.float32, 40, 1, 8, 40),  # no row is longer than the model attends
        ("cpu", torch.float32, 2048, 4, 2, 128),
        ("cuda", torch.bfloat16, 2048, 2, 32, 128),
    ],
)
def test_pack_sizes_are_these(
    device: str,
    dtype: torch.dtype,
    window: int,
    memory_factor: int,
    rows: int,
    nodes: int,
    tiny: Callable[[str], Model],
    monkeypatch: pytest.MonkeyPatch,
):
    """Of model and device alone; a change of these changes the last bits of results and belongs in the notes."""
    monkeypatch.setattr(Model, "window", window)
    model = replace(tiny("llama"), device=torch.device(device), dtype=dtype)
    assert packing_for(model, memory_factor=memory_factor) == Packing(rows=rows, nodes=nodes)


def test_half_precision_packs_more_rows(tiny_folder: Callable[[str], Path]):
    model = tried(load_model(tiny_folder("llama"), dtype="bfloat16"))
    packs = packs_of(read(SEVERAL), rows=16)
    with counting(model) as counted:
        eos_states(model, SEVERAL, cache=False)
    assert counted.passes == [shape_of(pack) for pack in packs]
    assert len(packs) < len(packs_of(read(SEVERAL)))


@pytest.mark.parametrize("task", ["regular_plural_subject_verb_agreement_1", "wh_island", "principle_A_domain_3"])
def test_cuts_between_rows_cost_little(task: str):
    """Of 2,000 sentences that a grammar made, each word a token: what begins two rows is computed in both."""
    pairs = load_pairs(task, source="builtin", limit=1000)
    words = {
        word: i for i, word in enumerate(sorted({w for both in pairs.sentences for s in both for w in s.split()}))
    }
    groups = [[tuple(words[word] for word in sentence.split()) for sentence in both] for both in pairs.sentences]
    distinct = {prefix for group in groups for tokens in group for prefix in prefixes(tokens)}
    computed = sum(pack.computed for pack in plan(groups, Packing()))
    assert len(distinct) <= computed < 1.1 * len(distinct)
    assert computed < sum(len(tokens) for group in groups for tokens in group)


def test_without_a_forest_nothing_is_padded(tiny: Callable[[str], Model]):
    """Whole sentences of one length; as many as reach 8 x 128 tokens are a pass."""
    model = tried(tiny("bloom"))
    lengths = Counter(len(tokens) for group in read(SEVERAL) for tokens in group)
    with counting(model) as counted:
        eos_states(model, SEVERAL, cache=False)
    assert sum(rows * nodes for rows, nodes in counted.passes) == sum(n * count for n, count in lengths.items())
    assert len(counted.passes) == sum(math.ceil(count / math.ceil(8 * 128 / n)) for n, count in lengths.items())


@pytest.mark.parametrize("layers", [[0], [0, 1], [2]])
def test_states_stop_at_the_last_layer(layers: list[int], model: Model):
    """States, and statistics beside them or for themselves: no block above, and no logits."""
    here = {"site": "resid_post", "layers": layers, "position": "eos"}
    for train in ([0, 1, 2], [3, 4]):  # the second time the states are there
        with counting(model) as counted:
            states_and_stats(model, ONE_PASS, train, **here)
        assert counted.blocks == dict.fromkeys(range(max(layers) + 1), 1)
        assert counted.unembedded == []


def test_statistics_alone_run_what_holds_their_pairs(model: Model):
    """The states are there; of a task's passes only those with train pairs are made again."""
    here = {"site": "resid_post", "layers": [1], "position": "eos"}
    eos_states(model, SEVERAL, layers=[1])
    groups = read(SEVERAL)
    packs = packs_of(groups)
    last = [i for i, group in enumerate(groups) if any(group in row.groups for row in packs[-1])]
    with counting(model) as counted:
        states_and_stats(model, SEVERAL, last, **here)
    assert counted.passes == [shape_of(packs[-1])]


@EVERY_SIZE
def test_scores_unembed_what_predicts_a_word(pairs: Pairs, model: Model):
    packs = packs_of(scored(pairs))
    with counting(model) as counted:
        score(model, pairs)
    assert counted.passes == [shape_of(pack) for pack in packs]
    assert counted.unembedded == rows_unembedded(packs, contexts(pairs, parted=False))
    assert counted.unembedded == [sum(len(row.nodes) for row in pack) for pack in packs]  # all but padding


@EVERY_SIZE
def test_margins_unembed_from_where_a_pair_parts(pairs: Pairs, model: Model):
    packs = packs_of(scored(pairs))
    with counting(model) as counted:
        score_texts(model, from_first_difference(pairs_of_texts(model, pairs, "sum")))
    assert counted.passes == [shape_of(pack) for pack in packs]
    assert counted.unembedded == rows_unembedded(packs, contexts(pairs, parted=True))
    assert sum(counted.unembedded) < sum(len(row.nodes) for pack in packs for row in pack)


@pytest.mark.parametrize("steps", quick_and_slow([3], [1]))
def test_attribution_makes_one_pass_a_step(steps: int, model: Model):
    """Forward and back keep more than activations, so that half as many rows are a pass."""
    packs = packs_of(scored(SEVERAL), rows=4)
    with counting(model) as counted:
        attribute(model, SEVERAL, site="resid_post", layers=[0, 2], steps=steps, cache=False)
    assert counted.passes == [shape_of(pack) for pack in packs for _ in range(steps)]
    rows = rows_unembedded(packs, contexts(SEVERAL, parted=True))
    assert counted.unembedded == [count for count in rows for _ in range(steps)]


@pytest.mark.parametrize("site", ["resid_post", "mlp_out"])
def test_an_edit_runs_the_blocks_above_it_alone(site: str, model: Model):
    """One unedited pass for all; an edit of what a block gives needs the blocks after it, one within it that too."""
    chosen = [[(0, 3)], [(1, 3)], [(1, 17), (2, 8)], [(2, 5)], [(2, 6)]]
    variants = [variant_of(model, Edit.ablate(neurons_at(model, some, site=site))) for some in chosen]
    packs = packs_of(scored(SEVERAL))
    with counting(model) as counted:
        score_texts(model, pairs_of_texts(model, SEVERAL, "sum"), variants)
    lowest = [min(layer for layer, _ in some) + (site == "resid_post") for some in chosen]
    runs = {layer: 1 + sum(first <= layer for first in lowest) for layer in range(LAYERS)}
    assert counted.blocks == {layer: len(packs) * times for layer, times in runs.items()}
    rows = rows_unembedded(packs, contexts(SEVERAL, parted=False))
    assert counted.unembedded == [count for count in rows for _ in range(1 + len(variants))]
