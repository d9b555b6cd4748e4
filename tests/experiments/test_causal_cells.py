"""Measured cells and attributions against plain loops over Hugging Face's own model, one sentence at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from causal_toy import (
    LAYER,
    MASSIVE,
    TASKS,
    TESTED,
    Toy,
    all_units,
    one_layer_result,
    recipe,
    run_toy,
    states_result,
    toy_pairs,
    toy_splits,
    work_of,
)
from planted_cause import UNITS, agreement_pairs
from scipy import stats
from sizes import all_slow_but, quick_and_slow
from tiny_models import WIDTH, hf_blocks, hf_network, ids_of

from neurosteer.errors import InputError
from neurosteer.experiments.causal import EXPERIMENT
from neurosteer.experiments.causal.nulls import exchanges, null_searches
from neurosteer.experiments.causal.targets import measured_tasks
from neurosteer.experiments.experiment import Task
from neurosteer.experiments.shared.one_layer import searched
from neurosteer.forward import states_and_stats
from neurosteer.model import Model
from neurosteer.neurons import STATS
from neurosteer.pairs import Pair, Pairs
from neurosteer.runner.units import UnitResult
from neurosteer.studies.costs import count_prefixes
from neurosteer.studies.neutral import passages, read_neutral

METHODS = ("welch", "l0", "attribution")


@pytest.fixture(scope="module")
def toy(llama: Model, apart: Callable[[], AbstractContextManager[None]]) -> Toy:
    with apart():
        return run_toy(llama, recipe())


@pytest.fixture(scope="module")
def network(tiny_folder: Callable[[str], Path]) -> Any:
    return hf_network(tiny_folder("llama"))


@contextmanager
def zeroed(network: Any, units: Sequence[int]) -> Iterator[None]:
    """A hook sets units to zero at all positions but the first."""

    def ablate(_module: Any, _given: Any, gives: Any) -> Any:
        hidden = (gives[0] if isinstance(gives, tuple) else gives).clone()
        hidden[:, 1:, list(units)] = 0.0
        return (hidden, *gives[1:]) if isinstance(gives, tuple) else hidden

    handle = hf_blocks(network)[LAYER].register_forward_hook(ablate)
    try:
        yield
    finally:
        handle.remove()


def plain_margins(network: Any, pairs: Pairs, units: Sequence[int]) -> list[float]:
    """Every token's log-probability is summed, while units are zero."""

    def logprob(sentence: str) -> float:
        ids = ids_of(sentence, eos=None)
        logprobs = network(torch.tensor([ids])).logits[0].double().log_softmax(dim=-1)
        return sum(float(logprobs[i - 1, ids[i]]) for i in range(1, len(ids)))

    with zeroed(network, units):
        return [logprob(pair.good) - logprob(pair.bad) for pair in pairs]


@pytest.mark.parametrize("method", all_slow_but(["attribution"], METHODS))
@pytest.mark.parametrize("target", quick_and_slow(["cat"], ["ant"]))
def test_cells_are_what_a_plain_loop_measures(toy: Toy, network: Any, target: str, method: str):
    """Of every set and each of its controls."""
    result, pairs = toy.cells(target), toy.splits[target].test.limit(TESTED)
    clean = result.arrays["clean"]
    assert clean == pytest.approx(plain_margins(network, pairs, []), abs=1e-4)
    largest = 0.0
    for source in TASKS[:3]:
        margins, variants = toy.margins(source, target, method), toy.variants(source, method)
        assert len(margins) == len(variants)
        for row, units in zip(margins, variants, strict=True):
            expected = np.array(plain_margins(network, pairs, units))
            assert row == pytest.approx(expected, abs=1e-4)
            largest = max(largest, np.abs(expected - clean).max())
    assert largest > 0.1
    assert result.values["pairs"] == TESTED


def test_sets_are_the_top_of_each_ranking(toy: Toy):
    """Ordered by index; a unit behind a closed mask, or with a margin that would rise, is not chosen."""
    assert [toy.variants(task, "l0")[:1] for task in TASKS[:3]] == [[[20, 21]], [], [[20, 21]]]
    for method in METHODS:
        for task in TASKS[:3]:
            assert toy.variants(task, method)[:1] == ([toy.chosen(task, method)] if toy.chosen(task, method) else [])
    assert min(toy.drops("ant")[toy.chosen("ant", "attribution")]) > 0


