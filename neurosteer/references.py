"""Everything that an edit moves its neurons towards, or away from, by the words of `vocabulary.Reference`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from neurosteer.vocabulary import EditKind, Reference


@dataclass(frozen=True)
class ReferencePoint:
    """One of them.

    Attributes:
        words: what it is, of several neurons: "their mean".
        fixed: whether it is one value for a neuron, the same at every token. If not, it is of donor sentences.
        done: what neurons are that have been replaced by it, where that is no "set to" and its words.
    """

    words: str
    fixed: bool = True
    done: str = ""

    def of(self, their: str) -> str:
        """The same in words, of `their` neurons or of `its` one."""
        return self.words.replace("their", their)

    def replaced(self, their: str) -> str:
        """What ablated neurons are: `set to their mean`."""
        return self.done or f"set to {self.of(their)}"


REFERENCE_POINTS: Mapping[Reference, ReferencePoint] = {
    "zero": ReferencePoint("zero"),
    "mean": ReferencePoint("their mean"),
    "resample": ReferencePoint("a donor's activation", fixed=False, done="resampled"),
}


def reference_of(kind: EditKind) -> Reference | None:
    """That of a kind of edit; a clamp and a push have none."""
    match kind:
        case "clamp" | "push":
            return None
        case reference:
            return reference


def about(reference: Reference | None, their: str = "their", word: str = "about") -> str:
    """What follows `scale by 2`: ` about their mean`; nothing about zero, where the activation itself is scaled."""
    if reference is None or reference == "zero":
        return ""
    return f" {word} {REFERENCE_POINTS[reference].of(their)}"
