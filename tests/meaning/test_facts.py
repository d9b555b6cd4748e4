"""That the good sentence is the true one: by rules and tables of the test's own."""

from __future__ import annotations

import re

import pytest

from neurosteer.grammar import Made
from neurosteer.grammar.lexicon import NOUNS
from neurosteer.meaning import MEANING_TASKS, animals, capitals, categories, colors, opposites, parts
from neurosteer.meaning.facts import read_facts
from neurosteer.meaning.selectional_sense import DOINGS

UNITS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen twenty
"""
VALUES = {word: value for value, word in enumerate(UNITS.split())}
VALUES |= {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
KNOWN_CAPITALS = {  # some, known by heart
    "France": "Paris", "Egypt": "Cairo", "Canada": "Ottawa", "Australia": "Canberra", "Turkey": "Ankara",
    "Peru": "Lima", "Kenya": "Nairobi", "Pakistan": "Islamabad", "Norway": "Oslo", "Nigeria": "Abuja",
}  # fmt: skip


def both(name: str) -> list[Made]:
    return [pair for seed in (0, 1) for pair in MEANING_TASKS[name].pairs(seed=seed)]


def is_right_sum(sentence: str) -> bool:
    found = [word for word in re.findall(r"[a-z]+", sentence.lower()) if word in {*VALUES, "plus", "minus", "times"}]
    a, done, b, result = found
    return {"plus": int.__add__, "minus": int.__sub__, "times": int.__mul__}[done](VALUES[a], VALUES[b]) == VALUES[
        result
    ]


def test_arithmetic():
    for pair in both("arithmetic"):
        assert is_right_sum(pair.good), pair.good
        assert not is_right_sum(pair.bad), pair.bad


def coupled(table: str) -> dict[str, str]:
    return dict(couple.split("/") for couple in table.split())


def test_capitals():
    of = coupled(capitals.COUNTRIES)
    assert KNOWN_CAPITALS.items() <= of.items()
    assert len(set(of.values())) == len(of)

    def is_right(sentence: str) -> bool:
        names = re.findall(r"[A-Z][a-z]+", sentence)
        [country], [town] = [n for n in names if n in of], [n for n in names if n in of.values()]
        return of[country] == town

    for pair in both("capitals"):
        assert is_right(pair.good), pair.good
        assert not is_right(pair.bad), pair.bad


def test_opposites():
    of = coupled(opposites.WORDS)
    of |= {other: one for one, other in of.items()}
    assert len(of) == 2 * len(coupled(opposites.WORDS))  # no word has two opposites

    def is_right(sentence: str) -> bool:
        one, other = (word for word in re.findall(r"[a-z]+", sentence.lower()) if word in of)
        return of[one] == other

    for pair in both("opposites"):
        assert is_right(pair.good), pair.good
        assert not is_right(pair.bad), pair.bad


def claims(table: str) -> set[tuple[str, str]]:
    """(subject, answer) of each line `answer: subject; subject`."""
    lines = re.sub(r"\n\s+", " ", table).splitlines()
    cut = [line.split(": ") for line in lines if ": " in line]
    return {(subject.strip(), answer) for answer, subjects in cut for subject in subjects.split(";")}


READ = {
    "animals": (animals.DEEDS, animals.ALSO, animals.FRAMES),
    "categories": (categories.KINDS, categories.ALSO, categories.FRAMES),
    "colors": (colors.THINGS, colors.ALSO, colors.FRAMES),
    "parts": (parts.WHOLES, parts.ALSO, parts.FRAMES),
}


def claimed(sentence: str, frames: tuple[str, ...], subjects: set[str], answers: set[str]) -> set[tuple[str, str]]:
    """What a sentence may claim, by every frame that it fits."""
    found = set()
    for frame in frames:
        pattern = re.escape(frame).replace(r"\{subject\}", "(?P<subject>.+)").replace(r"\{answer\}", "(?P<answer>.+)")
        if fits := re.fullmatch(pattern, sentence, re.IGNORECASE):
            subject, answer = (next((w for w in known if w.lower() == fits[slot].lower()), "")
                               for slot, known in (("subject", subjects), ("answer", answers)))  # fmt: skip
            if subject and answer:
                found.add((subject, answer))
    return found


@pytest.mark.parametrize("name", READ)
def test_the_good_sentence_is_in_the_table_and_the_bad_one_in_none(name: str):
    table, also, frames = READ[name]
    said, known = claims(table), claims(table) | claims(also)
    subjects, answers = ({pair[i] for pair in said} for i in (0, 1))
    for pair in both(name):
        [good], [bad] = (claimed(sentence, frames, subjects, answers) for sentence in (pair.good, pair.bad))
        assert good in said, pair.good
        assert bad not in known, pair.bad


@pytest.mark.parametrize("name", READ)
def test_what_is_also_true_is_of_what_is_spoken_of(name: str):
    """A misspelt entry would exclude nothing."""
    table, also, _ = READ[name]
    assert {subject for subject, _ in claims(also)} <= {subject for subject, _ in claims(table)}
    assert {answer for _, answer in claims(also)} <= {answer for _, answer in claims(table)}
    assert not claims(also) & claims(table)


def test_parts_are_of_wholes_of_two_kinds():
    kind_of: dict[str, set[str]] = {}
    for block in parts.WHOLES.strip().split("[")[1:]:
        kind, lines = block.split("]\n")
        for subject, answer in claims(lines):
            kind_of.setdefault(subject, set()).add(kind)
            kind_of.setdefault(answer, set()).add(kind)
    assert {word for word, kinds in kind_of.items() if len(kinds) > 1} == set()


def test_a_table_is_read():
    """With its kinds, and with what is also true."""
    one, other = read_facts("[bird]\nfly: robins\n[fish]\nswim: eels", "swim: robins")
    assert (one.subject, one.answer, one.kind, one.right) == ("robins", "fly", "bird", {"fly", "swim"})
    assert (other.subject, other.kind, other.right) == ("eels", "fish", {"swim"})


def test_selectional_sense():
    """The verb of the good sentence takes such things, that of the bad one never."""
    kinds = {form: noun.kind for noun in NOUNS for form in (noun.singular, noun.plural) if form}
    of = {form: doing for doing in DOINGS for form in (doing.past, doing.participle)}
    unsuited = {(form, noun) for form, doing in of.items() for noun in doing.but}

    def judged(sentence: str) -> tuple[bool, bool]:
        found = re.fullmatch(
            r"It was the (\w+) that .*|The (\w+) (?:was|were) .*|Everybody saw the (\w+) .*", sentence
        )
        words = re.findall(r"\w+", sentence)
        [verb] = [word for word in words if word in of]
        noun = next(filter(None, found.groups())) if found else words[words.index(verb) + 2]
        assert (verb, noun) not in unsuited, sentence
        return kinds[noun] in of[verb].takes, kinds[noun] in of[verb].never

    for pair in both("selectional_sense"):
        assert judged(pair.good) == (True, False), pair.good
        assert judged(pair.bad)[1], pair.bad
