"""Whether the Hugging Face hub can be reached: its own libraries take half a minute to find out that it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

TIMEOUT = 5.0  # seconds


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
    """The folder in the hub's cache in which a file of a repository lies; None where it does not."""
    import huggingface_hub

    found = huggingface_hub.try_to_load_from_cache(repository, name, revision=revision)
    return Path(found).parent if isinstance(found, str) else None
