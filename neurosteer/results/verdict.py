"""What a run of a recipe says of a claim."""

from __future__ import annotations

from dataclasses import dataclass

from neurosteer.shown import short_repr


@dataclass(frozen=True)
class Verdict:
    """Does a claim of the paper hold for this model? `holds` of `of` times, by the criterion."""

    claim: str
    statement: str
    criterion: str
    holds: int
    of: int  # 0: it cannot be judged
    unit: str  # what is counted
    text: str
    reading: str

    __repr__ = short_repr

    @classmethod
    def counted(
        cls, claim: str, statement: str, criterion: str, holds: int, of: int, unit: str, reading: str
    ) -> Verdict:
        text = f"holds in {holds} of {of} {unit}" if of else "cannot be judged here"
        return cls(claim, statement, criterion, holds, of, unit, text, reading)

    @property
    def count(self) -> str:
        """`27 of 30 layers`."""
        return f"{self.holds} of {self.of} {self.unit}" if self.of else "cannot be judged"
