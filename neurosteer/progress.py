"""How long work says what goes on: a `Progress` is told each step and each notice.

The base class is what the Python API uses: steps are not shown, notices go to the `neurosteer` logger
(so they reach stderr unless the caller decides otherwise). The command line draws a bar instead.
"""

from __future__ import annotations

import logging

logger = logging.getLogger("neurosteer")


class Progress:
    """Told what is done; shows nothing but notices."""

    def step(self, what: str, done: int, total: int) -> None:
        """`done` of `total` units of `what` are finished (units: what the caller counts)."""

    def whole(self, done: int, total: int, *, share: float, left: float) -> None:
        """Of a long job `done` of `total` units are finished: a `share` of the work, with `left` seconds to go."""

    def notice(self, text: str) -> None:
        """Something the user should know that is no error."""
        logger.warning(text)


QUIET = Progress()
