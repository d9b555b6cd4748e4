"""The verdict in words, and the reading of all answers together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neurosteer.results.evidence import Answer
from neurosteer.vocabulary import Question


def verdict_of(tests: Mapping[Question, Answer]) -> str:
    """`necessary and selective; not sufficient, not isolated; cannot tell: interchangeable`."""
    hold = [question for question, answer in tests.items() if answer.holds]
    fail = [f"not {question}" for question, answer in tests.items() if answer.holds is False]
    unknown = [question for question, answer in tests.items() if answer.holds is None]
    parts = [_listed(hold), ", ".join(fail), f"cannot tell: {', '.join(unknown)}" if unknown else ""]
    return "; ".join(filter(None, parts))


def reading_of(tests: Mapping[Question, Answer]) -> str:
    """The sentences of all answers, each after its word."""
    return " ".join(
        f"{question.capitalize()}{_mark(answer)}: {answer.sentence}" for question, answer in tests.items()
    )


def _mark(answer: Answer) -> str:
    return {True: " (holds)", False: " (does not hold)", None: ""}[answer.holds]


def _listed(words: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1] if words else "")))
