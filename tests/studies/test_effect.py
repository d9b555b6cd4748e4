"""`measure_effect` on a tiny model: margins by plain Hugging Face loops, and what stands beside them."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_effects import altered, make_change, make_controls
from made_pairs import made_pairs
from plain_edits import New, hf_edited, hf_logprobs
from plain_packs import counting, packs_of
from scipy import stats
from showing import printed
from sizes import quick_and_slow
from tiny_models import BOS, LAYERS, WIDTH, hf_network, ids_of, read_from
from torch import Tensor

from neurosteer.data import UnitStats
from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.forward import steering
from neurosteer.model import Model
from neurosteer.neurons import NeuronSet, Ranking, matched_controls
from neurosteer.pairs import Pair, Pairs
from neurosteer.results import record
from neurosteer.results.effect import Accuracy, Flipped, KindOfEdit
from neurosteer.studies import Effect, Found, measure_effect
from neurosteer.studies.effects.assembly import kinds_agree, other_task
from neurosteer.studies.effects.cases import Case, MeasuredMargins
from neurosteer.studies.margins import interval, sign_flip

CHOSEN = [(0, 5), (1, 9), (1, 21), (2, 30)]
CLOSE = {"rel": 1e-4, "abs": 2e-5}


@pytest.fixture(scope="module")
def network(tiny_folder: Callable[[str], Path]) -> Any:
    return hf_network(tiny_folder("llama"))


@pytest.fixture(scope="module")
def chosen(found: Found) -> NeuronSet:
    return found.ranking().pick(CHOSEN)


def margins(network: Any, pairs: Pairs) -> list[float]:
    """log P(good) - log P(bad), all tokens summed, one sentence at a time."""
    return [
        float(hf_logprobs(network, ids_of(pair.good, eos=None)).sum())
        - float(hf_logprobs(network, ids_of(pair.bad, eos=None)).sum())
        for pair in pairs
    ]


def edited(network: Any, pairs: Pairs, neurons: NeuronSet | Sequence[tuple[int, int]], new: New) -> list[float]:
    with hf_edited(network, "llama", list(neurons), new):
        return margins(network, pairs)


def means(neurons: NeuronSet) -> Callable[[int, int], float]:
    return lambda layer, unit: float(neurons.stats.token_mean[layer, unit])


def new_value(kind: str, neurons: NeuronSet) -> New:
    mean = means(neurons)
    table: dict[str, New] = {
        "zero": lambda _layer, _unit, _depth, _old: 0.0,
        "mean": lambda layer, unit, _depth, _old: mean(layer, unit),
        "amplify": lambda layer, unit, _depth, old: mean(layer, unit) + 2.5 * (old - mean(layer, unit)),
        "clamp": lambda _layer, _unit, _depth, _old: 1.5,
    }
    return table[kind]


def edit_of(kind: str, neurons: NeuronSet) -> Edit:
    made = {
        "zero": lambda: Edit.ablate(neurons),
        "mean": lambda: Edit.ablate(neurons, "mean"),
        "amplify": lambda: Edit.amplify(neurons, 2.5, to="mean"),
        "clamp": lambda: Edit.clamp(neurons, 1.5),
    }
    return made[kind]()


def deltas(effect: Effect) -> list[float]:
    return [float(np.mean(after - effect.before)) for after in (effect.after, *effect.control_margins)]


@pytest.mark.parametrize("kind", quick_and_slow(["mean", "clamp"], ["zero", "amplify"]))
def test_margins_are_plain_hugging_faces(
    kind: str, llama: Model, network: Any, found: Found, chosen: NeuronSet, neutral: Path
):
    """Before, after, and under the same edit of every control set."""
    effect = measure_effect(llama, found.test, edit_of(kind, chosen), controls=2, neutral=neutral, seed=3)
    assert effect.digest == found.test.digest
    assert [(row.pair, row.sentence_good, row.sentence_bad) for row in effect.by_pair] == [
        (pair.id, pair.good, pair.bad) for pair in found.test
    ]
    assert effect.before.tolist() == pytest.approx(margins(network, found.test), **CLOSE)
    after = edited(network, found.test, chosen, new_value(kind, chosen))
    assert effect.after.tolist() == pytest.approx(after, **CLOSE)
    assert max(abs(effect.after - effect.before)) > 0.05
    assert effect.edit.value == (1.5 if kind == "clamp" else None)
    sets = found.ranking().controls(chosen, 2, 3)
    assert [len(control) for control in sets] == [4, 4]
    for control, own in zip(sets, effect.control_margins, strict=True):
        assert own.tolist() == pytest.approx(edited(network, found.test, control, new_value(kind, control)), **CLOSE)


def test_an_edit_that_reaches_onward(llama: Model, network: Any, found: Found, neutral: Path):
    """The same units at every later layer, of the controls too."""
    neurons = found.ranking().pick([(1, 9), (2, 4)])
    edit = Edit.ablate(neurons, reach="onward", where="prompt")
    effect = measure_effect(llama, found.test, edit, controls=1, neutral=neutral)
    [control] = found.ranking().controls(neurons, 1, 0, reach="onward")
    for given, got in ((neurons, effect.after), (control, effect.control_margins[0])):
        onward = {(later, unit) for layer, unit in given for later in range(layer, LAYERS)}
        assert len(onward) == 3
        plain = edited(network, found.test, sorted(onward), new_value("zero", neurons))
        assert got.tolist() == pytest.approx(plain, **CLOSE)
    assert record(effect.edit) == {
        "kind": "zero",
        "scale": 0.0,
        "value": None,
        "where": "prompt",
        "reach": "onward",
        "seed": None,
        "site": "resid_post",
        "layers": [1, 2],
        "k": 2,
    }


@pytest.mark.parametrize("chosen", [CHOSEN, [(0, 13), (0, 24), (1, 13), (1, 24), (2, 13)]])
def test_controls_that_reach_onward_are_as_many(found: Found, chosen: list[Any]):
    """An edit that reaches to later layers is held against sets of as many units there."""
    neurons = found.ranking().pick(chosen)
    edit = Edit.ablate(neurons, reach="onward")
    own = neurons.reaching("onward")
    for control in Case(edit, matched_controls(neurons, 19, reach="onward")).edits()[1:]:
        reached = control.neurons.reaching("onward")
        assert reached.layers.tolist() == own.layers.tolist()


def test_resampling_from_one_sentence(llama: Model, network: Any, found: Found, chosen: NeuronSet, neutral: Path):
    """With a single donor every depth gets its activation there; the controls get theirs from it too."""
    donor = found.train.pairs[0].good
    ids = torch.tensor([ids_of(donor)])
    with read_from(list(network.model.layers)) as seen:
        network(ids)
    states = [values[0][0] for values in seen]

    def new(layer: int, unit: int, depth: int, _old: Tensor) -> float:
        return float(states[layer][depth, unit])

    effect = measure_effect(
        llama, found.test, Edit.ablate(chosen, "resample", donors=[donor]), controls=1, neutral=neutral
    )
    assert effect.after.tolist() == pytest.approx(edited(network, found.test, chosen, new), **CLOSE)
    [control] = found.ranking().controls(chosen, 1, 0)
    assert effect.control_margins[0].tolist() == pytest.approx(edited(network, found.test, control, new), **CLOSE)


def test_a_push(llama: Model, network: Any, found: Found, neutral: Path):
    """The dense probe's direction, 3 standard deviations of the train states, at every token but BOS."""
    probe = found.direction("probe", 1)
    step = (3.0 * probe.std * probe.vector).tolist()
    units = [(1, unit) for unit in range(WIDTH)]
    plain = edited(network, found.test, units, lambda _layer, unit, _depth, old: old + step[unit])
    effect = measure_effect(llama, found.test, Edit.push(probe, 3.0), controls=0, neutral=neutral)
    assert effect.after.tolist() == pytest.approx(plain, **CLOSE)
    assert effect.control_margins.shape == (0, len(found.test))
    assert effect.controls is None
    assert effect.without_massive is None
    rows = list(csv.DictReader(io.StringIO(effect.to_csv())))
    assert {row["margin_controls"] for row in rows} == {""}
    with pytest.raises(InputError, match=r"drawn from states of train pairs: give train=, or controls=0$"):
        measure_effect(llama, found.test, Edit.push(probe, 3.0), neutral=neutral)
    for more, said in (({"scales": [2.0]}, "^a push has no scale"), ({"kinds": ["mean"]}, "leave kinds out$")):
        with pytest.raises(InputError, match=said):
            measure_effect(llama, found.test, Edit.push(probe, 3.0), controls=0, neutral=neutral, **more)


