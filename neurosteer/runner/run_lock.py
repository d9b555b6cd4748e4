"""One process at a time joins the units of a run, and draws."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from neurosteer.store import refuse_link

_RUN = ".run.lock"


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Lock a run's folder; others wait."""
    refuse_link(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / _RUN):
        yield
