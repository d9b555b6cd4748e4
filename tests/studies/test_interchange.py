"""The swap between the causes of factorial items, beside slow loops over plain Hugging Face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_models import hf_blocks, hf_network, random_pairs, save_tiny, save_tokenizer

from neurosteer.data import UnitStats
from neurosteer.model import load_model
from neurosteer.neurons import Direction, NeuronSet
from neurosteer.pairs.factorial import items_of
from neurosteer.progress import QUIET
from neurosteer.studies.evidence import factorial as factorial_room
from neurosteer.studies.evidence import interchange as interchange_room
from neurosteer.studies.evidence.factorial import factorial_of, other_cause, same_cause, why_not
from neurosteer.studies.evidence.interchange import (
    Swapped,
    _no_effect_of_the_cause,
    interchangeable,
    measure_swaps,
    sign_agreement,
)
from neurosteer.studies.evidence.interchange_map import map_of
from neurosteer.studies.evidence.passes import Passes
from neurosteer.studies.evidence.work import AskedSet

TASK, UNEQUAL = "distractor_agreement_relative_clause", "anaphor_number_agreement"  # some contexts of the latter
LAYER, WIDTH, LAYERS = 1, 128, 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("english")
    save_tiny("llama-english", folder)
    items = [item for task in (TASK, UNEQUAL) for item in list(items_of(task))[:100]]
    save_tokenizer(folder, english=[sentence for item in items for sentence in item.sentences])
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return load_model(folder)


@pytest.fixture(scope="module")
def network(folder):
    return hf_network(folder)


@pytest.fixture(scope="module")
def every(model):
    return factorial_of(model, TASK, drawn=50)


@pytest.fixture(scope="module")
def found(every):
    return every.first(8)


def neuron_set(model, chosen):
    rng = torch.Generator().manual_seed(3)
    values = [torch.randn(LAYERS, WIDTH, generator=rng) for _ in range(4)]
    stats = UnitStats(values[0], values[1].square(), values[2], values[3].square(), 99, tuple(range(LAYERS)))
    return NeuronSet.of(model, chosen, stats=stats)


def work(model, neurons, controls=2, **other):
    """As much of the work as the question asks for; the pairs are those of another set."""
    pairs = replace(random_pairs(20), task=TASK)
    given = {"pairs": pairs, "split": pairs.split(), "method": None, "ranking": None, "topk": 3}
    given |= {"position": "eos", "neutral": "", "neutral_name": "", "passes": Passes(model, QUIET)}
    layers = tuple(sorted(set(neurons.layers.tolist())))
    return AskedSet(model=model, neurons=neurons, layers=layers, controls=controls, **{**given, **other})


@pytest.fixture(scope="module")
def chosen(model):
    return neuron_set(model, [(LAYER, unit) for unit in range(0, WIDTH, 3)])


@pytest.fixture(scope="module")
def measured(model, found, chosen):
    return measure_swaps(work(model, chosen), found)


def states(network, tokens):
    """The output of one block at every token."""
    kept = []

    def read(_module, _given, gives):
        kept.append((gives[0] if isinstance(gives, tuple) else gives)[0].clone())

    handle = hf_blocks(network)[LAYER].register_forward_hook(read)
    network(torch.tensor([tokens]))
    handle.remove()
    return kept[0]


def preference(network, tokens, outcomes, units=(), new=None):
    """At the last token, with some units of one block replaced by `new[position]` where it has a value."""

    def write(_module, _given, gives):
        values = (gives[0] if isinstance(gives, tuple) else gives).clone()
        for position, row in (new or {}).items():
            values[0, position, list(units)] = row[list(units)]
        return (values, *gives[1:]) if isinstance(gives, tuple) else values

    handle = hf_blocks(network)[LAYER].register_forward_hook(write)
    logprobs = network(torch.tensor([tokens])).logits[0, -1].double().log_softmax(-1)
    handle.remove()
    return float(logprobs[outcomes[0]] - logprobs[outcomes[1]])


def slow_effect(network, found, units, new_of):
    """(swapped - clean) / (donor - clean): means over both directions, one sentence at a time."""
    way = whole = 0.0
    for item in found.items:
        clean = [preference(network, tokens, item.outcomes) for tokens in item.tokens]
        for cause, tokens in enumerate(item.tokens):
            after = preference(network, tokens, item.outcomes, units, new_of(item, cause))
            direction = np.sign(cause - 0.5)
            way += direction * (after - clean[cause])
            whole += direction * (clean[1 - cause] - clean[cause])
    return way / whole


def from_first_difference(item):
    first, second = item.tokens
    start = next(i for i in range(len(first)) if first[i] != second[i])
    return range(start, len(first))


def test_items_are_found(every):
    found = every
    assert found.form == "aligned"
    assert found.drawn == 50
    assert found.aligned + found.unaligned + sum(found.unfit.values()) == 50
    assert len(found.items) == found.aligned >= 30


def test_items_of_unequal_contexts_are_dropped_and_counted(model):
    found = factorial_of(model, UNEQUAL, drawn=100)
    assert found.form == "aligned"
    assert found.unaligned > 0
    assert found.counts() == f"contexts of unequal length: {found.unaligned}"
    assert len(found.items) == found.aligned == 100 - found.unaligned


def test_effects_equal_slow_loops(network, found, chosen, measured):
    units = chosen.units.tolist()

    def donor(item, cause):
        values = states(network, item.tokens[1 - cause])
        return {i: values[i] for i in from_first_difference(item)}

    def mean(item, _cause):
        return dict.fromkeys(from_first_difference(item), chosen.stats.token_mean[LAYER])

    gap = measured.gap.sum()
    assert measured.swapped[0].sum() / gap == pytest.approx(slow_effect(network, found, units, donor), abs=2e-4)
    assert measured.ablated[0].sum() / gap == pytest.approx(slow_effect(network, found, units, mean), abs=2e-4)


def test_the_whole_layer_swapped_is_the_donors_preference(measured):
    np.testing.assert_allclose(measured.whole, measured.gap, atol=4e-4)
    assert np.abs(measured.gap).max() > 0.1


def test_controls_go_through_the_same_procedure(model, network, found, chosen, measured):
    control = work(model, chosen).sets[2]

    def donor(item, cause):
        values = states(network, item.tokens[1 - cause])
        return {i: values[i] for i in from_first_difference(item)}

    expected = slow_effect(network, found, control.units.tolist(), donor)
    assert measured.swapped[2].sum() / measured.gap.sum() == pytest.approx(expected, abs=2e-4)


def test_donors_of_the_same_cause_are_other_items_with_as_many_tokens(every):
    found = every
    places = same_cause(found, 0)
    assert any(one.positions for one in places)
    for reading, one in enumerate(places):
        if not one.positions:
            continue
        own, donor = found.items[reading // 2], found.items[one.donor // 2]
        assert one.donor % 2 == reading % 2
        assert one.donor // 2 != reading // 2
        assert len(one.positions) == len(own.tokens[0]) - own.start == len(donor.tokens[0]) - donor.start
        assert one.donor_positions[-1] == len(donor.tokens[0]) - 1
        assert one.positions[-1] == len(own.tokens[0]) - 1


def test_regions_part_what_is_swapped(found):
    whole = other_cause(found)
    parts = [other_cause(found, region) for region in ("cause", "between", "last")]
    for reading, one in enumerate(whole):
        assert one.positions == tuple(i for part in parts for i in part[reading].positions)
        assert one.donor == reading ^ 1
        assert one.donor_positions == one.positions


def test_the_last_token_alone_is_swapped_where_contexts_are_of_different_lengths(model, network, monkeypatch):
    monkeypatch.setattr(factorial_room, "FEWEST_ITEMS", 1000)
    found = factorial_of(model, UNEQUAL, drawn=100)
    assert found.form is None
    monkeypatch.setattr(factorial_room, "FEWEST_ITEMS", 80)
    found = factorial_of(model, UNEQUAL, drawn=100)
    assert found.form == "last"
    assert len(found.items) == found.aligned + found.unaligned
    unequal = [item for item in found.items if not item.aligned]
    mixed = replace(found, items=(*found.items[:2], *unequal[:2]))
    neurons = neuron_set(model, [(LAYER, 3), (LAYER, 90)])
    measured = measure_swaps(work(model, neurons, controls=0), mixed)

    def donor(item, cause):
        values = states(network, item.tokens[1 - cause])
        return {len(item.tokens[cause]) - 1: values[-1]}

    expected = slow_effect(network, mixed, neurons.units.tolist(), donor)
    assert measured.swapped[0].sum() / measured.gap.sum() == pytest.approx(expected, abs=1e-3)


def test_map_cells_equal_slow_loops(model, network, found, chosen):
    cells = map_of(model, found, chosen, layers=[0, LAYER], most=4)
    few = found.first(4)
    assert {(cell.layer, cell.region) for cell in cells} >= {(0, "cause"), (LAYER, "last")}
    for cell in cells:
        if cell.layer != LAYER:
            continue
        having = replace(few, items=tuple(item for item in few.items if item.region(cell.region)))
        assert cell.items == len(having.items)

        def donor(item, cause, region=cell.region):
            values = states(network, item.tokens[1 - cause])
            return {i: values[i] for i in item.region(region)}

        whole = slow_effect(network, having, range(WIDTH), donor)
        assert cell.whole == pytest.approx(whole, abs=1e-3)
        assert cell.chosen == pytest.approx(slow_effect(network, having, chosen.units.tolist(), donor), abs=1e-3)


def test_a_set_of_several_layers_is_mapped_at_its_own(model, found):
    neurons = neuron_set(model, [(0, 3), (2, 5)])
    cells = map_of(model, found, neurons, most=2)
    assert {cell.layer for cell in cells if cell.chosen is not None} == {0, 2}
    assert {cell.layer for cell in cells} == {0, 1, 2}


def test_iia_counts_runs_whose_donor_has_the_other_sign():
    clean = np.array([[1.0, -2.0], [3.0, 1.0], [-1.0, 2.0]])
    after = np.array([[-0.5, -1.0], [-9.0, 9.0], [0.1, 1.0]])
    assert sign_agreement(clean, after) == 2 / 4
    assert sign_agreement(np.ones((2, 2)), after[:2]) is None


def test_a_task_without_factorial_items_cannot_be_told(model, chosen):
    own = interchangeable(work(model, chosen, pairs=random_pairs(20, task="my_own"))).answer
    assert (own.value, own.holds) == (None, None)
    assert "no factorial form" in own.why


def answer_of(model, neurons, found, way, monkeypatch, controls=19):
    """The answer where the set takes a share `way` of the gap, and its controls at most a tenth, by swap alone."""
    n, gap = 1 + controls, np.linspace(2.0, 4.0, len(found.items))
    shares = np.array([way, *np.linspace(0, 0.1, controls)])[:, None]
    clean = np.stack([gap / 4, -gap / 4], axis=1)
    made = Swapped(
        gap=gap,
        clean=clean,
        swapped=shares * gap * (1 + 0.1 * np.sin(np.arange(len(gap)))),
        ablated=np.zeros((n, len(gap))) + 0.02 * gap,
        after=-clean,
        same_cause=0 * gap,
        same_cause_items=np.ones(len(gap)),
        whole=gap,
    )
    monkeypatch.setattr(interchange_room, "factorial_of", lambda *_given, **_named: found)
    monkeypatch.setattr(interchange_room, "measure_swaps", lambda *_given: made)
    return interchangeable(work(model, neurons, controls)).answer


def test_the_verdict_is_of_the_swap_beyond_the_mean(model, chosen, every, monkeypatch):
    answer = answer_of(model, chosen, every, 0.5, monkeypatch)
    assert answer.holds is True
    assert answer.value == pytest.approx(0.48, abs=0.01)
    assert answer.low > 0.4
    assert answer.p == pytest.approx(1 / 20)
    beside = {one.what: one.value for one in answer.beside}
    assert beside["runs that take the donor's sign (IIA)"] == 1
    assert beside["effect of the whole layer swapped"] == pytest.approx(1)
    assert beside["effect of the mean at the same places"] == pytest.approx(0.02)
    assert answer.tested == len(every.items)


def test_what_controls_do_too_does_not_hold(model, chosen, every, monkeypatch):
    assert answer_of(model, chosen, every, 0.05, monkeypatch).holds is False


def test_a_destroyed_set_is_no_transfer(model, chosen, every, monkeypatch):
    """Half of the way under a swap and half of it by the mean: nothing beyond."""
    assert answer_of(model, chosen, every, 0.0, monkeypatch).holds is False


def test_too_few_controls_cannot_tell(model, chosen, every, monkeypatch):
    answer = answer_of(model, chosen, every, 0.5, monkeypatch, controls=5)
    assert answer.holds is None
    assert "5 controls are too few, a verdict takes 19" in answer.why


def test_where_the_preference_does_not_follow_the_cause_nothing_can_be_told(measured):
    nothing = replace(measured, gap=measured.gap - measured.gap.mean())
    assert "does not follow the cause" in _no_effect_of_the_cause(nothing, 0)


def test_too_few_items_say_what_became_of_the_others(model):
    found = factorial_of(model, "ellipsis_n_bar_1", drawn=40)
    assert found.form is None
    assert "of 40 factorial items 0 items can be used (no cause before the outcome: 40), 30 are wanted" in why_not(
        "ellipsis_n_bar_1", found
    )


def test_the_component_along_a_direction_is_swapped(model, network, found, chosen):
    """By hand: the rest of each state stays its own."""
    vector = torch.randn(WIDTH, generator=torch.Generator().manual_seed(8))
    along = Direction.of(model, vector, LAYER, stats=chosen.stats)
    asked = work(model, along.neurons, controls=0, direction=along)
    measured = measure_swaps(asked, found)
    v = along.vector

    def moved(item, cause, new):
        own = states(network, item.tokens[cause])
        return {i: own[i] + ((new(i) - own[i]) @ v) * v for i in from_first_difference(item)}

    def donor(item, cause):
        values = states(network, item.tokens[1 - cause])
        return moved(item, cause, lambda i: values[i])

    def mean(item, cause):
        return moved(item, cause, lambda _i: chosen.stats.token_mean[LAYER])

    gap = measured.gap.sum()
    swapped = slow_effect(network, found, range(WIDTH), donor)
    assert abs(swapped) > 1e-3
    assert measured.swapped[0].sum() / gap == pytest.approx(swapped, abs=2e-4)
    assert measured.ablated[0].sum() / gap == pytest.approx(slow_effect(network, found, range(WIDTH), mean), abs=2e-4)
    cell = next(one for one in map_of(model, found.first(4), along, layers=[LAYER]) if one.region == "last")

    def last(item, cause):
        values, own = states(network, item.tokens[1 - cause]), states(network, item.tokens[cause])
        return {i: own[i] + ((values[i] - own[i]) @ v) * v for i in item.region("last")}

    assert cell.chosen == pytest.approx(slow_effect(network, found.first(4), range(WIDTH), last), abs=1e-3)
