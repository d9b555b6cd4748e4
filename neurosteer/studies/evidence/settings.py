"""How the six questions are asked: what the user may turn, the same for every set of a call."""

from __future__ import annotations

from dataclasses import dataclass

from neurosteer.vocabulary import FixedReference, Method


@dataclass(frozen=True, kw_only=True)
class EvidenceSettings:
    """What edits move units towards, how many sets are compared, and on how much."""

    to: FixedReference = "mean"
    controls: int = 19
    nulls: int | None = None  # searches on exchanged labels; None: 39, and 19 of a method that trains for minutes
    curve_controls: int = 5  # shuffled orders on the curve; at the set's own size there are all controls
    donors: int = 5  # of resampling, each tried on a part of the pairs
    other_pairs: int = 50  # of each other task
    kl: float | None = None  # nats per token of neutral text, at which sets are compared too
    auto_kl: bool = False  # or what the set and its controls have in common
    map: bool = False
    seed: int = 0
    offline: bool = False

    def nulls_of(self, method: Method | None) -> int:
        """How many searches of this method."""
        return self.nulls if self.nulls is not None else 19 if method == "causal-l0" else 39
