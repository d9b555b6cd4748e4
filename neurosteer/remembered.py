"""Small answers in the cache, each beside the question that it answers: what is known without being computed again.

A question is a JSON value that holds everything on which its answer depends. The code of neurosteer and the versions
of its libraries are added here, so that no answer outlives them. An answer that is damaged, or cannot be written,
costs time and never a result.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from .store import canonical_json, code_digest, digest_of, home, versions, write_bytes
from .vocabulary import Json

_LIBRARIES = ("neurosteer", "numpy", "scipy", "scikit-learn", "simplemma", "snowballstemmer")


def recall(kind: str, question: Sequence[Json]) -> Json | None:
    """The answer that was remembered; None where there is none, or it is damaged."""
    path, key = _place(kind, question)
    try:
        kept = json.loads(path.read_bytes())
        sound = kept["key"] == key and kept["digest"] == digest_of([key, kept["answer"]])
        return kept["answer"] if sound else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(kind: str, question: Sequence[Json], answer: Json) -> None:
    """Keep an answer, in the place of an older one."""
    path, key = _place(kind, question)
    kept = {"key": key, "answer": answer, "digest": digest_of([key, answer])}
    with suppress(OSError):
        write_bytes(path, canonical_json(kept).encode())


def _place(kind: str, question: Sequence[Json]) -> tuple[Path, str]:
    key = digest_of([list(question), code_digest(), versions(*_LIBRARIES)])
    return home() / kind / key[:2] / f"{key[2:34]}.json", key
