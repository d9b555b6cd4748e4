"""Measured cells and attributions against plain loops over Hugging Face's own model, one sentence at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_planted_cause
import torch
from causal_toy import LAYER, MASSIVE, TASKS, Toy, focus_piece, recipe, run_toy, toy_splits
from neurosteer.studies.paper.causal.controls import controls_of
from scipy import stats
from test_planted_cause import UNITS, agreement_pairs
from tiny_models import WIDTH, hf_blocks, hf_network, ids_of

from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.forward import states_and_stats
from neurosteer.model import Model
from neurosteer.neurons import Ranking
from neurosteer.neurons.sets import STATS
from neurosteer.pairs import Pair, Pairs
from neurosteer.studies.paper.causal import causal_units, measured_tasks
from neurosteer.studies.paper.causal.sources import beginnings
from neurosteer.studies.paper.transfer import Member
from neurosteer.studies.recipes.units import Piece

planted = test_planted_cause.planted
METHODS = ("welch", "l0", "attribution")


@pytest.fixture(scope="module")
def toy(llama: Model, apart: Callable[[], AbstractContextManager[None]]) -> Toy:
    with apart():
        return run_toy(llama, recipe())


@pytest.fixture(scope="module")
def network(tiny_folder: Callable[[str], Path]) -> Any:
    return hf_network(tiny_folder("llama"))


def plain_margins(network: Any, pairs: Pairs, units: Sequence[int]) -> list[float]:
    """Every token's log-probability is summed; a hook sets units to zero at all positions but the first."""

    def ablate(_module: Any, _given: Any, gives: Any) -> Any:
        hidden = (gives[0] if isinstance(gives, tuple) else gives).clone()
        hidden[:, 1:, list(units)] = 0.0
        return (hidden, *gives[1:]) if isinstance(gives, tuple) else hidden

    def logprob(sentence: str) -> float:
        ids = ids_of(sentence, eos=None)
        logprobs = network(torch.tensor([ids])).logits[0].double().log_softmax(dim=-1)
        return sum(float(logprobs[i - 1, ids[i]]) for i in range(1, len(ids)))

    handle = hf_blocks(network)[LAYER].register_forward_hook(ablate)
    try:
        return [logprob(pair.good) - logprob(pair.bad) for pair in pairs]
    finally:
        handle.remove()


def of_method(piece: Piece, method: str) -> list[dict[str, Any]]:
    cells = [cell for cell in piece.values["cells"] if cell["method"] == method]
    assert [cell["source"] for cell in cells] == list(TASKS[:3])
    return cells


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("target", ["ant", "cat"])
def test_cells_are_what_a_plain_loop_measures(toy: Toy, network: Any, target: str, method: str):
    piece, pairs = toy.cells(target), toy.splits[target].test.limit(5)
    margins, clean = piece.arrays["margins"], piece.arrays["clean"]
    assert clean == pytest.approx(plain_margins(network, pairs, []), abs=1e-4)
    wanted = [(cell["row"], cell["units"]) for cell in of_method(piece, method) if cell["units"]]
    for drawn in piece.values["controls"]:
        wanted += [(drawn["row"] + i, units) for i, units in enumerate(drawn["units"])]
    found = {row: plain_margins(network, pairs, units) for row, units in wanted}
    for row, expected in found.items():
        assert margins[row] == pytest.approx(expected, abs=1e-4)
    assert max(np.abs(np.array(expected) - clean).max() for expected in found.values()) > 0.1
    assert piece.values["pairs"] == 5


def test_sets_are_the_top_of_each_ranking(toy: Toy):
    """Ordered by index; a unit behind a closed mask, or with a margin that would rise, is not chosen."""
    cells = {method: of_method(toy.cells("ant"), method) for method in METHODS}
    assert [cell["units"] for cell in cells["l0"]] == [[20, 21], [], [20, 21]]
    for method in METHODS:
        assert [cell["units"] for cell in cells[method]] == [
            toy.chosen(cell["source"], method) for cell in cells[method]
        ]
    assert min(toy.drops("ant")[toy.chosen("ant", "attribution")]) > 0


def test_no_set_and_no_control_holds_a_massive_unit(toy: Toy):
    """Though one has the largest t of all."""
    t = toy.pieces["focus-ant"].arrays["t"]
    assert np.abs(t).argmax() in MASSIVE
    for target in TASKS[:3]:
        values = toy.cells(target).values
        held = [cell["units"] for cell in values["cells"]] + [
            u for drawn in values["controls"] for u in drawn["units"]
        ]
        assert len(held) == 9 + 5 * 3
        assert not {unit for units in held for unit in units} & set(MASSIVE)