def test_no_set_and_no_control_holds_a_massive_unit(toy: Toy):
    """Though one has the largest t of all."""
    t = toy.results["focus-ant"].arrays["t"]
    assert np.abs(t).argmax() in MASSIVE
    held = [row for task in TASKS[:3] for method in METHODS for row in toy.variants(task, method)]
    assert len(held) == (9 - 1) * 4
    assert not {unit for units in held for unit in units} & set(MASSIVE)


def test_each_set_has_controls_of_its_own(toy: Toy):
    """Whatever other methods there are: as many as asked, of its size, drawn by task and method."""
    for task in ("ant", "cat"):
        for method in METHODS:
            own, *controls = toy.variants(task, method)
            assert len({tuple(units) for units in [own, *controls]}) > 1
            assert [len(set(units)) for units in controls] == [len(own)] * 3
            about = toy.results[f"sets-{task}"].values["about"][method]
            shared = [len(set(units) & set(own)) / len(own) for units in controls]
            assert about["overlap"] == pytest.approx(np.mean(shared))
    assert toy.variants("ant", "l0")[0] == toy.variants("cat", "l0")[0]
    assert toy.variants("ant", "l0")[1:] != toy.variants("cat", "l0")[1:]
    alone = sets_of(toy, methods=("attribution",))
    assert alone.variants("ant", "attribution") == toy.variants("ant", "attribution")


def test_controls_may_hold_the_units_of_any_set(toy: Toy):
    """Those of the set itself and of the other methods are as likely as their like."""
    many = sets_of(toy, controls=60)
    for method in METHODS:
        own, *controls = many.variants("ant", method)
        drawn = {unit for units in controls for unit in units}
        assert set(own) <= drawn
        assert {unit for other in METHODS for unit in many.variants("ant", other)[0]} & (drawn - set(own))


def sets_of(toy: Toy, **changes: Any) -> Toy:
    """The same tasks by another recipe: sets and controls alone, of which nothing is measured."""
    asked, only = recipe(nulls=0, **changes), ("attribution-", "sets-")
    return Toy.run(toy.work.model, asked, toy.splits, one_layer_of(toy), only=only)


def one_layer_of(toy: Toy) -> dict[str, UnitResult]:
    return {task: toy.results[f"focus-{task}"] for task in TASKS}


def test_a_set_of_nothing_is_not_measured(toy: Toy):
    result = toy.cells("ant")
    assert toy.variants("bee", "l0") == []
    assert [row["row"] for row in result.values["sets"]].count(None) == 1
    assert result.arrays["margins"].shape == ((9 - 1) * 4, TESTED)
    assert np.isnan(neutral_of(toy, "bee", "l0")["kl"]).all()


def neutral_of(toy: Toy, source: str, method: str) -> dict[str, np.ndarray]:
    [result] = [result for name, result in toy.results.items() if name.startswith("neutral-")]
    row = result.values["sets"].index([source, method])
    return {name: values[row] for name, values in result.arrays.items()}


def test_neutral_text_under_every_set_and_control(toy: Toy, network: Any):
    """KL of the unedited model from each edited one, token by token, and perplexity, by Hugging Face's own model."""
    texts = [text.tokens for group in passages(toy.work.model, read_neutral(None)[1]) for text in group]

    def logprobs(units: Sequence[int]) -> list[torch.Tensor]:
        with zeroed(network, units):
            return [network(torch.tensor([ids])).logits[0, :-1].double().log_softmax(dim=-1) for ids in texts]

    clean = logprobs([])
    found = neutral_of(toy, "ant", "welch")
    for place, units in enumerate(toy.variants("ant", "welch")):
        edited = logprobs(units)
        kl = torch.cat([(p.exp() * (p - q)).sum(-1) for p, q in zip(clean, edited, strict=True)]).mean()
        said = [q[range(len(ids) - 1), list(ids[1:])] for q, ids in zip(edited, texts, strict=True)]
        assert found["kl"][place] == pytest.approx(float(kl), abs=1e-5)
        assert found["perplexity"][place] == pytest.approx(float((-torch.cat(said).mean()).exp()), rel=1e-4)
    assert found["kl"].min() > 1e-4


def test_exchanged_items_go_together():
    """Pairs that share a sentence or an item change places together, each group in about half of the draws."""
    pairs = (Pair("a", "b", "0"), Pair("c", "b", "1"), Pair("d", "e", "2", "x"), Pair("f", "g", "3", "x"))
    flips = exchanges(Pairs("t", "hand", (*pairs, Pair("h", "i", "4"))), 400, 0)
    assert (flips[:, 0] == flips[:, 1]).all()
    assert (flips[:, 2] == flips[:, 3]).all()
    for one, other in [(0, 2), (0, 4), (2, 4)]:
        assert 150 < int((flips[:, one] == flips[:, other]).sum()) < 250
    assert all(150 < int(count) < 250 for count in flips.sum(dim=0))
    assert torch.equal(exchanges(Pairs("t", "hand", pairs), 3, 0), exchanges(Pairs("t", "hand", pairs), 5, 0)[:3])


