"""The built-in pairs as a source: as many as wanted, of every paradigm, in two forms."""

from __future__ import annotations

from collections.abc import Sequence

from neurosteer.errors import InputError
from neurosteer.grammar import PARADIGMS, Form

from .layouts import UNKNOWN, Layout
from .pair import Pair
from .types import Pairs

NAMES: dict[str, Form] = {"builtin": "plain", "builtin:balanced": "balanced"}
OF_AUTO = ("blimp", "builtin")  # what `auto` may turn out to be
NAMED = ("auto", "blimp", *NAMES)  # sources that are no path and no hub id
DEFAULT_LIMIT = 1000
MOST = 1_000_000  # pairs of a task: half a minute's work, and all are held in memory


class Builtin:
    """`builtin`: the paradigms as in BLiMP. `builtin:balanced`: no word tells good from bad, see the grammars."""

    def __init__(self, name: str, asked: Layout = UNKNOWN) -> None:
        """Raises InputError for a layout: there is none to be told."""
        if asked.given():
            option = "--layout" if asked.good is None else "--columns"
            raise InputError(f"{option} names columns of your own files; the pairs of '{name}' have none")
        self.name, self.form = name, NAMES[name]
        self.tasks = tuple(PARADIGMS)
        self.hint = "see: neurosteer ls tasks"

    def holds(self, task: str) -> bool:
        return task in PARADIGMS

    def notices(self, tasks: Sequence[str]) -> list[str]:
        """None: nothing had to be found out."""
        return []

    def phenomenon_of(self, task: str) -> str | None:
        return PARADIGMS[task].phenomenon

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
            made = list(PARADIGMS[task].pairs(count, seed=seed, form=self.form))
        except LookupError as error:
            raise InputError(f"{error}; take fewer with --limit") from None
        return Pairs(task, self.name, tuple(Pair(*one) for one in made), PARADIGMS[task].phenomenon)
