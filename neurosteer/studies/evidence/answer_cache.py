"""Answers that are done are kept in the cache: a run that was stopped goes on, and a second one costs nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from neurosteer.artefacts import EVIDENCE, WrongContentError
from neurosteer.forward.cache import cache_key, cache_path, can_cache, load_or_compute
from neurosteer.report import to_json
from neurosteer.results import Json, read_record, record
from neurosteer.store import code_digest, digest_of, write_artefact
from neurosteer.vocabulary import Question

from .work import AnswerParts, AskedSet

_DECIDING = ("to", "steps", "l0", "mask", "k", "seen", "kind", "probes")  # what metadata say of how it was found


def load_or_ask(work: AskedSet, question: Question, ask: Callable[[AskedSet], AnswerParts]) -> AnswerParts:
    """The answer to a question as it was given before, else as `ask` gives it."""
    progress = work.passes.progress
    if not can_cache(work.model, progress):
        return ask(work)
    key = depends_on(work, question)
    path = path_of(work, question)

    def write(part: AnswerParts) -> None:
        write_artefact(path, EVIDENCE.kind, {}, {**key, "part": to_json(record(part))})

    return load_or_compute(path, read=lambda: _read(path), compute=lambda: ask(work), write=write, progress=progress)


def is_kept(work: AskedSet, question: Question) -> bool:
    """Whether the answer is there already."""
    return path_of(work, question).is_file()


def path_of(work: AskedSet, question: Question) -> Path:
    """Its file in the cache."""
    return cache_path("evidence", work.model, work.pairs, depends_on(work, question))


def depends_on(work: AskedSet, question: Question) -> dict[str, Json]:
    """Everything that decides an answer."""
    neurons, along = work.neurons, work.direction
    others = [[one.task, one.digest] for one in (*(work.others or ()), *(work.meaning or ()))]
    return cache_key(
        work.model,
        work.pairs,
        question=question,
        neurons=[list(one) for one in neurons],
        layers=list(work.layers),
        site=neurons.site,
        group=neurons.group,
        method=work.method,
        found={name: neurons.metadata.get(name) for name in _DECIDING},
        direction=None if along is None else digest_of([along.vector.tolist(), along.std]),
        ranking=None if work.ranking is None else digest_of(work.order.tolist()),
        split=digest_of({part: list(at) for part, at in work.split.indices.items()}),
        kind=[work.split.kind, work.split.seed],
        position=work.position,
        asked=[work.to, work.controls, work.nulls, work.curve_controls, work.donors, work.other_pairs, work.map],
        kl=[work.kl, work.auto_kl],
        others=[work.others is None, work.meaning is None, others],
        source=[work.pairs.source, work.pairs.phenomenon],
        text=digest_of(work.neutral),
        seed=work.seed,
        stats=digest_of([neurons.stats.token_mean.tolist(), neurons.stats.token_var.tolist()]),
        code=code_digest(),
    )


def _read(path: Path) -> AnswerParts:
    _, metadata = EVIDENCE.read(path)
    try:
        return read_record(AnswerParts, json.loads(metadata["part"]))
    except ValueError as error:
        raise WrongContentError(path, str(error)) from None
