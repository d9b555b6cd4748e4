"""Commands as typer is to see them: it has no groups of options that several commands share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

from .progress import progress_on_stderr


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the fields of the class in the place of each parameter that is a dataclass.

    `progress` is no option: the command is given one that `output`, a group that it has, keeps quiet or not.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}

    def parameters() -> Iterator[inspect.Parameter]:
        for name, parameter in inspect.signature(command).parameters.items():
            if name in groups:
                yield from _fields(groups[name])
            elif name != "progress":
                yield parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)

    def run(**given: Any) -> None:
        made = {
            name: group(**{one.name: given.pop(one.name) for one in fields(group)}) for name, group in groups.items()
        }
        with progress_on_stderr(quiet=made["output"].quiet) as progress:
            command(**given, **made, progress=progress)

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = inspect.Signature(list(parameters()))  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters()}
    return run


def _fields(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=hints[one.name])
        for one in fields(group)
    ]