@pytest.fixture(scope="module")
def effect(llama: Model, found: Found, chosen: NeuronSet, neutral: Path) -> Effect:
    return measure_effect(llama, found.test, Edit.ablate(chosen), controls=5, neutral=neutral, seed=2)


def test_accuracy_margin_and_flips_are_counted_from_the_pairs(effect: Effect):
    before, after = effect.before.tolist(), effect.after.tolist()
    n = len(before)
    assert effect.accuracy == Accuracy(
        before=sum(margin > 0 for margin in before) / n, after=sum(margin > 0 for margin in after) / n
    )
    both = list(zip(before, after, strict=True))
    assert effect.flipped == Flipped(
        lost=sum(old > 0 >= new for old, new in both), gained=sum(old <= 0 < new for old, new in both)
    )
    margin = effect.margin
    assert margin.before == pytest.approx(sum(before) / n)
    assert margin.after == pytest.approx(sum(after) / n)
    assert margin.delta == pytest.approx(margin.after - margin.before)
    assert margin.low < margin.delta < margin.high
    assert 0 < margin.p <= 1


def test_flips_either_way(llama: Model, found: Found, chosen: NeuronSet, neutral: Path):
    """A strong edit loses some pairs and gains others; accuracy moves by the difference."""
    effect = measure_effect(llama, found.test, Edit.amplify(chosen, -8.0), controls=0, neutral=neutral)
    flips = [(old > 0) - (new > 0) for old, new in zip(effect.before.tolist(), effect.after.tolist(), strict=True)]
    assert effect.flipped == Flipped(lost=flips.count(1), gained=flips.count(-1))
    assert min(effect.flipped.lost, effect.flipped.gained) > 0
    accuracy = effect.accuracy
    assert accuracy.before - accuracy.after == pytest.approx(sum(flips) / len(flips))


def test_a_tie_is_lost_and_never_right(chosen: NeuronSet):
    """Margins of exactly 0, before and after."""
    before, after = np.array([1.0, 0.0, 0.0, 2.0, -1.0, 3.0]), np.array([0.0, 0.0, 1.0, 1.0, 0.0, -1.0])
    before, after = np.concatenate([before, np.full(14, -1.0)]), np.concatenate([after, np.full(14, -1.0)])
    measured = MeasuredMargins(before, [after[None]])
    row = other_task(Pairs("ties", "made up", ()), measured, Case(Edit.ablate(chosen)), 0)
    assert row.nothing_to_lose
    assert row.verdict == "nothing to lose"
    assert row.accuracy == Accuracy(before=3 / 20, after=2 / 20)
    assert row.flipped == Flipped(lost=2, gained=1)


