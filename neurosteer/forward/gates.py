"""Margins of pairs, and the divergence of texts, under gates; and their gradients with respect to the gates.

A gate in [0, 1] moves a unit that share of the way to zero, or to its mean, at every token but BOS: at 0 the model is
the clean one to the bit, at 1 it is ablated. Texts are packed once. Blocks below the first gated layer run once too:
from then on every pass begins at the residual stream that they leave. A gradient goes through the blocks above, pack
by pack, so that no more than the graph of one pack is in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neurosteer.errors import NeurosteerError
from neurosteer.model import LayerGates, Model, NextLogits, capture, gating, resuming
from neurosteer.progress import QUIET, Progress
from neurosteer.vocabulary import Site

from .check import can_resume, can_share_prefixes
from .forest import Inputs, Pack, padded, plan
from .loop import inner_nodes, packing_for
from .oom_retry import split_on_oom
from .scoring import Targets, last_unedited
from .texts import Text

Gates = Float[Tensor, "layer unit"]
PairLoss = Callable[[Float[Tensor, "pair"], Int[Tensor, "pair"]], Tensor]  # margins, which pairs -> their summed loss


@dataclass(frozen=True, eq=False)
class Gated:
    """Which units are gated, and where they are moved to."""

    site: Site
    layers: tuple[int, ...]
    to: Float[Tensor, "layer unit"]


@dataclass(frozen=True, eq=False)
class _Job:
    """One pack with what every pass over it needs."""

    pack: Pack
    inputs: Inputs
    targets: Targets
    nodes: Bool[Tensor, "row node"]  # that gates act at
    residual: Float[Tensor, "row node unit"] | None  # below the first gated layer; None: passes run in full
    reference: NextLogits | None  # log-probabilities of the clean model

    def __len__(self) -> int:
        """Rows, or pairs of rows where two sentences do not share one."""
        return len(self.pack) if self.pack.shared else (len(self.pack) + 1) // 2

    def halves(self) -> tuple[_Job, _Job]:
        """The upper and the lower rows; the sentences of a pair stay together."""
        row = (len(self) + 1) // 2 * (1 if self.pack.shared else 2)
        pick = int((self.targets.rows < row).sum())  # picks are in the order of rows
        upper, lower = self.pack.cut(row)
        return (
            self._part(upper, slice(0, row), slice(0, pick)),
            self._part(lower, slice(row, None), slice(pick, None)),
        )

    def _part(self, pack: Pack, rows: slice, picks: slice) -> _Job:
        inside = (self.targets.rows[self.targets.pick] >= (rows.start or 0)) & (
            self.targets.rows[self.targets.pick] < (rows.stop or len(self.pack))
        )
        width = pack.tokens.shape[1]
        targets = Targets(
            rows=self.targets.rows[picks] - (rows.start or 0),
            nodes=self.targets.nodes[picks],
            pick=self.targets.pick[inside] - (picks.start or 0),
            target=self.targets.target[inside],
            text=self.targets.text[inside],
            depth=self.targets.depth[inside],
        )
        residual = None if self.residual is None else self.residual[rows, :width]
        reference = self.reference and replace(self.reference, values=self.reference.values[picks])
        return _Job(pack, pack.inputs(), targets, self.nodes[rows, :width], residual, reference)


class GatedTexts:
    """Groups of texts (the two sentences of a pair, or one passage), to be run under gates many times.

    `clean` are the log-probabilities of the texts without gates. With `divergence` their distribution at every scored
    token is kept, too.
    """

    def __init__(
        self,
        model: Model,
        groups: Sequence[Sequence[Text]],
        gated: Gated,
        *,
        divergence: bool = False,
        progress: Progress = QUIET,
    ) -> None:
        self.model, self.gated, self.progress = model, gated, progress
        self.texts = [text for group in groups for text in group]
        self.scored = sum(text.scored for text in self.texts)
        runs = [[text.tokens[:-1] for text in group] for group in groups]
        packing = packing_for(model, memory_factor=4 if divergence else 2)
        packs = plan(runs, packing) if can_share_prefixes(model, runs, progress) else padded(runs, packing)
        below = last_unedited(gated.site, gated.layers) if can_resume(model, progress) else -1
        self.clean = torch.zeros(len(self.texts), dtype=torch.float64)
        self._jobs = []
        for pack in packs:
            job, logprobs = self._clean(pack, below, divergence)
            self.clean.index_add_(0, job.targets.text, logprobs)
            self._jobs.append(job)

    def margins(self, gates: Gates) -> Float[Tensor, "pair"]:
        """The margin of every pair under gates (float64)."""
        found = torch.zeros(len(self.texts), dtype=torch.float64)

        def read(job: _Job) -> Tensor:
            return job.targets.logprobs(self._pass(job, gates, gradients=False)).cpu().double()

        for job, logprobs in self._each(read):
            found.index_add_(0, job.targets.text, logprobs)
        return found[::2] - found[1::2]

    def loss(self, gates: Gates, loss: PairLoss) -> tuple[float, Gates]:
        """The summed loss of all margins, and its gradient with respect to every gate (float64)."""

        def of(job: _Job, logits: NextLogits) -> Tensor:
            pairs, place = (job.targets.text // 2).unique(return_inverse=True)
            sign = (1.0 - 2.0 * (job.targets.text % 2)).to(logits.device)  # good sentences are the even ones
            margins = torch.zeros(len(pairs), device=logits.device)
            margins = margins.index_add(0, place.to(logits.device), sign * job.targets.logprobs(logits))
            return loss(margins, pairs)

        return self._gradient(gates, of)

    def divergence(self, gates: Gates) -> float:
        """KL(clean || gated) in nats, mean over scored tokens."""

        def read(job: _Job) -> Tensor:
            assert job.reference is not None
            return job.targets.divergence(job.reference, self._pass(job, gates, gradients=False)).double().sum()

        return float(sum(float(found) for _, found in self._each(read)) / max(self.scored, 1))

    def divergence_loss(self, gates: Gates) -> tuple[float, Gates]:
        """The same with its gradient."""

        def of(job: _Job, logits: NextLogits) -> Tensor:
            assert job.reference is not None
            return job.targets.divergence(job.reference, logits).sum() / max(self.scored, 1)

        return self._gradient(gates, of)

    def _gradient(self, gates: Gates, of: Callable[[_Job, NextLogits], Tensor]) -> tuple[float, Gates]:
        def run(job: _Job) -> tuple[float, Gates]:
            leaf = gates.detach().float().requires_grad_()
            value = of(job, self._pass(job, leaf, gradients=True))
            [slope] = torch.autograd.grad(value, [leaf])
            return float(value.detach()), slope.double()

        total, gradient = 0.0, torch.zeros(gates.shape, dtype=torch.float64)
        for _, (value, slope) in self._each(run):
            total, gradient = total + value, gradient + slope.cpu()
        if not bool(gradient.isfinite().all()):
            name, dtype = self.model.name, str(self.model.dtype)[6:]
            raise NeurosteerError(f"gradients of {name} overflow {dtype}; try another --dtype")
        return total, gradient

    def _each(self, run: Callable[[_Job], Any]) -> Any:
        return split_on_oom(self._jobs, run, halves=_Job.halves, unit="row", model=self.model, progress=self.progress)

    def _pass(self, job: _Job, gates: Gates, *, gradients: bool) -> NextLogits:
        gated = self.gated
        parts = {layer: LayerGates(gates[i], gated.to[i]) for i, layer in enumerate(gated.layers)}
        with ExitStack() as stack:
            stack.enter_context(gating(self.model, parts, job.nodes, site=gated.site))
            if job.residual is not None:
                below = last_unedited(gated.site, gated.layers)
                stack.enter_context(resuming(self.model, below, job.residual))
            one_pass = stack.enter_context(capture(self.model, "resid_post", [], _ignore, gradients=gradients))
            logits = one_pass(*job.inputs, at=(job.targets.rows, job.targets.nodes))
        assert logits is not None
        return logits

    def _clean(self, pack: Pack, below: int, divergence: bool) -> tuple[_Job, Float[Tensor, "target"]]:
        """A pack's job, and the clean log-probabilities of its targets."""
        inputs, targets = pack.inputs(), Targets.of(pack, self.texts)
        residuals: dict[int, Tensor] = {}
        with capture(self.model, "resid_post", [below] if below >= 0 else [], residuals.__setitem__) as one_pass:
            logits = one_pass(*inputs, at=(targets.rows, targets.nodes))
        assert logits is not None
        reference = logits.log_softmax() if divergence else None
        nodes = inner_nodes(self.model, pack)
        job = _Job(pack, inputs, targets, nodes, residuals.get(below), reference)
        return job, targets.logprobs(logits).cpu().double()


def _ignore(_layer: int, _values: Tensor) -> None:
    """Nothing is captured: the logits alone are wanted."""
