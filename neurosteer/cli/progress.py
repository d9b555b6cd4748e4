"""Bars for what takes time and lines for what should be known, all on stderr."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.progress import Task as Row
from rich.text import Text

from neurosteer.progress import LineProgress, Pace, Progress, duration, logger

from .screen import visible


class TerminalProgress(Progress):
    """A bar for the whole of a long job and below it one for what goes on, on a terminal only; each notice once.

    Where there is no terminal, lines tell how far the work is: of a long job at once, else after a few seconds, and
    then every half minute.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = monotonic) -> None:
        self._console = console
        self._clock = clock
        self._bar: Bar | None = None
        self._whole: TaskID | None = None
        self._inner: TaskID | None = None
        self._pace = Pace(clock)
        self._end = 0.0  # when the long job will be finished
        self._lines = LineProgress(self._say_line, clock)
        self._noticed: set[str] = set()

    def step(self, what: str, done: int, total: int) -> None:
        if not self._shows_bars:
            self._lines.step(what, done, total)
            return
        if self._pace.begins(what, done, total):
            self._remove_inner()
        bar = self._shown()
        if self._inner is None:
            self._inner = bar.add_task(visible(what), total=total, completed=done)
        bar.update(self._inner, completed=done, total=total)
        if done >= total:
            self._remove_inner()

    def whole(self, done: int, total: int, *, share: float, left: float) -> None:
        if not self._shows_bars:
            self._lines.whole(done, total, share=share, left=left)
            return
        self._end = self._clock() + left
        self._remove_inner()
        if done >= total:
            self.clear()
            return
        bar = self._shown()
        if self._whole is None:
            self._whole = bar.add_task("units", total=total, completed=done, left=self._left)
        bar.update(self._whole, completed=done, total=total)

    def notice(self, text: str) -> None:
        line = " ".join(text.split())
        if line not in self._noticed:
            self._noticed.add(line)
            self._console.print(Text(f"note: {visible(line)}", style="dim"), soft_wrap=True)

    def clear(self) -> None:
        """Take the bars off the screen, so that something else can be printed there."""
        if self._bar is not None:
            self._bar.stop()
        self._bar = self._whole = self._inner = None

    @property
    def _shows_bars(self) -> bool:
        return self._console.is_terminal and not self._console.quiet

    def _shown(self) -> Bar:
        if self._bar is None:
            self._bar = _new_bar(self._console)
            self._bar.start()
        return self._bar

    def _remove_inner(self) -> None:
        if self._whole is None:
            self.clear()
        elif self._bar is not None and self._inner is not None:
            self._bar.remove_task(self._inner)
            self._inner = None

    def _say_line(self, line: str) -> None:
        self._console.print(Text(visible(line)), soft_wrap=True)

    def _left(self) -> str:
        return f"about {duration(max(0.0, self._end - self._clock()))} left"


@contextmanager
def progress_on_stderr(*, quiet: bool) -> Iterator[TerminalProgress]:
    """A progress for one command; what rooms below say to the `neurosteer` logger is shown as notices too."""
    progress = TerminalProgress(Console(stderr=True, quiet=quiet), monotonic)
    handler = _Notices(progress)
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield progress
    finally:
        progress.clear()
        logger.removeHandler(handler)
        logger.propagate = propagate


class _Notices(logging.Handler):
    def __init__(self, progress: Progress) -> None:
        super().__init__(logging.WARNING)
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        self._progress.notice(record.getMessage())


class _Left(TimeRemainingColumn):
    """What a row says of itself, or the time that its pace leaves."""

    def render(self, task: Row) -> Text:
        return Text(task.fields["left"]()) if "left" in task.fields else super().render(task)


def _new_bar(console: Console) -> Bar:
    return Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _Left(),
        console=console,
        transient=True,
        redirect_stdout=False,  # stdout is for results, even while a bar is on the screen
    )
