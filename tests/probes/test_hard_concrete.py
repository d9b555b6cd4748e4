"""Hard concrete gates: their mean and its slope beside many draws, and beside a difference."""

from __future__ import annotations

import pytest
import torch
from scipy import integrate
from scipy.special import expit, logit

from neurosteer.probes import drawn, log_alpha_of, logistic_noise, mean_and_slope

ALPHAS = torch.tensor([-4.0, -1.0, 0.0, 0.5, 3.0], dtype=torch.float64)


def gate(alpha: float, u: float) -> float:
    """By the definition of Louizos, Welling & Kingma."""
    return float(min(1.0, max(0.0, 1.2 * expit((logit(u) + alpha) / (2 / 3)) - 0.1)))


@pytest.mark.parametrize("alpha", ALPHAS.tolist())
def test_the_mean_is_the_integral_over_the_noise(alpha: float):
    ends = [expit(2 / 3 * logit((end + 0.1) / 1.2) - alpha) for end in (0, 1)]
    expected, _ = integrate.quad(lambda u: gate(alpha, u), 0, 1, points=ends, limit=200)
    mean, slope = mean_and_slope(torch.tensor(alpha, dtype=torch.float64))
    assert float(mean) == pytest.approx(expected, abs=2e-3)
    step = 0.05
    above, below = (
        integrate.quad(lambda u: gate(alpha + shift, u), 0, 1, limit=400)[0]  # noqa: B023
        for shift in (step, -step)
    )
    assert float(slope) == pytest.approx((above - below) / (2 * step), abs=1e-2)


def test_draws_have_this_mean():
    noise = logistic_noise(20_000, len(ALPHAS), torch.Generator().manual_seed(0))
    gates = drawn(ALPHAS.float().expand_as(noise), noise)
    assert torch.allclose(gates.mean(dim=0).double(), mean_and_slope(ALPHAS)[0], atol=0.01)
    assert (gates == 0).any()
    assert (gates == 1).any()


@pytest.mark.parametrize("mean", [0.001, 0.05, 0.5, 0.9])
def test_the_log_alpha_of_a_mean(mean: float):
    found = torch.tensor(log_alpha_of(mean), dtype=torch.float64)
    assert float(mean_and_slope(found)[0]) == pytest.approx(mean, rel=1e-6)
