"""The built-in pairs as a source: of every paradigm in two forms, as many as wanted; of meaning; and of the gym."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from neurosteer.errors import InputError
from neurosteer.grammar import PARADIGMS, Form, Made, Paradigm
from neurosteer.gym import GYM_TASKS, GymTask
from neurosteer.meaning import MEANING_TASKS, MeaningTask
from neurosteer.meaning import MOST as MOST_OF_MEANING

from .layouts import UNKNOWN, Layout
from .pair import Pair
from .types import Pairs

FORMS: dict[str, Form] = {"builtin": "plain", "builtin:balanced": "balanced"}
MEANING, GYM = "builtin:meaning", "builtin:gym"
NAMES = (*FORMS, MEANING, GYM)
OF_AUTO = ("blimp", "builtin")  # what `auto` may turn out to be
NAMED = ("auto", "blimp", *FORMS, MEANING)  # sources whose tasks are known beforehand, with baselines
DEFAULT_LIMIT = 1000
MOST = 1_000_000  # pairs of a task: half a minute's work, and all are held in memory


class Builtin:
    """One of NAMES.

    `builtin`: the paradigms as in BLiMP. `builtin:balanced`: no word tells good from bad, see the grammars.
    `builtin:meaning`: facts and sense; both sentences are grammatical.
    `builtin:gym`: invented words, of which the model `gym` knows the grammar.
    """

    def __init__(self, name: str, asked: Layout = UNKNOWN) -> None:
        """Raises InputError for a layout: there is none to be told."""
        if asked.named():
            option = "--layout" if asked.good is None else "--columns"
            raise InputError(f"{option} names columns of your own files; the pairs of '{name}' have none")
        self.name = name
        self._made: Mapping[str, Paradigm | MeaningTask | GymTask] = _made_of(name)
        self.tasks = tuple(self._made)
        self.hint = "see: neurosteer ls tasks" + ("" if name in FORMS else f" --data {name}")

    def holds(self, task: str) -> bool:
        return task in self._made

    def notices(self, tasks: Sequence[str]) -> list[str]:
        """None: nothing had to be found out."""
        return []

    def phenomenon_of(self, task: str) -> str | None:
        return self._made[task].phenomenon

    def pairs(self, task: str, *, limit: int | None, seed: int) -> Pairs:
        """The first `limit` pairs (1,000, of a meaning task 300) of this seed.

        Raises:
            InputError: for more pairs than there are.
        """
        meaning = self.name == MEANING
        most, kind = (MOST_OF_MEANING, "meaning") if meaning else (MOST, "built-in")
        count = limit if limit is not None else min(DEFAULT_LIMIT, most)
        if count < 2:
            raise InputError(f"the limit must be at least 2 pairs, not {count}")
        if count > most:
            raise InputError(f"the limit must be at most {most:,} {kind} pairs of a task, not {count}")
        try:
            made = list(self._make(task, count, seed))
        except LookupError as error:
            raise InputError(f"{error}; take fewer with --limit") from None
        return Pairs(task, self.name, tuple(Pair(*one) for one in made), self.phenomenon_of(task))

    def _make(self, task: str, count: int, seed: int) -> Iterator[Made]:
        if self.name == MEANING:
            return MEANING_TASKS[task].pairs(count, seed=seed)
        if self.name == GYM:
            return GYM_TASKS[task].pairs(count, seed=seed)
        return PARADIGMS[task].pairs(count, seed=seed, form=FORMS[self.name])


def _made_of(name: str) -> Mapping[str, Paradigm | MeaningTask | GymTask]:
    """The tasks of a source, by name."""
    if name == MEANING:
        return MEANING_TASKS
    return GYM_TASKS if name == GYM else PARADIGMS
