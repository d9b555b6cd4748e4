"""The lexicon: forms against an independent lemmatiser, parts that share no word, and enough of everything."""

from __future__ import annotations

from collections import Counter

import pytest
import simplemma

from neurosteer.grammar.draw import Draw
from neurosteer.grammar.lexicon import ADJECTIVES, NAMES, NOUNS, PARTS, VERBS
from neurosteer.grammar.phrases import sentence

# What the lemmatiser takes for a word of its own, or gets wrong.
NO_VERB_TO_IT = {"bent", "broke", "drunk", "left", "shook", "swore", "thought"} | {
    "envied", "envies", "fixed", "fixes", "thanked", "thanks"
}  # fmt: skip
NO_NOUN_TO_IT = {"mechanics", "nannies", "people", "fisherwomen", "calves", "loaves", "shelves"} | {
    "thieves", "housewives", "midwives"
}  # fmt: skip


def lemma(word: str) -> str:
    return simplemma.lemmatize(word, lang="en")


def test_forms_of_verbs():
    wrong = {
        (verb.base, form)
        for verb in VERBS
        for form in (verb.past, verb.participle, verb.third)
        if lemma(form) != verb.base and form not in NO_VERB_TO_IT
    }
    assert not wrong
    progressives = {verb.progressive: verb.base for verb in VERBS}
    assert not {form for form, base in progressives.items() if lemma(form) not in (base, form)} - {
        "determining", "envying", "fixing", "growing", "singing", "swearing", "swinging", "thanking", "thinking"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("base", "forms"),
    [
        ("stop", "stopped stopping stops"),
        ("unwrap", "unwrapped unwrapping unwraps"),
        ("cry", "cried crying cries"),
        ("bake", "baked baking bakes"),
        ("vomit", ""),
        ("open", "opened opening opens"),
        ("admit", "admitted admitting admits"),
        ("fix", "fixed fixing fixes"),
        ("agree", "agreed agreeing agrees"),
        ("employ", "employed employing employs"),
        ("quarrel", "quarreled quarreling quarrels"),
        ("touch", "touched touching touches"),
    ],
)
def test_spelling(base: str, forms: str):
    found = {f"{verb.past} {verb.progressive} {verb.third}" for verb in VERBS if verb.base == base}
    assert found == ({forms} if forms else set())


def test_plurals():
    assert not {noun.plural for noun in NOUNS if noun.plural and lemma(noun.plural) != noun.singular} - NO_NOUN_TO_IT
    assert {noun.plural for noun in NOUNS if noun.kind in ("mass", "drink")} == {""}


def test_sizes():
    assert len({noun.singular for noun in NOUNS} | {name.text for name in NAMES}) >= 500
    assert len({verb.base for verb in VERBS}) >= 400


def test_no_word_is_in_two_parts():
    for words in (
        {(noun.singular, noun.part) for noun in NOUNS},
        {(name.text, name.part) for name in NAMES},
        {(verb.base, verb.part) for verb in VERBS},
        {(adjective.text, adjective.part) for adjective in ADJECTIVES},
    ):
        assert max(Counter(word for word, _ in words).values()) == 1
        shares = Counter(part for _, part in words)
        assert [shares[part] / len(words) for part in PARTS] == pytest.approx([0.6, 0.2, 0.2], abs=0.05)


def test_every_part_has_some_of_every_class():
    for part in PARTS:
        frames = Counter(verb.frame for verb in VERBS if verb.part == part)
        assert min(frames[verb.frame] for verb in VERBS) >= 2
        kinds = Counter(noun.kind for noun in NOUNS if noun.part == part)
        assert min(kinds[noun.kind] for noun in NOUNS) >= 2
        described = Counter(adjective.kind for adjective in ADJECTIVES if adjective.part == part)
        assert min(described[adjective.kind] for adjective in ADJECTIVES) >= 1


def test_a_draw_repeats_no_word_and_leaves_its_part():
    from random import Random

    for part in PARTS:
        draw = Draw(Random(1), part)
        nouns = [draw.noun("person") for _ in range(15)]
        assert len({noun.singular for noun in nouns}) == 15
        assert {noun.part for noun in nouns} == {part}
        assert {draw.verb("transitive").part for _ in range(8)} == {part}
    with pytest.raises(LookupError, match="no noun"):
        draw.noun("unicorn")


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("a", "apple", "", "fell"), "An apple fell."),
        (("the", "nun", "saw", "a honest man"), "The nun saw an honest man."),
        (("a honey cake", "and", "a uniform"), "A honey cake and a uniform."),
        (("a university", "a ugly umbrella", "a one"), "A university an ugly umbrella a one."),
        (("yes ,", "a hour"), "Yes, an hour."),
    ],
)
def test_sentences(parts: tuple[str, ...], text: str):
    assert sentence(*parts) == text
