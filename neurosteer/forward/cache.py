"""What was computed before is read, not computed again; a cache that fails costs time, never a result."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import torch

from neurosteer.errors import CorruptFileError, InputError
from neurosteer.model import Model, is_hooked
from neurosteer.pairs import Pairs
from neurosteer.progress import Progress
from neurosteer.store import SUFFIX, digest_of, file_stem, home, locked, sweep, versions

from .loop import packing_for

T = TypeVar("T")


def about(model: Model, pairs: Pairs, **asked: Any) -> dict[str, Any]:
    """Everything that a computation on some pairs depends on."""
    return {
        "model": model.describe(),
        "pairs": pairs.digest,
        **asked,
        "packing": str(packing_for(model)),
        "precision": torch.get_float32_matmul_precision(),
        "versions": versions(),
    }


def cache_path(kind: str, model: Model, pairs: Pairs, about: dict[str, Any]) -> Path:
    """Where the cache keeps what depends on `about`; the same numbers under another name are the same model."""
    what = {**about, "model": {k: v for k, v in about["model"].items() if k not in ("name", "revision")}}
    return home() / kind / model.fingerprint[:12] / f"{file_stem(pairs.task)}-{digest_of(what)[:16]}{SUFFIX}"


def cached(
    path: Path,
    *,
    read: Callable[[], T],
    compute: Callable[[], T],
    write: Callable[[T], None],
    progress: Progress,
) -> T:
    """What is at `path`, else what `compute` gives, written there; of several processes one computes."""
    found = look(path, read)
    if found is not None:
        return found
    with guarded(path):
        found = look(path, read, progress)
        if found is not None:
            return found
        value = compute()
        keep(lambda: write(value), progress)
        return value


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Hold the lock of a file in the cache, cleared of what killed processes have left of it.

    Where no lock can be had (the disk is full), the work is done without, perhaps by several processes.
    """
    with ExitStack() as held:
        with suppress(OSError):
            held.enter_context(locked(path))
            sweep(path)
        yield


def may_cache(model: Model, progress: Progress) -> bool:
    """Whether what this model computes is its own, and there is a place to keep it."""
    if is_hooked(model):
        progress.notice("the model has hooks of somebody else's: its states are computed and not cached")
        return False
    try:
        home().mkdir(parents=True, exist_ok=True)
    except OSError as error:
        progress.notice(f"no cache: cannot make {home()} ({error.strerror}); set NEUROSTEER_HOME to another folder")
        return False
    if not os.access(home(), os.W_OK):
        progress.notice(f"no cache: cannot write to {home()}; set NEUROSTEER_HOME to another folder")
        return False
    return True


def look(path: Path, read: Callable[[], T], progress: Progress | None = None) -> T | None:
    """What `read` finds in the cache; a damaged file counts as none, and is told to `progress`."""
    if not path.is_file():
        return None
    try:
        return read()
    except (CorruptFileError, InputError) as error:  # the latter where the damage is in what kind of file it is
        if progress is not None:
            progress.notice(f"{error.args[0].split(';')[0]}; computing it again")
        return None


def keep(write: Callable[[], None], progress: Progress) -> bool:
    """Whether the cache could be written; a full disk costs the next run time, not this one its result."""
    try:
        write()
    except OSError as error:
        progress.notice(f"not cached: {error.strerror or error}")
        return False
    return True
