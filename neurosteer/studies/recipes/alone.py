"""One process at a time works on the units of a run, or of one of its shards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from neurosteer.errors import NeurosteerError

from .shard import Shard

_RUN = ".run.lock"


@contextmanager
def alone(folder: Path, shard: Shard | None = None, *, wait: bool = False) -> Iterator[None]:
    """Hold a run's folder, or a shard's part of it. Raises `NeurosteerError` where another process works on it.

    Shards of one number may work side by side; no other two may. `wait` waits for the other instead.
    """
    folder.mkdir(parents=True, exist_ok=True)
    own = folder / (_RUN if shard is None else f".shard-{shard.index}-of-{shard.of}.lock")
    with ExitStack() as held:
        _hold(own, held, wait)
        beside = f"-of-{shard.of}.lock" if shard else None
        for other in [folder / _RUN, *sorted(folder.glob(".shard-*.lock"))]:
            if other != own and not (beside and other.name.endswith(beside)):
                with ExitStack() as tried:
                    _hold(other, tried, wait)
        yield


def _hold(path: Path, held: ExitStack, wait: bool) -> None:
    try:
        held.enter_context(FileLock(path, timeout=-1 if wait else 0))
    except Timeout:
        raise NeurosteerError(
            f"another process is at work in {path.parent}; wait for it, or stop it and run this again"
        ) from None
