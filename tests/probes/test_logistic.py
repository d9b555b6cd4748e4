"""The logistic probe: against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from neurosteer.probes import STRENGTHS, Probes, Standard, fit_logistic, labelled


def problems(pairs: int, layers: int, units: int, *, seed: int, gap: float = 0.6) -> torch.Tensor:
    """Correlated units of very different scales, some of which tell good from bad."""
    rng = torch.Generator().manual_seed(seed)
    mix = torch.randn(layers, units, units, generator=rng) / units**0.5
    values = torch.randn(pairs, 2, layers, units, generator=rng)
    values[:, 0, :, ::3] += gap
    values = torch.einsum("pslu,luv->pslv", values, mix)
    return values * torch.logspace(-1, 2, units) + 7


def standardised(values: torch.Tensor, train: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    x, y = labelled(values[:train])
    held, held_y = labelled(values[train:])
    standard = Standard.of(x)
    return standard(x), y, standard(held), held_y


def oracle(x: torch.Tensor, y: torch.Tensor, l2: float) -> tuple[np.ndarray, float]:
    model = LogisticRegression(C=1 / (l2 * len(y)), tol=1e-10, max_iter=20_000)
    model.fit(x.double().numpy(), y.numpy())
    return model.coef_[0], float(model.intercept_[0])


def loss(x: torch.Tensor, y: torch.Tensor, w: np.ndarray, b: float, l2: float) -> float:
    margins = y.double().numpy() * (x.double().numpy() @ w + b)
    return float(np.logaddexp(0, -margins).mean() + l2 / 2 * (w**2).sum())


@pytest.mark.parametrize(("train", "units"), [(150, 12), (120, 60), (30, 90)], ids=["narrow", "square", "wide"])
def test_against_scikit_learn(train, units):
    x, y, held, held_y = standardised(problems(train + 300, 3, units, seed=units), train)
    probes = fit_logistic(x, y, torch.tensor(STRENGTHS).expand(3, -1))
    accuracy = probes.accuracy(held, held_y)
    for layer in range(3):
        for i, l2 in enumerate(STRENGTHS):
            w, b = oracle(x[layer], y, l2)
            ours, bias = probes.weights[layer, i].double().numpy(), float(probes.bias[layer, i])
            assert loss(x[layer], y, ours, bias, l2) <= loss(x[layer], y, w, b, l2) + 1e-5
            right = (held[layer].double().numpy() @ w + b > 0) == (held_y.numpy() > 0)
            assert float(accuracy[layer, i]) == pytest.approx(right.mean(), abs=0.00501)
            np.testing.assert_allclose(ours, w, atol=0.03 * np.abs(w).max())


def test_separable_and_constant_units_stay_finite():
    values = problems(40, 2, 100, seed=1, gap=50.0)
    values[..., 5] = 3.0
    x, y = labelled(values)
    x = Standard.of(x)(x)
    assert torch.isfinite(x).all()
    probes = fit_logistic(x, y, torch.tensor(STRENGTHS).expand(2, -1))
    assert torch.isfinite(probes.weights).all()
    assert (probes.weights[..., 5].abs() < 1e-6).all()
    assert (probes.accuracy(x, y) == 1).all()


@pytest.mark.parametrize("units", [9, 200], ids=["narrow", "wide"])
def test_a_problem_does_not_depend_on_the_others(units):
    """Bit-equal alone, with one other, with many others, and in another order."""
    x, y, _, _ = standardised(problems(60, 9, units, seed=2), 60)
    x[3] = x[3] * 5  # takes another number of steps
    l2 = torch.tensor([1e-3, 1e-1]).expand(9, -1)
    every = fit_logistic(x, y, l2)
    for chosen in ([4], [4, 3], [8, 4, 0], list(range(8, -1, -1))):
        some = fit_logistic(x[chosen], y, l2[chosen])
        assert torch.equal(some.weights, every.weights[chosen])
        assert torch.equal(some.bias, every.bias[chosen])


def test_accuracy_and_pick_against_plain_loops():
    rng = torch.Generator().manual_seed(3)
    probes = Probes(torch.randn(2, 3, 4, generator=rng), torch.randn(2, 3, generator=rng))
    x, y = torch.randn(2, 10, 4, generator=rng), torch.tensor([1.0] * 5 + [-1.0] * 5)
    accuracy = probes.accuracy(x, y)
    for p in range(2):
        for s in range(3):
            right = sum(
                float(probes.weights[p, s] @ x[p, i] + probes.bias[p, s]) * float(y[i]) > 0 for i in range(10)
            )
            assert float(accuracy[p, s]) == right / 10
    picked = probes.pick(torch.tensor([2, 0]))
    assert torch.equal(picked.weights[:, 0], torch.stack([probes.weights[0, 2], probes.weights[1, 0]]))
    assert torch.equal(picked.bias[:, 0], torch.stack([probes.bias[0, 2], probes.bias[1, 0]]))


def test_a_score_of_zero_is_wrong():
    nothing = Probes(torch.zeros(1, 1, 2), torch.zeros(1, 1))
    assert nothing.accuracy(torch.ones(1, 4, 2), torch.tensor([1.0, 1.0, -1.0, -1.0])).item() == 0


def test_labels_follow_the_sides():
    values = torch.arange(2 * 2 * 3 * 1).reshape(2, 2, 3, 1).float()  # pair, side, layer, unit
    x, y = labelled(values)
    for layer in range(3):
        plain = [values[pair, side, layer, 0].item() for side in (0, 1) for pair in (0, 1)]
        assert x[layer, :, 0].tolist() == plain
    assert y.tolist() == [1, 1, -1, -1]
