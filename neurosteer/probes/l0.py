"""The L0-masked probe: `sigmoid((w * m) . x + b)` with a learned sparse mask `m`.

Trained on the expectation, over the gates' noise, of `lambda * BCE(w, m) + (1 - lambda) * R(m)`, with the hard
concrete gates of Louizos, Welling & Kingma (2018): R is the mean over units of P(gate > 0), and `lambda = 1` fixes
every gate at 1, the dense probe. If pairs are separable, that loss has no minimum: the weights grow and the kept
share falls without end. So a small L2 penalty on the weights is added, `weight_l2 / 2 * |w|^2`; without it
(`weight_l2 = 0`) the result depends on the number of steps.

Layers x lambdas x seeds are one tensor program, on a CPU a few layers at a time, so that their states stay in its
cache for all steps. Gradients are written out (they are short).

The mask is one of many that would do: correlated units can replace each other in it, so a unit that is not kept may
encode the contrast as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad, softplus

from .examples import aligned
from .hard_concrete import drawn, logistic_noise, open_shift, stretched
from .l0_settings import L0, L0Settings
from .logistic import Probes

_aten = torch.ops.aten  # the backward passes of torch's own functions
_COLUMNS = 6  # probes per matrix product: fixed, so that the bits of a probe do not depend on how many are trained
_LAYERS = 4  # on a CPU, at a time
_CHUNK = 250  # steps for which noise is drawn at once


@dataclass(frozen=True, eq=False)
class L0Probes:
    """Masked probes, one per layer and run (a lambda and a seed): weights before the mask, and the trained gates."""

    weights: Float[Tensor, "layer run unit"]
    bias: Float[Tensor, "layer run"]
    log_alpha: Float[Tensor, "layer run unit"]  # infinite where lambda is 1
    gates: Float[Tensor, "layer run unit"]  # without noise, in [0, 1]
    settings: L0Settings = L0
    group: int = 1  # units side by side that share a gate

    def part(self, layers: int | None = None, runs: slice = slice(None), units: int | None = None) -> L0Probes:
        """The first `layers` and `units`, and some of the runs."""
        weights, log_alpha, gates = (
            whole[:layers, runs, :units] for whole in (self.weights, self.log_alpha, self.gates)
        )
        return L0Probes(weights, self.bias[:layers, runs], log_alpha, gates, self.settings, self.group)

    @property
    def probes(self) -> Probes:
        """Probes with the effective weights `w * gate`, and runs on the strength axis."""
        return Probes(self.weights * self.gates, self.bias)

    @property
    def kept(self) -> Float[Tensor, "layer run"]:
        """Share of units whose gate is above 0."""
        return (self.gates > 0).float().mean(dim=-1)

    def loss(
        self,
        x: Float[Tensor, "layer sample unit"],
        y: Float[Tensor, "sample"],
        lambdas: Sequence[float],
        source: torch.Generator,
        *,
        draws: int = 200,
    ) -> Float[Tensor, "layer run"]:
        """The loss of each run, estimated as a mean over draws of noise, the same for all runs and layers."""
        lam = torch.tensor(lambdas, device=x.device)
        entropy = torch.zeros(self.bias.shape, device=x.device)
        for _ in range(draws):
            noise = logistic_noise(1, self.weights.shape[-1] // self.group, source).to(x.device)
            gates = drawn(self.log_alpha, noise.repeat_interleave(self.group, dim=-1), self.settings.stretch)
            scores = torch.baddbmm(self.bias[..., None], self.weights * gates, x.mT)
            entropy += softplus(-scores * y).mean(dim=-1) / draws
        open_ = torch.sigmoid(self.log_alpha - open_shift(self.settings.stretch)).mean(dim=-1)
        return lam * entropy + (1 - lam) * open_ + self.penalty

    @property
    def penalty(self) -> Float[Tensor, "layer run"]:
        """The L2 penalty, which is not part of the paper's loss."""
        return self.settings.weight_l2 / 2 * self.weights.square().sum(dim=-1)


def fit_l0(
    x: Float[Tensor, "layer sample unit"],
    y: Float[Tensor, "sample"],
    lambdas: Sequence[float],
    generators: Sequence[Sequence[torch.Generator]],
    *,
    settings: L0Settings = L0,
    dense: Probes | None = None,
) -> L0Probes:
    """Fit one masked probe per layer and run.

    `lambdas` has one value per run; `generators[layer][run]` draws a run's start and noise (runs with the same
    generator get the same draws, so that they differ only in their lambda). `dense` are the weights of a warm start:
    the dense probe of each layer at the L2 strength `settings.warm_l2` (strength axis of length 1). `x` is not
    scaled here: `settings.states` only records how it was.
    """
    each = [settings] * len(lambdas)
    [last] = fit_l0_at(x, y, lambdas, generators, steps=[settings.steps], settings=each, dense=dense)
    return last


