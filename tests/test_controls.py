"""Matched controls: against the definition, written out as plain loops."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
import torch

from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.neurons import NeuronSet, Ranking, matched_controls, without_massive
from neurosteer.neurons.controls import massive

LAYERS, WIDTH = (1, 4, 6), 60


def stats_of(seed: int = 0, width: int = WIDTH) -> UnitStats:
    rng = torch.Generator().manual_seed(seed)
    mean = torch.randn(3, width, generator=rng)
    var = torch.randn(3, width, generator=rng).exp()
    return UnitStats(mean, var, -mean, 2 * var, 99, LAYERS)


def neurons_of(chosen: list[tuple[int, int]], stats: UnitStats | None = None) -> NeuronSet:
    layers, units = torch.tensor(sorted(chosen), dtype=torch.long).reshape(-1, 2).unbind(1)
    about = {"task": "toy", "seen": ["a"]}
    return NeuronSet(layers, units, torch.ones(len(units)), stats or stats_of(), "model-1", "resid_post", about)


def features(stats: UnitStats, layer: int) -> list[tuple[float, float]]:
    """(mean, log variance) of each unit, standardised over the layer."""
    row = LAYERS.index(layer)
    columns = []
    for values in (stats.token_mean[row].tolist(), [math.log(x) for x in stats.token_var[row].tolist()]):
        middle = sum(values) / len(values)
        spread = math.sqrt(sum((x - middle) ** 2 for x in values) / len(values))
        columns.append([(x - middle) / spread for x in values])
    return list(zip(*columns, strict=True))


def blocks_of(points: list[tuple[float, float]], chosen: set[int], units: list[int] | None = None) -> list[set[int]]:
    """Halve at the median of what spreads more, while both halves have enough units that are not chosen."""
    units = list(range(len(points))) if units is None else units
    spreads = [statistics.pstdev([points[unit][axis] for unit in units]) for axis in (0, 1)]
    axis = int(spreads[1] > spreads[0] + 1e-9)
    ordered = sorted(units, key=lambda unit: points[unit][axis])
    halves = ordered[: len(ordered) // 2], ordered[len(ordered) // 2 :]
    for half in halves:
        others = [unit for unit in half if unit not in chosen]
        if len(others) < 10 or len(others) < len(half) - len(others):
            return [set(units)]
    return blocks_of(points, chosen, halves[0]) + blocks_of(points, chosen, halves[1])


def units_at(neurons: NeuronSet, layer: int) -> list[int]:
    return [unit for at, unit in neurons if at == layer]


def test_the_blocks_are_no_smaller_than_needed():
    """60 units: halved twice, and once more only where 10 others would remain."""
    points = features(stats_of(), 4)
    assert sorted(map(len, blocks_of(points, set()))) == [15, 15, 15, 15]
    full = max(blocks_of(points, set()), key=min)
    crowded = set(sorted(full)[:6])
    assert sorted(map(len, blocks_of(points, crowded))) == [15, 15, 30]


def test_one_unit_draws_each_of_its_block_alike():
    """No unit comes again before all have come; so often that all but the last deck is used up."""
    neurons = neurons_of([(4, 7)])
    points = features(neurons.stats, 4)
    [block] = [block for block in blocks_of(points, {7}) if 7 in block]
    others = block - {7}
    controls = matched_controls(neurons, 5 * len(others))
    drawn = [unit for control in controls for unit in units_at(control, 4)]
    decks = [drawn[i : i + len(others)] for i in range(0, len(drawn), len(others))]
    assert all(set(deck) == others for deck in decks)
    assert len({tuple(deck) for deck in decks}) == len(decks)
    for control, unit in zip(controls, drawn, strict=True):
        gaps = [abs(a - b) for a, b in zip(points[7], points[unit], strict=True)]
        assert control.about["unmatched"] == pytest.approx(sum(gaps) / 2, rel=1e-4)


def test_hands_share_no_unit_until_the_deck_is_used_up():
    """Three chosen ones in a block of 15: four hands of its 12 others, over and over."""
    stats = stats_of()
    block = blocks_of(features(stats, 4), set())[0]
    chosen = sorted(block)[:3]
    others = block - set(chosen)
    controls = matched_controls(neurons_of([(4, unit) for unit in chosen], stats), 12)
    for first in (0, 4, 8):
        assert sorted(unit for control in controls[first : first + 4] for unit in units_at(control, 4)) == sorted(
            others
        )


@pytest.mark.parametrize("seed", range(5))
def test_many_units(seed: int):
    """As many in each block as are chosen there, none of them a chosen one."""
    rng = np.random.default_rng(seed)
    counts = {1: 12, 4: 1, 6: 25}
    chosen = [(layer, int(unit)) for layer, k in counts.items() for unit in rng.permutation(WIDTH)[:k]]
    neurons = neurons_of(chosen, stats_of(seed))
    for control in matched_controls(neurons, 4, seed=seed):
        assert list(control) == sorted(set(control))
        assert not set(control) & set(neurons)
        assert len(control) == len(neurons)
        for layer in counts:
            theirs, mine = set(units_at(control, layer)), set(units_at(neurons, layer))
            for block in blocks_of(features(neurons.stats, layer), mine):
                assert len(theirs & block) == len(mine & block)
        assert (control.model, control.site, control.stats) == (neurons.model, neurons.site, neurons.stats)
        assert control.scores.tolist() == [0] * len(control)
        assert control.about["control"] is True
        assert control.about["seen"] == ["a"]
        assert control.about["unmatched"] < 1


@pytest.mark.parametrize(("reach", "layers"), [("onward", (4, 6)), ("all", LAYERS)])
def test_an_edit_that_reaches_other_layers(reach: str, layers: tuple[int, ...]):
    """One of the block by the mean over all layers reached, and the same one wherever the coordinate is chosen."""
    stats = stats_of(5)
    table = np.array([features(stats, at) for at in layers]).mean(axis=0)
    [block] = [block for block in blocks_of([tuple(row) for row in table], {7, 30}) if 7 in block]
    neurons = neurons_of([(4, 7), (6, 7), (6, 30)], stats)
    drawn = set()
    for control in matched_controls(neurons, 100, seed=1, reach=reach):
        at_4, at_6 = units_at(control, 4), units_at(control, 6)
        assert (len(at_4), len(at_6), set(at_4) <= set(at_6)) == (1, 2, True)
        assert not set(control.reaching(reach)) & set(neurons.reaching(reach))
        assert len(control.reaching(reach)) == len(neurons.reaching(reach))
        drawn.add(at_4[0])
    assert drawn == block - {7, 30}
    own = {units_at(control, 4)[0] for control in matched_controls(neurons, 100, seed=1)}
    assert own != drawn


def test_nearer_than_units_at_random():
    stats = stats_of(width=400)
    chosen = [(4, unit) for unit in range(40)]
    points = features(stats, 4)
    [control] = matched_controls(neurons_of(chosen, stats), 1)
    at_random = [abs(a - b) for i in range(40) for a, b in zip(points[i], points[200 + i], strict=True)]
    assert control.about["unmatched"] < 0.4 * sum(at_random) / len(at_random)


def test_the_seed_decides():
    neurons = neurons_of([(1, 3), (1, 9), (6, 30)])
    first = matched_controls(neurons, 5, seed=1)
    assert [list(control) for control in matched_controls(neurons, 5, seed=1)] == [list(one) for one in first]
    assert [list(control) for control in matched_controls(neurons, 2, seed=1)] == [list(one) for one in first[:2]]
    assert [list(control) for control in matched_controls(neurons, 5, seed=2)] != [list(one) for one in first]
    assert len({tuple(control) for control in first}) == 5
    torch.manual_seed(5)
    state = torch.get_rng_state()
    matched_controls(neurons, 1)
    assert torch.equal(torch.get_rng_state(), state)


def test_no_controls_are_asked_for():
    assert matched_controls(neurons_of([(4, unit) for unit in range(WIDTH)]), 0) == []


def test_too_few_other_units():
    half = [(4, unit) for unit in range(5)]
    [control] = matched_controls(neurons_of(half, stats_of(width=10)), 1)
    assert list(control) == [(4, unit) for unit in range(5, 10)]
    with pytest.raises(InputError) as caught:
        matched_controls(neurons_of([*half, (4, 5), (1, 0)], stats_of(width=10)), 1)
    assert str(caught.value) == (
        "layer 4 has too few other units for matched controls; take fewer neurons or --controls 0"
    )


def test_a_layer_where_all_units_are_alike():
    """No spread to divide by: any other unit will do."""
    flat = UnitStats(torch.ones(3, 30), torch.zeros(3, 30), torch.ones(3, 30), torch.ones(3, 30), 9, LAYERS)
    [control] = matched_controls(neurons_of([(1, 3)], flat), 1)
    assert len(control) == 1
    assert control.about["unmatched"] == 0


def with_massive() -> UnitStats:
    """Root mean squares are 1, but 9.99 at unit 0, 10 at unit 1, and at unit 2 by the variance alone, at layer 4."""
    mean, var = torch.full((3, 21), 0.6), torch.full((3, 21), 0.64)
    mean[1, 0], mean[1, 1], mean[1, 2] = math.sqrt(9.99**2 - 0.64), -math.sqrt(100.01 - 0.64), 0.6
    var[1, 2] = 150.0
    return UnitStats(mean, var, mean, var, 9, LAYERS)


def test_massive_units():
    flags = massive(with_massive())
    assert [tuple(at) for at in flags.nonzero().tolist()] == [(1, 1), (1, 2)]
    neurons = neurons_of([(1, 1), (4, 0), (4, 1), (4, 2), (4, 9), (6, 2)], with_massive())
    spared = without_massive(neurons)
    assert list(spared) == [(1, 1), (4, 0), (4, 9), (6, 2)]
    assert len(spared.scores) == 4
    assert list(without_massive(neurons, reach="onward")) == [(4, 0), (4, 9), (6, 2)]
    assert list(without_massive(neurons, reach="all")) == [(4, 0), (4, 9)]


def test_controls_hold_massive_units_only_where_the_chosen_ones_do():
    light = [(4, unit) for unit in range(3, 12)]
    spared = [set(units_at(control, 4)) for control in matched_controls(neurons_of(light, with_massive()), 60)]
    assert not any(units & {1, 2} for units in spared)
    assert any(0 in units for units in spared)
    heavy = [(4, 1), *light[1:]]
    drawn = [set(units_at(control, 4)) for control in matched_controls(neurons_of(heavy, with_massive()), 60)]
    assert any(2 in units for units in drawn)
    with pytest.raises(InputError, match="layer 4 has too few other units for matched controls"):
        matched_controls(neurons_of([(4, unit) for unit in range(3, 13)], with_massive()), 1)


def test_controls_of_a_ranking_use_its_statistics():
    stats = stats_of(3)
    ranking = Ranking(torch.ones(3, WIDTH), 4, "welch", stats, "model-1", "resid_post", {"task": "toy"})
    neurons = neurons_of([(4, 7)])
    controls = ranking.controls(neurons, 40, seed=2)
    [block] = [block for block in blocks_of(features(stats, 4), {7}) if 7 in block]
    assert {unit for control in controls for _, unit in control} == block - {7}
    other = Ranking(torch.ones(3, WIDTH), 4, "welch", stats, "model-2", "resid_post", {"task": "toy"})
    with pytest.raises(InputError, match="belongs to another model or site"):
        other.controls(neurons, 1)
