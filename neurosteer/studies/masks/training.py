"""Training of gates along a path of rising prices, on mini-batches of pairs and pieces of neutral text.

The gates z are hard concrete. A step draws them, runs the model under `h <- h + z (to - h)`, and follows

    mean over pairs of tau softplus(x / tau)  +  beta KL  +  lambda * expected share of units

where x is the share of the margin that can be lost which is left of a pair: its margin less what remains of it when
every unit is ablated, over the mean of that difference without gates. So nothing is gained below what remains when
nothing is kept, and no single pair dominates. lambda is the price of a unit times the number of units.

A gate that was drawn shut has no gradient along its own noise. So the gradient of the loss with respect to every gate
at the drawn gates is multiplied by the derivative of the gate's *mean*: exact where the loss is linear in each gate.

The price begins low and rises until few gates are worth it. The score of a unit is the share of the path, the warm-up
apart, over which its gate is open, in the mean over the noise; 0 for one whose median gate never was above 1/2.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import softplus

from neurosteer.forward import Gated, GatedTexts, Text, from_first_difference, pairs_of_texts
from neurosteer.model import Model
from neurosteer.pairs import Pairs
from neurosteer.probes import drawn, log_alpha_of, logistic_noise, mean_and_slope
from neurosteer.progress import Progress
from neurosteer.seeds import generator
from neurosteer.studies.neutral import passages

from .path_cache import Keep, State
from .settings import MaskSettings

STARTS = (0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)  # mean gates, of which the first fits the KL
PIECE = 100  # tokens of neutral text in a step, about

Units = Float[Tensor, "layer unit"]


@dataclass(frozen=True, eq=False)
class MaskPath:
    """What one path gave: a score in [0, 1] for every unit, and the mean gate at its start."""

    scores: Units
    start: float


class Training:
    """Pairs and neutral text, packed once for every path of a search."""

    def __init__(
        self,
        model: Model,
        pairs: Pairs,
        gated: Gated,
        text: str,
        settings: MaskSettings,
        seed: int,
        progress: Progress,
    ) -> None:
        self.task, self.digest, self.settings, self.gated, self.progress = (
            pairs.task,
            pairs.digest,
            settings,
            gated,
            progress,
        )
        order = torch.randperm(len(pairs), generator=generator(seed, pairs.task, "mask batches")).tolist()
        count = max(1, round(len(pairs) / settings.batch))
        self.members = [order[i::count] for i in range(count)]
        self.batches = [
            GatedTexts(model, margin_texts(model, pairs.take(some)), gated, progress=progress)
            for some in self.members
        ]
        every = torch.ones_like(gated.to)
        self.floor = [batch.margins(every) for batch in self.batches]
        clean = torch.cat([_margins(batch.clean) for batch in self.batches])
        self.gap = float((clean - torch.cat(self.floor)).mean())
        self.neutral = [
            GatedTexts(model, some, gated, divergence=True, progress=progress) for some in _pieces(model, text)
        ]

    def step(self, gates: Units, seed: int, at: int, signs: Float[Tensor, "pair"]) -> Units:
        """The gradient of the loss, but for the price, with respect to the gates of a step.

        Where the sign of a pair is -1 its good and bad sentence are exchanged: its loss counts against the others'.
        (Were its margin turned instead, softplus would be smallest where no pair prefers anything, whatever the
        labels are.)
        """
        epoch, place = divmod(at, len(self.batches))
        source = generator(seed, self.task, "mask epoch", epoch)
        which = int(torch.randperm(len(self.batches), generator=source)[place])
        floor, sign = self.floor[which], signs[self.members[which]]
        tau, pairs = self.settings.tau, len(self.members[which])

        def loss(margins: Float[Tensor, "some"], some: Tensor) -> Tensor:
            own, zero = (one[some].to(margins) for one in (sign, floor))
            left = (margins - zero) / self.gap
            return tau * (own * softplus(left / tau)).sum() / pairs

        _, slope = self.batches[which].loss(gates, loss)
        _, disturbed = self.neutral[at % len(self.neutral)].divergence_loss(gates)
        return (slope + self.settings.beta * disturbed).float()

    def start(self, seed: int, allowed: Bool[Tensor, "layer unit"]) -> float:
        """The largest mean gate, up to 1/2, whose draws stay within the KL."""
        for mean in STARTS:
            kl = 0.0
            for i, text in enumerate(self.neutral):
                noise = _noise(allowed, generator(seed, self.task, "mask start", i))
                gates = drawn(torch.full(allowed.shape, log_alpha_of(mean)), noise) * allowed
                kl += text.divergence(gates) * text.scored
            if kl / sum(text.scored for text in self.neutral) <= self.settings.kl:
                return mean
        return STARTS[-1]


def follow_path(
    training: Training,
    seed: int,
    *,
    allowed: Bool[Tensor, "layer unit"],
    signs: Float[Tensor, "pair"] | None = None,
    keep: Keep,
) -> MaskPath:
    """Train gates of the allowed units along the path of prices; what was kept of it before is taken up.

    `signs` are 1, or -1 for a pair whose good and bad sentence are exchanged.
    """
    settings = training.settings
    signs = torch.ones(sum(map(len, training.members))) if signs is None else signs
    state = keep.read() or _first(training, seed, allowed)
    what = f"{training.task}: a mask, steps"
    least = min(log_alpha_of(state.start), -settings.most)
    log_alpha = state.log_alpha.clone().requires_grad_()
    optimiser = torch.optim.Adam([log_alpha], lr=settings.rate, betas=(settings.beta1, settings.beta2))
    if state.step:
        moments = {"exp_avg": state.mean, "exp_avg_sq": state.square}
        optimiser.state[log_alpha] = {"step": torch.tensor(float(state.step)), **moments}
    area, opened = state.area.clone(), state.opened.clone()
    training.progress.step(what, state.step, settings.steps)
    for step in range(state.step, settings.steps):
        noise = _noise(allowed, generator(seed, training.task, "mask noise", step))
        gates = drawn(log_alpha.detach(), noise) * allowed
        slope = training.step(gates, seed, step, signs)
        _, of_mean = mean_and_slope(log_alpha.detach())
        log_alpha.grad = (slope + settings.price(step)) * of_mean * allowed
        optimiser.step()
        with torch.no_grad():
            log_alpha.clamp_(least, settings.most)
        if step >= settings.warm_steps:
            mean, _ = mean_and_slope(log_alpha.detach())
            area += mean * allowed
            opened |= (log_alpha.detach() > 0) & allowed
        training.progress.step(what, step + 1, settings.steps)
        own = optimiser.state[log_alpha]
        keep.write(
            State(log_alpha.detach(), own["exp_avg"], own["exp_avg_sq"], area, opened, step + 1, state.start),
            last=step + 1 == settings.steps,
        )
    scores = area / (settings.steps - settings.warm_steps) * opened
    return MaskPath(scores, state.start)


def _first(training: Training, seed: int, allowed: Bool[Tensor, "layer unit"]) -> State:
    start = training.start(seed, allowed)
    nothing = torch.zeros(allowed.shape)
    begin = torch.full(allowed.shape, log_alpha_of(start))
    return State(begin, nothing, nothing, nothing, torch.zeros_like(allowed), 0, start)


def _noise(like: Bool[Tensor, "layer unit"], source: torch.Generator) -> Units:
    layers, units = like.shape
    return logistic_noise(layers, units, source)


def margin_texts(model: Model, pairs: Pairs) -> list[list[Text]]:
    """The two sentences of each pair, scored where they part."""
    return from_first_difference(pairs_of_texts(model, pairs, "sum"))


def _pieces(model: Model, text: str) -> list[list[list[Text]]]:
    """The passages of a text in pieces of some hundred tokens."""
    pieces: list[list[list[Text]]] = [[]]
    for passage in passages(model, text):
        if sum(one.scored for group in pieces[-1] for one in group) >= PIECE:
            pieces.append([])
        pieces[-1].append(passage)
    return pieces


def _margins(logprobs: Float[Tensor, "text"]) -> Float[Tensor, "pair"]:
    return logprobs[::2] - logprobs[1::2]
