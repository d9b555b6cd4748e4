"""The L0-masked probe: `sigmoid((w * m) . x + b)` with a learned sparse mask `m`.

Trained on the paper's loss, `lambda * BCE(w, m) + (1 - lambda) * R(m)`, with the hard concrete gates of Louizos,
Welling & Kingma (2018): R is the mean over units of P(gate > 0), and `lambda = 1` fixes every gate at 1, the dense
probe. Layers x lambdas x seeds are one tensor program, a few layers at a time on a CPU, so that their states stay in
its cache for all steps. Gradients are written out (they are short), weights start at the dense probe's.

The mask is one of many that would do: correlated units are interchangeable to it, so a unit that is left out may
still hold the contrast.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from .examples import aligned
from .logistic import Probes


@dataclass(frozen=True)
class Gates:
    """Everything that decides a run: the gates' distribution, where they start, and how they are trained."""

    beta: float = 2 / 3  # temperature
    gamma: float = -0.1  # the stretched interval
    zeta: float = 1.1
    log_alpha: float = 1.2  # where gates start: with it lambda 0.2 keeps about 12 % in middle layers, as in the paper
    steps: int = 400
    rate_weights: float = 0.01
    rate_gates: float = 0.1
    optimiser: str = "Adam, full batch"
    warm_l2: float = 1e-2  # weights and bias start at the dense probe of this L2 strength

    def settings(self) -> dict[str, float | int | str]:
        """As recorded in every artefact."""
        return asdict(self)


GATES = Gates()
_aten = torch.ops.aten  # the backwards of torch's own functions
_COLUMNS = 6  # probes per product: a fixed number, so that one probe's bits never depend on how many are asked for
_LAYERS = 4  # on a CPU, at a time


@dataclass(frozen=True, eq=False)
class L0Probes:
    """Masked probes; `probes` holds the effective weights `w * gate`, one per run (a lambda and a seed)."""

    probes: Probes  # the strength axis counts the runs
    gates: Float[Tensor, "layer run unit"]  # evaluation gates in [0, 1]

    @property
    def kept(self) -> Float[Tensor, "layer run"]:
        """Share of units whose gate is above 0."""
        return (self.gates > 0).float().mean(dim=-1)


def fit_l0(
    x: Float[Tensor, "layer sample unit"],
    y: Float[Tensor, "sample"],
    lambdas: Sequence[float],
    dense: Probes,
    generators: Sequence[Sequence[torch.Generator]],
    *,
    gates: Gates = GATES,
) -> L0Probes:
    """Fit one masked probe per layer and run.

    `lambdas` has one value per run; `dense` is where weights start: the dense probe of each layer at the L2
    strength `gates.warm_l2` (strength axis of length 1); `generators[layer][run]` is the source of a run's noise
    (runs that share a generator get the same noise, so that they differ by their lambda alone).
    """
    layers, _, units = x.shape
    x, y = aligned(x, y)
    extra = x.shape[2] - units
    weights, bias = pad(dense.weights, (0, extra)), dense.bias[..., None]
    out_w, out_b, out_g = [], [], []
    for first in range(0, len(lambdas), _COLUMNS):
        runs = list(range(first, min(first + _COLUMNS, len(lambdas))))
        padded = runs + [runs[-1]] * (_COLUMNS - len(runs))
        noise = torch.stack([_shared_noise(generators[layer], padded, gates.steps, units) for layer in range(layers)])
        noise = pad(noise, (0, extra)).to(x.device)
        lam = torch.tensor([lambdas[run] for run in padded], device=x.device)[:, None]
        size = _LAYERS if x.device.type == "cpu" else layers
        trained = [
            _train(x[part], y, lam, weights[part], bias[part], noise[part], units, gates)
            for part in (slice(layer, layer + size) for layer in range(0, layers, size))
        ]
        w, b, g = (torch.cat(column) for column in zip(*trained, strict=True))
        out_w.append((w * g)[:, : len(runs), :units])
        out_b.append(b[:, : len(runs), 0])
        out_g.append(g[:, : len(runs), :units])
    return L0Probes(Probes(torch.cat(out_w, 1), torch.cat(out_b, 1)), torch.cat(out_g, 1))


