"""`TASK.states.safetensors` of a run folder: the states of the best neurons of each ranking, sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int

from neurosteer.artefacts import TOP_STATES
from neurosteer.data import EosStates
from neurosteer.neurons import Ranking
from neurosteer.store import SUFFIX, file_stem, write_artefact
from neurosteer.vocabulary import CARDS


@dataclass(frozen=True, eq=False)
class TopStates:
    """What the cards of a page show of a neuron: its activation where the find reads, after every sentence."""

    layers: Int[np.ndarray, "neuron"]
    units: Int[np.ndarray, "neuron"]
    values: Float[np.ndarray, "pair side neuron"]  # float32; side 0 is the good sentence

    @classmethod
    def of(cls, states: EosStates, rankings: Iterable[Ranking]) -> TopStates:
        """Of the CARDS highest neurons above zero of each ranking, over all its layers and at its best one."""
        best: set[tuple[int, int]] = set()
        for ranking in rankings:
            best |= {*_best(ranking, ranking.layers)}
            if ranking.best_layer is not None:
                best |= {*_best(ranking, [ranking.best_layer])}
        rows = {layer: row for row, layer in enumerate(states.layers)}
        places = sorted(best)
        columns = [states.values[:, :, rows[layer], unit] for layer, unit in places]
        values = torch.stack(columns, dim=2) if columns else states.values[:, :, 0, :0]
        layers, units = np.array(places, dtype=np.int64).reshape(-1, 2).T
        return cls(layers, units, values.float().cpu().numpy())

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> TopStates:
        """Those that `arrays` gave."""
        return cls(*(arrays[name] for name in ("top_layers", "top_units", "top_states")))

    def arrays(self) -> dict[str, np.ndarray]:
        """By the names of the artefact."""
        return {"top_layers": self.layers, "top_units": self.units, "top_states": self.values}


def _best(ranking: Ranking, layers: Sequence[int]) -> list[tuple[int, int]]:
    """Layer and unit, highest first; of equal ones the earlier."""
    scores = ranking.scores[[ranking.layers.index(layer) for layer in layers]].numpy()
    order = np.argsort(-scores.ravel(), kind="stable")[:CARDS]
    rows, units = np.unravel_index(order[scores.ravel()[order] > 0], scores.shape)
    return [(layers[row], unit) for row, unit in zip(rows.tolist(), units.tolist(), strict=True)]


def states_path(folder: Path, task: str) -> Path:
    """Where they lie in a run folder."""
    return folder / f"{file_stem(task)}.states{SUFFIX}"


def write_top_states(path: Path, top: TopStates, task: str) -> None:
    """As a digested safetensors file."""
    write_artefact(path, TOP_STATES.kind, top.arrays(), {"task": task})


def read_top_states(path: Path, pairs: int) -> TopStates | None:
    """What `write_top_states` wrote of so many pairs; None where an earlier version wrote none."""
    return TopStates.from_arrays(TOP_STATES.read(path, pair=pairs)[0]) if path.is_file() else None
