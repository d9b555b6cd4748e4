"""A bar for what takes time and a line for what should be known, both on stderr."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from neurosteer.progress import Progress, logger


class TerminalProgress(Progress):
    """One bar at a time, on a terminal only; each notice once, as one line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Bar | None = None
        self._what = ""
        self._said: set[str] = set()

    def step(self, what: str, done: int, total: int) -> None:
        if not self._console.is_terminal or self._console.quiet:
            return
        if what != self._what or self._bar is None:
            self.clear()
            self._what, self._bar = what, _new_bar(self._console)
            self._bar.add_task(what, total=total, completed=done)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=done, total=total)
        if done >= total:
            self.clear()

    def notice(self, text: str) -> None:
        line = " ".join(text.split())
        if line not in self._said:
            self._said.add(line)
            self._console.print(Text(f"note: {line}", style="dim"), soft_wrap=True)

    def clear(self) -> None:
        """Take the bar off the screen, so that something else can be printed there."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


@contextmanager
def progress_on_stderr(*, quiet: bool) -> Iterator[TerminalProgress]:
    """A progress for one command; what rooms below say to the `neurosteer` logger is shown as notices too."""
    progress = TerminalProgress(Console(stderr=True, quiet=quiet))
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


def _new_bar(console: Console) -> Bar:
    return Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        redirect_stdout=False,  # stdout is for results, even while a bar is on the screen
    )
