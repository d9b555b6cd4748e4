"""The Hugging Face hub: whether it can be reached, what it has, and files of it on this machine.

Its own libraries take half a minute to find out that it cannot be reached.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, Literal

from neurosteer.errors import InputError
from neurosteer.progress import Progress

Kind = Literal["model", "dataset"]
TIMEOUT = 5.0  # seconds


def go_offline() -> None:
    """Tell the Hugging Face libraries, which read this when they are imported, not to use the network."""
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TRANSFORMERS_OFFLINE="1")


def is_reachable() -> bool:
    """Whether the hub answers within the timeout. Runs in a thread, as socket timeouts do not limit DNS look-ups."""
    import huggingface_hub

    answered: list[bool] = []

    def ask() -> None:
        try:
            huggingface_hub.get_session().head(huggingface_hub.constants.ENDPOINT, timeout=TIMEOUT)
            answered.append(True)
        except Exception:  # errors differ between HTTP libraries, and all mean: no answer
            answered.append(False)

    thread = Thread(target=ask, daemon=True)
    thread.start()
    thread.join(TIMEOUT)
    return answered == [True]


@contextmanager
def network(allowed: bool) -> Iterator[None]:
    """Inside the block `huggingface_hub` does not use the network, unless `allowed`.

    Its own `local_files_only` is not enough: some calls still contact the hub.
    """
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before or not allowed
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def has_file(repository: str, name: str, revision: str | None, *, online: bool) -> bool:
    """Whether a repository of the hub has a file; without the network, whether its copy in the cache has."""
    import huggingface_hub

    if folder_of(repository, name, revision) is not None:
        return True
    return online and huggingface_hub.file_exists(repository, name, revision=revision)


def folder_of(repository: str, name: str, revision: str | None) -> Path | None:
    """The folder in the hub's cache in which a file of a repository lies; None where it does not.

    No repository has a name such as `./nowhere`.
    """
    import huggingface_hub
    from huggingface_hub.errors import HFValidationError

    try:
        found = huggingface_hub.try_to_load_from_cache(repository, name, revision=revision)
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None


@dataclass(frozen=True)
class Repository:
    """What the hub says of a repository at one revision.

    Attributes:
        name: its id, OWNER/NAME.
        kind: what it holds.
        commit: that the revision stands for now.
        sizes: bytes of each of its files.
    """

    name: str
    kind: Kind
    commit: str
    sizes: Mapping[str, int]


@dataclass(frozen=True)
class Fetched:
    """What lies in the cache.

    Attributes:
        name: as it was asked for.
        kind: a model or a data set.
        folder: where it lies.
        size: bytes of the files.
        commit: of a repository of the hub, as far as it is known.
        was_there: whether nothing had to be fetched.
    """

    name: str
    kind: Kind
    folder: Path
    size: int
    commit: str | None
    was_there: bool


def repository(name: str, kind: Kind, revision: str | None = None) -> Repository | None:
    """What the hub says of a repository; None where it has none of that kind, or does not tell.

    Raises `InputError` for a revision that it lacks, or where it does not answer as it should.
    """
    from huggingface_hub import HfApi, errors

    try:
        info = HfApi().repo_info(name, repo_type=kind, revision=revision, files_metadata=True)
    except errors.RevisionNotFoundError as error:
        raise InputError(f"'{name}' has no revision '{revision}' on the hub") from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError):
        return None
    except Exception as error:  # its HTTP library has errors of its own
        raise InputError(f"the hub cannot be asked for '{name}': {_first_line(error)}") from error
    sizes = {file.rfilename: file.size or 0 for file in getattr(info, "siblings", None) or ()}
    return Repository(name, kind, str(info.sha), sizes)


def download(found: Repository, files: Sequence[str], progress: Progress, *, into: Path | None = None) -> Path:
    """Some files of a repository, in a folder of one's own or in the hub's cache; gives the folder.

    In the cache no branch names the commit yet, and what arrived before an interruption is not downloaded again.
    Raises `InputError` where access has to be asked for, or the connection ends.
    """
    from huggingface_hub import errors, hf_hub_download

    what, total = f"downloading {found.name} (MB)", _mb(sum(found.sizes[file] for file in files))
    done = 0
    for file in files:

        def hear(size: int, before: int = done) -> None:
            progress.step(what, min(_mb(before + size), total), total)

        try:
            path = hf_hub_download(
                found.name,
                file,
                repo_type=found.kind,
                revision=found.commit,
                local_dir=into,
                tqdm_class=_counter(hear),
            )
        except errors.GatedRepoError as error:
            raise InputError(
                f"'{found.name}' has terms to accept: do so at {page_of(found)}, then log in (hf auth login)"
            ) from error
        except OSError as error:
            if error.errno is not None and error.filename is not None:  # the disk
                raise
            raise _broken_off(found, error) from error
        except Exception as error:
            raise _broken_off(found, error) from error
        done += found.sizes[file]
        progress.step(what, min(_mb(done), total), total)
    return into or Path(path).parents[file.count("/")]


def page_of(found: Repository) -> str:
    """Where a browser shows a repository."""
    from huggingface_hub import constants

    return f"{constants.ENDPOINT}/{'datasets/' if found.kind == 'dataset' else ''}{found.name}"


def _broken_off(found: Repository, error: Exception) -> InputError:
    return InputError(f"'{found.name}' could not be downloaded: {_first_line(error)}; give the command again")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _mb(size: int) -> int:
    return -(-size // 10**6)


def _counter(hear: Callable[[int], None]) -> Any:
    """A bar of huggingface_hub's kind that shows nothing, and says how many bytes of a file have come."""
    from tqdm import tqdm

    class Counter(tqdm):
        def __init__(self, *given: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(*given, **{**options, "disable": True})
            self.come = options.get("initial") or 0

        def update(self, n: float | None = 1) -> None:
            self.come += n or 0
            hear(int(self.come))

    return Counter
