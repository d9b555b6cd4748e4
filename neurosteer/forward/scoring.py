"""Log-probabilities of texts, without edits and under any number of them, from one sweep over packs.

Every pack is run once unedited, and the residual stream at which the first edit acts is cached; each edit then runs
only the blocks above. A token's log-probability comes from the node before it, so the last token of a text is never
run, and only nodes with a token to predict are unembedded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosteer.arguments import expect
from neurosteer.data import Scores
from neurosteer.errors import InputError, NeurosteerError
from neurosteer.layer_edits import LayerEdit
from neurosteer.model import Model, NextLogits, active_edits, capture, editing, resuming, to_device
from neurosteer.pairs import Pairs
from neurosteer.progress import AUTO, QUIET, Progress
from neurosteer.vocabulary import MEAN_CONVENTIONS, Convention, Site, Where

from .check import can_resume, can_share_prefixes
from .forest import Inputs, Pack, plan
from .loop import packing_for, run_packs
from .overflow import overflow
from .texts import Text, pairs_of_texts

_CHUNK = 256  # rows of logits that are turned into log-probabilities at once
_LOGITS = 2**21  # that a divergence is computed of at once: it needs several times their memory


@dataclass(frozen=True, eq=False)
class PreparedEdit:
    """An edit prepared for one model: its part at each layer of a site, and the positions at which it acts."""

    parts: Mapping[int, LayerEdit]
    site: Site
    where: Where


@dataclass(frozen=True, eq=False)
class TextScores:
    """Summed log-probabilities of texts in nats (float64), unedited and under each variant (edit)."""

    clean: Float[Tensor, "text"]
    edited: Float[Tensor, "variant text"]
    kl: Float[Tensor, "variant"] | None  # mean over scored tokens of KL(unedited || edited), in nats
    by_token: Float[Tensor, "row token"] | None  # float32, of the rows asked for: all tokens but the first of each


def score(model: Model, pairs: Pairs, *, convention: Convention = "sum", progress: Progress = AUTO) -> Scores:
    """Compute log-probabilities of both sentences of every pair.

    Args:
        model: the model; edits that are active apply.
        pairs: the pairs.
        convention: what is scored. `sum`: all tokens, given BOS (or EOS where there is no BOS), summed; `mean`: the
            same per token; `lm-eval`: with a space before the sentence, summed; `minicons`: with only the special
            tokens that the tokenizer adds itself, without the first token, per token.
        progress: where progress and notices go.

    Returns:
        A `Scores`: log-probabilities and margins in nats.

    Raises:
        InputError: for an active edit that acts only where nothing is scored (`eos`, `generated`).
        NeurosteerError: where a log-probability is not finite.

    Example:
        >>> scores = ns.score(model, found.test)
        >>> scores.accuracy, scores.margin.shape
        (1.0, torch.Size([60]))
    """
    expect(model, Model, "model")
    expect(pairs, Pairs, "pairs")
    for applied in active_edits(model):
        refuse_unscored(applied.where)
    groups = pairs_of_texts(model, pairs, convention)
    same = torch.tensor([good.tokens == bad.tokens for good, bad in groups])
    for remark in pairs.remarks(int(same.sum())):
        progress.caveat(remark)
    found = score_texts(model, groups, by_token=[0], what=f"{pairs.task}: scores, tokens", progress=progress)
    assert found.by_token is not None
    tokens = torch.tensor([[text.scored for text in group] for group in groups])
    logprob = found.clean.reshape(-1, 2)
    if convention in MEAN_CONVENTIONS:
        logprob = logprob / tokens
    if not bool(logprob.isfinite().all()):
        if not active_edits(model):
            raise no_finite(model, found.clean, groups, pairs.task)
        raise NeurosteerError(f"{model.name} gives {pairs.task} no finite log-probability under the active edits")
    return Scores(logprob, tokens, found.by_token[0], same, convention, pairs.task, model.fingerprint, pairs.digest)


def no_finite(model: Model, clean: Tensor, groups: Sequence[Sequence[Text]], task: str) -> InputError:
    """What is raised where the log-probability of a text is not finite without edits."""
    texts = [text for group in groups for text in group]
    return overflow(model, [texts[i].tokens for i in (~clean.isfinite()).nonzero().flatten().tolist()], task)


def refuse_unscored(where: Where) -> None:
    """Raise `InputError` for an edit that cannot change scores."""
    reasons = {
        "eos": "EOS is appended to read a state and is never scored, so nothing can change",
        "generated": "scored sentences are given, not generated, so nothing can change",
    }
    if where in reasons:
        raise InputError(f"an edit where '{where}' cannot matter for scores: {reasons[where]}; use where 'all'")


def score_texts(
    model: Model,
    groups: Sequence[Sequence[Text]],
    variants: Sequence[PreparedEdit] = (),
    *,
    divergence: bool = False,
    by_token: Sequence[int] = (),
    what: str = "tokens",
    progress: Progress = QUIET,
) -> TextScores:
    """Score texts, numbered through all groups in order. Texts of one group share a row of a pack.

    With `divergence` also the KL divergence of each variant from the unedited model. With `by_token` also every token
    by itself, scored or not, one text after the other: of the unedited model (row 0) and of variants (row 1 + i).
    """
    assert not (divergence and by_token), "a divergence is taken over the scored tokens alone"
    texts = [text for group in groups for text in group]
    runs = [[text.tokens[:-1] for text in group] for group in groups]
    packs = plan(
        runs,
        packing_for(model, memory_factor=4 if divergence else 1),
        shared=can_share_prefixes(model, runs, progress),
    )
    passes = _Passes(model, texts, variants, divergence, by_token, can_resume(model, progress))
    total = torch.zeros(1 + len(variants), len(texts), dtype=torch.float64)
    every = torch.zeros(len(by_token), int(passes.starts[-1]))
    kl = torch.zeros(len(variants), dtype=torch.float64)
    for _, found in run_packs(model, packs, passes.run, passes=len(total), what=what, progress=progress):
        total.index_add_(1, found.text, found.logprobs)
        kl += found.kl
        every[:, found.place] = found.by_token
    tokens = max(sum(text.scored for text in texts), 1)
    return TextScores(total[0], total[1:], kl / tokens if divergence else None, every if by_token else None)


@dataclass(frozen=True, eq=False)
class _PackScores:
    """Results of all passes over one pack."""

    text: Int[Tensor, "target"]
    logprobs: Float[Tensor, "pass target"]  # float64
    kl: Float[Tensor, "variant"]  # float64, summed over targets
    place: Int[Tensor, "token"]  # where each token lies among those of all texts
    by_token: Float[Tensor, "row token"]


class _Passes:
    """One unedited pass over a pack, then one pass for each variant."""

    def __init__(
        self,
        model: Model,
        texts: Sequence[Text],
        variants: Sequence[PreparedEdit],
        divergence: bool,
        by_token: Sequence[int],
        resume: bool,
    ) -> None:
        self.model, self.texts, self.variants, self.divergence = model, texts, variants, divergence
        self.by_token, self.whole = by_token, [replace(text, first=1) for text in texts]
        self.starts = np.cumsum([0, *(text.scored for text in self.whole)])
        self.resume_at = [last_unedited(variant.site, list(variant.parts)) if resume else -1 for variant in variants]

    def run(self, pack: Pack, passed: Callable[[], None]) -> _PackScores:
        own = Targets.of(pack, self.texts)
        whole = Targets.of(pack, self.whole) if self.by_token else own
        residuals: dict[int, Tensor] = {}
        cached_layers = sorted({layer for layer in self.resume_at if layer >= 0})
        inputs = pack.inputs()
        targets = whole if 0 in self.by_token else own
        clean = self._pass(inputs, targets, cached_layers, residuals)
        found, divergences = [targets.logprobs(clean)], []
        reference = clean.log_softmax() if self.divergence and self.variants else None
        del clean
        passed()
        for i, variant in enumerate(self.variants):
            with ExitStack() as stack:
                stack.enter_context(editing(self.model, variant.parts, site=variant.site, where=variant.where))
                if self.resume_at[i] >= 0:
                    stack.enter_context(resuming(self.model, self.resume_at[i], residuals[self.resume_at[i]]))
                targets = whole if 1 + i in self.by_token else own
                logits = self._pass(inputs, targets, [], {})
            found.append(targets.logprobs(logits))
            if reference is not None:
                divergences.append(targets.divergence(reference, logits))
            passed()
        kl = torch.stack(divergences).cpu() if divergences else torch.zeros(len(self.variants), 1)
        first = torch.tensor([text.first for text in self.texts])[whole.text]
        scored = whole.depth >= first
        logprobs = [row[scored] if i in self.by_token else row for i, row in enumerate(one.cpu() for one in found)]
        place = torch.from_numpy(self.starts)[whole.text] + whole.depth - 1
        by_token = (
            torch.stack([found[i].cpu() for i in self.by_token]) if self.by_token else torch.zeros(0, len(place))
        )
        return _PackScores(own.text, torch.stack(logprobs).double(), kl.double().sum(1), place, by_token)

    def _pass(
        self, inputs: Inputs, targets: Targets, layers: Sequence[int], residuals: dict[int, Tensor]
    ) -> NextLogits:
        """The logits of one pass; the residual stream after some layers is stored in `residuals`."""
        with capture(self.model, "resid_post", layers, residuals.__setitem__) as one_pass:
            logits = one_pass(*inputs, at=(targets.rows, targets.nodes))
        assert logits is not None
        return logits


def last_unedited(site: Site, layers: Sequence[int]) -> int:
    """The last block whose computation is unedited: at `resid_post` the first edited one, whose output is edited."""
    first = min(layers, default=0)
    return first if site == "resid_post" and layers else first - 1


@dataclass(frozen=True, eq=False)
class Targets:
    """The nodes of a pack at which logits are needed, and the tokens that are predicted there."""

    rows: Int[Tensor, "pick"]
    nodes: Int[Tensor, "pick"]
    pick: Int[Tensor, "target"]  # index of each target's node among the picks
    target: Int[Tensor, "target"]  # token ids
    text: Int[Tensor, "target"]  # which text each belongs to
    depth: Int[Tensor, "target"]  # where in that text the predicted token is

    @classmethod
    def of(cls, pack: Pack, texts: Sequence[Text]) -> Targets:
        columns: list[tuple[int, int, int, int, int]] = []  # row, node, token, text, depth
        for text, row, path in zip(pack.sequences.tolist(), pack.rows.tolist(), pack.paths, strict=True):
            nodes, tokens = path.tolist(), texts[text].tokens
            columns += [(row, nodes[j - 1], tokens[j], text, j) for j in range(texts[text].first, len(tokens))]
        table = np.array(columns, dtype=np.int64).reshape(-1, 5)
        picks, inverse = np.unique(table[:, :2], axis=0, return_inverse=True)
        return cls(*map(torch.from_numpy, (*picks.T, inverse.reshape(-1), *table[:, 2:].T)))

    def on(self, device: torch.device) -> Targets:
        """The same, on the device of the logits (`text` and `depth` stay on the CPU)."""
        moved = {name: to_device(getattr(self, name), device) for name in ("rows", "nodes", "pick", "target")}
        return replace(self, **moved)

    def logprobs(self, logits: NextLogits) -> Float[Tensor, "target"]:
        """Every target's log-probability (float32)."""
        pick, target = self.pick.to(logits.device), self.target.to(logits.device)
        if len(logits.parts) == 1:
            return logits.read(0, len(logits), lambda whole: _logprobs(whole, pick, target))
        found = [
            logits.read(start, end, partial(_logprobs_of_part, pick=pick - start, target=target))
            for start, end in logits.parts
        ]
        return torch.stack(found).sum(dim=0)  # all but one are 0

    def divergence(self, reference: NextLogits, logits: NextLogits) -> Float[Tensor, "target"]:
        """KL divergence at every target's node, from the log-probabilities of the unedited model (float32)."""

        def of_part(start: int, end: int) -> Float[Tensor, "pick"]:
            return reference.read(start, end, lambda p: logits.read(start, end, partial(_divergence, p)))

        kl = torch.cat([of_part(start, end) for start, end in logits.parts])
        return kl[self.pick.to(kl.device)]


def _logprobs(
    logits: Float[Tensor, "pick vocab"], pick: Int[Tensor, "target"], target: Int[Tensor, "target"]
) -> Float[Tensor, "target"]:
    norm = torch.cat([chunk.float().logsumexp(dim=-1) for chunk in logits.split(_CHUNK)])
    return logits[pick, target].float() - norm[pick]


def _logprobs_of_part(
    logits: Float[Tensor, "pick vocab"], pick: Int[Tensor, "target"], target: Int[Tensor, "target"]
) -> Float[Tensor, "target"]:
    """0 where a target's pick is in another part."""
    inside = (pick >= 0) & (pick < len(logits))
    found = _logprobs(logits, pick.clamp(0, len(logits) - 1), target)
    return torch.where(inside, found, torch.zeros_like(found))


def _divergence(p: Float[Tensor, "pick vocab"], q: Float[Tensor, "pick vocab"]) -> Float[Tensor, "pick"]:
    rows = max(1, min(_CHUNK, _LOGITS // p.shape[-1]))  # a row's sum does not depend on how many there are
    parts = zip(p.split(rows), q.split(rows), strict=True)
    return torch.cat([(p.exp() * (p - torch.log_softmax(q.float(), dim=-1))).sum(-1) for p, q in parts])
