"""Folders that appear whole: filled as a hidden draft, then put in their place.

Whatever kills a process, a finished folder is never lost and nothing stays for ever: every later run beside it sweeps
up. While one folder takes the place of another, the older one is kept beside it under a name that says whose it is.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import time

from filelock import BaseFileLock, FileLock, Timeout

from neurosteer.artefacts.checking import DRAFT
from neurosteer.errors import NeurosteerError

_OLDER = ".older-"  # a hidden folder's name: that of the folder, this or `DRAFT`, some letters
_LOCK = ".lock"  # in a draft: held by the process that fills it
_INSIDE = "draft"  # in a draft: what is filled
_ATTEMPTS = 100
_BEGINS = 60.0  # seconds in which a process that begins a draft has locked it


@contextmanager
def draft_of(folder: Path) -> Iterator[Path]:
    """An empty folder, in the place of `folder` once the block has ended well."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    sweep_drafts(folder.parent)
    with _held_folder(folder) as held:
        draft = held / _INSIDE
        draft.mkdir()
        yield draft
        _put_in_place(draft, folder)


def sweep_drafts(parent: Path) -> None:
    """Delete what killed processes have left in a folder, and put back what one was about to replace."""
    for left in parent.glob(f".*{DRAFT}*"):
        with suppress(OSError, Timeout):
            if (left / _LOCK).exists():
                with FileLock(left / _LOCK, timeout=0):  # free: nobody fills it any more
                    shutil.rmtree(left, ignore_errors=True)
            elif time() - left.stat().st_mtime > _BEGINS:
                _delete_unlocked(left)
    for left in parent.glob(f".*{_OLDER}*"):
        folder = parent / left.name[1:].rpartition(_OLDER)[0]
        with suppress(OSError):
            if folder.exists():
                shutil.rmtree(left)
            else:
                os.rename(left, folder)


def _delete_unlocked(left: Path) -> None:
    """Delete what a process has left that was killed before it locked its draft, or while it deleted it.

    Whatever else lies in the folder is not ours, and keeps it there.
    """
    shutil.rmtree(left / _INSIDE, ignore_errors=True)
    left.rmdir()


@contextmanager
def _held_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder beside `folder`, deleted when the block ends; until then no other process sweeps it up."""
    lock = next((lock for _ in range(_ATTEMPTS) if (lock := _locked_draft(folder)) is not None), None)
    if lock is None:
        raise NeurosteerError(f"cannot make a draft of {folder}: others keep sweeping it up")
    held = Path(lock.lock_file).parent
    try:
        yield held
    finally:
        shutil.rmtree(held, ignore_errors=True)
        lock.release()


def _locked_draft(folder: Path) -> BaseFileLock | None:
    """The lock in a new draft, held; None where another process has swept it up before it was locked."""
    held = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}{DRAFT}"))
    lock = FileLock(held / _LOCK)
    try:
        lock.acquire()
    except FileNotFoundError:
        return None
    except OSError:
        shutil.rmtree(held, ignore_errors=True)
        raise
    if Path(lock.lock_file).exists():
        return lock
    lock.release()
    return None


def _put_in_place(draft: Path, folder: Path) -> None:
    """Put a finished folder in the place of an older one; of processes that do so at once the last one wins."""
    for attempt in range(_ATTEMPTS):
        older = folder.with_name(f".{folder.name}{_OLDER}{draft.parent.name[-8:]}-{attempt}")
        with suppress(FileNotFoundError):  # there is none, or another process has just put it away
            os.rename(folder, older)
        try:
            os.rename(draft, folder)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                with suppress(OSError):  # there was none, or another process has put its own there
                    os.rename(older, folder)
                raise
        else:
            shutil.rmtree(older, ignore_errors=True)
            return
    raise NeurosteerError(f"cannot replace {folder}: others keep writing it")