def fit_l0_at(
    x: Float[Tensor, "layer sample unit"],
    y: Float[Tensor, "sample"],
    lambdas: Sequence[float],
    generators: Sequence[Sequence[torch.Generator]],
    *,
    steps: Sequence[int],
    settings: Sequence[L0Settings],
    dense: Probes | None = None,
    columns: int | None = None,
    group: int = 1,
) -> list[L0Probes]:
    """The same runs after several numbers of steps, ascending.

    With a `group` the units have one gate for so many that lie side by side, as those of an attention head do; R is
    then the mean over groups.

    `settings` has one value per run. Runs may differ in how they start (`start`, `log_alpha`) and in nothing else;
    the probes returned have the settings of the first. `columns` is the number of probes per matrix product: with
    many runs a larger one is faster, but changes last bits.

    Raises `ValueError` for settings that differ in more, for rates that decay if `steps` are several (they depend on
    the last step), and for a warm start without `dense`.
    """
    common = settings[0]
    if any(replace(one, start=common.start, log_alpha=common.log_alpha) != common for one in settings):
        raise ValueError("runs that are trained together differ in more than their start")
    if list(steps) != sorted(set(steps)) or (common.decay != "none" and list(steps) != [common.steps]):
        raise ValueError(f"steps {list(steps)} do not ascend, or rates decay over {common.steps}")
    if dense is None and any(one.start == "warm" for one in settings):
        raise ValueError("weights that start warm need the dense probes")
    layers, _, units = x.shape
    x, y = aligned(x, y)
    columns = columns or _COLUMNS
    dense = dense and Probes(pad(dense.weights, (0, x.shape[2] - units)), dense.bias)
    out: list[list[L0Probes]] = []
    for first in range(0, len(lambdas), columns):
        runs = list(range(first, min(first + columns, len(lambdas))))
        padded = runs + [runs[-1]] * (columns - len(runs))
        lam = torch.tensor([lambdas[run] for run in padded], device=x.device)[:, None]
        size = _LAYERS if x.device.type == "cpu" else layers
        trained = []
        for start in range(0, layers, size):
            part = slice(start, start + size)
            sources = [[generators[layer][run] for run in padded] for layer in range(layers)[part]]
            draws = _Draws(sources, units, x.shape[2], x.device, group)
            each, warm = [settings[run] for run in padded], dense and Probes(dense.weights[part], dense.bias[part])
            gating = _Gating(units, x.shape[2], group, x.device)
            trained.append(list(_train(x[part], y, lam, warm, draws, gating, steps, each)))
        kept = slice(len(runs))
        out.append([_joined(at, 0).part(runs=kept, units=units) for at in zip(*trained, strict=True)])
    return [_joined(runs_at, 1) for runs_at in zip(*out, strict=True)]


