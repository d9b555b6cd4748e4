"""The built-in pairs as a source: as many as wanted, of every paradigm, in two forms; and those of the gym."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from neurosteer.errors import InputError
from neurosteer.grammar import PARADIGMS, Form, Made
from neurosteer.gym import GYM_TASKS

from .layouts import UNKNOWN, Layout
from .pair import Pair
from .types import Pairs

FORMS: dict[str, Form] = {"builtin": "plain", "builtin:balanced": "balanced"}
GYM = "builtin:gym"
NAMES = (*FORMS, GYM)
OF_AUTO = ("blimp", "builtin")  # what `auto` may turn out to be
NAMED = ("auto", "blimp", *FORMS)  # sources of BLiMP's tasks
DEFAULT_LIMIT = 1000
MOST = 1_000_000  # pairs of a task: half a minute's work, and all are held in memory


class Builtin:
    """One of NAMES.

    `builtin`: the paradigms as in BLiMP. `builtin:balanced`: no word tells good from bad, see the grammars.
    `builtin:gym`: invented words, of which the model `gym` knows the grammar.
    """

    def __init__(self, name: str, asked: Layout = UNKNOWN) -> None:
        """Raises InputError for a layout: there is none to be told."""
        if asked.given():
            option = "--layout" if asked.good is None else "--columns"
            raise InputError(f"{option} names columns of your own files; the pairs of '{name}' have none")
        self.name = name
        self.tasks = tuple(GYM_TASKS if name == GYM else PARADIGMS)
        self.hint = "see: neurosteer ls tasks" + (f" --data {name}" if name == GYM else "")

    def holds(self, task: str) -> bool:
        return task in self.tasks

    def notices(self, tasks: Sequence[str]) -> list[str]:
        """None: nothing had to be found out."""
        return []

    def phenomenon_of(self, task: str) -> str | None:
        return GYM_TASKS[task].phenomenon if self.name == GYM else PARADIGMS[task].phenomenon

    def pairs(self, task: str, *, limit: int | None, seed: int) -> Pairs:
        """The first `limit` pairs (1,000) of this seed.

        Raises:
            InputError: for more pairs than there are.
        """
        count = DEFAULT_LIMIT if limit is None else limit
        if count < 2:
            raise InputError(f"the limit must be at least 2 pairs, not {count}")
        if count > MOST:
            raise InputError(f"the limit must be at most {MOST:,} built-in pairs of a task, not {count}")
        try:
            made = list(self._made(task, count, seed))
        except LookupError as error:
            raise InputError(f"{error}; take fewer with --limit") from None
        return Pairs(task, self.name, tuple(Pair(*one) for one in made), self.phenomenon_of(task))

    def _made(self, task: str, count: int, seed: int) -> Iterator[Made]:
        if self.name == GYM:
            return GYM_TASKS[task].pairs(count, seed=seed)
        return PARADIGMS[task].pairs(count, seed=seed, form=FORMS[self.name])
