"""How work reports what goes on: a `Progress` hears of each step and of each notice.

The Python API uses `AUTO`: a bar per step in a notebook, nothing elsewhere; notices go to the `neurosteer` logger (so
they reach stderr unless the caller decides otherwise). The command line draws bars on a terminal instead.
"""

from __future__ import annotations

import logging
import sys
import warnings
from typing import Any

logger = logging.getLogger("neurosteer")


class Progress:
    """Where work reports what it does; this one shows nothing, and logs notices. Give your own to `progress=`.

    Example:
        >>> class Collected(ns.Progress):
        ...     def notice(self, text):
        ...         print(text.partition(":")[0])
        >>> shown = Collected()
        >>> shown.step("tokens", 1, 2)
        >>> shown.whole(1, 2, share=0.5, left=60.0)
        >>> shown.notice("passed over: an older run")
        passed over
        >>> shown.caveat("few pairs: 12")
        few pairs
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def step(self, what: str, done: int, total: int) -> None:
        """Hear that a part of a step is done.

        Args:
            what: the step.
            done: how many of its units are finished, in the caller's count.
            total: how many there are.
        """

    def whole(self, done: int, total: int, *, share: float, left: float) -> None:
        """Hear that a part of a long job is done.

        Args:
            done: how many of its units are finished.
            total: how many there are.
            share: of the work, in [0, 1].
            left: seconds to go.
        """

    def notice(self, text: str) -> None:
        """Hear of something that the user should know and that is no error.

        Args:
            text: one line.
        """
        logger.warning(text)

    def caveat(self, text: str) -> None:
        """Hear of a notice that belongs to the result, and is stored with it where results store notices.

        Args:
            text: one line.
        """
        self.notice(text)


class NotebookProgress(Progress):
    """In a notebook a bar for each step, which goes when the step is done; elsewhere nothing.

    `tqdm` draws it: a widget where ipywidgets is installed, else text (rich needs ipywidgets to show anything).
    """

    def __init__(self) -> None:
        self._bars: dict[str, Any] = {}  # "whole" and "step"
        self._what = ""

    def step(self, what: str, done: int, total: int) -> None:
        if what != self._what:
            self._close("step")
        self._what = what
        self._show("step", what, done, total)

    def whole(self, done: int, total: int, *, share: float, left: float) -> None:
        self._close("step")
        self._show("whole", "units", done, total)

    def _show(self, name: str, what: str, done: int, total: int) -> None:
        if done >= total:
            self._close(name)
        elif name in self._bars or in_notebook():
            if name not in self._bars:
                self._bars[name] = _bar(what, total)
            self._bars[name].update(done - self._bars[name].n)

    def _close(self, name: str) -> None:
        if name in self._bars:
            self._bars.pop(name).close()


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


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook (or of another Jupyter front end)."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and "IPKernelApp" in shell.config


def _bar(what: str, total: int) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no ipywidgets: text will do
        from tqdm.auto import tqdm

    return tqdm(total=total, desc=what, leave=False)


QUIET = Progress()  # for code that is called with a progress of its own
AUTO = NotebookProgress()  # what functions of the Python API use by default
