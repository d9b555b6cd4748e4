"""The tables of words, read into entries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from .entries import PARTS, SHARES, Adjective, Gender, Name, Noun, Verb, with_ed, with_ing, with_s

UNCOUNTED = ("mass", "drink")


def read_nouns(table: str) -> tuple[Noun, ...]:
    """Lines `kind gender: noun ...`."""
    nouns = []
    for head, texts in _lines(table):
        kind, *gender = head.split()
        for text, part in _dealt(texts, {}):
            singular, _, plural = text.partition("/")
            forms = singular, "" if kind in UNCOUNTED else plural or with_s(singular)
            nouns.append(Noun(*forms, kind, _gender(gender), bool(plural), part))
    return tuple(nouns)


def read_names(table: str) -> tuple[Name, ...]:
    """Lines `gender: name ...`."""
    return tuple(
        Name(text, _gender([head]), part) for head, texts in _lines(table) for text, part in _dealt(texts, {})
    )


def read_verbs(table: str) -> tuple[Verb, ...]:
    """Lines `frame subjects > objects: verb ...`; irregular forms stand where a verb comes first."""
    verbs: list[Verb] = []
    forms: dict[str, list[str]] = {}
    parts: dict[str, str] = {}
    for head, texts in _lines(table):
        subjects, _, objects = head.partition(">")
        frame, *kinds = subjects.split()
        for text, part in _dealt(texts, parts):
            base, *given = text.split("/")
            irregular = forms.setdefault(base, given)
            past = irregular[0] if irregular else with_ed(base)
            participle = irregular[1] if len(irregular) > 1 else past
            takes = frozenset(kinds), frozenset(objects.split())
            verbs.append(Verb(base, past, participle, with_ing(base), frame, *takes, part))
    return tuple(verbs)


def read_adjectives(table: str) -> tuple[Adjective, ...]:
    """Lines `kind: adjective ...`."""
    parts: dict[str, str] = {}
    return tuple(Adjective(text, kind, part) for kind, texts in _lines(table) for text, part in _dealt(texts, parts))


def _lines(table: str) -> Iterator[tuple[str, list[str]]]:
    for line in table.strip().replace("\n    ", " ").splitlines():
        if line:
            head, _, texts = line.partition(":")
            yield head, texts.split()


def _dealt(texts: list[str], parts: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Words with their parts: that of an earlier line, else the one that lacks most in this line."""
    held = dict.fromkeys(PARTS, 0)
    words = [text.partition("/")[0] for text in texts]
    for word in words:
        if word in parts:
            held[parts[word]] += 1
    for text, word in zip(texts, words, strict=True):
        if word not in parts:
            parts[word] = max(PARTS, key=lambda part: SHARES[part] * len(words) - held[part])
            held[parts[word]] += 1
        yield text, parts[word]


def _gender(marks: list[str]) -> Gender:
    [mark] = marks or [""]
    assert mark in get_args(Gender)
    return mark  # type: ignore[return-value]
