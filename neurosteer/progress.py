"""How long work says what goes on: a `Progress` is told each step and each notice.

The base class is what the Python API uses: steps are not shown, notices go to the `neurosteer` logger
(so they reach stderr unless the caller decides otherwise). The command line draws a bar instead.
"""

from __future__ import annotations

import logging

logger = logging.getLogger("neurosteer")


class Progress:
    """Told what is done; shows nothing but notices."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def step(self, what: str, done: int, total: int) -> None:
        """`done` of `total` units of `what` are finished (units: what the caller counts)."""

    def whole(self, done: int, total: int, *, share: float, left: float) -> None:
        """Of a long job `done` of `total` units are finished: a `share` of the work, with `left` seconds to go."""

    def notice(self, text: str) -> None:
        """Something the user should know that is no error."""
        logger.warning(text)

    def caveat(self, text: str) -> None:
        """A notice that belongs to the result, and is kept with it where one is kept."""
        self.notice(text)


class Remembering(Progress):
    """Hands everything on, and remembers the caveats."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.caveats: list[str] = []

    def step(self, what: str, done: int, total: int) -> None:
        self._progress.step(what, done, total)

    def whole(self, done: int, total: int, *, share: float, left: float) -> None:
        self._progress.whole(done, total, share=share, left=left)

    def notice(self, text: str) -> None:
        self._progress.notice(text)

    def caveat(self, text: str) -> None:
        if text not in self.caveats:
            self.caveats.append(text)
        self._progress.caveat(text)


QUIET = Progress()
