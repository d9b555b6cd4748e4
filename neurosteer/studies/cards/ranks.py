"""Where finished finds rank a neuron."""

from __future__ import annotations

from pathlib import Path

from neurosteer.errors import NeurosteerError
from neurosteer.model import Model
from neurosteer.neurons import Ranking
from neurosteer.progress import QUIET, Progress
from neurosteer.results.card import PlaceInRanking
from neurosteer.studies.runs import read_run, runs
from neurosteer.vocabulary import Site


def places_in(
    out: Path, model: Model, layer: int, unit: int, *, site: Site, progress: Progress = QUIET
) -> tuple[PlaceInRanking, ...]:
    """In the newest find of each task and method of this model and site below a folder."""
    found: dict[tuple[str, str], PlaceInRanking] = {}
    for row in runs(out, progress):
        if row.command != "find" or row.site != site or layer not in (row.layers or ()):
            continue
        folder = Path(row.path)
        for entry in read_run(folder)["results"]:
            for method, file in entry["rankings"].items():
                key = entry["task"], method
                if key in found:
                    continue
                try:
                    ranking = Ranking.load(folder / Path(file).name)
                except NeurosteerError:
                    continue
                if ranking.model == model.fingerprint and layer in ranking.layers:
                    found[key] = place_in(ranking, layer, unit, task=entry["task"], run=row.run)
    return tuple(sorted(found.values(), key=lambda one: (one.task, one.method)))


def place_in(ranking: Ranking, layer: int, unit: int, *, task: str, run: str) -> PlaceInRanking:
    """Where one ranking has the neuron: 1 and the number of units that score higher."""
    row = ranking.layers.index(layer)
    score = ranking.scores[row, unit]
    return PlaceInRanking(
        task=task,
        method=ranking.method,
        score=float(score),
        place=1 + int((ranking.scores > score).sum()),
        among=ranking.scores.numel(),
        place_in_layer=1 + int((ranking.scores[row] > score).sum()),
        run=run,
    )
