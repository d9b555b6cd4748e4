"""Facts: what is true of a subject, read from a table, and two of them crossed in a frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from neurosteer.grammar.draw import Draw
from neurosteer.grammar.items import ROUND
from neurosteer.grammar.phrases import Item, sentence


@dataclass(frozen=True, slots=True)
class Fact:
    """`answer` is true of `subject`, and so is all of `right`.

    `kind` is the group of the table that the fact stands in, `part` that of a split, or "" where facts of all parts
    share words.
    """

    subject: str
    answer: str
    right: frozenset[str]
    kind: str = ""
    part: str = ""


def read_facts(table: str, also: str = "") -> tuple[Fact, ...]:
    """Lines `answer: subject; subject`, below a line `[kind]` if there are kinds.

    `also` has such lines of what is true too and is never said, so that it is never the wrong answer either.
    """
    rows = list(_rows(table))
    right: dict[str, set[str]] = {}
    for _, answer, subject in [*rows, *_rows(also)]:
        right.setdefault(subject, set()).add(answer)
    return tuple(Fact(subject, answer, frozenset(right[subject]), kind) for kind, answer, subject in rows)


def read_couples(table: str) -> Iterator[tuple[str, str, str]]:
    """Words `subject/answer`, each with its part: three fifths train, one validation, one test."""
    for i, couple in enumerate(table.split()):
        subject, answer = couple.split("/")
        yield subject, answer, ROUND[i % len(ROUND)]


def _rows(table: str) -> Iterator[tuple[str, str, str]]:
    kind = ""
    for line in table.strip().replace("\n    ", " ").splitlines():
        if line.startswith("["):
            kind = line.strip("[]")
            continue
        answer, _, subjects = line.partition(": ")
        for subject in subjects.split(";"):
            yield kind, answer, subject.strip()


def are_apart(one: Fact, other: Fact) -> bool:
    """Whether the answer of each is wrong of the other, and both have as many words."""
    alike = all(len(a.split()) == len(b.split()) for a, b in _slots(one, other))
    four = {one.subject, one.answer, other.subject, other.answer}
    return alike and len(four) == 4 and other.answer not in one.right and one.answer not in other.right


def _slots(one: Fact, other: Fact) -> tuple[tuple[str, str], tuple[str, str]]:
    return (one.subject, other.subject), (one.answer, other.answer)


def cross(
    draw: Draw,
    facts: Sequence[Fact],
    frames: Sequence[str],
    *,
    apart: Callable[[Fact, Fact], bool] = are_apart,
) -> Item:
    """Two facts in one frame, such as `The capital of {subject} is {answer}.`: each true, and with words exchanged.

    The sentences of a pair differ in what comes last of subject and answer. Raises LookupError for facts that do not
    exclude each other.
    """
    frame, one, other = draw.choice(frames), draw.choice(facts), draw.choice(facts)
    if not apart(one, other):
        raise LookupError(f"{one.subject} and {other.subject} are too much alike")

    def said(subject: Fact, answer: Fact) -> str:
        return sentence(frame.format(subject=subject.subject, answer=answer.answer), end="")

    if frame.index("{subject}") < frame.index("{answer}"):
        return (said(one, one), said(one, other)), (said(other, other), said(other, one))
    return (said(one, one), said(other, one)), (said(other, other), said(one, other))


def of_part(facts: Sequence[Fact], part: str) -> Sequence[Fact]:
    """Those of a part."""
    return [fact for fact in facts if fact.part == part]
