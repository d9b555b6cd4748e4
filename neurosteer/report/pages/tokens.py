"""Pairs token by token, for page.js: their log-probabilities unedited and at every dose, their margins."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from neurosteer.artefacts import TOKENS
from neurosteer.vocabulary import MEAN_CONVENTIONS, Json

MOST_NUMBERS = 150_000  # log-probabilities that one view holds


def csv_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file of a run."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def token_data(
    path: Path,
    margins: Mapping[str, Sequence[float]],
    names: Sequence[str],
    *,
    convention: str | None,
    most: int = MOST_NUMBERS,
) -> Json:
    """The pairs of an artefact of tokens. `margins` are those that the CSV has, by id: they stand for the first
    passes; those of further doses are summed from the tokens. `names` are what the passes are called."""
    arrays, about = TOKENS.read(path)
    logprobs, counts = arrays["logprobs"].astype(float), arrays["counts"]
    ends = np.cumsum(counts.ravel()).tolist()
    starts = [0, *ends[:-1]]
    per_token = convention in MEAN_CONVENTIONS
    room = max(most // max(len(names), 1), 1)
    pairs, used = [], 0
    for i, pair in enumerate(about["pairs"]):
        spans = [(starts[2 * i + side], ends[2 * i + side]) for side in (0, 1)]
        used += spans[1][1] - spans[0][0]
        if used > room:
            break
        sums = [
            logprobs[:, start:end].sum(axis=1) / (max(end - start, 1) if per_token else 1) for start, end in spans
        ]
        own = [float(value) for value in (sums[0] - sums[1])]
        known = margins.get(pair, ())
        pairs.append(
            {
                "id": pair,
                "margin": [_short(value) for value in [*known, *own[len(known) :]]],
                "texts": [about["texts"][start:end] for start, end in spans],
                "logprobs": [[_listed(row[start:end]) for row in logprobs] for start, end in spans],
            }
        )
    return {"passes": list(names), "pairs": pairs, "all": len(margins)}


def _listed(values: np.ndarray) -> list[float]:
    return [round(value, 3) for value in values.tolist()]


def _short(value: float) -> float:
    return float(f"{value:.6g}")
