"""One word for a set beside its controls, and the smallest effect that they would have shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from made_effects import make_controls
from sizes import quick_and_slow

from neurosteer.studies.effects.verdict import chance_of, detectable, direction_of, overall, verdict_of


@pytest.mark.parametrize(
    ("n", "p", "word"),
    [
        (19, 1 / 20, "stands out"),
        (19, 2 / 20, "does not stand out"),
        (99, 5 / 100, "stands out"),
        (99, 6 / 100, "does not stand out"),
        (18, 1 / 19, "too few to tell"),
        (3, 1 / 4, "too few to tell"),
        (3, 1.0, "too few to tell"),
    ],
)
def test_the_verdict_of_p(n: int, p: float, word: str):
    assert verdict_of(n, p) == word


def test_the_verdict_of_an_effect():
    controls = make_controls(p=0.05)
    assert controls.verdict == "stands out"
    assert overall(controls, nothing_to_lose=False) == "stands out"
    assert overall(controls, nothing_to_lose=True) == overall(None, nothing_to_lose=True) == "nothing to lose"
    assert overall(None, nothing_to_lose=False) is None
    assert overall(controls, nothing_to_lose=None) == overall(None, nothing_to_lose=None) == "too few to tell"


@pytest.mark.parametrize(
    ("delta", "controls", "word"),
    [
        (-3.0, [-0.5, -1.0], "more"),
        (3.0, [-0.5, 0.5], "more"),
        (-0.02, [-0.9, -0.4], "less"),
        (0.0, [-0.9, -0.4], "less"),
        (0.5, [-0.9, -0.4], "less"),  # 0.65 is how far they move it
        (0.7, [-0.9, -0.4], "more"),
        (-0.4, [-0.9, 0.9], "less"),  # of the distances, not of the mean, which is 0
    ],
)
def test_the_direction_of_a_set_that_stands_out(delta: float, controls: list[float], word: str):
    assert direction_of("stands out", delta, controls) == word
    assert direction_of("does not stand out", delta, controls) is None
    assert direction_of("too few to tell", delta, controls) is None


def test_what_chance_moves():
    """Against draws of as many tests, each at 1 in 20."""
    rng = np.random.default_rng(0)
    for tests in (1, 3, 12):
        counts = (rng.random((40_000, tests)) < 0.05).sum(axis=1)
        for moved in range(tests + 1):
            assert chance_of(moved, tests) == pytest.approx((counts >= moved).mean(), abs=0.006)


def plain_power(deltas: Sequence[float], overlaps: Sequence[float], d: float) -> float:
    """Each control plays the set, d added: how often p <= .05 among all n + 1, by the definition of p."""
    n = len(deltas)
    controls = [delta + share * d for delta, share in zip(deltas, overlaps, strict=True)]
    rejected = 0
    for delta in deltas:
        every = [delta + d, *controls]
        total = sum(every)
        far = [abs(value - (total - value) / n) for value in every]
        rejected += sum(distance >= far[0] - 1e-9 for distance in far) / (n + 1) <= 0.05 + 1e-9
    return rejected / n


def plain_detectable(deltas: Sequence[float], overlaps: Sequence[float], step: float, most: float) -> float:
    """Up a ladder: the first rung from which on 80 % are seen, up and down."""
    rungs = np.arange(1, round(most / step)) * step
    seen = [min(plain_power(deltas, overlaps, d), plain_power(deltas, overlaps, -d)) >= 0.8 for d in rungs]
    assert seen[-1]
    return float(rungs[max(place for place, good in enumerate(seen) if not good) + 1])


@pytest.mark.parametrize("n", [19, 40])
@pytest.mark.parametrize("seed", quick_and_slow([0], [1, 2, 3]))
def test_the_smallest_effect_by_brute_force(n: int, seed: int):
    rng = np.random.default_rng([n, seed])
    deltas = (rng.standard_t(3, n) - 0.4).tolist()
    overlaps = rng.uniform(0, 0.4, n).tolist()
    size = max(deltas) - min(deltas)
    found = detectable(deltas, overlaps)
    assert found is not None
    assert found == pytest.approx(plain_detectable(deltas, overlaps, size / 50, 3 * size), abs=size / 50)


def test_it_is_in_the_units_of_the_changes():
    deltas, overlaps = np.random.default_rng(3).normal(size=19), [0.1] * 19
    one = detectable(deltas.tolist(), overlaps)
    assert one is not None
    assert detectable((1000 * deltas + 7).tolist(), overlaps) == pytest.approx(1000 * one, rel=1e-3)
    assert detectable((-deltas).tolist(), overlaps) == pytest.approx(one, rel=1e-3)


def test_more_overlap_hides_more():
    deltas = np.random.default_rng(4).normal(size=39).tolist()
    none, some, much = (detectable(deltas, [share] * 39) for share in (0.0, 0.5, 0.9))
    assert none is not None
    assert some == pytest.approx(2 * none, rel=1e-3)  # only the rest of the effect is the set's own
    assert much == pytest.approx(10 * none, rel=1e-3)


def test_nothing_is_large_enough_where_a_control_is_the_set_itself():
    """It moves as the set does, however far: of 19 none may; of 39 one may be as far, at p = 2 / 40."""
    deltas = np.random.default_rng(5).normal(size=39).tolist()
    assert detectable(deltas[:19], [1.0] * 4 + [0.0] * 15) is None
    assert detectable(deltas, [1.0] + [0.0] * 38) is not None
    assert detectable(deltas, [1.0] * 39) is None


def test_too_few_controls_and_controls_that_do_nothing():
    assert detectable([0.1 * i for i in range(18)], [0.0] * 18) is None
    assert detectable([0.25] * 19, [0.1] * 19) == 0
    assert detectable([0.25] * 19, [1.0] * 19) is None
