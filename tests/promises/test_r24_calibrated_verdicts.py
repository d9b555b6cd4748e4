"""R24: a set that was drawn by lot stands out among its matched controls as often as it should.

Here effects add up over units, and massive units and heavy tails are there; `recipes/validity/calibration.py` does
the same with a real model, by its attributions and by ablating every set.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import binom
from sizes import quick_and_slow

from neurosteer.data import UnitStats
from neurosteer.neurons import NeuronSet, matched_controls
from neurosteer.studies.effects.controls import empirical_p

WIDTH, CONTROLS = 576, 19


def stats() -> UnitStats:
    rng = torch.Generator().manual_seed(0)
    mean, var = torch.randn(1, WIDTH, generator=rng), torch.randn(1, WIDTH, generator=rng).exp()
    mean[0, :3] = 80.0  # massive
    return UnitStats(mean, var, mean, var, 99, (0,))


def test_the_bounds_are_those_of_the_promise():
    assert tuple(binom.ppf([0.025, 0.975], 400, 0.05)) == (12, 29)


@pytest.mark.parametrize(("size", "sets"), quick_and_slow([(115, 100)], [(115, 400), (6, 400), (40, 400)]))
def test_sets_drawn_by_lot(size: int, sets: int):
    """12 to 29 of 400 have p <= .05 (95 %); of three sizes, 10 to 31 each."""
    low, high = binom.ppf([0.025 / 3, 1 - 0.025 / 3], sets, 0.05)
    rng, small = np.random.default_rng(size), 0
    known = stats()
    for seed in range(sets):
        effect = rng.standard_t(2, WIDTH)  # a few units have most of the effect
        units = torch.from_numpy(np.sort(rng.choice(WIDTH, size, replace=False)))
        neurons = NeuronSet(torch.zeros(size).long(), units, torch.ones(size), known, "m", "resid_post", {})
        own, *others = (
            float(effect[one.units.numpy()].sum()) for one in (neurons, *matched_controls(neurons, CONTROLS, seed))
        )
        small += empirical_p(own, others) <= 0.05
    assert low <= small <= high