def test_a_change_is_the_mean_difference_with_its_interval(chosen: NeuronSet):
    before, after = (np.random.default_rng(seed).normal(mean, 1.0, 60) for seed, mean in ((1, 2.0), (2, 1.2)))
    case = Case(Edit.ablate(chosen))
    found = MeasuredMargins(before, [after[None]]).change(0, case, 3, nothing_to_lose=False)
    moved = [new - old for old, new in zip(before.tolist(), after.tolist(), strict=True)]
    assert found.delta == pytest.approx(sum(moved) / 60)
    assert found.controls is None
    assert found.accuracy == sum(value > 0 for value in after.tolist()) / 60
    # scipy's BCa with draws of its own; bounds of 9999 resamples differ by chance only
    own = stats.bootstrap((np.array(moved),), np.mean, n_resamples=50_000, method="BCa", rng=99).confidence_interval
    assert (found.low, found.high) == pytest.approx((own.low, own.high), abs=0.02)
    assert found.low < found.delta < found.high


def test_controls_are_counted_from_the_pairs(effect: Effect):
    own, *others = deltas(effect)
    controls = effect.controls
    assert controls.n == 5
    assert controls.deltas == pytest.approx(others)
    assert controls.delta_mean == pytest.approx(sum(others) / 5)
    assert (controls.delta_low, controls.delta_high) == pytest.approx((min(others), max(others)))
    right = [sum(margin > 0 for margin in row.tolist()) / len(row) for row in effect.control_margins]
    assert controls.accuracy == pytest.approx(sum(right) / 5)
    far = [abs(value - (own + sum(others) - value) / 5) for value in (own, *others)]
    assert controls.p == sum(distance >= far[0] for distance in far) / 6


def test_controls_are_as_unlike_as_is_said(effect: Effect, found: Found, chosen: NeuronSet):
    """The mean over controls of what distance is left, in standard deviations of the layer's units."""
    sets = found.ranking().controls(chosen, 5, 2)
    left = float(np.mean([control.metadata["unmatched"] for control in sets]))
    assert effect.controls.unmatched == pytest.approx(left)
    assert left > 0
    shared = [len(set(control) & set(chosen)) / len(chosen) for control in sets]
    assert effect.controls.overlap == pytest.approx(sum(shared) / 5)
    assert sum(shared) > 0


def test_neurons_are_listed_best_first(effect: Effect, found: Found):
    scores = found.ranking().scores
    rows = [
        {"layer": layer, "unit": unit, "score": round(float(scores[layer, unit]), 6), "massive": False}
        for layer, unit in sorted(CHOSEN, key=lambda at: -float(scores[at]))
    ]
    assert [record(neuron) for neuron in effect.neurons] == rows
    assert effect.method == "picked"


def test_the_same_again_and_fewer_controls_are_the_first_of_more(
    effect: Effect, llama: Model, found: Found, chosen: NeuronSet, neutral: Path
):
    asked: dict[str, Any] = {"neutral": neutral, "seed": 2}
    again = measure_effect(llama, found.test, Edit.ablate(chosen), controls=5, **asked)
    assert again.to_json() == effect.to_json()
    fewer = measure_effect(llama, found.test, Edit.ablate(chosen), controls=2, **asked)
    assert np.array_equal(fewer.control_margins, effect.control_margins[:2])
    assert np.array_equal(fewer.after, effect.after)
    none = measure_effect(llama, found.test, Edit.ablate(chosen), controls=0, **asked)
    assert none.controls is None
    assert none.margin == effect.margin
    other = measure_effect(llama, found.test, Edit.ablate(chosen), controls=5, neutral=neutral, seed=4)
    assert np.array_equal(other.after, effect.after)
    assert not np.array_equal(other.control_margins, effect.control_margins)


def test_doses_ascend_and_scale_1_changes_nothing(llama: Model, found: Found, chosen: NeuronSet, neutral: Path):
    asked: dict[str, Any] = {"controls": 2, "neutral": neutral, "seed": 1}
    effect = measure_effect(llama, found.test, Edit.ablate(chosen), scales=[2.0, 1.0, 0.5, 2.0, 0.0, -1.0], **asked)
    doses = {row.scale: row for row in effect.by_scale}
    assert list(doses) == [-1.0, 0.0, 0.5, 1.0, 2.0] == [row.scale for row in effect.by_scale]
    still = doses[1.0]
    assert (still.delta, still.low, still.high, still.kl) == (0.0, 0.0, 0.0, 0.0)
    assert (still.controls.deltas, still.controls.p) == ((0.0, 0.0), 1.0)
    assert still.accuracy == effect.accuracy.before
    assert doses[0.0].delta == effect.margin.delta
    assert doses[0.0].accuracy == effect.accuracy.after
    assert doses[0.0].kl == effect.side_effects.kl
    for scale in (-1.0, 2.0):
        alone = measure_effect(llama, found.test, Edit.amplify(chosen, scale), **asked)
        assert doses[scale].delta == pytest.approx(alone.margin.delta, **CLOSE)
        assert doses[scale].controls.deltas == pytest.approx(alone.controls.deltas, **CLOSE)
        assert doses[scale].kl == pytest.approx(alone.side_effects.kl, rel=1e-3)


