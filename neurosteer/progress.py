"""How work reports what goes on: a `Progress` hears of each step and of each notice.

The Python API uses `AUTO`: a bar per step in a notebook, elsewhere a line on stderr now and then where a step takes
long; notices go to the `neurosteer` logger (so they reach stderr unless the caller decides otherwise). The command
line draws bars on a terminal instead.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable
from time import monotonic
from typing import Any

logger = logging.getLogger("neurosteer")
EVERY = 30.0  # seconds between two lines where there are no bars
SOON = 3.0  # seconds until the first of them: what is short says nothing


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


class Pace:
    """How far the step is that goes on, and how long it will take at its pace so far."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._what = ""
        self._began = (0.0, 0)  # when this step was first heard of, and how much of it was done then

    def begins(self, what: str, done: int, total: int) -> bool:
        """Whether this is another step than the last one. What is done is over: the same name begins anew."""
        new = what != self._what
        if new:
            self._began = (self._clock(), done)
        self._what = what if done < total else ""
        return new

    def line(self, what: str, done: int, total: int) -> str:
        """`states, tokens: 850 of 2,000, about 46 s left`; no time at the beginning, nothing of what is done."""
        if done >= total:
            return ""
        since, first = self._began
        left = (total - done) * (self._clock() - since) / (done - first) if done > first else None
        return f"{what}: {done:,} of {total:,}{'' if left is None else f', about {duration(left)} left'}"


class LineProgress(Progress):
    """A line where work takes more than a few seconds, and then one every half minute at most.

    It tells of the long job that goes on, whose first line comes at once, or without one of the step. With
    `each_step` every step has to take a few seconds: a caller's loop of short calls says nothing.
    """

    def __init__(
        self, write: Callable[[str], None], clock: Callable[[], float] | None = None, *, each_step: bool = False
    ) -> None:
        self._write, self._clock, self._each_step = write, clock or monotonic, each_step
        self._pace = Pace(self._clock)
        self._job: tuple[int, int, float, float] | None = None  # done, total, share, when it will be finished
        self._due: float | None = None  # when the next line is

    def step(self, what: str, done: int, total: int) -> None:
        begins = self._pace.begins(what, done, total)
        if self._due is None or (begins and self._each_step and self._job is None):
            self._due = max(self._due or 0.0, self._clock() + SOON)
        self._say(self._pace.line(what, done, total))

    def whole(self, done: int, total: int, *, share: float, left: float) -> None:
        now = self._clock()
        if self._job is None:
            self._due = now + (SOON if left < SOON else 0)
        self._job = (done, total, share, now + left) if done < total else None
        self._say("")

    def _say(self, step: str) -> None:
        now = self._clock()
        if self._due is None or now < self._due:
            return
        line = step
        if self._job is not None:
            done, total, share, end = self._job
            known = f", {int(100 * share)} %, about {duration(end - now)} left" if end - now >= 1 else ""
            line = f"{done} of {total} units{known}"
        if line:
            self._due = now + EVERY
            self._write(line)


class NotebookProgress(Progress):
    """In a notebook a bar for each step, which goes when the step is done.

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
            return
        if name not in self._bars:
            self._bars[name] = _bar(what, total)
        self._bars[name].update(done - self._bars[name].n)

    def _close(self, name: str) -> None:
        if name in self._bars:
            self._bars.pop(name).close()


class AutoProgress(Progress):
    """Bars in a notebook, lines elsewhere."""

    def __init__(self) -> None:
        self._bars, self._lines = NotebookProgress(), LineProgress(_to_stderr, each_step=True)

    def step(self, what: str, done: int, total: int) -> None:
        self._shown.step(what, done, total)

    def whole(self, done: int, total: int, *, share: float, left: float) -> None:
        self._shown.whole(done, total, share=share, left=left)

    @property
    def _shown(self) -> Progress:
        return self._bars if in_notebook() else self._lines


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


def _to_stderr(line: str) -> None:
    print("".join(one if one.isprintable() else "?" for one in line), file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """`50 s`, `34 min`, `2 h 10 min`."""
    if seconds < 90:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _bar(what: str, total: int) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no ipywidgets: text will do
        from tqdm.auto import tqdm

    return tqdm(total=total, desc=what, leave=False)


QUIET = Progress()  # for code that is called with a progress of its own
AUTO = AutoProgress()  # what functions of the Python API use by default
