"""What is known of the built-in tasks beforehand: who has them, and what a bag of words knows of them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from neurosteer.grammar import PARADIGMS
from neurosteer.meaning import MEANING_TASKS

from .blimp import TASKS
from .builtin import FORMS, MEANING

SOURCES = ("blimp", *FORMS)


@dataclass(frozen=True)
class KnownBaselines:
    """Accuracies of a naive Bayes on a source's pairs, split by pair; made by recipes/task_baselines.py."""

    last_word: float
    unigram: float


@dataclass(frozen=True)
class KnownTask:
    """A task, its baselines by source, and a built-in pair as an example."""

    uid: str
    phenomenon: str
    field: str
    about: str  # the contrast, and how its balanced form is made
    baselines: dict[str, KnownBaselines]
    example: tuple[str, str]  # good, bad
    second: str  # what the second frame of the balanced form is, "" where it is an instance of the construction too


def known_tasks(source: str = "builtin") -> list[KnownTask]:
    """The 67 tasks of BLiMP, or those about meaning, by phenomenon.

    Args:
        source: `builtin:balanced` shows examples of that form, `builtin:meaning` has tasks of its own.

    Example:
        >>> task = known_tasks()[0]
        >>> task.uid, task.phenomenon, task.baselines["blimp"].last_word
        ('anaphor_gender_agreement', 'anaphor_agreement', 0.718)
    """
    if source == MEANING:
        return _meaning_tasks()
    form = FORMS.get(source, "plain")
    rows = []
    for task in sorted(TASKS, key=lambda task: (task.phenomenon, task.uid)):
        made = PARADIGMS[task.uid]
        baselines = {name: _table()[task.uid, name] for name in SOURCES}
        [pair] = made.pairs(1, form=form)
        example = pair.good, pair.bad
        rows.append(KnownTask(task.uid, task.phenomenon, task.field, made.about, baselines, example, made.second))
    return rows


def _meaning_tasks() -> list[KnownTask]:
    rows = []
    for task in sorted(MEANING_TASKS.values(), key=lambda task: (task.phenomenon, task.name)):
        [pair] = task.pairs(1)
        baselines = {MEANING: _table()[task.name, MEANING]}
        rows.append(
            KnownTask(task.name, task.phenomenon, "semantics", task.about, baselines, (pair.good, pair.bad), "")
        )
    return rows


@cache
def _table() -> dict[tuple[str, str], KnownBaselines]:
    rows = csv.DictReader(files(__package__).joinpath("known.csv").read_text("utf-8").splitlines())
    return {
        (row["task"], row["source"]): KnownBaselines(float(row["last_word"]), float(row["unigram"])) for row in rows
    }
