"""A finished `find` in the cache: the same search again runs no model and fits no probe."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neurosteer.forward.cache import cache_key, cache_path, load_or_compute
from neurosteer.model import Model
from neurosteer.neurons import Ranking, stats_arrays, stats_from
from neurosteer.pairs import Pairs, Split
from neurosteer.probes import STRENGTHS
from neurosteer.progress import Progress
from neurosteer.report import to_json
from neurosteer.store import code_digest, digest_of, read_artefact, versions, write_artefact

from .found import Found


def found_before(
    model: Model,
    pairs: Pairs,
    parts: Split,
    asked: Mapping[str, Any],
    compute: Callable[[], Found],
    progress: Progress,
) -> Found:
    """What was found when the same was asked of the same model about the same pairs, else what `compute` finds."""
    what = _depends_on(model, pairs, asked)
    path = cache_path("found", model, pairs, what)
    return load_or_compute(
        path,
        read=lambda: _read(path, model, pairs, parts),
        compute=compute,
        write=lambda found: _write(path, found, what),
        progress=progress,
    )


def _depends_on(model: Model, pairs: Pairs, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that decides the numbers of a search, and what its rankings say of where they come from."""
    return {
        **cache_key(model, pairs, asked=dict(asked)),
        "named": [model.name, model.revision, pairs.phenomenon, pairs.source],
        "left_out": asdict(pairs.left_out),  # notices tell
        "groups": digest_of([[pair.item, pair.part] for pair in pairs]),  # a split keeps them together
        "strengths": list(STRENGTHS),
        "versions": versions("neurosteer", "numpy", "scipy", "simplemma", "snowballstemmer"),
        "code": code_digest(),
    }


def _write(path: Path, found: Found, what: Mapping[str, Any]) -> None:
    """Scores, statistics and directions as arrays; the entry and the rankings' provenance beside them."""
    first = next(iter(found.rankings.values()))
    arrays = {f"scores_{method}": ranking.scores.numpy() for method, ranking in found.rankings.items()}
    arrays |= stats_arrays(first.stats) | {
        "directions": torch.stack([direction for direction, _ in found.directions.values()]).numpy(),
        "spread": np.array([spread for _, spread in found.directions.values()]),
    }
    own = {
        method: {"best_layer": ranking.best_layer, "metadata": dict(ranking.metadata)}
        for method, ranking in found.rankings.items()
    }
    entry = to_json(found.entry)  # as text: an artefact does not keep the order of keys
    write_artefact(path, "found", arrays, {**what, "entry": entry, "rankings": own})


def _read(path: Path, model: Model, pairs: Pairs, parts: Split) -> Found:
    """What `_write` wrote. Raises `CorruptFileError` if damaged."""
    arrays, kept = read_artefact(path, "found")
    entry, stats = json.loads(kept["entry"]), stats_from(arrays)
    rankings = {
        method: Ranking(
            scores=torch.from_numpy(arrays[f"scores_{method}"]),
            method=method,
            stats=stats,
            model=model.fingerprint,
            site=entry["site"],
            **kept["rankings"][method],
        )
        for method in entry["methods"]
    }
    rows = zip(stats.layers, arrays["directions"], arrays["spread"], strict=True)
    directions = {layer: (torch.from_numpy(direction), float(spread)) for layer, direction, spread in rows}
    return Found(entry, rankings, directions, pairs, parts.train, parts.validation, parts.test)
