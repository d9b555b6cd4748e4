"""NPI licensing: `ever` stands where a rule of its own says that it may, and only there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import cache

import pytest

from neurosteer.grammar import npi_licensing
from neurosteer.grammar.paradigm import Form, Made, Paradigm

FORMS: tuple[Form, Form] = ("plain", "balanced")
AUXILIARIES = {"did", "had", "has", "have", "will", "would", "could", "should", "might"}
OFTEN = {"often", "sometimes", "usually", "always", "already"}  # what changes places with `ever`


@cache
def pairs(paradigm: Paradigm, form: Form) -> tuple[Made, ...]:
    return tuple(paradigm.pairs(240, seed=1, form=form))


def words(sentence: str) -> list[str]:
    return re.findall(r"\w+", sentence.lower())


def clause_of_ever(sentence: str, border: str) -> list[str]:
    (clause,) = (words(part) for part in re.split(border, sentence) if "ever" in words(part))
    return clause


def asked(sentence: str) -> bool:
    """The clause of `ever` is a question: it begins with its auxiliary."""
    return clause_of_ever(sentence, ", ")[0] in AUXILIARIES


def open_clause(sentence: str) -> bool:
    """Without `ever`, or it stands in the clause that `before` or `if` begins, up to a comma or the end."""
    tokens = words(sentence.partition(",")[0])
    if "ever" not in words(sentence):
        return True
    link = next((i for i, word in enumerate(tokens) if word in ("before", "if")), len(tokens))
    return "ever" in tokens[link:]


def led_by_only(sentence: str) -> bool:
    return clause_of_ever(sentence, " and | but ")[0] == "only"


def only_above(sentence: str) -> bool:
    """`only` leads the clause of `ever`, which a relative clause is not part of."""
    clause = clause_of_ever(sentence, ", ")
    return "only" in (clause[:1] if clause[0] not in ("although", "because", "though") else clause[1:2])


def under_not(sentence: str) -> bool:
    """`not` stands between the auxiliary of the clause and `ever`."""
    clause = clause_of_ever(sentence, " and | but ")
    ever = clause.index("ever")
    auxiliary = max(i for i, word in enumerate(clause[:ever]) if word in AUXILIARIES)
    return "not" in clause[auxiliary:ever]


RULES: dict[str, Callable[[str], bool]] = {
    "matrix_question_npi_licensor_present": asked,
    "npi_present_1": open_clause,
    "npi_present_2": open_clause,
    "only_npi_licensor_present": led_by_only,
    "only_npi_scope": only_above,
    "sentential_negation_npi_licensor_present": under_not,
    "sentential_negation_npi_scope": under_not,
}
NEUTRAL = {"also", "certainly", "clearly", "often", "probably", "really"}
REPLACED = {  # pairs of other words, and what the words are; the pairs of all others have the same words
    ("npi_present_1", "plain"): {"ever"} | NEUTRAL,
    ("npi_present_2", "plain"): {"ever"} | NEUTRAL,
    ("only_npi_licensor_present", "plain"): {"only", "even"},
    ("sentential_negation_npi_licensor_present", "plain"): {"not"} | NEUTRAL,
}
PARADIGMS = [value for value in vars(npi_licensing).values() if isinstance(value, Paradigm)]


def test_every_paradigm_has_a_rule():
    assert {paradigm.uid for paradigm in PARADIGMS} == set(RULES)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("paradigm", PARADIGMS, ids=lambda paradigm: paradigm.uid)
def test_only_the_good_sentence_keeps_the_rule(paradigm: Paradigm, form: Form):
    for pair in pairs(paradigm, form):
        assert RULES[paradigm.uid](pair.good), pair.good
        assert not RULES[paradigm.uid](pair.bad), pair.bad


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("paradigm", PARADIGMS, ids=lambda paradigm: paradigm.uid)
def test_pairs_differ_in_one_thing(paradigm: Paradigm, form: Form):
    allowed = REPLACED.get((paradigm.uid, form), set())
    for pair in pairs(paradigm, form):
        good, bad = words(pair.good), words(pair.bad)
        one, other = Counter(good) - Counter(bad), Counter(bad) - Counter(good)
        assert one.total() == other.total() == (1 if allowed else 0), pair
        assert (one + other).keys() <= allowed, pair
        assert good[-1] == bad[-1]


@pytest.mark.parametrize("paradigm", PARADIGMS, ids=lambda paradigm: paradigm.uid)
def test_cells_cross(paradigm: Paradigm):
    """Both pairs have the same words, in two orders of the clauses and two of what decides: of `ever` and another
    adverb, or of what licenses `ever` and what does not."""
    made = pairs(paradigm, "balanced")
    for a, b in zip(made[::2], made[1::2], strict=True):
        assert a.item == b.item
        tokens = [words(sentence) for sentence in (a.good, a.bad, b.good, b.bad)]
        assert len({tuple(sorted(some)) for some in tokens}) == 1
        kept = [[word for word in some if word not in {"ever"} | OFTEN] for some in tokens]
        if paradigm.uid.startswith(("npi_present", "matrix")):  # two orders of the clauses, two of the adverbs
            assert kept[0] == kept[1] != kept[2] == kept[3]
            adverbs = [[word for word in some if word in {"ever"} | OFTEN] for some in tokens]
            assert [some[0] == "ever" for some in adverbs] == [False, True, True, False]
        else:
            assert kept[0] == kept[3] != kept[1] == kept[2]
