"""Groups of options: a command takes a dataclass, its users type that class's fields."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import copy
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """The command with each parameter that is a dataclass of options replaced by the options themselves."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        hint = hints[name]
        if not is_dataclass(hint):
            parameters.append(parameter.replace(annotation=hint, kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        groups[name], inner = (
            hint,
            {key: _option(of) for key, of in get_type_hints(hint, include_extras=True).items()},
        )
        parameters += [
            inspect.Parameter(
                field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=inner[field.name]
            )
            for field in fields(hint)
        ]

    def run(**given: Any) -> None:
        made = {
            name: group(**{field.name: given.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        command(**given, **made)

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _option(hint: Any) -> Any:
    """An option as typer reads it; one that is `... | None` may be left out, and shows no default of its own."""
    parts = get_args(hint)
    if get_origin(hint) not in (Union, UnionType) or get_origin(parts[0]) is not Annotated:
        return hint
    kind, option = get_args(parts[0])
    option = copy(option)
    option.show_default = False
    return Annotated[kind | None, option]