def _shared_noise(
    generators: Sequence[torch.Generator], runs: Sequence[int], steps: int, units: int
) -> Float[Tensor, "run step unit"]:
    """Logistic noise of each run; where all runs share one generator, one draw that broadcasts over them."""
    drawn = {id(generators[run]): generators[run] for run in runs}
    noise = {key: _noise(generator, steps, units) for key, generator in drawn.items()}
    if len(noise) == 1:
        return next(iter(noise.values()))[None]
    return torch.stack([noise[id(generators[run])] for run in runs])


def _noise(generator: torch.Generator, steps: int, units: int) -> Float[Tensor, "step unit"]:
    """Logistic noise; the generator is left as it was, so that runs may share one."""
    state = generator.get_state()
    u = torch.rand(steps, units, generator=generator).clamp_(1e-6, 1 - 1e-6)
    generator.set_state(state)
    return u.log() - (1 - u).log()


def _train(
    x: Float[Tensor, "layer sample unit"],
    y: Float[Tensor, "sample"],
    lam: Float[Tensor, "run 1"],
    weights: Float[Tensor, "layer 1 unit"],
    bias: Float[Tensor, "layer 1 1"],
    noise: Float[Tensor, "layer #run step unit"],
    units: int,  # how many there are to keep; the rest is padding
    gates: Gates,
) -> tuple[Float[Tensor, "layer run unit"], Float[Tensor, "layer run 1"], Float[Tensor, "layer run unit"]]:
    if x.shape[0] == 1:  # a batch of one takes other kernels, with other last bits
        weights, bias = weights.expand(2, -1, -1), bias.expand(2, -1, -1)
        w, b, g = _train(x.expand(2, -1, -1), y, lam, weights, bias, noise.expand(2, -1, -1, -1), units, gates)
        return w[:1], b[:1], g[:1]
    w, b = weights.repeat(1, len(lam), 1), bias.repeat(1, len(lam), 1)
    log_alpha = torch.full_like(w, gates.log_alpha)
    stretch, low = gates.zeta - gates.gamma, torch.full_like(lam, gates.gamma)
    shift = gates.beta * math.log(-gates.gamma / gates.zeta)
    noise, masked = noise / gates.beta, lam < 1
    share = lam * (y != 0) / y.count_nonzero()  # of each example in lambda BCE
    right = -share * (y > 0)
    slope, price = masked * (stretch / gates.beta), masked * (1 - lam) / units
    optimiser = torch.optim.Adam(
        [{"params": [w, b], "lr": gates.rate_weights}, {"params": [log_alpha], "lr": gates.rate_gates}], fused=True
    )
    for step in range(gates.steps):
        soft = torch.add(noise[:, :, step], log_alpha, alpha=1 / gates.beta).sigmoid_()
        wide = torch.add(low, soft, alpha=stretch)
        gate = torch.where(masked, wide.clamp(0, 1), 1.0)
        scores = torch.baddbmm(b, w * gate, x.mT)
        residual = torch.addcmul(right, share, scores.sigmoid_())  # lambda d BCE / d score
        pull = torch.bmm(residual, x)  # lambda d BCE / d(w * gate)
        open_ = (log_alpha - shift).sigmoid_()  # P(gate > 0)
        w.grad = pull * gate
        b.grad = residual.sum(-1, keepdim=True)
        through = _aten.sigmoid_backward(_aten.hardtanh_backward(pull * w, wide, 0, 1), soft)
        log_alpha.grad = torch.addcmul(_aten.sigmoid_backward(price, open_), slope, through)
        optimiser.step()
    final = (torch.sigmoid(log_alpha) * stretch + gates.gamma).clamp(0, 1)
    return w, b, torch.where(lam == 1, 1.0, final)
