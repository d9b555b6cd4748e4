"""One process at a time works on the units of a run, or of one of its shards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

from filelock import BaseFileLock, FileLock, Timeout

from neurosteer.errors import NeurosteerError
from neurosteer.store import refuse_link

from .shard import Shard

_RUN = ".run.lock"
_GATE = ".gate.lock"  # held by whoever looks which of the other locks are held, and takes one
_GATE_SECONDS = 60.0  # to look takes milliseconds, and as many as start at once take turns
_PAUSE = 0.1  # seconds between two looks of one who waits


@contextmanager
def run_lock(folder: Path, shard: Shard | None = None, *, wait: bool = False) -> Iterator[None]:
    """Lock a run's folder, or a shard's part of it. Raises `NeurosteerError` where another process works on it.

    Shards of one number may work side by side, and start at the same instant; no other two may. `wait` waits for the
    other instead.
    """
    refuse_link(folder)
    folder.mkdir(parents=True, exist_ok=True)
    while (held := _take(folder, shard)) is None:
        if not wait:
            raise NeurosteerError(
                f"another process is at work in {folder}; wait for it, or stop it and run this again"
            )
        sleep(_PAUSE)
    try:
        yield
    finally:
        held.release()


def _take(folder: Path, shard: Shard | None) -> BaseFileLock | None:
    """The lock, held; or None where another process is at work."""
    gate = _held(folder / _GATE, _GATE_SECONDS)
    if gate is None:
        return None
    try:
        own = _held(folder / (_RUN if shard is None else f".shard-{shard.index}-of-{shard.of}.lock"))
        if own is not None and not all(map(_is_free, _others(folder, shard))):
            own.release()
            return None
        return own
    finally:
        gate.release()


def _others(folder: Path, shard: Shard | None) -> list[Path]:
    """The locks of those that may not work beside it."""
    shards = sorted(folder.glob(".shard-*.lock"))
    if shard is None:
        return shards
    return [folder / _RUN, *(path for path in shards if not path.name.endswith(f"-of-{shard.of}.lock"))]


def _is_free(path: Path) -> bool:
    lock = _held(path)
    if lock is not None:
        lock.release()
    return lock is not None


def _held(path: Path, timeout: float = 0) -> BaseFileLock | None:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=timeout)
    except Timeout:
        return None
    return lock