def test_controls_are_shared_by_all_targets_and_methods(toy: Toy):
    """They hold none of the units of any of a source's sets, and as many as the set that they stand beside."""
    first, *others = (toy.cells(target).values for target in TASKS[:3])
    for other in others:
        assert other["controls"] == first["controls"]
    sizes = {(cell["source"], len(cell["units"])) for cell in first["cells"]}
    assert {(drawn["source"], drawn["size"]) for drawn in first["controls"]} == {(s, n) for s, n in sizes if n}
    assert len(first["controls"]) == 5  # the masks of two sources leave 2 of 3 units open, that of the third none
    for drawn in first["controls"]:
        chosen = {unit for cell in first["cells"] if cell["source"] == drawn["source"] for unit in cell["units"]}
        assert len({tuple(units) for units in drawn["units"]}) == len(drawn["units"]) == 3
        for units in drawn["units"]:
            assert len(units) == len(set(units)) == drawn["size"]
            assert not set(units) & chosen
        assert drawn["unmatched"] > 0


def test_smaller_controls_are_parts_of_larger_ones(toy: Toy):
    by_size = {d["size"]: d["units"] for d in toy.cells("ant").values["controls"] if d["source"] == "ant"}
    for small, large in zip(by_size[2], by_size[3], strict=True):
        assert set(small) < set(large)


