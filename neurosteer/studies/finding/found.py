"""`Found`: what `find` returns."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import RenderableType

from neurosteer.errors import InputError
from neurosteer.neurons import Direction, Ranking
from neurosteer.pairs import Baselines, Pairs
from neurosteer.report import find_html, find_table, layers_csv, layers_frame, to_json
from neurosteer.results import FindLayer, record
from neurosteer.vocabulary import DIRECTION_KINDS, DirectionKind, Method

from .found_parts import FoundParts
from .load import load_parts
from .save import save_found

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Found(FoundParts):
    """What `find` found: the numbers of each layer, a score for every unit, and the pairs as they were split.

    Accuracies are test accuracies in [0, 1]. They say what a linear probe can read at a layer, not what the
    model uses.

    Attributes:
        result: every number, as the JSON of `neurosteer find` has them.
        rankings: a `Ranking` by method.
        directions: by kind and layer, a vector and the standard deviation of train states along it.
        pairs: all pairs.
        split: the same, as train, validation and test.
        top: EOS states of the best neurons; None where heads are ranked, and in runs of earlier versions.

    Example:
        >>> found.best_layer, found.layers[1].dense, len(found.train), len(found.validation), len(found.test)
        (1, 1.0, 180, 60, 60)
        >>> found.ranking("welch").top(12), found.direction("mean", layer=1)
        (NeuronSet(12 neurons at resid_post, layer 1), Direction(mean direction, at resid_post, layer 1))
        >>> found.to_frame()["dense"].tolist()[1], len(found.to_csv().splitlines()), found.figure()
        (1.0, 4, <Figure size ...>)
        >>> ns.Found.load(found.save("runs/mine")), '"task": "number"' in found.to_json()
        (Found(number, 3 layers, best layer 1), True)
    """

    @property
    def layers(self) -> tuple[FindLayer, ...]:
        """One row per layer that was searched, ascending; `result.at(14)` is the one of block 14."""
        return self.result.layers

    @property
    def best_layer(self) -> int:
        """The layer (block, counted from 0) that the first method chose, on validation pairs."""
        return self.result.best_layer

    @property
    def baselines(self) -> Baselines:
        """Test accuracy of classifiers on words, and (`tokens`) on the model's tokens, on the same split."""
        return self.result.baselines

    @property
    def train(self) -> Pairs:
        """The pairs that probes learn from."""
        return self.split.train

    @property
    def validation(self) -> Pairs:
        """The pairs that choose L2 strength, lambda and best layer."""
        return self.split.validation

    @property
    def test(self) -> Pairs:
        """The pairs that results are measured on; they choose nothing."""
        return self.split.test

    def direction(self, kind: DirectionKind = "mean", layer: int | None = None) -> Direction:
        """Return the direction from bad to good states of a layer.

        Args:
            kind: `mean`, the difference of the means, or `probe`, the weights of the dense probe.
            layer: the block; None is the one that validation pairs chose for this direction, or for the first method.

        Returns:
            The direction, of length 1.

        Raises:
            InputError: for another kind, and for a layer that was not searched or whose states are all alike.
        """
        if kind not in DIRECTION_KINDS:
            raise InputError(f"direction '{kind}' is not one of {', '.join(DIRECTION_KINDS)}")
        best = (self.result.direction_layers or {}).get(kind, self.best_layer)
        layer = self.result.at(best if layer is None else layer).layer
        vector, std = self.directions[kind][layer]
        if not vector.any():
            raise InputError(
                f"the states of layer {layer} are all alike, so they have no direction; name another layer"
            )
        units = next(iter(self.rankings.values())).every_unit(layer)
        metadata = {**units.metadata, "method": f"{kind} direction", "kind": kind}
        return Direction(replace(units, metadata=metadata), vector, std)

    def ranking(self, method: Method = "welch") -> Ranking:
        """Return the ranking by one method.

        Args:
            method: one that `find` was asked for.

        Returns:
            The ranking.

        Raises:
            InputError: for any other method.
        """
        if method not in self.rankings:
            raise InputError(f"no ranking by '{method}' here; there is {', '.join(self.rankings)}")
        return self.rankings[method]

    def figure(self, ax: Axes | None = None) -> Figure:
        """Draw accuracy by layer.

        Args:
            ax: matplotlib axes to draw in; None makes a new figure.

        Returns:
            The matplotlib figure.
        """
        from neurosteer.report import find_figure

        return find_figure(self.result, ax=ax)

    def to_frame(self) -> pd.DataFrame:
        """The table by layer for pandas: `dense`, `topk`, `random.mean`, `intervals.dense.low`, ..."""
        return layers_frame(self.result)

    def to_json(self) -> str:
        """One element of `results` in the JSON of `neurosteer find`."""
        return to_json(record(self.result))

    def to_csv(self) -> str:
        """The table by layer, with the columns of `to_frame`."""
        return layers_csv(self.result)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write a run folder, as `neurosteer find` does.

        Args:
            folder: where; a run that is there is replaced.

        Returns:
            The folder.

        Raises:
            InputError: for a folder with anything else in it.
        """
        return save_found(self, Path(folder))

    @classmethod
    def load(cls, folder: str | os.PathLike[str], task: str | None = None) -> Found:
        """Read what `save` or `neurosteer find` wrote.

        Args:
            folder: the run folder.
            task: which of several tasks; None where there is only one.

        Returns:
            The same as was saved.

        Raises:
            InputError: for another kind of folder.
            CorruptFileError: for a damaged one.
        """
        return cls(**vars(load_parts(Path(folder), task)))

    def __repr__(self) -> str:
        return f"Found({self.task}, {len(self.layers)} layers, best layer {self.best_layer})"

    def __rich__(self) -> RenderableType:
        return find_table(self.result)

    def _repr_html_(self) -> str:
        return find_html(self.result)