class _Draws:
    """Random draws for the runs of some layers, in order: the start, then noise step by step.

    They come from copies of the generators, so that runs can share one; if all runs of a layer do, one draw is
    broadcast over them.
    """

    def __init__(
        self,
        sources: Sequence[Sequence[torch.Generator]],
        units: int,
        width: int,
        device: torch.device,
        group: int = 1,
    ) -> None:
        same = all(len({id(source) for source in runs}) == 1 for runs in sources)
        copies = {id(source): source.clone_state() for runs in sources for source in runs}
        self._sources = [[copies[id(source)] for source in (runs[:1] if same else runs)] for runs in sources]
        self._units, self._width, self._device = units, width, device
        self._gates, self._gate_width = (units, width) if group == 1 else (units // group, _whole(units // group))

    def start(
        self, settings: L0Settings
    ) -> tuple[Float[Tensor, "layer #run unit"], Float[Tensor, "layer #run gate"]]:
        """The noise in weights and in log alpha at a cold start."""
        scale = torch.tensor([[settings.weights_sd], [settings.log_alpha_sd]])
        drawn = self._all(lambda source: torch.randn(2, self._units, generator=source) * scale, self._width)
        weights, log_alpha = drawn.unbind(dim=2)
        return weights, pad(log_alpha[..., : self._gates], (0, self._gate_width - self._gates))

    def noise(self, steps: int) -> Float[Tensor, "layer #run step gate"]:
        return self._all(lambda source: logistic_noise(steps, self._gates, source), self._gate_width)

    def _all(self, draw: Any, width: int) -> Tensor:
        drawn: dict[int, Tensor] = {}
        for source in (source for runs in self._sources for source in runs):
            if id(source) not in drawn:
                drawn[id(source)] = draw(source)
        stacked = torch.stack([torch.stack([drawn[id(source)] for source in runs]) for runs in self._sources])
        return pad(stacked, (0, width - stacked.shape[-1])).to(self._device)


class _Gating:
    """Which units share a gate: `group` side by side. Units and gates are padded to whole vectors."""

    def __init__(self, units: int, width: int, group: int, device: torch.device) -> None:
        self.count, self.group, self._units = units // group, group, units
        self.width = width if group == 1 else _whole(self.count)
        self._of_unit = (torch.arange(width, device=device) // group).clamp_max(self.count - 1)

    def widen(self, gates: Float[Tensor, "layer run gate"]) -> Float[Tensor, "layer run unit"]:
        """The gate of every unit."""
        return gates if self.group == 1 else gates[..., self._of_unit]

    def gathered(self, slopes: Float[Tensor, "layer run unit"]) -> Float[Tensor, "layer run gate"]:
        """Of every gate the sum over its units."""
        if self.group == 1:
            return slopes
        sums = slopes[..., : self._units].unflatten(-1, (self.count, self.group)).sum(dim=-1)
        return pad(sums, (0, self.width - self.count))


def _whole(count: int) -> int:
    """The next multiple of 16."""
    return -(-count // 16) * 16


def _train(
    x: Float[Tensor, "layer sample unit"],
    y: Float[Tensor, "sample"],
    lam: Float[Tensor, "run 1"],
    dense: Probes | None,
    draws: _Draws,
    gating: _Gating,
    steps: Sequence[int],
    each: Sequence[L0Settings],
) -> Iterator[L0Probes]:
    """The runs of some layers, after each of the numbers of steps."""
    settings = each[0]
    doubled = x.shape[0] == 1  # a batch of one uses other kernels, with other last bits
    x = x.expand(2, -1, -1) if doubled else x
    shape = len(x), len(lam), x.shape[2]
    w, log_alpha = (drawn.expand(*shape[:2], -1).contiguous() for drawn in draws.start(settings))
    log_alpha += torch.tensor([[one.log_alpha] for one in each], device=x.device)
    b = torch.zeros(*shape[:2], 16, device=x.device)  # the first of 16: last bits depend on where a vector begins
    if dense is not None:
        warm = torch.tensor([one.start == "warm" for one in each], device=x.device)
        w, b[..., 0] = torch.where(warm[:, None], dense.weights, w), torch.where(warm, dense.bias, 0.0)
    b.grad = torch.zeros_like(b)
    stretch, low = settings.zeta - settings.gamma, torch.full_like(lam, settings.gamma)
    shift, masked = open_shift(settings.stretch), lam < 1
    share = lam * (y != 0) / y.count_nonzero()  # of each example in lambda BCE
    right = -share * (y > 0)
    slope, price = masked * (stretch / settings.beta), masked * (1 - lam) / gating.count
    optimiser = torch.optim.Adam([{"params": [w, b]}, {"params": [log_alpha]}], betas=_betas(settings), fused=True)
    rates = settings.rate_weights, settings.rate_gates
    noise: Iterator[Tensor] = iter(())
    for step in range(steps[-1]):
        if step % _CHUNK == 0:
            noise = iter((draws.noise(min(_CHUNK, steps[-1] - step)) / settings.beta).unbind(dim=2))
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * settings.rate(step)
        soft = torch.add(next(noise), log_alpha, alpha=1 / settings.beta).sigmoid_()
        wide = torch.add(low, soft, alpha=stretch)
        gate = gating.widen(torch.where(masked, wide.clamp(0, 1), 1.0))
        scores = torch.baddbmm(b[..., :1], w * gate, x.mT)
        residual = torch.addcmul(right, share, scores.sigmoid_())  # lambda d BCE / d score
        pull = torch.bmm(residual, x)  # lambda d BCE / d(w * gate)
        open_ = (log_alpha - shift).sigmoid_()  # P(gate > 0)
        w.grad = torch.addcmul(w * settings.weight_l2, pull, gate)
        b.grad[..., 0] = residual.sum(-1)
        through = _aten.sigmoid_backward(_aten.hardtanh_backward(gating.gathered(pull * w), wide, 0, 1), soft)
        log_alpha.grad = torch.addcmul(_aten.sigmoid_backward(price, open_), slope, through)
        optimiser.step()
        if step + 1 in steps:
            ended = gating.widen(torch.where(lam == 1, torch.inf, log_alpha))
            gates = stretched(torch.sigmoid(ended), settings.stretch)
            settings_then = replace(settings, steps=step + 1)
            ended_at = L0Probes(w.clone(), b[..., 0].clone(), ended, gates, settings_then, gating.group)
            yield ended_at.part(layers=1) if doubled else ended_at


def _betas(settings: L0Settings) -> tuple[float, float]:
    return settings.beta1, settings.beta2


def _joined(parts: Sequence[L0Probes], axis: int) -> L0Probes:
    """Concatenate probes of different layers (axis 0) or runs (axis 1)."""

    def cat(name: str) -> Tensor:
        return torch.cat([getattr(part, name) for part in parts], axis)

    return L0Probes(cat("weights"), cat("bias"), cat("log_alpha"), cat("gates"), parts[0].settings, parts[0].group)
