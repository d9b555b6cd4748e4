"""The L0 probe: against the paper's loss under autograd."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from plain_probes import BETA, GAMMA, ZETA, by_autograd

from neurosteer.probes import GATES, L0Probes, Probes, Standard, fit_l0, fit_logistic, labelled
from neurosteer.seeds import generator


def data(layers: int, units: int, *, pairs: int = 50, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, Probes]:
    rng = torch.Generator().manual_seed(seed)
    values = torch.randn(pairs, 2, layers, units, generator=rng)
    values[:, 0, :, :3] += 1.5
    x, y = labelled(values)
    x = Standard.of(x)(x)
    return x, y, fit_logistic(x, y, torch.full((layers, 1), GATES.warm_l2))


def fit(
    x: torch.Tensor, y: torch.Tensor, dense: Probes, lambdas: list[float], *, steps: int, layers: list[int]
) -> L0Probes:
    noise = [[generator(0, "toy", layer, "l0")] * len(lambdas) for layer in layers]
    return fit_l0(x, y, lambdas, dense, noise, gates=replace(GATES, steps=steps))


@pytest.mark.parametrize("lam", [0.05, 0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("steps", [1, 40])
def test_against_autograd(lam, steps):
    """In float64. Adam divides a gradient by its size: where one passes through 0, a step holds its rounding."""
    x, y, dense = data(2, 20)
    ours = fit(x, y, dense, [lam], steps=steps, layers=[0, 1])
    for layer in range(2):
        u = torch.rand(steps, 20, generator=generator(0, "toy", layer, "l0"))
        weights, gates, _ = by_autograd(x[layer], y, dense.weights[layer, 0], dense.bias[layer, 0], lam, u)
        torch.testing.assert_close(ours.probes.weights[layer, 0].double(), weights, atol=1e-3, rtol=2e-4)
        torch.testing.assert_close(ours.gates[layer, 0].double(), gates, atol=2e-4, rtol=2e-4)


def test_lambda_one_keeps_every_unit():
    x, y, dense = data(2, 30)
    ours = fit(x, y, dense, [0.1, 1.0], steps=200, layers=[0, 1])
    assert (ours.gates[:, 1] == 1).all()
    assert (ours.kept[:, 1] == 1).all()
    assert (ours.kept[:, 0] < 1).all()


def test_smaller_lambda_keeps_fewer():
    x, y, dense = data(3, 60)
    lambdas = [0.02, 0.1, 0.3, 0.6, 0.9, 1.0]
    ours = fit(x, y, dense, lambdas, steps=400, layers=[0, 1, 2])
    assert (ours.kept.diff(dim=1) >= 0).all()
    assert (ours.kept[:, 0] < 0.1).all()
    plain = [[sum(g > 0 for g in run) / 60 for run in layer] for layer in ours.gates.tolist()]
    torch.testing.assert_close(ours.kept, torch.tensor(plain))


def test_closed_gates_have_no_weight():
    x, y, dense = data(1, 40)
    ours = fit(x, y, dense, [0.2], steps=200, layers=[0])
    closed = ours.gates == 0
    assert closed.any()
    assert (ours.probes.weights[closed] == 0).all()
    assert ((ours.gates >= 0) & (ours.gates <= 1)).all()


def test_a_run_does_not_depend_on_the_others():
    """Bit-equal for other layers and lambdas beside it, more than fit one product, and again."""
    x, y, dense = data(5, 37, pairs=51)
    lambdas = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    every = fit(x, y, dense, lambdas, steps=60, layers=list(range(5)))
    for layers, runs in [([2], [3]), ([4, 1], [0, 10]), ([0, 1, 2, 3, 4], [9]), ([3], list(range(11)))]:
        warm = Probes(dense.weights[layers], dense.bias[layers])
        some = fit(x[layers], y, warm, [lambdas[run] for run in runs], steps=60, layers=layers)
        at = torch.tensor(layers)[:, None], torch.tensor(runs)
        assert torch.equal(some.probes.weights, every.probes.weights[at])
        assert torch.equal(some.probes.bias, every.probes.bias[at])
        assert torch.equal(some.gates, every.gates[at])


def test_noise_comes_from_the_generators_alone():
    x, y, dense = data(1, 40)
    fits = []
    for seed in (0, 0, 1):
        torch.manual_seed(len(fits))
        noise = [[generator(seed, "toy")]]
        fits.append(fit_l0(x, y, [0.3], dense, noise, gates=replace(GATES, steps=50)).gates)
    assert torch.equal(fits[0], fits[1])
    assert not torch.equal(fits[0], fits[2])


def test_generators_differ_by_what_is_drawn():
    draws = {
        what: torch.rand(4, generator=generator(*what)) for what in [(0, "a", 1), (1, "a", 1), (0, "a1"), (0, "a", 2)]
    }
    assert len({tuple(draw.tolist()) for draw in draws.values()}) == 4
    assert torch.equal(draws[0, "a", 1], torch.rand(4, generator=generator(0, "a", 1)))


def test_settings_are_recorded_whole():
    settings = GATES.settings()
    assert (settings["beta"], settings["gamma"], settings["zeta"]) == (BETA, GAMMA, ZETA)
    assert {"log_alpha", "steps", "rate_weights", "rate_gates", "optimiser", "warm_l2"} <= settings.keys()
