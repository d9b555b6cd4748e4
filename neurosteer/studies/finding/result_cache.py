"""A finished `find` in the cache: the same search again runs no model and fits no probe."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from neurosteer.artefacts import FOUND, WrongContentError
from neurosteer.forward.cache import cache_key, cache_path, load_or_compute
from neurosteer.model import Model
from neurosteer.neurons import Ranking, stats_arrays, stats_from
from neurosteer.pairs import Pairs, Split
from neurosteer.probes import STRENGTHS
from neurosteer.progress import Progress
from neurosteer.report import to_json
from neurosteer.results import FindResult, Json, read_record, record
from neurosteer.store import code_digest, digest_of, versions, write_artefact

from .directions import direction_arrays, directions_from
from .found import Found
from .top_states import TopStates


def load_or_find(
    model: Model,
    pairs: Pairs,
    parts: Split,
    settings: Mapping[str, Json],
    compute: Callable[[], Found],
    progress: Progress,
) -> Found:
    """What was found with these settings in the same model and pairs before, else what `compute` finds."""
    what = _depends_on(model, pairs, settings)
    path = cache_path("found", model, pairs, what)
    return load_or_compute(
        path,
        read=lambda: _read(path, model, pairs, parts),
        compute=compute,
        write=lambda found: _write(path, found, what),
        progress=progress,
    )


def _depends_on(model: Model, pairs: Pairs, settings: Mapping[str, Json]) -> dict[str, Json]:
    """Everything that decides the numbers of a search, and what its rankings say of where they come from."""
    return {
        **cache_key(model, pairs, asked=dict(settings)),
        "named": [model.name, model.revision, pairs.phenomenon, pairs.source],
        "left_out": asdict(pairs.left_out),  # notices tell
        "groups": digest_of([[pair.item, pair.part] for pair in pairs]),  # a split keeps them together
        "strengths": list(STRENGTHS),
        "versions": versions("neurosteer", "numpy", "scipy", "scikit-learn", "simplemma", "snowballstemmer"),
        "code": code_digest(),
    }


def _write(path: Path, found: Found, what: Mapping[str, Json]) -> None:
    """Scores, statistics and directions as arrays; the result and the rankings' provenance beside them."""
    first = next(iter(found.rankings.values()))
    arrays = {f"scores_{method}": ranking.scores.numpy() for method, ranking in found.rankings.items()}
    arrays |= stats_arrays(first.stats) | direction_arrays(found.directions)
    arrays |= found.top.arrays() if found.top else {}
    own = {
        method: {"best_layer": ranking.best_layer, "metadata": dict(ranking.metadata), "group": ranking.group}
        for method, ranking in found.rankings.items()
    }
    result = to_json(record(found.result))  # as text: an artefact does not keep the order of keys
    write_artefact(path, FOUND.kind, arrays, {**what, "result": result, "rankings": own})


def _read(path: Path, model: Model, pairs: Pairs, parts: Split) -> Found:
    """What `_write` wrote. Raises `CorruptFileError` if damaged, or where it holds what no search finds."""
    arrays, metadata = FOUND.read(path)
    try:
        return _found(arrays, metadata, model, pairs, parts)
    except (ValueError, KeyError, TypeError) as error:
        raise WrongContentError(path, " ".join(f"{type(error).__name__}: {error}".split())) from None


def _found(
    arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Json], model: Model, pairs: Pairs, parts: Split
) -> Found:
    result, stats = read_record(FindResult, json.loads(metadata["result"])), stats_from(arrays)
    rankings = {
        method: Ranking(
            scores=torch.from_numpy(arrays[f"scores_{method}"]),
            method=method,
            stats=stats,
            model=model.fingerprint,
            site=result.site,
            **metadata["rankings"][method],
        )
        for method in result.methods
    }
    top = TopStates.from_arrays(arrays) if "top_values" in arrays else None
    return Found(result, rankings, directions_from(arrays, stats.layers), pairs, parts, top)
