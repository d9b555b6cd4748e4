"""Log-probabilities token by token, for a run's page: of some pairs, unedited and under some edits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from neurosteer.artefacts import TOKENS
from neurosteer.pairs import Pairs
from neurosteer.store import write_artefact

if TYPE_CHECKING:
    from neurosteer.forward import Text
    from neurosteer.model import Model

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
    groups: Sequence[Sequence[Text]],
    by_token: Float[np.ndarray, "row token"],
    shown: Sequence[int],
    scales: Sequence[float] = (),
) -> TokenScores:
    """Of the pairs at the places `shown`, from those of all pairs, whose texts are `groups`.

    A row of `by_token` is of the unedited model, the next ones are of `scales`.
    """
    texts = [text.tokens[1:] for group in groups for text in group]
    counts = np.array([len(tokens) for tokens in texts], dtype=np.int32)
    chosen = [2 * place + side for place in shown for side in (0, 1)]
    wanted = np.zeros(len(texts), dtype=bool)
    wanted[chosen] = True
    ids = [token for text in chosen for token in texts[text]]
    names = {token: model.tokenizer.decode([token]) for token in set(ids)}
    return TokenScores(
        task=pairs.task,
        pairs=tuple(pairs[place].id for place in shown),
        texts=tuple(names[token] for token in ids),
        counts=counts[chosen].reshape(-1, 2),
        logprobs=by_token[:, np.repeat(wanted, counts)],
        scales=tuple(scales),
    )


def most_changed(size: Float[np.ndarray, "pair"], most: int = MOST_PAIRS) -> list[int]:
    """The places of at most so many pairs, those of the largest `size`, in their order."""
    return sorted(np.argsort(-size, kind="stable")[:most].tolist())


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
