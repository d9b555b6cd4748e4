"""How many random units read as much as the chosen ones, layer by layer: what figure 5 and the controls ask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from neurosteer.experiments.design import Design
from neurosteer.experiments.intervals import TaskSamples, ends
from neurosteer.results import Estimate
from neurosteer.shown import short_repr
from neurosteer.studies.matching import matching_size

from .layer_probes import LayerProbes


@dataclass(frozen=True)
class Match:
    """One layer: what the top k read, and the number of random units that read as much.

    `equivalent` is that number and `multiple` the same for each chosen unit, both of the mean over tasks; their value
    is None where no number of random units reaches it (`beyond`), their upper end where none reaches that.
    """

    layer: int
    tasks: int
    excluded: int  # tasks whose dense probe reads nothing
    top: Estimate  # accuracy of the top k
    equivalent: Estimate
    multiple: Estimate
    censored: float  # share of resamples that no number of random units matches
    beyond: bool
    median_multiple: float | None  # of single tasks; None where no number matches most of them
    censored_tasks: int

    __repr__ = short_repr

    @property
    def lacks_median(self) -> bool:
        """Whether no random set matches the top k in most tasks."""
        return self.top.value is not None and self.median_multiple is None


@dataclass(frozen=True)
class RandomPoint:
    """Random sets of one size at one layer."""

    layer: int
    size: int
    tasks: int
    accuracy: Estimate


@dataclass(frozen=True, eq=False)
class Matching:
    """What the top k read beside random sets, where the dense probe reads anything (else NaN)."""

    top: Float[np.ndarray, "task layer"]  # accuracy of the top k
    random: Float[np.ndarray, "task layer size"]  # mean over draws
    size: Float[np.ndarray, "resample layer"]  # that matches the top k's mean over tasks; infinite where none does
    size_by_task: Float[np.ndarray, "task layer"]

    @classmethod
    def of(cls, probes: LayerProbes, design: Design, samples: TaskSamples) -> Matching:
        counted = probes.readable
        top = np.where(counted, probes.chosen, np.nan)
        random = np.where(counted[..., None], probes.random.mean(axis=-1), np.nan)
        goal = samples.means_of_resamples(top)
        size = matching_size(goal, samples.means_of_resamples(random), design.sizes)
        by_task = np.where(counted, matching_size(top, random, design.sizes), np.nan)
        return cls(top, random, np.where(np.isnan(goal), np.nan, size), by_task)

    def rows(self, design: Design, samples: TaskSamples) -> list[Match]:
        """One for each layer."""
        top, (low, high) = samples.means(self.top), ends(self.size[1:], samples.known(self.top))
        rows = []
        for i, layer in enumerate(design.layers):
            own = self.size_by_task[~np.isnan(self.size_by_task[:, i]), i]
            equivalent = self.size[0, i], low[i], high[i]
            middle = float(np.median(own)) if len(own) else np.nan
            rows.append(
                Match(
                    layer=layer,
                    tasks=len(own),
                    excluded=len(self.top) - len(own),
                    top=top.at(i),
                    equivalent=Estimate.of(*equivalent),
                    multiple=Estimate.of(*(end / design.k for end in equivalent)),
                    censored=float(np.isposinf(self.size[1:, i]).mean()),
                    beyond=bool(np.isposinf(self.size[0, i])),
                    median_multiple=Estimate.of(middle / design.k).value,
                    censored_tasks=int(np.isposinf(own).sum()),
                )
            )
        return rows

    def curves(self, design: Design, samples: TaskSamples) -> list[RandomPoint]:
        """One for each layer and size."""
        means = samples.means(self.random)
        return [
            RandomPoint(layer, size, int(means.tasks[i, j]), means.at(i, j))
            for i, layer in enumerate(design.layers)
            for j, size in enumerate(design.sizes)
        ]