def test_one_scale_is_no_curve(effect: Effect, llama: Model, found: Found, chosen: NeuronSet, neutral: Path):
    assert effect.by_scale == ()
    same = measure_effect(llama, found.test, Edit.ablate(chosen), scales=[0.0], controls=0, neutral=neutral)
    assert same.by_scale == ()
    with pytest.raises(InputError, match=r"^one scale is no curve"):
        effect.doses()
    curve = measure_effect(llama, found.test, Edit.ablate(chosen), scales=[1.0], controls=0, neutral=neutral)
    assert curve.doses().axes


def test_kinds_beside_the_edit(llama: Model, network: Any, found: Found, chosen: NeuronSet, neutral: Path):
    """Each as if it had been asked for alone; resampling reads the donors given."""
    donor = found.train.limit(1)
    asked: dict[str, Any] = {"controls": 3, "neutral": neutral, "seed": 6}
    effect = measure_effect(
        llama, found.test, Edit.ablate(chosen), kinds=["mean", "zero", "resample", "mean"], donors=donor, **asked
    )
    kinds = {row.kind: row for row in effect.kinds}
    assert [row.kind for row in effect.kinds] == ["zero", "mean", "resample"]
    assert kinds["zero"].delta == effect.margin.delta
    for kind, donors in (("mean", ()), ("resample", donor)):
        alone = measure_effect(llama, found.test, Edit.ablate(chosen, kind, donors=donors), **asked)
        assert kinds[kind].delta == pytest.approx(alone.margin.delta, **CLOSE)
        assert kinds[kind].controls.deltas == pytest.approx(alone.controls.deltas, **CLOSE)
        assert kinds[kind].kl == pytest.approx(alone.side_effects.kl, rel=1e-3)
    mean = edited(network, found.test, chosen, new_value("mean", chosen))
    own = sum(mean) / len(mean) - effect.margin.before
    assert kinds["mean"].delta == pytest.approx(own, **CLOSE)
    assert len({round(row.delta, 6) for row in kinds.values()}) == 3


@pytest.mark.parametrize(
    "units",
    [[(1, 9)], *(pytest.param(units, marks=pytest.mark.slow) for units in ([(2, 1), (2, 2)], [(1, 3), (2, 8)]))],
)
def test_kinds_agree_only_where_there_is_something_to_lose(
    llama: Model, found: Found, neutral: Path, units: list[Any]
):
    """16 pairs do not tell; of 20 it depends on the model, and a null is no agreement."""
    edit = Edit.ablate(found.ranking().pick(units))
    for pairs in (found.test, unseen(20)):
        effect = measure_effect(llama, pairs, edit, kinds=["zero", "mean"], neutral=neutral)
        low = [row.controls.p <= 0.05 for row in effect.kinds]
        sides = {row.delta > row.controls.delta_mean for row in effect.kinds}
        clean = len(pairs) == 20 and effect.margin.before_low > 0
        assert effect.nothing_to_lose is (None if len(pairs) == 16 else not clean)
        assert (effect.kinds_agree is None) is (not clean or not any(low))
        assert effect.kinds_agree is not True or (all(low) and len(sides) == 1)


