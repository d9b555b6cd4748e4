"""Matched controls: against the definition, written out as plain loops."""

from __future__ import annotations

import math
import statistics
from itertools import combinations, pairwise

import numpy as np
import pytest
import torch
from scipy.stats import binom, chisquare, wasserstein_distance

from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.neurons import NeuronSet, Ranking, massive, matched_controls, without_massive

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


def blocks_of(points: list[tuple[float, float]], units: list[int] | None = None) -> list[set[int]]:
    """Halve at the median of what spreads more, while both halves have at least 10 units."""
    units = list(range(len(points))) if units is None else units
    spreads = [statistics.pstdev([points[unit][axis] for unit in units]) for axis in (0, 1)]
    axis = int(spreads[1] > spreads[0] + 1e-9)
    ordered = sorted(units, key=lambda unit: points[unit][axis])
    halves = ordered[: len(ordered) // 2], ordered[len(ordered) // 2 :]
    if min(map(len, halves)) < 10:
        return [set(units)]
    return blocks_of(points, halves[0]) + blocks_of(points, halves[1])


def units_at(neurons: NeuronSet, layer: int) -> list[int]:
    return [unit for at, unit in neurons if at == layer]


def test_one_unit_draws_each_of_its_block_alike():
    """Itself too: 15 units, each as often as chance has it."""
    neurons = neurons_of([(4, 7)])
    [block] = [block for block in blocks_of(features(neurons.stats, 4)) if 7 in block]
    drawn = [units_at(control, 4)[0] for control in matched_controls(neurons, 1500)]
    assert set(drawn) == block
    assert len(block) == 15
    assert chisquare([drawn.count(unit) for unit in sorted(block)]).pvalue > 0.001


@pytest.mark.slow
def test_each_set_of_a_block_is_as_likely():
    """Two of 15: all 105 of them, and one control says nothing about the next."""
    stats = stats_of()
    block = sorted(blocks_of(features(stats, 4))[0])
    drawn = [
        tuple(units_at(control, 4)) for control in matched_controls(neurons_of([(4, block[0]), (4, block[1])]), 3000)
    ]
    assert chisquare([drawn.count(pair) for pair in combinations(block, 2)]).pvalue > 0.001
    overlaps = [len({*first} & {*second}) for first, second in pairwise(drawn)]
    shared = [math.comb(2, both) * math.comb(13, 2 - both) / math.comb(15, 2) for both in range(3)]
    assert chisquare([overlaps.count(both) for both in range(3)], [share * 2999 for share in shared]).pvalue > 0.001


@pytest.mark.parametrize("seed", range(5))
def test_many_units(seed: int):
    """As many in each block as are chosen there, whichever they are."""
    rng = np.random.default_rng(seed)
    counts = {1: 12, 4: 1, 6: 25}
    chosen = [(layer, int(unit)) for layer, k in counts.items() for unit in rng.permutation(WIDTH)[:k]]
    neurons = neurons_of(chosen, stats_of(seed))
    for control in matched_controls(neurons, 4, seed=seed):
        assert list(control) == sorted(set(control))
        assert len(control) == len(neurons)
        assert control.metadata["overlap"] == len(set(control) & set(neurons)) / len(neurons)
        for layer in counts:
            theirs, mine = set(units_at(control, layer)), set(units_at(neurons, layer))
            for block in blocks_of(features(neurons.stats, layer)):
                assert len(theirs & block) == len(mine & block)
        assert (control.model, control.site, control.stats) == (neurons.model, neurons.site, neurons.stats)
        assert control.scores.tolist() == [0] * len(control)
        assert control.metadata["control"] is True
        assert control.metadata["seen"] == ["a"]
        assert control.metadata["unmatched"] == pytest.approx(distance(control, neurons), rel=1e-4)


def distance(control: NeuronSet, neurons: NeuronSet) -> float:
    """The earth mover's distance of each feature, averaged over the neurons."""
    total = 0.0
    for layer in set(neurons.layers.tolist()):
        points, mine, theirs = features(neurons.stats, layer), units_at(neurons, layer), units_at(control, layer)
        for axis in (0, 1):
            values = ([points[unit][axis] for unit in units] for units in (mine, theirs))
            total += wasserstein_distance(*values) / 2 * len(mine) / len(neurons)
    return total


def test_the_overlap_is_that_of_chance():
    """Of m chosen ones in a block of b a control holds m / b again."""
    stats = stats_of()
    chosen = set(range(0, WIDTH, 3))
    blocks = blocks_of(features(stats, 4))
    due = sum(len(block & chosen) ** 2 / len(block) for block in blocks) / len(chosen)
    found = [c.metadata["overlap"] for c in matched_controls(neurons_of([(4, unit) for unit in chosen], stats), 600)]
    assert abs(statistics.mean(found) - due) < 4 * statistics.stdev(found) / math.sqrt(600)


def test_the_blocks_do_not_know_the_set():
    """Units that are in one set and not in the other draw from the same block."""
    stats = stats_of()
    block = sorted(blocks_of(features(stats, 4))[0])
    for chosen in (block[:1], block[:14]):
        controls = matched_controls(neurons_of([(4, unit) for unit in chosen], stats), 200)
        assert {unit for control in controls for unit in units_at(control, 4)} == set(block)


SIZES = (6, 40, 115)  # of 576 units: about 1, 7 and 20 %


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "tails", "repeats"),
    [(size, tails, 2000) for size in SIZES for tails in ("normal", "heavy")],
)
def test_a_set_drawn_by_lot_is_one_among_its_controls(size: int, tails: str, repeats: int):
    """Effects add up over units, and a few units may have most: each of the 20 ranks is as likely at every size."""
    stats = stats_of(9, width=576)
    rng = np.random.default_rng([size, repeats, tails == "heavy"])
    ranks = []
    for seed in range(repeats):
        effect = rng.standard_t(1.5, 576) if tails == "heavy" else rng.normal(size=576)
        chosen = [(4, int(unit)) for unit in rng.choice(576, size, replace=False)]
        neurons = neurons_of(chosen, stats)
        sums = [effect[one.units.numpy()].sum() for one in (neurons, *matched_controls(neurons, 19, seed))]
        middle = np.mean(sums)
        ranks.append(sum(abs(value - middle) >= abs(sums[0] - middle) - 1e-12 for value in sums))
    for most in (1, 5, 10):
        count = sum(rank <= most for rank in ranks)
        low, high = binom.ppf([0.001, 0.999], repeats, most / 20)
        assert low <= count <= high


