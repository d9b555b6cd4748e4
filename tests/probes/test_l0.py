"""The L0 probe: against its loss under autograd, by the formulas as printed."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from plain_probes import BETA, GAMMA, ZETA, Drawn, by_autograd
from sizes import quick_and_slow
from torch.nn.functional import binary_cross_entropy_with_logits

from neurosteer.errors import InputError
from neurosteer.probes import L0, L0Probes, L0Settings, Probes, Standard, fit_l0, fit_l0_at, fit_logistic, labelled
from neurosteer.probes.l0_settings import recorded_settings
from neurosteer.seeds import generator

FIRST = L0Settings(  # the first edition's
    start="warm",
    log_alpha=1.2,
    log_alpha_sd=0.0,
    rate_weights=0.01,
    decay="none",
    beta2=0.999,
    weight_l2=0.0,
    steps=400,
)


def data(layers: int, units: int, *, pairs: int = 50, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, Probes]:
    rng = torch.Generator().manual_seed(seed)
    values = torch.randn(pairs, 2, layers, units, generator=rng)
    values[:, 0, :, :3] += 1.5
    x, y = labelled(values)
    x = Standard.of(x)(x)
    return x, y, fit_logistic(x, y, torch.full((layers, 1), L0.warm_l2))


def fit(
    x: torch.Tensor,
    y: torch.Tensor,
    lambdas: list[float],
    *,
    steps: int,
    layers: list[int],
    settings: L0Settings = L0,
    dense: Probes | None = None,
) -> L0Probes:
    noise = [[generator(0, "toy", layer, "l0")] * len(lambdas) for layer in layers]
    return fit_l0(x, y, lambdas, noise, settings=replace(settings, steps=steps), dense=dense)


@pytest.mark.parametrize("lam", quick_and_slow([0.2, 1.0], [0.05, 0.5, 0.9]))
@pytest.mark.parametrize("steps", quick_and_slow([40], [251]))
@pytest.mark.parametrize("settings", [L0, FIRST, replace(L0, start="warm", log_alpha=0.5, weight_l2=0.1)], ids=repr)
def test_against_autograd(lam, steps, settings):
    """In float64. Adam divides a gradient by its size: where one passes through 0, a step holds its rounding."""
    x, y, dense = data(2, 20)
    settings = replace(settings, steps=steps)
    ours = fit(x, y, [lam], steps=steps, layers=[0, 1], settings=settings, dense=dense)
    for layer in range(2):
        drawn = Drawn.of(generator(0, "toy", layer, "l0"), steps, 20, settings)
        warm = (dense.weights[layer, 0], dense.bias[layer, 0]) if settings.start == "warm" else None
        weights, gates, bias = by_autograd(x[layer], y, drawn, lam, settings, warm)
        torch.testing.assert_close(ours.probes.weights[layer, 0].double(), weights, atol=2e-3, rtol=1e-3)
        torch.testing.assert_close(ours.probes.bias[layer, 0].double(), bias, atol=5e-3, rtol=1e-3)
        torch.testing.assert_close(ours.gates[layer, 0].double(), gates, atol=5e-4, rtol=5e-4)


@pytest.mark.parametrize(("units", "group"), [(24, 4), (54, 3)])
def test_groups_with_one_gate_against_autograd(units: int, group: int):
    x, y, _ = data(2, units)
    settings, noise = replace(L0, steps=60), [generator(0, "toy", layer, "l0") for layer in range(2)]
    runs = [[source] * 2 for source in noise]
    [ours] = fit_l0_at(x, y, [0.4, 1.0], runs, steps=[60], settings=[settings] * 2, group=group)
    for layer in range(2):
        for run, lam in enumerate((0.4, 1.0)):
            drawn = Drawn.of(generator(0, "toy", layer, "l0"), 60, units, settings, group)
            weights, gates, bias = by_autograd(x[layer], y, drawn, lam, settings)
            torch.testing.assert_close(ours.probes.weights[layer, run].double(), weights, atol=2e-3, rtol=1e-3)
            torch.testing.assert_close(ours.probes.bias[layer, run].double(), bias, atol=5e-3, rtol=1e-3)
            torch.testing.assert_close(ours.gates[layer, run].double(), gates, atol=5e-4, rtol=5e-4)


@pytest.mark.parametrize("group", [1, 5])
def test_the_loss_is_an_expectation(group: int):
    """Against the mean over the same draws, one for each gate, by the formulas as printed."""
    x, y, _ = data(2, 20)
    lambdas = [0.2, 0.6, 1.0]
    runs = [[generator(0, "toy", layer, "l0")] * 3 for layer in range(2)]
    [ours] = fit_l0_at(x, y, lambdas, runs, steps=[60], settings=[replace(L0, steps=60)] * 3, group=group)
    found = ours.loss(x, y, lambdas, generator(3, "loss"), draws=30)
    source = generator(3, "loss")
    gates = [torch.rand(1, 20 // group, generator=source)[0].double() for _ in range(30)]
    uniform = [u.repeat_interleave(group) for u in gates]
    for layer in range(2):
        for run, lam in enumerate(lambdas):
            w, b = ours.weights[layer, run].double(), ours.bias[layer, run].double()
            log_alpha, entropy = ours.log_alpha[layer, run].double(), 0.0
            for u in uniform:
                mask = torch.clamp(torch.sigmoid((torch.logit(u) + log_alpha) / BETA) * (ZETA - GAMMA) + GAMMA, 0, 1)
                scores = x[layer].double() @ (w * mask) + b
                entropy += float(binary_cross_entropy_with_logits(scores, (y.double() + 1) / 2)) / 30
            penalty = float(torch.sigmoid(log_alpha - BETA * math.log(-GAMMA / ZETA)).mean())
            paper = lam * entropy + (1 - lam) * penalty
            assert float(found[layer, run]) == pytest.approx(paper + 0.005 * float(w @ w), rel=1e-4)
            assert float(found[layer, run] - ours.penalty[layer, run]) == pytest.approx(paper, rel=1e-4)


def test_training_lowers_the_loss():
    x, y, _ = data(2, 60)
    lambdas = [0.1, 0.2, 0.4]
    losses = [fit(x, y, lambdas, steps=n, layers=[0, 1]).loss(x, y, lambdas, generator(0)) for n in (1, 100, 1500)]
    assert (losses[0] > losses[1]).all()
    assert (losses[1] > losses[2]).all()


def test_several_numbers_of_steps_on_one_way():
    """Bit-equal to runs of each length, where rates do not decay."""
    x, y, dense = data(2, 20)
    noise = [[generator(0, "toy", layer)] for layer in range(2)]
    settings = replace(FIRST, steps=300)
    found = fit_l0_at(x, y, [0.3], noise, steps=[20, 260, 300], settings=[settings], dense=dense)
    for steps, fitted in zip([20, 260, 300], found, strict=True):
        alone = fit_l0(x, y, [0.3], noise, settings=replace(settings, steps=steps), dense=dense)
        assert torch.equal(fitted.weights, alone.weights)
        assert torch.equal(fitted.log_alpha, alone.log_alpha)
        assert fitted.settings == alone.settings


def test_several_starts_trained_together():
    """The same masks as of each start alone, in other products."""
    x, y, dense = data(2, 20)
    shared = [generator(0, "toy", layer) for layer in range(2)]
    every = [replace(FIRST, steps=60, start=start, log_alpha=at) for start in ("cold", "warm") for at in (0.0, 1.2)]
    runs, noise = [one for one in every for _ in range(2)], [[source] * 8 for source in shared]
    [found] = fit_l0_at(x, y, [0.3, 0.6] * 4, noise, steps=[60], settings=runs, dense=dense, columns=8)
    for i, settings in enumerate(every):
        alone = fit_l0(x, y, [0.3, 0.6], [[source] * 2 for source in shared], settings=settings, dense=dense)
        together = found.part(runs=slice(2 * i, 2 * i + 2))
        torch.testing.assert_close(together.weights, alone.weights, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(together.log_alpha, alone.log_alpha, rtol=1e-3, atol=1e-3)
        assert i == 0 or not torch.allclose(together.log_alpha, found.log_alpha[:, :2], atol=1e-2)
    mixed = [replace(runs[0], weight_l2=0.5), *runs[1:]]
    with pytest.raises(ValueError, match="more than their start"):
        fit_l0_at(x, y, [0.3, 0.6] * 4, noise, steps=[60], settings=mixed, dense=dense)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"states": "standardized"},
            "states must be one of standardised, scaled, raw, not 'standardized'; did you mean",
        ),
        ({"start": "Warm"}, "start must be one of cold, warm, not 'Warm'"),
        ({"decay": "linear"}, "decay must be one of cosine, none, not 'linear'"),
        ({"steps": 0}, "steps must be a whole number of at least 1, not 0"),
        ({"steps": 1.5}, "steps must be a whole number of at least 1, not 1.5"),
        ({"gamma": 0.1}, "gamma must be below 0 and zeta above 1, not 0.1 and 1.1"),
        ({"zeta": 0.5}, "gamma must be below 0 and zeta above 1, not -0.1 and 0.5"),
        ({"log_alpha": float("nan")}, "log_alpha must be a finite number, not nan"),
        ({"beta": 0.0}, "beta must be a finite number above 0, not 0.0"),
        ({"beta1": 2.0}, "beta1 must be at least 0 and below 1, not 2.0"),
        ({"warm_l2": -1.0}, "warm_l2 must be a finite number of at least 0, not -1.0"),
        ({"weight_l2": -1.0}, "weight_l2 must be a finite number of at least 0, not -1.0"),
        ({"rate_gates": float("nan")}, "rate_gates must be a finite number above 0, not nan"),
        ({"rate_weights": 0.0}, "rate_weights must be a finite number above 0, not 0"),
    ],
)
def test_settings_that_are_none(wrong, said):
    """Python does not check types: without this, a misspelt word would train another mask."""
    settings = object.__new__(L0Settings)
    for name, value in (L0.settings() | wrong).items():
        object.__setattr__(settings, name, value)
    with pytest.raises(InputError, match=said.replace("'", ".")):
        settings.__post_init__()


def test_wrong_settings():
    x, y, _ = data(1, 20)
    noise = [[generator(0)]]
    with pytest.raises(ValueError, match="rates decay"):
        fit_l0_at(x, y, [0.3], noise, steps=[5, 10], settings=[replace(L0, steps=10)])
    with pytest.raises(ValueError, match="do not ascend"):
        fit_l0_at(x, y, [0.3], noise, steps=[10, 5], settings=[FIRST])
    with pytest.raises(ValueError, match="start warm"):
        fit_l0(x, y, [0.3], noise, settings=FIRST)


def test_lambda_one_keeps_every_unit():
    x, y, _ = data(2, 30)
    ours = fit(x, y, [0.1, 1.0], steps=200, layers=[0, 1])
    assert (ours.gates[:, 1] == 1).all()
    assert (ours.kept[:, 1] == 1).all()
    assert (ours.kept[:, 0] < 1).all()


def test_smaller_lambda_keeps_fewer():
    x, y, _ = data(3, 60)
    lambdas = [0.02, 0.1, 0.3, 0.6, 0.9, 1.0]
    ours = fit(x, y, lambdas, steps=400, layers=[0, 1, 2])
    assert (ours.kept.diff(dim=1) >= 0).all()
    assert (ours.kept[:, 0] < 0.1).all()
    plain = [[sum(g > 0 for g in run) / 60 for run in layer] for layer in ours.gates.tolist()]
    torch.testing.assert_close(ours.kept, torch.tensor(plain))


def test_closed_gates_have_no_weight():
    x, y, _ = data(1, 40)
    ours = fit(x, y, [0.2], steps=200, layers=[0])
    closed = ours.gates == 0
    assert closed.any()
    assert (ours.probes.weights[closed] == 0).all()
    assert ((ours.gates >= 0) & (ours.gates <= 1)).all()


def test_a_run_does_not_depend_on_the_others():
    """Bit-equal for other layers and lambdas beside it, more than fit one product, and again."""
    x, y, _ = data(5, 37, pairs=51)
    lambdas = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    every = fit(x, y, lambdas, steps=60, layers=list(range(5)))
    for layers, runs in [([2], [3]), ([4, 1], [0, 10]), ([0, 1, 2, 3, 4], [9]), ([3], list(range(11)))]:
        some = fit(x[layers], y, [lambdas[run] for run in runs], steps=60, layers=layers)
        at = torch.tensor(layers)[:, None], torch.tensor(runs)
        assert torch.equal(some.probes.weights, every.probes.weights[at])
        assert torch.equal(some.probes.bias, every.probes.bias[at])
        assert torch.equal(some.gates, every.gates[at])


def test_noise_comes_from_the_generators_alone():
    x, y, _ = data(1, 40)
    fits = []
    for seed in (0, 0, 1):
        torch.manual_seed(len(fits))
        noise = [[generator(seed, "toy")]]
        fits.append(fit_l0(x, y, [0.3], noise, settings=replace(L0, steps=50)).gates)
    assert torch.equal(fits[0], fits[1])
    assert not torch.equal(fits[0], fits[2])


def test_generators_differ_by_what_is_drawn():
    draws = {
        what: torch.rand(4, generator=generator(*what)) for what in [(0, "a", 1), (1, "a", 1), (0, "a1"), (0, "a", 2)]
    }
    assert len({tuple(draw.tolist()) for draw in draws.values()}) == 4
    assert torch.equal(draws[0, "a", 1], torch.rand(4, generator=generator(0, "a", 1)))


def test_settings_are_recorded_whole():
    settings = L0.settings()
    assert (settings["beta"], settings["gamma"], settings["zeta"]) == (BETA, GAMMA, ZETA)
    assert settings.keys() == {*L0Settings.__dataclass_fields__, "optimiser"}
    assert recorded_settings({**L0Settings(steps=7).settings(), "lambda": {"1": 0.2}}) == L0Settings(steps=7)
