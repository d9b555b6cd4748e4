"""Is the Hugging Face hub there, and may it be asked? Its libraries take half a minute to find out that it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

PATIENCE = 5.0  # seconds to wait for a sign of life from the hub


def is_reachable() -> bool:
    """Whether the hub answers in time. Asked in a thread, because no socket timeout bounds a name look-up."""
    import huggingface_hub

    answered: list[bool] = []

    def ask() -> None:
        try:
            huggingface_hub.get_session().head(huggingface_hub.constants.ENDPOINT, timeout=PATIENCE)
            answered.append(True)
        except Exception:  # whatever the HTTP library of the day raises: no answer
            answered.append(False)

    thread = Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return answered == [True]


@contextmanager
def network(allowed: bool) -> Iterator[None]:
    """Keep `huggingface_hub`, whenever it was imported, off the network inside the block unless it is allowed there.

    Told to read local files only, it still asks the hub what to call itself.
    """
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before or not allowed
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
