"""The logistic probe: against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sizes import quick_and_slow
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
    model = LogisticRegression(C=1 / (l2 * len(y)), solver="newton-cholesky", tol=1e-10, max_iter=1000)
    model.fit(x.double().numpy(), y.numpy())
    return model.coef_[0], float(model.intercept_[0])


def gradient(x: torch.Tensor, y: torch.Tensor, w: torch.Tensor, b: torch.Tensor, l2: float) -> torch.Tensor:
    """Of mean log-loss + l2 / 2 * |w|^2: unit by unit, and last the bias."""
    wrong = y * torch.sigmoid(-y * (x.double() @ w + b))
    return torch.cat([l2 * w - x.double().T @ wrong / len(y), -wrong.mean()[None]])


SHAPES = pytest.mark.parametrize(
    ("train", "units", "gap"),
    [(150, 12, 0.6), (120, 60, 0.6), (60, 100, 0.6), (30, 90, 0.6), (100, 40, 5.0), (30, 90, 5.0)],
    ids=["narrow", "tall", "nearly square", "wide", "tall separable", "wide separable"],
)


@SHAPES
def test_against_scikit_learn(train, units, gap):
    """The same weights to 5 digits, at every strength."""
    x, y, held, held_y = standardised(problems(train + 300, 3, units, seed=units, gap=gap), train)
    probes = fit_logistic(x, y, torch.tensor(STRENGTHS).expand(3, -1))
    accuracy = probes.accuracy(held, held_y)
    for layer in range(3):
        for i, l2 in enumerate(torch.tensor(STRENGTHS).tolist()):  # as float32 has them
            w, b = oracle(x[layer], y, l2)
            np.testing.assert_allclose(probes.weights[layer, i].numpy(), w, rtol=0, atol=1e-5 * np.abs(w).max())
            np.testing.assert_allclose(float(probes.bias[layer, i]), b, rtol=0, atol=1e-5 * np.abs(w).max())
            right = (held[layer].double().numpy() @ w + b > 0) == (held_y.numpy() > 0)
            assert float(accuracy[layer, i]) == pytest.approx(right.mean(), abs=1e-9)


@SHAPES
def test_the_gradient_is_zero(train, units, gap):
    x, y, _, _ = standardised(problems(train, 2, units, seed=units, gap=gap), train)
    probes = fit_logistic(x, y, torch.tensor(STRENGTHS).expand(2, -1))
    for layer in range(2):
        for i, l2 in enumerate(torch.tensor(STRENGTHS).tolist()):
            w, b = probes.weights[layer, i].double(), probes.bias[layer, i].double()
            assert gradient(x[layer], y, w, b, l2).abs().max() < 1e-6


def test_examples_that_repeat_and_units_that_repeat_or_say_nothing():
    """Where a factorisation meets its limits: the gradient is zero all the same."""
    x, y, _, _ = standardised(problems(40, 3, 60, seed=4), 40)
    few = torch.tensor([0, 1, 2, 40, 41, 42])
    same, unit, blank = x[:, few].repeat(1, 5, 1), x[:, :, :1].expand(-1, -1, 200), torch.zeros(3, 80, 200)
    for examples, labels in (
        (same, y[few].repeat(5)),
        (unit, y),
        (unit[:, :, :30], y),
        (blank, y),
        (blank[..., :9], y),
    ):
        probes = fit_logistic(examples, labels, torch.tensor(STRENGTHS).expand(3, -1))
        for layer in range(3):
            for i, l2 in enumerate(torch.tensor(STRENGTHS).tolist()):
                w, b = probes.weights[layer, i].double(), probes.bias[layer, i].double()
                assert gradient(examples[layer], labels, w, b, l2).abs().max() < 1e-6


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


def test_where_a_full_step_overshoots():
    """Undamped, Newton's method runs away here until nothing is left of the curvature."""
    x = torch.tensor([[0.0, -77.4], [0.3, 7.2], [-0.9, 2.1], [-0.3, -1.5]])
    y, l2 = torch.tensor([1.0, 1.0, -1.0, 1.0]), torch.tensor([[1e-6]])
    probes = fit_logistic(x[None], y, l2)
    w, b = probes.weights[0, 0].double(), probes.bias[0, 0].double()
    assert gradient(x, y, w, b, float(l2)).abs().max() < 1e-6


@pytest.mark.parametrize("units", quick_and_slow([100], [9, 200]))
def test_a_problem_does_not_depend_on_the_others(units):
    """Bit-equal alone, with one other, with many others, in another order, and with other strengths."""
    x, y, _, _ = standardised(problems(60, 9, units, seed=2), 60)
    x[3] = x[3] * 5  # takes another number of steps
    l2 = torch.tensor([1e-3, 1e-1, 1e-4]).expand(9, -1)
    every = fit_logistic(x, y, l2)
    for chosen in ([4], [4, 3], [8, 4, 0], list(range(8, -1, -1))):
        for strengths in ([0], [2, 1], [0, 1, 2]):
            some = fit_logistic(x[chosen], y, l2[chosen][:, strengths])
            assert torch.equal(some.weights, every.weights[chosen][:, strengths])
            assert torch.equal(some.bias, every.bias[chosen][:, strengths])


@pytest.mark.parametrize("units", [9, 200], ids=["narrow", "wide"])
def test_examples_of_label_0_and_the_order_in_memory_change_no_bit(units):
    x, y, _, _ = standardised(problems(60, 2, units, seed=5), 60)
    l2 = torch.tensor([[1e-3], [1e-1]])
    plain = fit_logistic(x, y, l2)
    padded = fit_logistic(torch.cat([x[:, :7], x], 1), torch.cat([torch.zeros(7), y]), l2)
    turned = fit_logistic(x.permute(2, 0, 1).contiguous().permute(1, 2, 0), y, l2)
    for other in (padded, turned):
        assert torch.equal(other.weights, plain.weights)
        assert torch.equal(other.bias, plain.bias)


def test_the_number_of_threads_changes_no_bit_and_is_left_as_it_was():
    x, y, _, _ = standardised(problems(60, 3, 200, seed=6), 60)
    l2 = torch.full((3, 1), 1e-3)
    before = torch.get_num_threads()
    fitted = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            fitted.append(fit_logistic(x, y, l2))
            assert torch.get_num_threads() == threads
        with pytest.raises(RuntimeError, match="positive-definite"):
            fit_logistic(x * torch.nan, y, l2)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(one.weights, fitted[0].weights) for one in fitted)


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
