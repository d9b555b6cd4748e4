"""What a set should leave alone: one task of each other phenomenon, and pairs about meaning."""

from __future__ import annotations

from dataclasses import replace

from neurosteer.errors import InputError
from neurosteer.pairs import Pairs, load_others, sentence_hashes
from neurosteer.pairs.layouts import AUTO, read_layout
from neurosteer.pairs.sources import Source, open_source
from neurosteer.progress import Progress

GRAMMAR, MEANING = "builtin", "builtin:meaning"
MORE = 4  # times as many are read as are wanted: some may have been seen


def other_tasks(task: Pairs, wanted: int, seed: int, *, offline: bool, progress: Progress) -> list[Pairs]:
    """The alphabetically first task of each other phenomenon: no outcome has a say.

    Of the same source where it has other phenomena, else of the built-in pairs.
    """
    names = _firsts(task, _opened(task, offline, progress))
    if len(names) < 2:
        task = replace(task, source=GRAMMAR, layout="")
        names = _firsts(task, open_source(GRAMMAR, progress=progress))
    return load_others(task, names, limit=MORE * wanted, seed=seed, offline=offline, progress=progress)


def meaning_tasks(wanted: int, seed: int, *, progress: Progress) -> list[Pairs]:
    """The built-in pairs of which both sentences are grammatical and one makes sense, or is true."""
    opened = open_source(MEANING, progress=progress)
    return [opened.pairs(name, limit=MORE * wanted, seed=seed) for name in opened.tasks]


def unseen(pairs: Pairs, seen: set[str], wanted: int) -> Pairs:
    """The first pairs of which no sentence has been seen."""
    kept = [i for i, pair in enumerate(pairs) if not seen & set(sentence_hashes([pair]))]
    return pairs.take(kept[:wanted])


def _firsts(task: Pairs, opened: Source | None) -> list[str]:
    if opened is None:
        return []
    own = task.phenomenon or (opened.phenomenon_of(task.task) if task.task in opened.tasks else None)
    found: dict[str, str] = {}
    for name in sorted(opened.tasks):
        phenomenon = opened.phenomenon_of(name)
        if phenomenon and phenomenon != own and name != task.task:
            found.setdefault(phenomenon, name)
    return [found[phenomenon] for phenomenon in sorted(found)]


def _opened(task: Pairs, offline: bool, progress: Progress) -> Source | None:
    """None for pairs that were given from Python: their source cannot be opened."""
    try:
        return open_source(task.source, asked=read_layout(task.layout or AUTO), offline=offline, progress=progress)
    except InputError:
        if task.layout:
            raise
        return None
