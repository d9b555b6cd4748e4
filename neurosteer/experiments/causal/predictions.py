"""What is known of all cells before any is measured: sums of attributions, transfer of probes, shared neurons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from neurosteer.experiments.experiment import Work
from neurosteer.experiments.intervals import plain
from neurosteer.experiments.shared.transfer_probes import TRANSFER, Transferred
from neurosteer.runner.units import Read
from neurosteer.vocabulary import CausalMethod

from .measured import Matrix
from .settings import causal_methods
from .sources import Attributed, attribution_name, chosen_set


@dataclass(frozen=True, eq=False)
class Predictions:
    """Of one method, for all tasks in the order of the run."""

    method: CausalMethod
    sizes: Sequence[int]  # neurons of each task's set
    predicted: Matrix  # changes of mean margins (nats), to first order; NaN where a set is empty
    transfer: Matrix  # pairwise accuracy of the source's sparse probe on the target
    overlap: Matrix  # neurons that both sets have, as a share of k
    k: int
    width: int  # units of the layer

    def in_common(self, places: Sequence[int]) -> tuple[float | None, float | None]:
        """The share of a set's neurons that another task's set has too, mean over the tasks at `places`.

        Beside it the same of sets drawn at random. The tests of families take the sets of tasks as independent.
        """
        places = [place for place in places if self.sizes[place]]
        if len(places) < 2:
            return None, None
        sizes = np.array([self.sizes[place] for place in places])
        both = self.overlap[np.ix_(places, places)] * self.k
        apart = ~np.eye(len(places), dtype=bool)
        by_chance = np.broadcast_to(sizes / self.width, both.shape)
        return plain((both / sizes[:, None])[apart].mean()), plain(by_chance[apart].mean())


def read_predictions(read: Read, work: Work) -> list[Predictions]:
    """One for each method."""
    drops = np.stack([read(attribution_name(task)).typed(Attributed).drop for task in work.names], axis=1)
    transfer = read(TRANSFER).typed(Transferred).of("pairwise", "sparse")
    found = []
    for method in causal_methods(work.recipe):
        sets = [chosen_set(read, work, task, method).units.tolist() for task in work.names]
        chosen = np.zeros((len(sets), len(drops)), dtype=int)
        for row, units in zip(chosen, sets, strict=True):
            row[units] = 1
        k, width = work.design.k, work.design.width
        overlap = (chosen @ chosen.T) / k
        predicted = predicted_changes(sets, drops)
        found.append(Predictions(method, [len(one) for one in sets], predicted, transfer, overlap, k, width))
    return found


def predicted_changes(sets: Sequence[Sequence[int]], drops: Float[np.ndarray, "unit target"]) -> Matrix:
    """The change of each task's mean margin when a set is zero: minus the sum of its attributions over the set.

    NaN where a set is empty.
    """
    empty = np.full(drops.shape[1], np.nan)
    return np.stack([-drops[list(units)].sum(axis=0) if units else empty for units in sets])
