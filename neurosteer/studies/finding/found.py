"""`Found`: what `find` gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from neurosteer.edits import Probe
from neurosteer.errors import InputError
from neurosteer.neurons import Ranking
from neurosteer.pairs import Pairs
from neurosteer.report import find_html, find_table, layers_csv, to_json


@dataclass(frozen=True, eq=False)
class Found:
    """The result of `find`: `entry` is its JSON, the rankings hold every unit's score.

    Accuracies are test accuracies in [0, 1]. They say what a linear probe can read at a layer, not what the model
    makes of it.
    """

    entry: dict[str, Any]
    rankings: Mapping[str, Ranking]
    directions: Mapping[int, tuple[Float[Tensor, "unit"], float]]  # dense probes, and the states' spread
    pairs: Pairs
    train: Pairs
    validation: Pairs
    test: Pairs

    @property
    def task(self) -> str:
        return str(self.entry["task"])

    @property
    def layers(self) -> list[dict[str, Any]]:
        """One row per layer, as in the JSON."""
        return list(self.entry["layers"])

    @property
    def baselines(self) -> dict[str, Any]:
        """Test accuracy of classifiers on words, and (`tokens`) on the model's tokens, on the same split."""
        return dict(self.entry["baselines"])

    def probe(self, layer: int | None = None) -> Probe:
        """The dense probe of a layer (the best one by default) as a direction to push along."""
        layer = self.entry["best_layer"] if layer is None else layer
        if layer not in self.directions:
            raise InputError(f"no layer {layer} here; there is {', '.join(map(str, self.directions))}")
        direction, std = self.directions[layer]
        ranking = next(iter(self.rankings.values()))
        return Probe(ranking.pick((layer, unit) for unit in range(len(direction))), direction, std)

    def ranking(self, method: str = "welch") -> Ranking:
        """The ranking of one method. Raises `InputError` for a method that `find` was not asked for."""
        if method not in self.rankings:
            raise InputError(f"no ranking by '{method}' here; there is {', '.join(self.rankings)}")
        return self.rankings[method]

    def figure(self) -> Any:
        """Accuracy by layer as a matplotlib figure."""
        from neurosteer.report import find_figure

        return find_figure(self.entry)

    def to_json(self) -> str:
        return to_json(self.entry)

    def to_csv(self) -> str:
        """The table by layer."""
        return layers_csv(self.entry)

    def __repr__(self) -> str:
        return f"Found({self.task}, {len(self.layers)} layers, best layer {self.entry['best_layer']})"

    def __rich__(self) -> Any:
        return find_table(self.entry)

    def _repr_html_(self) -> str:
        return find_html(self.entry)
