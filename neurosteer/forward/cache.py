"""The cache on disk: what was computed before is loaded. A cache that fails costs time, never a result."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import torch

from neurosteer.errors import CorruptFileError, InputError
from neurosteer.model import Model, active_edits, is_hooked
from neurosteer.pairs import Pairs
from neurosteer.progress import Progress
from neurosteer.results import record
from neurosteer.store import SUFFIX, digest_of, file_stem, home, locked, sweep, versions
from neurosteer.vocabulary import Json

from .loop import packing_for

T = TypeVar("T")


def cache_key(model: Model, pairs: Pairs, **settings: Any) -> dict[str, Json]:
    """Everything that a result on some pairs depends on: model, pairs, settings, batch sizes, library versions."""
    return {
        "model": record(model.describe()),
        "pairs": pairs.digest,
        **settings,
        "packing": str(packing_for(model)),
        "precision": torch.get_float32_matmul_precision(),
        "versions": versions(),
    }


def cache_path(kind: str, model: Model, pairs: Pairs, key: dict[str, Json]) -> Path:
    """The file in the cache for a key of `cache_key`. A model's name and revision do not count, its weights do."""
    what = {**key, "model": {k: v for k, v in key["model"].items() if k not in ("name", "revision")}}
    return home() / kind / model.fingerprint[:12] / f"{file_stem(pairs.task)}-{digest_of(what)[:16]}{SUFFIX}"


def load_or_compute(
    path: Path,
    *,
    read: Callable[[], T],
    compute: Callable[[], T],
    write: Callable[[T], None],
    progress: Progress,
) -> T:
    """The result at `path`; if there is none, it is computed and written. Of several processes, one computes."""
    found = load_cached(path, read)
    if found is not None:
        return found
    with cache_lock(path):
        found = load_cached(path, read, progress)
        if found is not None:
            return found
        value = compute()
        write_cached(lambda: write(value), progress)
        return value


@contextmanager
def cache_lock(path: Path) -> Iterator[None]:
    """Lock a file of the cache, and delete the unfinished copies that killed processes have left of it.

    If no lock can be made (the disk is full), the work is done without one, perhaps by several processes.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            stack.enter_context(locked(path))
            sweep(path)
        yield


def can_cache(model: Model, progress: Progress) -> bool:
    """Whether nothing changes what the model computes, and the cache can be written; if not, a notice says why."""
    if is_hooked(model):
        what = "is being steered" if active_edits(model) else "has hooks that are not neurosteer's"
        progress.notice(f"the model {what}: its states are computed and not cached")
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


def load_cached(path: Path, read: Callable[[], T], progress: Progress | None = None) -> T | None:
    """What `read` returns, or None without a file. A damaged file counts as none, and `progress` gets a notice."""
    if not path.is_file():
        return None
    try:
        return read()
    except (
        CorruptFileError,
        InputError,
    ) as error:  # the latter if the bytes that say what kind of file it is are damaged
        if progress is not None:
            progress.notice(f"{error.args[0].split(';')[0]}; computing it again")
        return None


def write_cached(write: Callable[[], None], progress: Progress) -> bool:
    """Whether the file was written. If not (the disk is full), only the next run loses time, and a notice says so."""
    try:
        write()
    except OSError as error:
        progress.notice(f"not cached: {error.strerror or error}")
        return False
    return True