def unseen(count: int, *, at_once: int = 1, task: str = "unseen") -> Pairs:
    """So many pairs, `at_once` of them with one good sentence, of which the model is sure: word for word the bad one
    differs in the last alone."""
    rows = [(i // at_once, i) for i in range(count)]
    return Pairs(
        task,
        "made up",
        tuple(Pair(f"w50 w{g} w50 w{g % 7}", f"w50 w{g} w51 w{i % 60}", str(i)) for g, i in rows),
    )


@pytest.mark.parametrize(("at_once", "groups"), [(1, 40), (5, 8)])
def test_pairs_of_one_item_are_one(
    at_once: int, groups: int, llama: Model, found: Found, chosen: NeuronSet, neutral: Path
):
    """In the interval, the sign flips, what there is to lose and the notice."""
    pairs = unseen(40, at_once=at_once)
    effect = measure_effect(llama, pairs, Edit.ablate(chosen), controls=2, also=[], neutral=neutral, seed=3)
    changes = effect.after - effect.before
    of = np.array([int(pair.good.split()[1][1:]) for pair in pairs])
    assert effect.groups == len(set(of.tolist())) == groups
    assert (effect.margin.low, effect.margin.high) == interval(changes, 3, of)
    assert (effect.margin.before_low, effect.margin.before_high) == interval(effect.before, 3, of)
    assert effect.margin.p == sign_flip(changes, 3, of)
    assert effect.controls is not None
    assert min(effect.margin.p, effect.controls.p) > 0
    assert effect.nothing_to_lose is (None if groups < 20 else effect.margin.before_low <= 0)
    counted = "40 test pairs" + (" (8 groups that share an item or a sentence)" if groups == 8 else "")
    assert effect.notices[0].startswith(f"unseen: {counted} are few: below 50 ")


def test_the_notice_counts_items(llama: Model, found: Found, chosen: NeuronSet, neutral: Path):
    edit, pairs = Edit.ablate(chosen), unseen(55, at_once=5)
    told = measure_effect(llama, pairs, edit, controls=0, neutral=neutral).notices
    assert told[0].startswith("unseen: 55 test pairs (11 groups that share an item or a sentence) are few: below 50 ")


@pytest.mark.parametrize(
    ("rows", "agree"),
    [
        ([(-1.0, "stands out"), (-2.0, "stands out")], True),
        ([(-1.0, "stands out"), (-2.0, "does not stand out")], False),
        ([(-1.0, "stands out"), (2.0, "stands out")], False),
        ([(-1.0, "stands out"), (-0.1, "stands out less")], False),
        ([(-0.1, "stands out less"), (0.1, "stands out less")], True),  # both above their controls
        ([(1.0, "does not stand out")] * 3, None),
        ([(1.0, "does not stand out"), (-1.0, "does not stand out")], None),  # signs of noise
        ([(1.0, "too few to tell"), (2.0, "too few to tell")], None),
        ([(1.0, "too few to tell"), (-2.0, "too few to tell")], False),  # directions need no controls
        ([(1.0, None), (2.0, None)], None),
        ([(1.0, None), (-2.0, None)], False),
        ([], None),
    ],
)
def test_kinds_that_agree_by_hand(rows: list[Any], agree: bool | None):
    """The controls lower the margin by .5 in the mean."""
    kinds = []
    for delta, word in rows:
        controls = None
        if word is not None:
            direction = "less" if word.endswith("less") else "more" if word == "stands out" else None
            controls = altered(make_controls(-0.5), verdict=word.removesuffix(" less"), direction=direction)
        kinds.append(KindOfEdit(kind="zero", **vars(make_change(delta, controls))))
    assert kinds_agree(kinds) is agree


def test_without_other_kinds_nothing_agrees(
    effect: Effect, llama: Model, found: Found, chosen: NeuronSet, neutral: Path
):
    assert (effect.kinds, effect.kinds_agree) == ((), None)
    same = measure_effect(llama, found.test, Edit.ablate(chosen), kinds=["zero"], controls=0, neutral=neutral)
    assert (same.kinds, same.kinds_agree) == ((), None)


def with_massive(ranking: Ranking, units: Sequence[tuple[int, int]]) -> Ranking:
    """The ranking, some of its units enormous in the statistics."""
    mean = ranking.stats.token_mean.clone()
    for layer, unit in units:
        mean[layer, unit] = 1000.0
    return replace(ranking, stats=replace(ranking.stats, token_mean=mean))


def test_massive_units_are_left_out_beside(llama: Model, found: Found, neutral: Path):
    ranking = with_massive(found.ranking(), [(1, 9), (1, 30)])
    edit = Edit.ablate(ranking.pick(CHOSEN))
    effect = measure_effect(llama, found.test, edit, controls=4, neutral=neutral, seed=1)
    light = effect.without_massive
    assert light.k == 3
    assert {(row.layer, row.unit) for row in effect.neurons if row.massive} == {(1, 9)}
    rest = ranking.pick([at for at in CHOSEN if at != (1, 9)])
    alone = measure_effect(llama, found.test, Edit.ablate(rest), controls=0, neutral=neutral)
    assert light.delta == pytest.approx(alone.margin.delta, **CLOSE)
    assert light.kl == pytest.approx(alone.side_effects.kl, rel=1e-3)
    assert (light.low, light.high) == pytest.approx((alone.margin.low, alone.margin.high), abs=0.1)
    assert light.controls.n == 4
    sets = matched_controls(rest, 4, 1)
    asked: dict[str, Any] = {"controls": 0, "neutral": neutral}
    alone_on_text = [measure_effect(llama, found.test, Edit.ablate(one), **asked).side_effects.kl for one in sets]
    assert light.controls.kls == pytest.approx(alone_on_text, rel=1e-3)
    assert light.controls.kl == pytest.approx(sum(alone_on_text) / 4, rel=1e-3)
    assert light.delta != pytest.approx(effect.margin.delta, abs=1e-3)


@pytest.mark.parametrize(
    ("massive", "units", "there"),
    [
        ([(1, 30)], CHOSEN, False),  # a massive one that is not chosen
        ([(1, 9)], CHOSEN, True),
        ([(1, 9)], [(1, 9)], False),  # nothing would be left
        ([], CHOSEN, False),
    ],
)
def test_without_massive_only_where_it_says_more(
    llama: Model, found: Found, neutral: Path, massive: list[Any], units: list[Any], there: bool
):
    edit = Edit.ablate(with_massive(found.ranking(), massive).pick(units))
    effect = measure_effect(llama, found.test, edit, controls=1, neutral=neutral)
    assert (effect.without_massive is not None) == there
    alone = "all of these neurons are massive: there is nothing to measure without such"
    assert (alone in effect.notices) == (set(units) <= set(massive))


def test_controls_without_massive_are_spared_them(llama: Model, found: Found, neutral: Path):
    """Of 20 units that are not massive the set has 18: its controls have 18 of the same."""
    stats = found.ranking().stats
    mean = torch.zeros_like(stats.token_mean)
    mean[:, :12] = 1000.0  # fewer than half, so that the median stays
    ranking = replace(found.ranking(), stats=replace(stats, token_mean=mean))
    edit = Edit.ablate(ranking.pick([(1, 3), *((1, unit) for unit in range(12, 30))]))
    effect = measure_effect(llama, found.test, edit, controls=2, neutral=neutral)
    light = effect.without_massive
    assert light.k == 18
    assert light.controls.overlap >= 16 / 18  # all but 2 of the 20 that are not massive
    assert effect.controls.overlap >= 16 / 19


def pieces(path: Path) -> list[list[int]]:
    """Paragraphs in pieces of 63 tokens, BOS before each."""
    words = [part.split() for part in path.read_text().replace("\n  \n", "\n\n").split("\n\n")]
    ids = [[int(word.removeprefix("w")) for word in part] for part in words]
    return [[BOS, *part[i : i + 63]] for part in ids for i in range(0, len(part), 63)]


def test_side_effects_against_plain_torch(
    effect: Effect, network: Any, found: Found, chosen: NeuronSet, neutral: Path
):
    """KL(unedited || edited) per token and both perplexities, a passage at a time."""
    texts = pieces(neutral)
    assert [len(text) for text in texts] == [13, 64, 16]
    tokens = sum(len(text) - 1 for text in texts)

    def logprobs(text: list[int]) -> Tensor:
        return network(torch.tensor([text])).logits[0, :-1].double().log_softmax(dim=-1)

    def measured(neurons: NeuronSet) -> tuple[float, float, float]:
        kl, before, after = 0.0, 0.0, 0.0
        for text in texts:
            clean = logprobs(text)
            with hf_edited(network, "llama", list(neurons), new_value("zero", neurons)):
                changed = logprobs(text)
            kl += float((clean.exp() * (clean - changed)).sum())
            before -= sum(float(clean[i, token]) for i, token in enumerate(text[1:]))
            after -= sum(float(changed[i, token]) for i, token in enumerate(text[1:]))
        return kl / tokens, math.exp(before / tokens), math.exp(after / tokens)

    side = effect.side_effects
    assert (side.tokens, side.text) == (tokens, "prose.txt")
    got = (side.kl, side.perplexity_before, side.perplexity_after)
    assert got == pytest.approx(measured(chosen), rel=1e-4)
    assert side.kl > 0.01
    others = [measured(control)[0] for control in found.ranking().controls(chosen, 5, 2)]
    assert effect.controls.kl == pytest.approx(sum(others) / 5, rel=1e-4)
    assert effect.controls.kls == pytest.approx(others, rel=1e-4)


def test_the_built_in_neutral_text(llama: Model, found: Found, chosen: NeuronSet):
    side = measure_effect(llama, found.test, Edit.ablate(chosen), controls=0).side_effects
    assert side.text == "built-in"
    assert side.tokens > 300


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read the neutral text '{path}': No such file or directory"),
        (b" \n\n ", "the neutral text '{path}' is empty; give a file of some prose"),
        (b"w1 \xff w2", "the neutral text '{path}' is not UTF-8; save it as UTF-8"),
    ],
)
def test_neutral_text_that_is_none(
    llama: Model, found: Found, chosen: NeuronSet, tmp_path: Path, content: bytes | None, message: str
):
    path = tmp_path / "neutral.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        measure_effect(llama, found.test, Edit.ablate(chosen), neutral=path)
    assert str(caught.value) == message.format(path=path)


