"""`score`: how often a model prefers the grammatical sentence, task by task and by phenomenon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from statistics import fmean

from neurosteer.artefacts import TOKENS
from neurosteer.data import Scores
from neurosteer.forward import pairs_of_texts
from neurosteer.model import Model
from neurosteer.pairs import Pairs
from neurosteer.progress import QUIET, Progress
from neurosteer.report import rows_csv
from neurosteer.results import Json, record
from neurosteer.results.pairs_used import PairsUsed
from neurosteer.results.score import (
    FrameScore,
    MeanScore,
    PhenomenonScore,
    ScoreRun,
    ScoreSummary,
    TaskScore,
    TokenCount,
)
from neurosteer.store import SUFFIX, file_stem, write_bytes

from .bootstrap import few_pairs, groups_in, pair_intervals
from .runs import run_folder, write_run
from .token_scores import MOST_PAIRS, most_changed, token_scores

FEWEST_SHOWN = 10  # pairs of each task that a page shows, however many tasks there are


def task_score(pairs: Pairs, scores: Scores) -> TaskScore:
    """The scores of one task in numbers."""
    groups = groups_in(pairs)
    right = (scores.margin.numpy() > 0)[None].astype(float)
    [ends] = pair_intervals(right, task=pairs.task, seed=0, groups=groups)
    count = len(set(groups.tolist()))
    return TaskScore(
        task=pairs.task,
        phenomenon=pairs.phenomenon,
        data=PairsUsed.of(pairs),
        convention=scores.convention,
        accuracy=scores.accuracy,
        accuracy_interval=ends,
        margin=float(scores.margin.mean()),
        pairs=len(pairs),
        groups=count,
        ties=scores.ties,
        same_tokens=scores.same_tokens,
        token_count=TokenCount(differ=scores.counts_differ, accuracy=scores.count_accuracy),
        notices=(*pairs.remarks(scores.same_tokens), *few_pairs(len(pairs), count, "pair")),
        frames=_frames(pairs, scores),
    )


def _frames(pairs: Pairs, scores: Scores) -> tuple[FrameScore, ...]:
    margins: dict[str, list[float]] = {}
    for pair, margin in zip(pairs, scores.margin.tolist(), strict=True):
        if pair.frame:
            margins.setdefault(pair.frame, []).append(margin)
    return tuple(
        FrameScore(frame=frame, pairs=len(some), accuracy=fmean(m > 0 for m in some), margin=fmean(some))
        for frame, some in margins.items()
    )


def summary(rows: Sequence[TaskScore]) -> ScoreSummary:
    """Mean accuracy over tasks, by phenomenon and overall."""

    def phenomenon(row: TaskScore) -> str:
        return row.phenomenon or ""

    groups = [(name, list(group)) for name, group in groupby(sorted(rows, key=phenomenon), key=phenomenon)]
    phenomena = tuple(PhenomenonScore(phenomenon=name or None, **vars(_mean(group))) for name, group in groups)
    return ScoreSummary(phenomena=phenomena, overall=_mean(rows))


def _mean(rows: Sequence[TaskScore]) -> MeanScore:
    return MeanScore(tasks=len(rows), accuracy=sum(row.accuracy for row in rows) / len(rows))


def save_scores(
    model: Model,
    scored: Sequence[tuple[Pairs, Scores]],
    *,
    out: Path,
    options: Mapping[str, Json],
    progress: Progress = QUIET,
) -> tuple[Path, ScoreRun, dict[str, Json]]:
    """Write a run folder with one CSV per task, a row per pair; returns it, what was found, and the JSON object.

    Of some pairs of each task, those of the smallest margins, the scores of all tokens are kept, for the page.
    """
    folder = run_folder(out, "score", model, [(pairs.task, pairs.digest) for pairs, _ in scored], options)
    rows = [
        replace(task_score(pairs, scores), csv=str(folder / f"{file_stem(pairs.task)}.csv"))
        for pairs, scores in scored
    ]
    means = summary(rows)

    most = max(MOST_PAIRS // len(scored), FEWEST_SHOWN)
    tokens = [
        token_scores(
            model,
            pairs,
            pairs_of_texts(model, pairs, scores.convention),
            scores.by_token[None].numpy(),
            most_changed(-scores.margin.numpy(), most),
        )
        for pairs, scores in scored
    ]

    def fill(draft: Path) -> None:
        for one in tokens:
            one.save(draft / f"{file_stem(one.task)}.{TOKENS.kind}{SUFFIX}")
        for pairs, scores in scored:
            write_bytes(draft / f"{file_stem(pairs.task)}.csv", rows_csv(_rows(pairs, scores)).encode())

    entries = [record(row) for row in rows]
    result = write_run(
        folder, model, entries, command="score", options=options, fill=fill, progress=progress, **record(means)
    )
    return folder, ScoreRun(results=tuple(rows), **vars(means)), result


def _rows(pairs: Pairs, scores: Scores) -> list[dict[str, Json]]:
    """The CSV, a row per pair: its sentences, their log probabilities and numbers of tokens, its margin."""
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
