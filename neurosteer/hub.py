"""Is the Hugging Face hub there? Its own libraries take half a minute to find out that it is not."""

from __future__ import annotations

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
