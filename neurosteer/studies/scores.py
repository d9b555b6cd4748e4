"""`score`: how often a model prefers the grammatical sentence, task by task and by phenomenon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import Any

from neurosteer.data import Scores
from neurosteer.model import Model
from neurosteer.pairs import Pairs
from neurosteer.report import rows_csv
from neurosteer.store import file_stem, write_bytes

from .runs import run_folder, write_run


def _entry(pairs: Pairs, scores: Scores) -> dict[str, Any]:
    """One element of `results` in the JSON of `neurosteer score`; the margin is the mean over pairs, in nats."""
    return {
        "task": pairs.task,
        "phenomenon": pairs.phenomenon,
        "data": pairs.describe(),
        "convention": scores.convention,
        "accuracy": scores.accuracy,
        "margin": float(scores.margin.mean()),
        "pairs": len(pairs),
        "ties": scores.ties,
        "same_tokens": scores.same_tokens,
        "token_count": {"differ": scores.counts_differ, "accuracy": scores.count_accuracy},
        "notices": pairs.remarks(scores.same_tokens),
        "frames": _frames(pairs, scores),
    }


def _frames(pairs: Pairs, scores: Scores) -> list[dict[str, Any]]:
    """Accuracy and mean margin (nats) in either frame of balanced pairs; empty for all other pairs."""
    margins: dict[str, list[float]] = {}
    for pair, margin in zip(pairs, scores.margin.tolist(), strict=True):
        if pair.frame:
            margins.setdefault(pair.frame, []).append(margin)
    return [
        {"frame": frame, "pairs": len(some), "accuracy": sum(m > 0 for m in some) / len(some), "margin": fmean(some)}
        for frame, some in margins.items()
    ]


def summary(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean accuracy over tasks, by phenomenon and overall."""
    by_name = sorted(entries, key=lambda entry: entry["phenomenon"] or "")
    groups = [(name, list(group)) for name, group in groupby(by_name, key=lambda entry: entry["phenomenon"] or "")]
    phenomena = [{"phenomenon": name or None, **_mean(group)} for name, group in groups]
    return {"phenomena": phenomena, "overall": _mean(entries)}


def save_scores(
    model: Model, scored: Sequence[tuple[Pairs, Scores]], *, out: Path, options: Mapping[str, Any]
) -> tuple[Path, dict[str, Any]]:
    """Write a run folder with one CSV per task, a row per pair; returns it with the JSON object of the command."""
    tasks = [pairs for pairs, _ in scored]
    folder = run_folder(out, "score", model, tasks, options)
    entries = [
        {**_entry(pairs, scores), "csv": str(folder / f"{file_stem(pairs.task)}.csv")} for pairs, scores in scored
    ]

    def fill(draft: Path) -> None:
        for (pairs, scores), entry in zip(scored, entries, strict=True):
            write_bytes(draft / Path(entry["csv"]).name, rows_csv(_rows(pairs, scores)).encode())

    return folder, write_run(folder, model, entries, command="score", options=options, fill=fill, **summary(entries))


def _mean(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"tasks": len(entries), "accuracy": sum(entry["accuracy"] for entry in entries) / len(entries)}


def _rows(pairs: Pairs, scores: Scores) -> list[dict[str, Any]]:
    columns = zip(pairs, scores.logprob.tolist(), scores.tokens.tolist(), scores.margin.tolist(), strict=True)
    return [
        {
            "pair": pair.id,
            **({"frame": pair.frame} if pair.frame else {}),
            "sentence_good": pair.good,
            "sentence_bad": pair.bad,
            "logprob_good": logprob[0],
            "logprob_bad": logprob[1],
            "tokens_good": tokens[0],
            "tokens_bad": tokens[1],
            "margin": margin,
        }
        for pair, logprob, tokens, margin in columns
    ]