@pytest.mark.parametrize(("reach", "layers"), [("onward", (4, 6)), ("all", LAYERS)])
def test_an_edit_that_reaches_other_layers(reach: str, layers: tuple[int, ...]):
    """One of the block by the mean over all layers reached, and the same one wherever the coordinate is chosen."""
    stats = stats_of(5)
    table = np.array([features(stats, at) for at in layers]).mean(axis=0)
    [block] = [block for block in blocks_of([tuple(row) for row in table]) if 7 in block]
    neurons = neurons_of([(4, 7), (6, 7), (6, 30)], stats)
    drawn = set()
    for control in matched_controls(neurons, 100, seed=1, reach=reach):
        at_4, at_6 = units_at(control, 4), units_at(control, 6)
        assert (len(at_4), len(at_6), set(at_4) <= set(at_6)) == (1, 2, True)
        assert len(control.reaching(reach)) == len(neurons.reaching(reach))
        drawn.add(at_4[0])
    assert drawn == block
    own = {units_at(control, 4)[0] for control in matched_controls(neurons, 100, seed=1)}
    assert own != drawn


def test_nearer_than_units_at_random():
    stats = stats_of(width=400)
    chosen = [(4, unit) for unit in range(40)]
    points = features(stats, 4)
    apart = [control.metadata["unmatched"] for control in matched_controls(neurons_of(chosen, stats), 30)]
    rng = np.random.default_rng(0)
    others = [rng.choice(400, 40, replace=False) for _ in range(30)]
    columns = [np.array(column) for column in zip(*points, strict=True)]
    at_random = [wasserstein_distance(column[:40], column[units]) for units in others for column in columns]
    assert statistics.mean(apart) < 0.7 * statistics.mean(at_random)


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


@pytest.mark.parametrize("n", [-1, 100_001, 1_000_000_000])
def test_numbers_that_cannot_be_drawn(n: int):
    with pytest.raises(InputError) as caught:
        matched_controls(neurons_of([(4, 7)]), n)
    assert str(caught.value) == f"controls must be from 0 to 100,000, not {n}"


def test_a_whole_layer_is_its_own_control():
    everything = neurons_of([(4, unit) for unit in range(WIDTH)])
    [control] = matched_controls(everything, 1)
    assert list(control) == list(everything)
    assert (control.metadata["overlap"], control.metadata["unmatched"]) == (1.0, 0.0)


def test_a_layer_where_all_units_are_alike():
    """No spread to divide by: any other unit will do."""
    flat = UnitStats(torch.ones(3, 30), torch.zeros(3, 30), torch.ones(3, 30), torch.ones(3, 30), 9, LAYERS)
    [control] = matched_controls(neurons_of([(1, 3)], flat), 1)
    assert len(control) == 1
    assert control.metadata["unmatched"] == 0


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


@pytest.mark.parametrize("heavy", [[], [1], [1, 2]])
def test_controls_hold_as_many_massive_units_as_the_set(heavy: list[int]):
    chosen = [(4, unit) for unit in (0, *heavy, *range(3, 9))]
    drawn = [set(units_at(control, 4)) for control in matched_controls(neurons_of(chosen, with_massive()), 60)]
    assert {len(units & {1, 2}) for units in drawn} == {len(heavy)}
    assert set().union(*drawn) - {1, 2} == {0, *range(3, 21)}
    assert len({tuple(units & {1, 2}) for units in drawn}) == (2 if len(heavy) == 1 else 1)


def test_controls_of_a_ranking_use_its_statistics():
    stats = stats_of(3)
    ranking = Ranking(torch.ones(3, WIDTH), 4, "welch", stats, "model-1", "resid_post", {"task": "toy"})
    neurons = neurons_of([(4, 7)])
    controls = ranking.controls(neurons, 40, seed=2)
    [block] = [block for block in blocks_of(features(stats, 4)) if 7 in block]
    assert {unit for control in controls for _, unit in control} <= block
    assert [list(control) for control in controls] == [
        list(one) for one in matched_controls(neurons_of([(4, 7)], stats), 40, seed=2)
    ]
    other = Ranking(torch.ones(3, WIDTH), 4, "welch", stats, "model-2", "resid_post", {"task": "toy"})
    with pytest.raises(InputError, match="belongs to another model or site"):
        other.controls(neurons, 1)
