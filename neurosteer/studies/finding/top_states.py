"""`TASK.states.safetensors` of a run: after which sentences the best neurons of each ranking are high and low."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from neurosteer.artefacts import TOP_STATES
from neurosteer.data import EosStates
from neurosteer.neurons import Ranking
from neurosteer.pairs import Pairs
from neurosteer.store import SUFFIX, file_stem, write_artefact
from neurosteer.vocabulary import CARDS

SENTENCES = 4  # at either end


@dataclass(frozen=True, eq=False)
class TopStates:
    """What the cards of a page show of a neuron: its activation where the find reads, after some sentences."""

    layers: Int[np.ndarray, "neuron"]
    units: Int[np.ndarray, "neuron"]
    means: Float[np.ndarray, "neuron side"]  # after good and after bad sentences
    values: Float[np.ndarray, "neuron end rank"]  # the highest, highest first, then the lowest, lowest first
    sentences: Int[np.ndarray, "neuron end rank"]  # 2 x pair + side; side 0 is the good sentence

    @classmethod
    def of(cls, states: EosStates, pairs: Pairs, rankings: Iterable[Ranking]) -> TopStates:
        """Of the CARDS highest neurons above zero of each ranking, over all its layers and at its best one."""
        best: set[tuple[int, int]] = set()
        for ranking in rankings:
            best |= {*_best(ranking, ranking.layers)}
            if ranking.best_layer is not None:
                best |= {*_best(ranking, [ranking.best_layer])}
        rows, places = {layer: row for row, layer in enumerate(states.layers)}, sorted(best)
        once = _each_once(pairs)
        most = min(SENTENCES, len(once))
        means, values = np.zeros((len(places), 2), np.float32), np.zeros((len(places), 2, most), np.float32)
        sentences = np.zeros(values.shape, np.int64)
        for i, (layer, unit) in enumerate(places):
            own = states.values[:, :, rows[layer], unit].float().cpu().numpy()
            order = once[np.argsort(own.ravel()[once], kind="stable")]
            sentences[i] = order[::-1][:most], order[:most]
            means[i], values[i] = own.mean(axis=0), own.ravel()[sentences[i]]
        layers, units = np.array(places, dtype=np.int64).reshape(-1, 2).T
        return cls(layers, units, means, values, sentences)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> TopStates:
        """Those that `arrays` gave."""
        return cls(*(arrays[f"top_{name}"] for name in cls.__dataclass_fields__))

    def arrays(self) -> dict[str, np.ndarray]:
        """By the names of the artefact."""
        return {f"top_{name}": values for name, values in vars(self).items()}


def _best(ranking: Ranking, layers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Layer and unit, highest first; of equal ones the earlier."""
    scores = ranking.scores[[ranking.layers.index(layer) for layer in layers]].numpy()
    order = np.argsort(-scores.ravel(), kind="stable")[:CARDS]
    rows, units = np.unravel_index(order[scores.ravel()[order] > 0], scores.shape)
    return ((layers[row], unit) for row, unit in zip(rows.tolist(), units.tolist(), strict=True))


def _each_once(pairs: Pairs) -> Int[np.ndarray, "sentence"]:
    """Where each sentence first stands: 2 x pair + side."""
    first: dict[str, int] = {}
    for i, sentence in enumerate(sentence for pair in pairs for sentence in (pair.good, pair.bad)):
        first.setdefault(sentence, i)
    return np.array(list(first.values()))


def states_path(folder: Path, task: str) -> Path:
    """Where they lie in a run folder."""
    return folder / f"{file_stem(task)}.states{SUFFIX}"


def write_top_states(path: Path, top: TopStates, task: str) -> None:
    """As a digested safetensors file."""
    write_artefact(path, TOP_STATES.kind, top.arrays(), {"task": task})


def read_top_states(path: Path) -> TopStates | None:
    """What `write_top_states` wrote; None where an earlier version wrote none."""
    return TopStates.from_arrays(TOP_STATES.read(path)[0]) if path.is_file() else None
