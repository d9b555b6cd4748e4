"""What a find consists of, and what of it is kept in a run folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from neurosteer.neurons import Ranking
from neurosteer.pairs import Pairs, Split
from neurosteer.results import FindResult
from neurosteer.vocabulary import Method

from .directions import Directions
from .top_states import TopStates


@dataclass(frozen=True, eq=False)
class FoundParts:
    """All that a `Found` knows: it is saved and read as these."""

    result: FindResult  # every number, as the JSON has them
    rankings: Mapping[Method, Ranking]
    directions: Directions  # by kind and layer, and the spread of the train states along them
    pairs: Pairs
    split: Split
    top: TopStates | None = None  # of the best neurons; None where heads are ranked, and in runs of earlier versions

    @property
    def task(self) -> str:
        """Name of the task."""
        return self.result.task