def test_other_tasks_beside_it(effect: Effect, llama: Model, found: Found, chosen: NeuronSet, neutral: Path):
    """Each as if it were measured alone, without doses and kinds."""
    others = [
        made_pairs(subjects=2, nouns=3, task=task).take(rows) for task, rows in (("a", [0, 9]), ("b", [3, 4, 5]))
    ]
    unseen = [
        replace(pairs, pairs=tuple(replace(p, good=f"w50 {p.good}", bad=f"w50 {p.bad}") for p in pairs))
        for pairs in others
    ]
    both = measure_effect(
        llama, found.test, Edit.ablate(chosen), controls=5, neutral=neutral, seed=2, also=unseen, scales=[2.0]
    )
    assert [(row.task, row.pairs) for row in both.also] == [("a", 2), ("b", 3)]
    for row, pairs in zip(both.also, unseen, strict=True):
        alone = measure_effect(llama, pairs, Edit.ablate(chosen), controls=5, neutral=neutral, seed=2)
        assert record(row).keys() == {
            "task",
            "pairs",
            "groups",
            "accuracy",
            "margin",
            "flipped",
            "controls",
            "nothing_to_lose",
            "verdict",
        }
        assert row.accuracy == alone.accuracy
        assert row.flipped == alone.flipped
        assert record(row.margin) == pytest.approx(record(alone.margin), **CLOSE)
        assert row.controls.deltas == pytest.approx(alone.controls.deltas, **CLOSE)
    assert both.margin == effect.margin
    assert effect.also == ()


def test_exports(effect: Effect, found: Found):
    assert json.loads(effect.to_json()) == record(effect)
    rows = list(csv.DictReader(io.StringIO(effect.to_csv())))
    assert [row["pair"] for row in rows] == [pair.id for pair in found.test]
    controls = [sum(column) / 5 for column in zip(*effect.control_margins.tolist(), strict=True)]
    assert [(row["sentence_good"], row["sentence_bad"]) for row in rows] == [(p.good, p.bad) for p in found.test]
    columns = {"margin_before": effect.before, "margin_after": effect.after, "margin_controls": controls}
    assert list(rows[0]) == ["pair", "sentence_good", "sentence_bad", *columns]
    table = effect.to_frame()
    assert list(table.columns) == list(rows[0])
    assert table["margin_controls"].tolist() == pytest.approx(controls)
    for name, values in columns.items():
        assert [float(row[name]) for row in rows] == pytest.approx(list(values))
    assert repr(effect).startswith(f"Effect(made, {len(rows)} pairs, margin {effect.margin.delta:+.2f} nats")
    [dots] = [line for line in effect.figure().axes[0].get_lines() if line.get_label() == "controls"]
    assert tuple(dots.get_ydata()) == effect.controls.deltas


def test_what_a_terminal_and_a_notebook_show(effect: Effect, found: Found):
    text, html = printed(effect, 100), effect._repr_html_()
    for said in (
        f"{found.task}  {found.pairs.source}, {len(found.test)} test pairs",
        f"ablate to zero: {len(CHOSEN)} neurons at layers 0-2",
        "5 controls are too few to tell",
        f"mean margin {effect.margin.before:.2f} → {effect.margin.after:.2f} nats",
    ):
        assert said in text
    assert " ".join(effect.reading.split()) in " ".join(text.split())
    assert "5 controls are too few to tell" in html
    assert "data:image/png;base64," in html