def test_null_sets_by_welch_and_attribution_are_what_a_plain_loop_finds(toy: Toy):
    """Scipy's t of exchanged states; signed sums of plain gradients of one pair at a time."""
    for task in TASKS[:3]:
        split, found = toy.splits[task], toy.results[f"nullsets-{task}"].arrays
        flips = exchanges(split.train, 2, toy.work.recipe.seed).numpy()
        states = states_result(split).arrays["values"][list(split.indices["train"]), :, 0]
        by_pair = toy.results[f"attribution-{task}"].arrays["by_pair"]
        assert 0 < flips.sum() < flips.size
        for i, flip in enumerate(flips):
            good, bad = (np.where(flip[:, None], states[:, 1 - side], states[:, side]) for side in (0, 1))
            t = np.abs(stats.ttest_ind(good, bad, equal_var=False).statistic)
            drop = sum((-1 if flip[j] else 1) * by_pair[j] for j in range(6))
            for method, scores in (("welch", t), ("attribution", drop)):
                order = [unit for unit in np.argsort(-scores).tolist() if unit not in MASSIVE]
                expected = sorted(unit for unit in order[:3] if scores[unit] > 0)
                assert found[method][i][: len(expected)].tolist() == expected


@pytest.mark.parametrize("exchanged", [False, True])
def test_a_null_search_by_l0_is_the_search_itself(toy: Toy, exchanged: bool):
    """Where nothing is exchanged it finds what the task's own does; where every pair is, all but the sign."""
    design, split = toy.work.design, toy.splits["ant"]
    states = torch.from_numpy(states_result(split).arrays["values"])[list(split.indices["train"])]
    turned = states.flip(1) if exchanged else states
    label = ("ant", LAYER, "l0", "exchange", 0)
    expected = searched(turned, [label], design)
    flips = torch.full((1, len(states)), exchanged)
    found = null_searches(states[:, :, 0], flips, "ant", ("welch", "l0"), design)
    for method in ("welch", "l0"):
        assert torch.equal(found[method], expected[method])
    assert int((found["l0"] > 0).sum()) > 0


def test_null_sets_are_measured_on_the_true_pairs_of_their_own_task(toy: Toy, network: Any):
    """An empty one changes nothing."""
    for method in METHODS:
        pairs = toy.splits["ant"].test.limit(TESTED)
        for row, units in zip(
            toy.nulls("ant", method), toy.results["nullsets-ant"].arrays[method].tolist(), strict=True
        ):
            assert row == pytest.approx(plain_margins(network, pairs, [u for u in units if u >= 0]), abs=1e-4)
    empty = Toy.run(toy.work.model, recipe(methods=("welch",), measured=("ant",)), toy.splits, one_layer_of(toy))
    unit = next(unit for name, unit in empty.units.items() if name.startswith("nulls-"))
    nothing = {**empty.results, "nullsets-ant": UnitResult({"welch": np.array([[-1, -1, -1], [3, -1, -1]])}, {})}
    found = unit.compute(nothing.__getitem__).arrays
    assert np.array_equal(found["welch"][0], found["clean"])
    assert np.abs(found["welch"][1] - found["clean"]).max() > 1e-3


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
        by_pair = toy.results[f"attribution-{task}"].arrays["by_pair"]
        for i, row in enumerate(by_pair):
            assert row == pytest.approx(plain_drop(network, toy.splits[task].train.take([i])), abs=1e-4)


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
        unit.compute(toy.results.__getitem__)
    finally:
        for handle in handles:
            handle.remove()
    assert [runs.count(i) for i in range(3)] == [1, 1, 1 + (9 - 1) * 4]


def test_units_come_out_the_same_byte_for_byte(toy: Toy):
    for name in (toy.unit("bee", "ant").name, "attribution-cat"):
        again, first = toy.units[name].compute(toy.results.__getitem__), toy.results[name]
        assert again.values == first.values
        assert all(np.array_equal(again.arrays[array], first.arrays[array]) for array in first.arrays)


