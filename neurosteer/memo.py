"""Small answers in the cache, each beside the question that it answers: what is known without being computed again.

A question is a JSON value that holds everything on which its answer depends. The code of neurosteer and the versions
of its libraries are added here, so that no answer outlives them. An answer that is damaged, or cannot be written,
costs time and never a result; a notice says so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from .progress import logger
from .store import canonical_json, code_digest, digest_of, home, locked, sweep, versions, write_bytes
from .vocabulary import Json

_LIBRARIES = ("neurosteer", "numpy", "scipy", "scikit-learn", "simplemma", "snowballstemmer")


def recall(kind: str, question: Sequence[Json]) -> Json | None:
    """The answer that was remembered; None where there is none, or it is damaged."""
    path, key = _place(kind, question)
    try:
        if not path.is_file():
            return None
        kept = json.loads(path.read_bytes())
        if kept["key"] == key and kept["digest"] == digest_of([key, kept["answer"]]):
            return kept["answer"]
    except OSError as error:
        logger.warning(f"cannot read '{path}': {error.strerror or error}; computing it again")
        return None
    except (ValueError, KeyError, TypeError):
        pass  # no answer at all
    logger.warning(f"{path} is damaged: it is not what was remembered; computing it again")
    return None


def remember(kind: str, question: Sequence[Json], answer: Json) -> None:
    """Keep an answer, in the place of an older one. Where another process is at it just now, that one does."""
    path, key = _place(kind, question)
    kept = {"key": key, "answer": answer, "digest": digest_of([key, answer])}
    try:
        with locked(path, wait=False):
            sweep(path)
            write_bytes(path, canonical_json(kept).encode())
    except TimeoutError:
        pass
    except OSError as error:
        logger.warning(f"not cached: {error.strerror or error}")


def _place(kind: str, question: Sequence[Json]) -> tuple[Path, str]:
    key = digest_of([list(question), code_digest(), versions(*_LIBRARIES)])
    return home() / kind / key[:2] / f"{key[2:34]}.json", key