def refusal(model: Model, pairs: Pairs, edit: Edit, **asked: Any) -> str:
    with pytest.raises(InputError) as caught:
        measure_effect(model, pairs, edit, **asked)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("part", ["train", "validation"])
def test_pairs_that_the_finding_saw_are_refused(llama: Model, found: Found, chosen: NeuronSet, part: str):
    """One pair among the test pairs is enough, and so is one sentence of a pair."""
    pairs: Pairs = getattr(found, part)
    message = refusal(llama, pairs, Edit.ablate(chosen))
    assert f"seen sentences of {len(pairs)} of the {len(pairs)} pairs" in message
    one = pairs.pairs[3]
    mixed = replace(found.test, pairs=(*found.test.pairs, replace(one, bad="w61 w61", id="half")))
    assert "seen sentences of 1 of the 17 pairs (pair half is the first); measure on its test pairs" in refusal(
        llama, mixed, Edit.ablate(chosen)
    )
    other = replace(mixed, task="other")
    assert refusal(llama, found.test, Edit.ablate(chosen), also=[other]).startswith("other: the finding")


def test_a_set_of_two_has_seen_what_either_saw(llama: Model, found: Found, chosen: NeuronSet):
    other = replace(chosen, metadata={**chosen.metadata, "seen": []})
    for both in (other & chosen, chosen & other, chosen - found.ranking().pick([(0, 5)])):
        assert len(both) >= 3
        assert "has seen sentences" in refusal(llama, found.train, Edit.ablate(both))


@pytest.mark.parametrize("where", ["eos", "generated"])
def test_edits_that_scores_cannot_see_are_refused(llama: Model, found: Found, chosen: NeuronSet, where: str):
    message = refusal(llama, found.test, Edit.ablate(chosen, where=where))
    assert message.startswith(f"an edit where '{where}' cannot matter for scores: ")


def test_what_else_is_refused(llama: Model, found: Found, chosen: NeuronSet, tiny: Callable[[str], Model]):
    ablate, test = Edit.ablate(chosen), found.test
    empty = found.ranking().pick([])
    assert refusal(llama, test, Edit.ablate(empty)) == "no neurons to edit: the set is empty"
    assert "were found in another model than" in refusal(tiny("gpt2"), test, ablate)
    assert refusal(llama, test, ablate, controls=-1) == "controls must be from 0 to 100,000, not -1"
    assert refusal(llama, test, ablate, controls=10**9) == "controls must be from 0 to 100,000, not 1000000000"
    assert refusal(llama, test, ablate, also=[test]) == (
        "made is the task itself; give another one to compare with, or none"
    )
    assert refusal(llama, test.take([]), ablate) == "made: no pairs to measure on"
    nothing = replace(test.take([]), task="other")
    assert refusal(llama, test, ablate, also=[nothing]) == "other: no pairs to measure on"
    assert "give donors=" in refusal(llama, test, ablate, kinds=["resample"])
    assert refusal(llama, test, Edit.clamp(chosen, 1.0), scales=[2.0]) == "a clamp has no scale"
    assert refusal(llama, test, Edit.clamp(chosen, 1.0), kinds=["mean"]).startswith("a clamp cannot be compared")
    assert refusal(llama, test, ablate, scales=[math.nan]).startswith("scale must be a finite number")
    assert refusal(llama, test, ablate, kinds=["noise"]).startswith("kind 'noise' is not one of zero, mean, resample")


def test_a_model_that_is_being_steered_is_refused(llama: Model, found: Found, chosen: NeuronSet):
    """What is compared would not be unedited; afterwards it is again."""
    with steering(llama, Edit.ablate(chosen)):
        message = refusal(llama, found.test, Edit.ablate(chosen), controls=1)
    assert message.startswith("the model is being steered: measure outside of the `with` block")


def test_scale_1_is_said_to_change_nothing(llama: Model, found: Found, chosen: NeuronSet, neutral: Path):
    told = "scale 1 changes nothing: these are the numbers of the unedited model"
    for scale, said in ((1.0, True), (1.5, False)):
        effect = measure_effect(llama, found.test, Edit.amplify(chosen, scale), controls=0, neutral=neutral)
        assert (told in effect.notices) == said
        assert (effect.margin.delta == 0) == said


def test_few_pairs_carry_a_notice(llama: Model, found: Found, chosen: NeuronSet, neutral: Path):
    """Fewer than 50, of the task or of another."""
    many = replace(
        found.test,
        task="many",
        pairs=tuple(
            replace(p, good=f"w50 w{i} {p.good}", bad=f"w50 w{i} {p.bad}") for i in range(4) for p in found.test
        )[:50],
    )
    told = measure_effect(
        llama, many.limit(49), Edit.ablate(chosen), controls=0, neutral=neutral, also=[found.test]
    ).notices
    few = "below 50 the 95 % interval is too narrow (at 40 it holds the truth in 88 % of cases)"
    assert [note for note in told if "few" in note] == [
        f"many: 49 test pairs are few: {few}",
        f"made: {len(found.test)} test pairs are few: {few}",
    ]
    assert measure_effect(llama, many, Edit.ablate(chosen), controls=0, neutral=neutral).notices == ()


