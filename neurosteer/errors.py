"""What can go wrong, said in the user's words.

Every error is one sentence: what is wrong, with which value, and what to do about it. The command line
prints it as it is and ends with `exit_code`; in Python it is raised like any other exception.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class NeurosteerError(Exception):
    """Anything that neurosteer refuses or fails to do. The message is one line for the user.

    Example:
        >>> issubclass(ns.InputError, ns.NeurosteerError), ns.NeurosteerError.exit_code
        (True, 1)
    """

    exit_code = 1


class InputError(NeurosteerError, ValueError):
    """The request cannot be met as it stands: a wrong name, value, file or combination.

    Example:
        >>> ranking.top(400)
        Traceback (most recent call last):
        ...
        neurosteer.errors.InputError: topk 400 is more than the 384 units of a layer
    """

    exit_code = 2


class OutOfMemoryError(NeurosteerError):
    """Memory does not hold the work, and it cannot be cut smaller."""

    def __init__(self, doing: str = "") -> None:
        super().__init__(f"out of memory{doing}; try --dtype bfloat16, --device-map auto or --device cpu")


class CorruptFileError(NeurosteerError):
    """A file of ours is not what was written: cut short, changed, or of another kind."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: Python's, numpy's, or a device's of torch (not imported here)."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    signs = ("out of memory", "DefaultCPUAllocator", "STATUS_ALLOC_FAILED")
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in signs)


def one_line(error: BaseException) -> str:
    """Its message on one line."""
    return " ".join(str(error).split())


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`"; did you mean 'x'?"` for the closest known word, or an empty string."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def cannot_draw(figure: str, error: Exception) -> str:
    """What is said of a figure that could not be drawn.

    Example:
        >>> cannot_draw("fig5", ValueError("no such font"))
        'no figure fig5 (ValueError: no such font); its numbers are kept'
    """
    return f"no figure {figure} ({type(error).__name__}: {one_line(error)}); its numbers are kept"
