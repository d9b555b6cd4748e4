"""What `neurosteer export` reports: the edit, where it lies, and how exactly its weights do what hooks do."""

from __future__ import annotations

from dataclasses import dataclass

from neurosteer.vocabulary import PushFormat

from .effect import AppliedEdit


@dataclass(frozen=True, kw_only=True)
class ExportResult:
    """One edit in the weights of a model of its own."""

    folder: str
    edit: AppliedEdit
    logits: float  # largest difference of hooks and weights, as a share of the largest logit
    texts: int  # on which it was measured
    same_decisions: int | None  # pairs of which both prefer the same sentence; None without pairs
    pairs: int | None


@dataclass(frozen=True, kw_only=True)
class PushFile:
    """A push as a file of another tool."""

    path: str
    to: PushFormat
    edit: AppliedEdit
    module: str  # of the network's base model, to whose output the vector is added
    logits: float  # largest difference of hooks and file, as a share of the largest logit
    texts: int  # on which it was measured
