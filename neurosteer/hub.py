"""Whether the Hugging Face hub can be reached: its own libraries take half a minute to find out that it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
