"""Listings as JSON: one object with the command, the version and the rows, like every other command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neurosteer.vocabulary import Json


def print_listing(command: str, rows: Sequence[Mapping[str, Json]], **more: Json) -> None:
    """Print `{command, version, results}` on stdout, and `more` keys."""
    import neurosteer
    from neurosteer.report import to_json

    print(to_json({"command": command, "version": neurosteer.__version__, "results": list(rows), **more}), end="")
