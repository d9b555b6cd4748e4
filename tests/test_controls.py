"""Matched controls: against the definition, written out as plain loops."""

from __future__ import annotations

import math
from itertools import permutations, product

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.neurons import NeuronSet, Ranking, matched_controls, without_massive
from neurosteer.neurons.controls import massive

LAYERS, WIDTH, NEAREST = (1, 4, 6), 60, 10


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


def by_distance(stats: UnitStats, layer: int, unit: int, taken: set[int]) -> list[int]:
    """The units that are not taken, the nearest first."""
    points = features(stats, layer)
    free = [other for other in range(len(points)) if other not in taken]
    return sorted(free, key=lambda other: math.dist(points[other], points[unit]))


def units_at(neurons: NeuronSet, layer: int) -> list[int]:
    return [unit for at, unit in neurons if at == layer]


def possible(stats: UnitStats, layer: int, chosen: list[int]) -> dict[frozenset[int], set[float]]:
    """Every set that the definition can draw, with the mean differences it can have; by trying everything."""
    points, found = features(stats, layer), {}
    for order in permutations(chosen):
        for places in product(range(NEAREST), repeat=len(chosen)):
            drawn: list[int] = []
            gaps: list[float] = []
            for unit, place in zip(order, places, strict=True):
                drawn.append(by_distance(stats, layer, unit, {*chosen, *drawn})[place])
                gaps += [abs(a - b) for a, b in zip(points[unit], points[drawn[-1]], strict=True)]
            found.setdefault(frozenset(drawn), set()).add(sum(gaps) / len(gaps))
    return found


def test_one_unit_draws_each_of_its_10_nearest_alike():
    neurons = neurons_of([(4, 7)])
    controls = matched_controls(neurons, 300)
    drawn = [unit for control in controls for unit in units_at(control, 4)]
    nearest = by_distance(neurons.stats, 4, 7, {7})[:NEAREST]
    assert set(drawn) == set(nearest)
    assert all(10 <= drawn.count(unit) <= 55 for unit in nearest)  # 30 expected
    points = features(neurons.stats, 4)
    for control, unit in zip(controls, drawn, strict=True):
        gaps = [abs(a - b) for a, b in zip(points[7], points[unit], strict=True)]
        assert control.about["unmatched"] == pytest.approx(sum(gaps) / 2, rel=1e-4)


def test_two_units_draw_what_the_definition_allows():
    """Near neighbours, so that one draw takes from what the other may draw."""
    stats = stats_of()
    near = by_distance(stats, 4, 7, {7})[0]
    allowed = possible(stats, 4, [7, near])
    pairs = set()
    for control in matched_controls(neurons_of([(4, 7), (4, near)]), 60):
        drawn = frozenset(units_at(control, 4))
        pairs.add(drawn)
        assert any(control.about["unmatched"] == pytest.approx(gap, rel=1e-4) for gap in allowed[drawn])
    assert len(pairs) > 30
    assert len(allowed) < math.comb(58, 2) / 5


@pytest.mark.parametrize("seed", range(5))
def test_many_units(seed: int):
    """As many in each layer, none a chosen one, each a near one: at most k - 1 nearer ones are gone by then."""
    rng = np.random.default_rng(seed)
    counts = {1: 12, 4: 1, 6: 25}
    chosen = [(layer, int(unit)) for layer, k in counts.items() for unit in rng.permutation(WIDTH)[:k]]
    neurons = neurons_of(chosen, stats_of(seed))
    for control in matched_controls(neurons, 4, seed=seed):
        assert list(control) == sorted(set(control))
        assert not set(control) & set(neurons)
        assert len(control) == len(neurons)
        for layer, k in counts.items():
            theirs, mine = units_at(control, layer), units_at(neurons, layer)
            assert len(theirs) == k
            near = [by_distance(neurons.stats, layer, unit, set(mine))[: NEAREST + k - 1] for unit in mine]
            may = csr_matrix([[unit in row for unit in theirs] for row in near])
            assert (maximum_bipartite_matching(may) >= 0).all()
        assert (control.model, control.site, control.stats) == (neurons.model, neurons.site, neurons.stats)
        assert control.scores.tolist() == [0] * len(control)
        assert control.about["control"] is True
        assert control.about["seen"] == ["a"]
        assert control.about["unmatched"] < 1


@pytest.mark.parametrize(("reach", "layers"), [("onward", (4, 6)), ("all", LAYERS)])
def test_an_edit_that_reaches_other_layers(reach: str, layers: tuple[int, ...]):
    """One of the 10 nearest over all layers reached, and the same one wherever the coordinate is chosen."""
    stats = stats_of(5)
    apart = {
        unit: sum(math.dist(features(stats, at)[unit], features(stats, at)[7]) ** 2 for at in layers)
        for unit in range(WIDTH)
        if unit not in (7, 30)
    }
    nearest = sorted(apart, key=apart.__getitem__)
    neurons = neurons_of([(4, 7), (6, 7), (6, 30)], stats)
    drawn = set()
    for control in matched_controls(neurons, 100, seed=1, reach=reach):
        at_4, at_6 = units_at(control, 4), units_at(control, 6)
        assert (len(at_4), len(at_6), set(at_4) <= set(at_6)) == (1, 2, True)
        assert not set(control.reaching(reach)) & set(neurons.reaching(reach))
        assert len(control.reaching(reach)) == len(neurons.reaching(reach))
        drawn.add(at_4[0])
    assert set(nearest[: NEAREST - 1]) <= drawn <= set(nearest[: NEAREST + 1])  # one may have gone to unit 30
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
    assert matched_controls(neurons, 0) == []
    torch.manual_seed(5)
    state = torch.get_rng_state()
    matched_controls(neurons, 1)
    assert torch.equal(torch.get_rng_state(), state)


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


def test_controls_that_spare_massive_units():
    neurons = neurons_of([(4, unit) for unit in range(3, 12)], with_massive())
    plain = [set(units_at(control, 4)) for control in matched_controls(neurons, 60)]
    spared = [set(units_at(control, 4)) for control in matched_controls(neurons, 60, spare_massive=True)]
    assert any(units & {1, 2} for units in plain)
    assert not any(units & {1, 2} for units in spared)
    assert any(0 in units for units in spared)
    with pytest.raises(InputError, match="layer 4 has too few other units for matched controls"):
        matched_controls(neurons_of([(4, unit) for unit in range(3, 13)], with_massive()), 1, spare_massive=True)


def test_controls_of_a_ranking_use_its_statistics():
    stats = stats_of(3)
    ranking = Ranking(torch.ones(3, WIDTH), 4, "welch", stats, "model-1", "resid_post", {"task": "toy"})
    neurons = neurons_of([(4, 7)])
    controls = ranking.controls(neurons, 40, seed=2)
    assert {unit for control in controls for _, unit in control} <= set(by_distance(stats, 4, 7, {7})[:NEAREST])
    other = Ranking(torch.ones(3, WIDTH), 4, "welch", stats, "model-2", "resid_post", {"task": "toy"})
    with pytest.raises(InputError, match="belongs to another model or site"):
        other.controls(neurons, 1)
