"""`recipe.json`: what was asked of a run, beside its units, and the versions of the libraries that worked on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from neurosteer.errors import InputError
from neurosteer.store import MANIFEST, canonical_json, digest_of, locked, versions, write_bytes
from neurosteer.vocabulary import Json

METADATA = "recipe.json"
_OWN = "sha256"  # of all the rest


def write_run_metadata(folder: Path, digest: str, asked: Mapping[str, Json]) -> list[str]:
    """Write it, and say which other versions than those that the run was begun with have worked on it, and if it
    was damaged.

    To be called by a process that works on the run. Raises `InputError` where something else was asked:
    two runs are never mixed.
    """
    path, now = folder / METADATA, versions("neurosteer")
    with locked(path):  # workers that start side by side do this one after the other
        recorded = _recorded(path, digest)
        damaged = recorded is None and path.is_file()
        begun, others = recorded or (now, [])
        if now not in (begun, *others):
            others = [*others, now]
        metadata = {"digest": digest, **asked, "versions": begun, **({"other_versions": others} if others else {})}
        text = canonical_json({**metadata, _OWN: digest_of(metadata)}).encode()
        if not path.is_file() or path.read_bytes() != text:
            (folder / MANIFEST).unlink(missing_ok=True)  # what it says of this file holds no longer
            write_bytes(path, text)
    differing = {name: _each_once(begun, others, name) for name in now}
    notices = [f"{path} is damaged; writing it again"] if damaged else []
    return notices + [
        f"this run was begun with {name} {begun.get(name)}; {' and '.join(found)} worked on it too"
        for name, found in differing.items()
        if found
    ]


def _recorded(path: Path, digest: str) -> tuple[dict[str, str], list[dict[str, str]]] | None:
    """The versions that the run was begun with, and the others."""
    try:
        text = path.read_text("utf-8")
        asked = json.loads(text)
        if canonical_json(asked) != text or asked.pop(_OWN) != digest_of(asked):
            return None
        found, begun = str(asked["digest"]), dict(asked["versions"])
        others = [dict(one) for one in asked.get("other_versions", ())]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # not there, or damaged: the units themselves say what they belong to
    if found != digest:
        raise InputError(
            f"{path.parent} holds another recipe, model or data; runs are not mixed: delete it or name another "
            "folder with --out"
        )
    return begun, others


def _each_once(begun: Mapping[str, str], others: list[dict[str, str]], name: str) -> list[str]:
    """The other versions of one library."""
    return list(dict.fromkeys(f"{one.get(name)}" for one in others if one.get(name) != begun.get(name)))
