"""Log-probabilities token by token, for a run's page: of some pairs, unedited and under some edits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from neurosteer.artefacts import TOKENS
from neurosteer.forward import Text, Variant, pairs_of_texts, score_texts
from neurosteer.model import Model
from neurosteer.pairs import Pairs
from neurosteer.progress import QUIET, Progress
from neurosteer.store import write_artefact
from neurosteer.vocabulary import Convention

MOST_PAIRS = 400  # whose tokens are kept: as many as a page shows


@dataclass(frozen=True, eq=False)
class TokenScores:
    """The log-probability (nats) of every scored token of some pairs, each given the tokens before it.

    Tokens lie one after the other: those of the first pair's good sentence, of its bad one, of the next pair. Row 0
    of `logprobs` is of the unedited model; row 1 + i of the edit at `scales[i]`, of which the first is its own.
    """

    task: str
    pairs: tuple[str, ...]  # ids
    texts: tuple[str, ...]
    counts: Int[np.ndarray, "pair side"]
    logprobs: Float[np.ndarray, "row token"]
    scales: tuple[float, ...]

    def save(self, path: Path) -> None:
        """Write as a digested safetensors file."""
        arrays = {"counts": self.counts.astype(np.int32), "logprobs": self.logprobs.astype(np.float32)}
        about = {name: getattr(self, name) for name in ("task", "pairs", "texts", "scales")}
        write_artefact(path, TOKENS.kind, arrays, {name: _listed(value) for name, value in about.items()})

    @classmethod
    def load(cls, path: Path) -> TokenScores:
        """Read what `save` wrote. Raises `InputError` for content that cannot be."""
        arrays, about = TOKENS.read(path)
        return cls(
            task=about["task"],
            pairs=tuple(about["pairs"]),
            texts=tuple(about["texts"]),
            counts=arrays["counts"],
            logprobs=arrays["logprobs"],
            scales=tuple(about["scales"]),
        )


def token_scores(
    model: Model,
    pairs: Pairs,
    variants: Sequence[Variant] = (),
    scales: Sequence[float] = (),
    *,
    convention: Convention = "sum",
    progress: Progress = QUIET,
) -> TokenScores:
    """Of these pairs; one variant for each of `scales`.

    Each token is scored as a text of its own that ends with it. All prefixes of a pair share a row of a pack, so it
    costs no more passes than the sentences do.
    """
    both = pairs_of_texts(model, pairs, convention)
    ends = [[_by_token(text) for text in pair] for pair in both]
    groups = [[text for side in pair for text in side] for pair in ends]
    found = score_texts(model, groups, variants, what=f"{pairs.task}: scores by token, tokens", progress=progress)
    rows = np.concatenate([found.clean[None].numpy(), found.edited.numpy()])
    last = [text.tokens[-1] for group in groups for text in group]
    names = {token: model.tokenizer.decode([token]) for token in set(last)}
    return TokenScores(
        task=pairs.task,
        pairs=tuple(pair.id for pair in pairs),
        texts=tuple(names[token] for token in last),
        counts=np.array([[len(side) for side in pair] for pair in ends], dtype=np.int32).reshape(-1, 2),
        logprobs=rows.astype(np.float32),
        scales=tuple(scales),
    )


def most_changed(pairs: Pairs, size: Float[np.ndarray, "pair"], most: int = MOST_PAIRS) -> Pairs:
    """At most so many pairs, those of the largest `size`, in their order."""
    if len(pairs) <= most:
        return pairs
    return pairs.take(sorted(np.argsort(-size, kind="stable")[:most].tolist()))


def _by_token(text: Text) -> list[Text]:
    """A text for each scored token, which ends with it."""
    return [Text(text.tokens[: place + 1], place) for place in range(text.first, len(text.tokens))]


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
