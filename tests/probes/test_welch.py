"""Welch's t, its p- and q-values: against scipy and a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from neurosteer.probes import Welch, welch


def states(pairs: int, layers: int, units: int, *, seed: int) -> torch.Tensor:
    """Pairs that share much of their value, sides of unequal variance, and a contrast that grows with the unit."""
    rng = torch.Generator().manual_seed(seed)
    shared = torch.randn(pairs, 1, layers, units, generator=rng)
    own = torch.randn(pairs, 2, layers, units, generator=rng)
    own[:, 0] = own[:, 0] * 2 + torch.linspace(0, 0.8, units)
    return 3 * shared + own + 100


def over_all(values: torch.Tensor) -> Welch:
    return welch(values, range(len(values)))


def benjamini_hochberg(p: list[float]) -> list[float]:
    """q of a test: the smallest rate at which the step-up rule still rejects it."""
    order = sorted(range(len(p)), key=lambda i: p[i])
    q = [0.0] * len(p)
    lowest = 1.0
    for rank in range(len(p), 0, -1):
        i = order[rank - 1]
        lowest = min(lowest, p[i] * len(p) / rank)
        q[i] = lowest
    return q


@pytest.mark.parametrize(("pairs", "layers", "units"), [(2, 1, 3), (7, 3, 5), (60, 4, 30)])
def test_against_scipy(pairs, layers, units):
    values = states(pairs, layers, units, seed=pairs)
    result = over_all(values)
    x = values.double().numpy()
    for layer in range(layers):
        good, bad = x[:, 0, layer], x[:, 1, layer]
        t = stats.ttest_ind(good, bad, equal_var=False).statistic
        np.testing.assert_allclose(result.t[layer].numpy(), t, rtol=1e-9)
        np.testing.assert_allclose(result.p[layer].numpy(), stats.ttest_rel(good, bad).pvalue, rtol=1e-6)
    expected = benjamini_hochberg(result.p.flatten().tolist())
    np.testing.assert_allclose(result.q.flatten().numpy(), expected, rtol=1e-12)


def test_significant_counts_by_layer():
    values = states(60, 3, 40, seed=1)
    values[:, :, 1] = values[:, :1, 1]  # a layer without any difference
    result = over_all(values)
    for rate in (0.05, 0.5):
        plain = [sum(q < rate for q in row) for row in result.q.tolist()]
        assert result.significant(rate) == plain
        assert plain[1] == 0 < plain[0]


def test_significance_is_over_all_layers():
    """The same layer counts fewer units beside many layers of noise."""
    strong = states(60, 1, 40, seed=2)
    noise = torch.randn(60, 2, 20, 40, generator=torch.Generator().manual_seed(3))
    alone, beside = over_all(strong), over_all(torch.cat([strong, noise], dim=2))
    assert torch.equal(alone.t[0], beside.t[0])
    assert torch.equal(alone.p[0], beside.p[0])
    assert alone.significant()[0] > beside.significant()[0] > 0


def test_units_that_never_vary():
    values = states(20, 1, 4, seed=4)
    values[..., 0] = 5.0  # constant
    values[..., 1] = values[:, :1, :, 1]  # good and bad always alike
    values[:, 0, :, 2], values[:, 1, :, 2] = 1.0, 0.0  # a gap without spread
    result = over_all(values)
    assert result.t[0, :2].tolist() == [0, 0]
    assert result.p[0, :2].tolist() == [1, 1]
    assert result.q[0, :2].tolist() == [1, 1]
    assert result.t[0, 2] == torch.finfo(torch.float32).max  # finite, so that it can be stored
    assert result.p[0, 2] == 0


def test_sides_swap_sign():
    values = states(30, 2, 6, seed=5)
    there, back = over_all(values), over_all(values.flip(1))
    assert torch.equal(there.t, -back.t)
    assert torch.equal(there.q, back.q)


def test_only_train_pairs_count():
    values = states(40, 2, 6, seed=6)
    train = [3, 30, 7, 1, 22]
    some, alone = welch(values, train), over_all(values[train])
    assert torch.equal(some.t, alone.t)
    assert torch.equal(some.q, alone.q)
    assert not torch.equal(some.t, over_all(values).t)


@pytest.mark.parametrize("train", [[], [4]])
def test_one_pair_has_no_t(train):
    with pytest.raises(ValueError, match=f"needs at least 2 pairs, got {len(train)}$"):
        welch(states(5, 1, 2, seed=7), train)