def test_the_clean_margin_has_an_interval(effect: Effect):
    """And a verdict takes 20 pairs, whatever it says."""
    margin, draws = effect.margin, np.random.default_rng(0)
    means = draws.choice(effect.before, (20000, len(effect.before))).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    assert (margin.before_low, margin.before_high) == pytest.approx((low, high), abs=0.25 * (high - low))
    assert (effect.nothing_to_lose, effect.verdict) == (None, "too few to tell")  # of 16 pairs


def test_one_pair_is_enough(llama: Model, found: Found, chosen: NeuronSet, neutral: Path):
    margin = measure_effect(llama, found.test.limit(1), Edit.ablate(chosen), controls=1, neutral=neutral).margin
    assert margin.low == margin.high == margin.delta != 0
    assert margin.p == 1


def test_a_refused_edit_leaves_the_model_alone(llama: Model, network: Any, found: Found, chosen: NeuronSet):
    tokens = torch.tensor([ids_of("w1 w2 w3")])
    before = llama.bridge(tokens)
    refusal(llama, found.test, Edit.ablate(chosen, where="eos"))
    measure_effect(llama, found.test.limit(2), Edit.amplify(chosen, 3.0), controls=1)
    assert torch.equal(llama.bridge(tokens), before)


def test_stats_of_the_set_are_those_of_its_ranking(chosen: NeuronSet, found: Found):
    """What the mean oracle above reads is what the finding counted over its train sentences."""
    assert isinstance(chosen.stats, UnitStats)
    assert chosen.stats is found.ranking().stats
    assert chosen.stats.tokens == 2 * len(found.train) * 4  # four words each


@pytest.mark.parametrize("layer", range(LAYERS))
def test_one_unedited_pass_for_all_that_is_compared(layer: int, llama: Model, found: Found, tmp_path: Path):
    """Controls, doses and kinds run the blocks above the edited layer alone, on the pairs and on neutral text."""
    neurons = found.ranking().pick([(layer, 4), (layer, 6)])
    asked: dict[str, Any] = {"scales": (0.0, 3.0), "kinds": ("zero", "mean"), "neutral": tmp_path / "prose.txt"}
    asked["neutral"].write_text("w1 w5 w9 w2 w6 w5 w3\n")
    runs = [[tuple(ids_of(text, eos=None)[:-1]) for text in (pair.good, pair.bad)] for pair in found.test]
    measure_effect(llama, found.test, Edit.ablate(neurons), controls=0, **asked)  # short cuts are tried once
    with counting(llama) as counted:
        effect = measure_effect(llama, found.test, Edit.amplify(neurons, 2.0), controls=5, **asked)
    assert effect.without_massive is None
    assert (len(effect.by_scale), len(effect.kinds)) == (3, 2)
    cases = 4  # the edit, two doses, one other kind
    on_pairs, on_neutral = cases * (1 + 5), (1 + 5) + (cases - 1)
    packs = len(packs_of(runs))
    edited = packs * on_pairs + on_neutral
    assert counted.blocks == {at: packs + 1 + (edited if at > layer else 0) for at in range(LAYERS)}
    assert len(counted.unembedded) == packs + 1 + edited


@pytest.mark.parametrize("kl", quick_and_slow([0.002], ["auto"]))
def test_each_set_at_the_same_disturbance(
    kl: float | str, llama: Model, found: Found, chosen: NeuronSet, neutral: Path
):
    """Whoever is reached has the KL; whoever is not stays where it was, and is counted."""
    asked: dict[str, Any] = {"controls": 4, "neutral": neutral, "seed": 3}
    plain = measure_effect(llama, found.test, Edit.ablate(chosen, "mean"), **asked)
    effect = measure_effect(llama, found.test, Edit.ablate(chosen, "mean"), kl=kl, **asked)
    equal = effect.equal
    assert equal is not None
    kls = [plain.side_effects.kl, *plain.controls.kls]
    target = min(kls[0], float(np.median(kls[1:]))) if kl == "auto" else kl
    assert equal.kl == pytest.approx(target)
    reached = [effect.side_effects.kl, *effect.controls.kls]
    scales = [effect.edit.scale, *equal.scales]
    for at, scale, before in zip(reached, scales, kls, strict=True):
        if before >= 0.98 * target:
            assert at == pytest.approx(target, rel=0.02)
            assert 0 <= scale < 1
        else:
            assert (at, scale) == (pytest.approx(before, rel=1e-4), 0.0)
    assert equal.unreached == sum(before < 0.98 * target for before in kls)
    alone = measure_effect(llama, found.test, Edit.ablate(chosen, "mean").scaled(equal.scale), **asked)
    assert effect.margin.delta == pytest.approx(alone.margin.delta, **CLOSE)
    second = matched_controls(chosen, 4, 3)[1]
    other = measure_effect(llama, found.test, Edit.ablate(second, "mean").scaled(equal.scales[1]), **asked)
    assert effect.controls.deltas[1] == pytest.approx(other.margin.delta, **CLOSE)
    assert "each set at the scale where its KL is" in " ".join(printed(effect).split())


def test_a_kl_finds_the_scale_itself(llama: Model, found: Found, chosen: NeuronSet, neutral: Path):
    asked: dict[str, Any] = {"controls": 0, "neutral": neutral}
    with pytest.raises(InputError, match="kl finds the scale of each set: give one scale"):
        measure_effect(llama, found.test, Edit.ablate(chosen), kl=0.01, scales=[0.5, 0.2], **asked)
    with pytest.raises(InputError, match="a clamp has no scale"):
        measure_effect(llama, found.test, Edit.clamp(chosen, 1.0), kl=0.01, **asked)
    assert "equal" not in record(measure_effect(llama, found.test, Edit.ablate(chosen), **asked))
