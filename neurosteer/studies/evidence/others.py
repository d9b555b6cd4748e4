"""What a set should leave alone: one task of each other phenomenon, and pairs about meaning."""

from __future__ import annotations

from neurosteer.errors import InputError
from neurosteer.pairs import Pairs, load_pairs, sentence_hashes
from neurosteer.pairs.sources import Source, open_source
from neurosteer.progress import Progress

GRAMMAR, MEANING = "builtin", "builtin:meaning"
MORE = 4  # times as many are read as are wanted: some may have been seen


def other_tasks(task: Pairs, wanted: int, seed: int, *, offline: bool, progress: Progress) -> list[Pairs]:
    """The alphabetically first task of each other phenomenon: no outcome has a say.

    Of the same source where it has other phenomena, else of the built-in pairs.
    """
    names, source = _firsts(task, task.source, offline, progress), task.source
    if len(names) < 2:
        names, source = _firsts(task, GRAMMAR, offline, progress), GRAMMAR
    return [
        load_pairs(name, source=source, limit=MORE * wanted, seed=seed, offline=offline, progress=progress)
        for name in names
    ]


def meaning_tasks(wanted: int, seed: int, *, progress: Progress) -> list[Pairs]:
    """The built-in pairs of which both sentences are grammatical and one makes sense, or is true."""
    opened = open_source(MEANING, progress=progress)
    return [opened.pairs(name, limit=MORE * wanted, seed=seed) for name in opened.tasks]


def unseen(pairs: Pairs, seen: set[str], wanted: int) -> Pairs:
    """The first pairs of which no sentence has been seen."""
    kept = [i for i, pair in enumerate(pairs) if not seen & set(sentence_hashes([pair]))]
    return pairs.take(kept[:wanted])


def _firsts(task: Pairs, source: str, offline: bool, progress: Progress) -> list[str]:
    opened = _opened(source, offline, progress)
    if opened is None:
        return []
    own = task.phenomenon or (opened.phenomenon_of(task.task) if task.task in opened.tasks else None)
    found: dict[str, str] = {}
    for name in sorted(opened.tasks):
        phenomenon = opened.phenomenon_of(name)
        if phenomenon and phenomenon != own and name != task.task:
            found.setdefault(phenomenon, name)
    return [found[phenomenon] for phenomenon in sorted(found)]


def _opened(source: str, offline: bool, progress: Progress) -> Source | None:
    """None for pairs that were given from Python: their source cannot be opened."""
    try:
        return open_source(source, offline=offline, progress=progress)
    except InputError:
        return None