def test_names_groups_and_needs(toy: Toy):
    names = list(toy.units)
    assert names[:4] == ["attribution-ant", "sets-ant", "nullsets-ant", "attribution-bee"]
    assert names[9] == "attribution-dog"
    assert [name.rpartition("-")[0] for name in names[10:]] == [
        f"{what}-{target}" for target in TASKS[:3] for what in ("causal", "nulls")
    ] + ["neutral"]
    cells = toy.unit("cat", "ant")
    assert cells.group == "cat"
    assert set(cells.needs) == {f"{what}-{source}" for what in ("focus", "sets") for source in TASKS[:3]}
    assert set(toy.units["nullsets-ant"].needs) == {"focus-ant", "attribution-ant", "states-trained-ant"}
    one = {unit.name: unit for unit in all_units(toy.work.model, recipe(methods=("attribution",)), toy.splits)}
    assert set(one["nullsets-ant"].needs) == {"focus-ant", "attribution-ant"}
    assert toy.units["attribution-dog"].group == "dog"
    for name, unit in toy.units.items():
        held = sum(array.nbytes for array in toy.results[name].arrays.values())
        assert unit.size == pytest.approx(held, rel=0.5), name


def test_without_nulls_none_are_searched(toy: Toy):
    units = all_units(toy.work.model, recipe(nulls=0), toy.splits)
    assert not [unit.name for unit in units if unit.name.startswith("null")]


def test_costs_grow_with_what_is_computed(llama: Model, toy: Toy):
    """A unit of sources times edits costs as many passes, and a pass as many tokens as have different beginnings."""
    more = recipe(controls=7, measured=("ant", "bee"), methods=("l0",))
    other = next(unit for unit in all_units(llama, more, toy.splits) if unit.name.startswith("causal-ant"))
    assert other.cost == pytest.approx(toy.unit("ant", "ant").cost * (1 + 2 * (1 + 7)) / (1 + 9 * (1 + 3)))
    assert count_prefixes(Pairs("x", "hand", (Pair("a b c", "a b d", "0"), Pair("a e", "f b c", "1")))) == 8


def test_many_sets_are_parted(llama: Model):
    """At most 60 edits a unit, however many controls; and one set at least."""
    splits = {}
    for i in range(6):
        pairs = tuple(Pair(f"w{i} w{20 + j}", f"w{i} w{40 + j}", str(j)) for j in range(10))
        splits[f"t{i:02}"] = Pairs(f"t{i:02}", "made up", pairs).split()
    for controls, sets in ((14, [4, 2]), (199, [1] * 6)):
        asked = recipe(measured="all", methods=("l0",), controls=controls, nulls=200)
        units = all_units(llama, asked, splits)
        cells = [unit for unit in units if unit.name.startswith("causal")]
        assert [unit.group for unit in cells[: len(sets) + 1]] == ["t00"] * len(sets) + ["t01"]
        assert len({unit.name for unit in cells}) == 6 * len(sets)
        assert [len(unit.needs) for unit in cells] == [2 * count for count in sets] * 6
        assert sum(unit.name.startswith("neutral") for unit in units) == len(sets)
        assert sum(unit.name.startswith("nulls-") for unit in units) == 6


def test_sentences_that_a_source_has_seen_are_not_measured(llama: Model, toy: Toy):
    """Whichever task has seen them, measured or not: what else is measured must not change a cell."""
    ant, bee = toy.splits["ant"], toy.splits["bee"]
    seen = [pair.bad for pair in ant.test.pairs[:2]] + [ant.test.pairs[4].good]
    more = tuple(Pair(sentence, f"w1 w2 w3 w{i}", f"x{i}") for i, sentence in enumerate(seen))
    trained = replace(bee, train=replace(bee.train, pairs=bee.train.pairs + more))
    dog = toy.splits["dog"]
    idle = replace(dog, train=replace(dog.train, pairs=dog.train.pairs + ant.test.pairs[3:4]))
    splits = {**toy.splits, "bee": trained, "dog": idle}
    one_layer, few = {t: one_layer_result(i) for i, t in enumerate(TASKS)}, {"methods": ("welch",), "nulls": 0}
    rerun = Toy.run(llama, recipe(**few), splits, one_layer)
    result = rerun.cells("ant")
    assert (result.values["pairs"], result.values["left_out"]) == (20, 4)
    full = Toy.run(llama, recipe(**few, test_pairs=24), toy.splits, one_layer).cells("ant")
    assert len(ant.test) == 24
    assert full.values["left_out"] == 0
    assert result.arrays["clean"] == pytest.approx(full.arrays["clean"][[2, *range(5, 24)]], abs=1e-4)
    assert rerun.cells("cat").values["left_out"] == 0


