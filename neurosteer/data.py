"""Tensors with named axes and their provenance: what a model computes on sentences.

`EosStates` and `UnitStats` record the model, site and layers they belong to, so that they cannot be mixed up. The
good and the bad sentence of a pair are one axis, so that labels cannot be misaligned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neurosteer.shown import table_html
from neurosteer.vocabulary import MEAN_CONVENTIONS, Convention, FixedReference, Position, Site

if TYPE_CHECKING:
    import pandas as pd

GOOD, BAD = 0, 1  # positions on the `side` axis


@dataclass(frozen=True, eq=False)
class EosStates:
    """One activation vector per sentence and layer, in units of the site.

    Attributes:
        values: float32 `[pair, side, layer, unit]`, at the appended EOS or at the sentence's last token; side 0 is
            the good sentence of a pair, side 1 the bad one.
        layers: block index of each place on the layer axis.
        task: name of the task.
        model: fingerprint of the model.
        site: which activation.
        position: `eos` or `last`.
        digest: of the pairs.

    Example:
        >>> states = ns.eos_states(model, pairs)
        >>> states.values.shape, states.layers
        (torch.Size([300, 2, 3, 384]), (0, 1, 2))
        >>> states.take([0, 5])
        EosStates(number, 2 pairs, 3 layers x 384 units at resid_post, position eos)
    """

    values: Float[Tensor, "pair side layer unit"]
    layers: tuple[int, ...]  # block index of each position on the layer axis
    task: str
    model: str  # fingerprint
    site: Site
    position: Position
    digest: str  # of the pairs

    def take(self, indices: Sequence[int]) -> EosStates:
        """Choose some pairs.

        Args:
            indices: places on the pair axis.

        Returns:
            Their states, in this order.
        """
        return replace(self, values=self.values[torch.as_tensor(indices, dtype=torch.long)])

    def __repr__(self) -> str:
        pairs, _, layers, width = self.values.shape
        size = f"{pairs:,} pairs, {layers} layers x {width} units"
        return f"EosStates({self.task}, {size} at {self.site}, position {self.position})"


@dataclass(frozen=True, eq=False)
class Scores:
    """Log-probabilities of the sentences of pairs, in nats. EOS is never scored.

    Attributes:
        logprob: float64 `[pair, side]`, of each sentence: summed, or the mean per token, as the convention says.
        tokens: `[pair, side]`, how many tokens were scored.
        by_token: float32 `[token]`, of all tokens that have one before them, sentence after sentence.
        same: `[pair]`, whether both sentences have the same tokens.
        convention: how sentences were scored.
        task: name of the task.
        model: fingerprint of the model.
        digest: of the pairs.

    Example:
        >>> scores = ns.score(model, found.test)
        >>> scores.accuracy, scores.ties, scores.count_accuracy, scores.logprob.shape
        (1.0, 0, 0.5, torch.Size([60, 2]))
        >>> list(scores.to_frame())[:2]
        ['logprob_good', 'logprob_bad']
    """

    logprob: Float[Tensor, "pair side"]  # float64
    tokens: Int[Tensor, "pair side"]  # how many were scored
    by_token: Float[Tensor, "token"]  # float32, of all tokens that have one before them, sentence after sentence
    same: Bool[Tensor, "pair"]  # whether both sentences have the same tokens
    convention: Convention
    task: str
    model: str  # fingerprint
    digest: str  # of the pairs

    @property
    def margin(self) -> Float[Tensor, "pair"]:
        """log P(good) - log P(bad) of each pair in nats, `[pair]`."""
        return self.logprob[:, GOOD] - self.logprob[:, BAD]

    @property
    def accuracy(self) -> float:
        """Share of pairs whose good sentence is the more probable one; a tie counts as wrong."""
        return float((self.margin > 0).double().mean())

    @property
    def ties(self) -> int:
        """Number of pairs whose sentences are equally probable."""
        return int((self.margin == 0).sum())

    @property
    def same_tokens(self) -> int:
        """Number of pairs whose two sentences have the same tokens."""
        return int(self.same.sum())

    @property
    def counts_differ(self) -> float:
        """Share of pairs whose sentences differ in their number of tokens."""
        return float((self.tokens[:, GOOD] != self.tokens[:, BAD]).double().mean())

    @property
    def count_accuracy(self) -> float:
        """Accuracy of the rule "the sentence with fewer tokens is good", towards which summed scores are biased.

        A tie counts one half here, unlike in `accuracy`: the rule cannot decide.
        """
        fewer = (self.tokens[:, BAD] - self.tokens[:, GOOD]).sign().double()  # 1 right, 0 a tie, -1 wrong
        return float((1 + fewer.mean()) / 2)

    @property
    def per_token(self) -> Float[Tensor, "pair side"]:
        """Mean log-probability per scored token in nats, `[pair, side]`."""
        return self.logprob if self.convention in MEAN_CONVENTIONS else self.logprob / self.tokens

    def to_frame(self) -> pd.DataFrame:
        """Show a row per pair as a data frame: log-probabilities and tokens of both sentences, margin (nats).

        Its rows are in the order of the pairs: `pd.concat([pairs.to_frame(), scores.to_frame()], axis=1)` has the
        sentences too.
        """
        import pandas as pd

        columns = {
            **{f"logprob_{side}": self.logprob[:, i].numpy() for i, side in ((GOOD, "good"), (BAD, "bad"))},
            **{f"tokens_{side}": self.tokens[:, i].numpy() for i, side in ((GOOD, "good"), (BAD, "bad"))},
            "margin": self.margin.numpy(),
            "same_tokens": self.same.numpy(),
        }
        return pd.DataFrame(columns)

    def _repr_html_(self) -> str:
        return table_html(repr(self), self.to_frame())

    def __repr__(self) -> str:
        found = f"accuracy {self.accuracy:.2f}, margin {float(self.margin.mean()):+.2f} nats"
        return f"Scores({self.task}, {len(self.logprob):,} pairs, {found})"


@dataclass(frozen=True, eq=False)
class UnitStats:
    """Mean and variance of every unit over train sentences: at all their tokens, and at the EOS states.

    Used to ablate a unit to its mean, and to match control units. BOS and the appended EOS do not count as tokens of
    a sentence: in many models they are attention sinks with activations a hundred times larger, and edits of scored
    sentences act on neither. Variances are population variances.
    """

    token_mean: Float[Tensor, "layer unit"]
    token_var: Float[Tensor, "layer unit"]
    eos_mean: Float[Tensor, "layer unit"]
    eos_var: Float[Tensor, "layer unit"]
    tokens: int  # how many token positions were averaged over
    layers: tuple[int, ...]  # block index of each position on the layer axis

    def at_layers(self, layers: Sequence[int]) -> UnitStats:
        """The statistics of some of the layers."""
        rows = [self.layers.index(layer) for layer in layers]
        return replace(
            self,
            token_mean=self.token_mean[rows],
            token_var=self.token_var[rows],
            eos_mean=self.eos_mean[rows],
            eos_var=self.eos_var[rows],
            layers=tuple(layers),
        )

    def reference(self, to: FixedReference) -> Float[Tensor, "layer unit"]:
        """The value of every unit at a fixed reference."""
        match to:
            case "zero":
                return torch.zeros_like(self.token_mean)
            case "mean":
                return self.token_mean
            case other:
                assert_never(other)

    def __repr__(self) -> str:
        layers, width = self.token_mean.shape
        return f"UnitStats({layers} layers x {width} units, {self.tokens:,} tokens)"


@dataclass(frozen=True, eq=False)
class TokenStats:
    """Mean and variance over token positions; see `UnitStats`."""

    mean: Float[Tensor, "layer unit"]
    var: Float[Tensor, "layer unit"]
    tokens: int

    def __repr__(self) -> str:
        layers, width = self.mean.shape
        return f"TokenStats({layers} layers x {width} units, {self.tokens:,} tokens)"

    def with_eos(self, states: EosStates, train: Sequence[int]) -> UnitStats:
        """Add the statistics of the EOS states of the same sentences (`train`: indices of pairs)."""
        chosen = torch.as_tensor(train)
        layers = [
            torch.var_mean(states.values[:, :, i][chosen], dim=(0, 1), correction=0)
            for i in range(len(states.layers))
        ]
        var, mean = (torch.stack(column) for column in zip(*layers, strict=True))
        return UnitStats(self.mean, self.var, mean, var, self.tokens, states.layers)
