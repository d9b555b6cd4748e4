"""Which tasks are meant: names, globs, phenomena or all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from neurosteer.errors import InputError, did_you_mean

from .blimp import normalise


def choose_tasks(
    wanted: Sequence[str], known: Sequence[str], phenomenon_of: Callable[[str], str | None], *, hint: str
) -> list[str]:
    """Task names in the order asked for, alphabetically within one request, each once.

    A request is a name, a glob (`*island*`), a phenomenon (`island_effects`) or `all`; none at all means the
    only task there is. Raises InputError, which ends in the hint, for what matches nothing.
    A task that is itself called `all` is `[a]ll`.
    """
    if not wanted:
        if len(known) == 1:
            return list(known)
        raise InputError(f"which of {len(known)} tasks? give --task NAME, a glob, a phenomenon or 'all' ({hint})")
    chosen: dict[str, None] = {}
    for request in wanted:
        chosen.update(dict.fromkeys(sorted(_matches(request, known, phenomenon_of, hint))))
    return list(chosen)


def means_several(request: str) -> bool:
    """Whether a request may mean several tasks by how it is written: `all`, or a glob."""
    return request == "all" or any(character in request for character in "*?[")


def _matches(
    request: str, known: Sequence[str], phenomenon_of: Callable[[str], str | None], hint: str
) -> Sequence[str]:
    if means_several(request):  # even where a task has just this name
        if found := [name for name in known if request in ("all", name) or fnmatchcase(name, request)]:
            return found
        raise InputError(f"no task matches '{request}' ({hint})")
    if request in known:
        return [request]
    phenomena = {name: phenomenon_of(name) for name in known}
    if found := [name for name, phenomenon in phenomena.items() if phenomenon == normalise(request)]:
        return found
    candidates = [*known, *sorted({phenomenon for phenomenon in phenomena.values() if phenomenon})]
    raise InputError(f"unknown task '{request}'{did_you_mean(request, candidates)} ({hint})")