def test_a_target_of_which_all_is_seen(llama: Model):
    ant, bee = toy_splits()["ant"], toy_splits()["bee"]
    all_seen = replace(bee, validation=replace(bee.validation, pairs=bee.validation.pairs + ant.test.pairs))
    asked, splits = recipe(measured="all"), {"ant": ant, "bee": all_seen}
    with pytest.raises(InputError, match="some task has seen every test pair of 'ant'"):
        EXPERIMENT.joint_units(work_of(llama, asked, splits))


def tasks_of(*named: tuple[str, str]) -> list[Task]:
    """Names and phenomena."""
    pairs = toy_pairs("ant")
    split = pairs.split()
    return [Task(replace(pairs, task=name, phenomenon=phenomenon), split) for name, phenomenon in named]


def test_what_is_measured():
    tasks = tasks_of(("z", "one"), ("y", "one"), ("b", "two"), ("a", "two"), ("alone", "alone"), ("c", "two"))
    assert measured_tasks(recipe(measured="phenomena"), tasks) == ["y", "a", "alone"]
    assert measured_tasks(recipe(measured="all"), tasks) == ["z", "y", "b", "a", "alone", "c"]
    assert measured_tasks(recipe(measured=("c", "z")), tasks) == ["z", "c"]
    with pytest.raises(InputError, match="no task 'alonely' here that can be split; did you mean 'alone'"):
        measured_tasks(recipe(measured=("z", "alonely")), tasks)


@pytest.mark.slow
def test_whatever_else_is_measured_keeps_the_units_of_the_default(llama: Model, toy: Toy):
    """So `measured=all` computes the rest alone: units of the same names give the same bytes."""
    default = all_units(llama, recipe(measured="phenomena"), toy.splits)  # those of `toy`
    all_ = Toy.run(llama, recipe(measured="all"), toy.splits, one_layer_of(toy))
    kept, more = {unit.name for unit in default}, set(all_.units)
    assert kept == set(toy.units)
    assert len(kept) == 4 + 3 * 2 + 3 * 2 + 1
    assert len(more) == 4 + 4 * 2 + 4 * 3 + 2
    assert kept < more
    for name in kept:
        again, first = all_.results[name], toy.results[name]
        assert again.values == first.values
        for array, values in first.arrays.items():
            assert np.array_equal(again.arrays[array], values, equal_nan=values.dtype.kind == "f"), (name, array)


def real_one_layer(model: Model, pairs: Pairs) -> UnitResult:
    _, stats = states_and_stats(
        model, pairs, range(len(pairs)), site="resid_post", layers=[LAYER], position="eos", cache=False
    )
    arrays = {name: getattr(stats, name)[0].numpy() for name in STATS}
    return UnitResult({**arrays, "t": np.ones(WIDTH), "l0": np.ones(WIDTH, np.float32), "tokens": np.array([9])}, {})


def test_a_planted_cause_shows_up_in_its_cell(planted: Model):
    """The units that carry agreement matter to agreement, and to nothing that has no verbs."""
    splits = {"agreement": agreement_pairs().split(), "bee": nouns().split()}
    one_layer = {task: real_one_layer(planted, split.train) for task, split in splits.items()}
    asked = recipe(measured="all", methods=("attribution",), controls=9, nulls=9, test_pairs=30, attribution_pairs=60)
    toy = Toy.run(planted, asked, splits, one_layer)
    changes = {
        (source, target): (
            toy.margins(source, target, "attribution") - toy.cells(target, source).arrays["clean"]
        ).mean(axis=1)
        for source in splits
        for target in splits
    }
    own = changes["agreement", "agreement"]
    assert toy.variants("agreement", "attribution")[0] == UNITS
    assert own[0] < -1
    assert own[0] < 2 * own[1:].min()
    assert abs(changes["agreement", "bee"][0]) < 0.1 * abs(own[0])
    assert abs(changes["bee", "agreement"][0]) < 0.25 * abs(own[0])
    nulls = (toy.nulls("agreement", "attribution") - toy.cells("agreement", "agreement").arrays["clean"]).mean(axis=1)
    found = nulls < own[0] + 0.5  # a unit that dominates is found in about half of the null searches
    assert own[0] < nulls.min() + 0.01
    assert 0 < found.sum() < len(found)


def nouns() -> Pairs:
    """Pairs that neither hold nor part at a verb or a subject."""
    words = np.random.default_rng(0).permutation(np.arange(40, 62))
    rows = [(a, b, c) for a in words[:6] for b in words[6:12] for c in words[12:14]]
    return Pairs(
        "bee", "made up", tuple(Pair(f"w{a} w{b} w{c}", f"w{b} w{a} w{c}", f"{a}-{b}-{c}") for a, b, c in rows)
    )