def test_each_source_draws_its_own_controls():
    ranking = Ranking(torch.arange(64.0)[None], None, "welch", one_layer(64), "m", "resid_post", {})
    sets = [ranking.top(4, layers=LAYER), ranking.pick([(LAYER, 3)])]
    drawn = [[control.units.tolist() for control in controls_of(sets, 5, seed)[4]] for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert all(len(units) == 4 and not {3, 60, 61, 62, 63} & set(units) for units in drawn[0])
    assert controls_of([ranking.pick([])], 5, 1) == {}


def one_layer(width: int) -> UnitStats:
    rng = torch.Generator().manual_seed(0)
    values = [torch.rand(1, width, generator=rng) + 0.5 for _ in range(4)]
    return UnitStats(*values, tokens=9, layers=(LAYER,))


def test_a_set_of_nothing_is_not_measured(toy: Toy):
    piece = toy.cells("ant")
    empty = next(cell for cell in of_method(piece, "l0") if cell["source"] == "bee")
    assert empty["units"] == []
    assert piece.arrays["margins"].shape == (3 * 3 - 1 + 5 * 3, 5)  # sets but for the empty one, and controls


def plain_drop(network: Any, pairs: Pairs) -> np.ndarray:
    """Activation times gradient of the margin at every position but the first, summed, by autograd alone."""
    kept: list[torch.Tensor] = []

    def keep(_module: Any, _given: Any, gives: Any) -> None:
        kept.append(gives[0] if isinstance(gives, tuple) else gives)
        kept[-1].requires_grad_(True).retain_grad()

    total = torch.zeros(WIDTH, dtype=torch.float64)
    handle = hf_blocks(network)[LAYER].register_forward_hook(keep)
    try:
        for pair in pairs:
            for sign, sentence in ((1, pair.good), (-1, pair.bad)):
                ids = ids_of(sentence, eos=None)
                logprobs = network(torch.tensor([ids])).logits[0].log_softmax(dim=-1)
                logprobs[range(len(ids) - 1), ids[1:]].sum().backward()
                hidden = kept.pop()
                assert hidden.grad is not None
                total += sign * (hidden.detach() * hidden.grad)[0, 1:].sum(0).double()
    finally:
        handle.remove()
    return (total / len(pairs)).numpy()


def test_attributions_are_plain_gradients(toy: Toy, network: Any):
    """Of the first train pairs."""
    for task in TASKS:
        expected = plain_drop(network, toy.splits[task].train.limit(6))
        assert np.abs(expected).max() > 1e-2
        assert toy.drops(task) == pytest.approx(expected, abs=1e-5)


def test_no_gradient_runs_below_the_layer(llama: Model, toy: Toy):
    """Backward, each block above the layer is passed once for each pack, and none below."""
    passed: list[int] = []
    handles = [
        block.register_full_backward_hook(lambda *_given, i=i: passed.append(i))
        for i, block in enumerate(hf_blocks(llama.bridge.original_model))
    ]
    try:
        again = toy.units["attribution-ant"].compute({}.__getitem__)
    finally:
        for handle in handles:
            handle.remove()
    assert again.arrays["drop"] == pytest.approx(toy.drops("ant"), abs=1e-6)
    assert set(passed) == {2}


def test_no_block_below_the_layer_runs_twice(llama: Model, toy: Toy):
    """Whatever the number of variants."""
    runs: list[int] = []
    handles = [
        block.mlp.register_forward_pre_hook(lambda *_given, i=i: runs.append(i))
        for i, block in enumerate(hf_blocks(llama.bridge.original_model))
    ]
    unit = toy.unit("ant", "ant")
    try:
        unit.compute(toy.pieces.__getitem__)
    finally:
        for handle in handles:
            handle.remove()
    assert [runs.count(i) for i in range(3)] == [1, 1, 1 + 3 * 3 - 1 + 5 * 3]


def test_units_come_out_the_same_byte_for_byte(toy: Toy):
    for name in (toy.unit("bee", "ant").name, "attribution-cat"):
        again, first = toy.units[name].compute(toy.pieces.__getitem__), toy.pieces[name]
        assert again.values == first.values
        assert all(np.array_equal(again.arrays[array], first.arrays[array]) for array in first.arrays)


def test_names_groups_and_needs(toy: Toy):
    attributions, cells = [f"attribution-{task}" for task in TASKS], list(toy.units)[4:]
    assert list(toy.units)[:4] == attributions
    assert [name.rpartition("-")[0] for name in cells] == [f"causal-{target}" for target in TASKS[:3]]
    cells = toy.unit("cat", "ant")
    assert cells.group == "cat"
    assert set(cells.needs) == {f"{what}-{source}" for what in ("focus", "attribution") for source in TASKS[:3]}
    [welch, *_] = [
        u for u in causal_units(toy.model, recipe(methods=("welch",)), toy.splits, LAYER) if "causal" in u.name
    ]
    assert welch.needs == ("focus-ant", "focus-bee", "focus-cat")
    assert toy.units["attribution-dog"].group == "dog"
    for name, unit in toy.units.items():
        assert unit.size == pytest.approx(sum(array.nbytes for array in toy.pieces[name].arrays.values()), rel=0.5)


def test_costs_grow_with_what_is_computed(llama: Model, toy: Toy):
    """A unit of sources times edits costs as many passes, and a pass as many tokens as have different beginnings."""
    more = recipe(controls=7, measured=("ant", "bee"), methods=("l0",))
    other = next(unit for unit in causal_units(llama, more, toy.splits, LAYER) if unit.name.startswith("causal-ant"))
    assert other.cost == pytest.approx(toy.unit("ant", "ant").cost * (1 + 2 * (1 + 7)) / (1 + 3 * (3 + 3)))
    assert beginnings(Pairs("x", "hand", (Pair("a b c", "a b d", "0"), Pair("a e", "f b c", "1")))) == 8


def test_many_sources_are_parted(llama: Model):
    splits = {}
    for i in range(6):
        pairs = tuple(Pair(f"w{i} w{20 + j}", f"w{i} w{40 + j}", str(j)) for j in range(10))
        splits[f"t{i:02}"] = Pairs(f"t{i:02}", "made up", pairs).split()
    units = causal_units(llama, recipe(measured="all", methods=("l0",)), splits, LAYER)
    cells = [unit for unit in units if unit.name.startswith("causal")]
    assert [unit.group for unit in cells[:3]] == ["t00", "t00", "t01"]
    assert len({unit.name for unit in cells}) == 12
    assert [len(unit.needs) for unit in cells] == [4, 2] * 6


def test_sentences_that_a_source_has_seen_are_not_measured(llama: Model, toy: Toy):
    """Whichever task has seen them, measured or not: what else is measured must not change a cell."""
    ant, bee = toy.splits["ant"], toy.splits["bee"]
    seen = [pair.bad for pair in ant.test.pairs[:2]] + [ant.test.pairs[4].good]
    more = tuple(Pair(sentence, f"w1 w2 w3 w{i}", f"x{i}") for i, sentence in enumerate(seen))
    trained = replace(bee, train=replace(bee.train, pairs=bee.train.pairs + more))
    dog = toy.splits["dog"]
    idle = replace(dog, train=replace(dog.train, pairs=dog.train.pairs + ant.test.pairs[3:4]))
    splits = {**toy.splits, "bee": trained, "dog": idle}
    rerun = Toy.run(llama, recipe(methods=("welch",)), splits, {t: focus_piece(i) for i, t in enumerate(TASKS)})
    piece = rerun.cells("ant")
    assert (piece.values["pairs"], piece.values["left_out"]) == (4, 4)
    full = Toy.run(
        llama, recipe(methods=("welch",), test_pairs=8), toy.splits, {t: focus_piece(i) for i, t in enumerate(TASKS)}
    ).cells("ant")
    assert len(ant.test) == 8
    assert full.values["left_out"] == 0
    assert piece.arrays["clean"] == pytest.approx(full.arrays["clean"][[2, 5, 6, 7]], abs=1e-4)
    assert rerun.cells("cat").values["left_out"] == 0


def test_a_target_of_which_all_is_seen(llama: Model):
    ant, bee = toy_splits()["ant"], toy_splits()["bee"]
    all_seen = replace(bee, validation=replace(bee.validation, pairs=bee.validation.pairs + ant.test.pairs))
    with pytest.raises(InputError, match="some task has seen every test pair of 'ant'"):
        causal_units(llama, recipe(measured="all"), {"ant": ant, "bee": all_seen}, LAYER)


def members(*named: tuple[str, str]) -> list[Member]:
    return [Member(*one) for one in named]


def test_what_is_measured():
    tasks = members(("z", "one"), ("y", "one"), ("b", "two"), ("a", "two"), ("alone", "alone"), ("c", "two"))
    assert measured_tasks(recipe(measured="phenomena"), tasks) == ["y", "a", "alone"]
    assert measured_tasks(recipe(measured="all"), tasks) == ["z", "y", "b", "a", "alone", "c"]
    assert measured_tasks(recipe(measured=("c", "z")), tasks) == ["z", "c"]
    with pytest.raises(InputError, match="no task 'alonely' here that can be split; did you mean 'alone'"):
        measured_tasks(recipe(measured=("z", "alonely")), tasks)


def test_whatever_else_is_measured_keeps_the_units_of_the_default(llama: Model, toy: Toy):
    """So `measured=all` computes the rest alone: units of the same names give the same bytes."""
    focus = {task: toy.pieces[f"focus-{task}"] for task in TASKS}
    few, all_ = (Toy.run(llama, recipe(measured=what), toy.splits, focus) for what in ("phenomena", "all"))
    kept, more = set(few.units), set(all_.units)
    assert len(kept) == 4 + 3
    assert len(more) == 4 + 4 * 2
    assert kept < more
    for name in kept:
        again, first = all_.pieces[name], few.pieces[name]
        assert again.values == first.values
        assert all(np.array_equal(again.arrays[array], first.arrays[array]) for array in first.arrays)


def real_focus(model: Model, pairs: Pairs) -> Piece:
    _, stats = states_and_stats(
        model, pairs, range(len(pairs)), site="resid_post", layers=[LAYER], position="eos", cache=False
    )
    arrays = {name: getattr(stats, name)[0].numpy() for name in STATS}
    return Piece({**arrays, "t": np.ones(WIDTH), "l0": np.ones(WIDTH, np.float32), "tokens": np.array([9])}, {})


def test_a_planted_cause_shows_up_in_its_cell(planted: Model):
    """The units that carry agreement matter to agreement, and to nothing that has no verbs."""
    splits = {"agreement": agreement_pairs().split(), "bee": nouns().split()}
    focus = {task: real_focus(planted, split.train) for task, split in splits.items()}
    asked = recipe(measured="all", methods=("attribution",), controls=9, test_pairs=30, attribution_pairs=60)
    toy = Toy.run(planted, asked, splits, focus)
    changes = {}
    for target in splits:
        piece = toy.cells(target, "agreement")
        delta = (piece.arrays["margins"] - piece.arrays["clean"]).mean(axis=1)
        for cell, drawn in zip(piece.values["cells"], piece.values["controls"], strict=True):
            rows = [cell["row"], *range(drawn["row"], drawn["row"] + 9)]
            changes[cell["source"], target] = delta[rows]
    own = changes["agreement", "agreement"]
    assert toy.cells("bee", "agreement").values["cells"][0]["units"] == UNITS
    assert own[0] < -1
    assert own[0] < 5 * own[1:].min()
    assert stats.ttest_ind(own[:1], own[1:]).pvalue < 0.001
    assert abs(changes["agreement", "bee"][0]) < 0.1 * abs(own[0])
    assert abs(changes["bee", "agreement"][0]) < 0.25 * abs(own[0])


def nouns() -> Pairs:
    """Pairs that neither hold nor part at a verb or a subject."""
    words = np.random.default_rng(0).permutation(np.arange(40, 62))
    rows = [(a, b, c) for a in words[:6] for b in words[6:12] for c in words[12:14]]
    return Pairs(
        "bee", "made up", tuple(Pair(f"w{a} w{b} w{c}", f"w{b} w{a} w{c}", f"{a}-{b}-{c}") for a, b, c in rows)
    )
