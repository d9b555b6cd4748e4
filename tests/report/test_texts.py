"""Texts before and after an edit, and the tokens that an edit touches."""

import pytest
from made_effects import EDIT
from showing import coloured, printed

from neurosteer.report import generation_table, touch_table
from neurosteer.report.texts import visible
from neurosteer.results.text import Continuation, GeneratedTokens, TouchedPrompt, TouchedToken

ABOUT = {"method": "welch", "edit": EDIT, "neurons_from": "runs/find-1"}
TOKENS = (
    TouchedToken(text="<|endoftext|>", id=0, touched=False),
    TouchedToken(text="The", id=504, touched=True),
    TouchedToken(text=" guests\n", id=12040, touched=True),
)


def row(prompt, before, after):
    return Continuation(prompt=prompt, before=before, after=after, **ABOUT)


def reached(prompt, tokens, touched, at_most):
    again = GeneratedTokens(touched=touched, at_most=at_most)
    return TouchedPrompt(prompt=prompt, tokens=tokens, generated=again, **ABOUT)


ROWS = [
    row("The guests", " have been invited to the wedding.", " have been asked to the the."),
    row("Who", " goes first?", " goes first?"),
]


@pytest.fixture
def edit():
    return EDIT


def test_side_by_side(edit):
    expected = """\
ablate to zero: 40 neurons at layer 14 (resid_post), at all tokens but BOS

 unedited                                edited
 ──────────────────────────────────────────────────────────────────────────────
 The guests have been invited to the     The guests have been asked to the the.
 wedding.

 Who goes first?                         Who goes first?

"""
    assert printed(generation_table(ROWS, edit)) == expected


def test_only_words_that_differ_are_marked(edit):
    text = coloured(generation_table(ROWS, edit), width=200)
    before, after = "\x1b[4;32m{}\x1b[0m", "\x1b[1;4;31m{}\x1b[0m"
    for word in ("invited", "wedding."):
        assert before.format(word) in text
    for word in ("asked", "the."):
        assert after.format(word) in text
    assert text.count("\x1b[4;32m") == text.count("\x1b[1;4;31m") == 2
    assert "\x1b[2mWho\x1b[0m goes first?" in text


def test_spaces_and_lines_stay_as_they_are(edit):
    rows = [row("", "a\n\n  b ", "")]
    assert [line.split() for line in printed(generation_table(rows, edit)).splitlines()[4:7]] == [["a"], [], ["b"]]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_long_texts_fold(edit, width):
    words = [f"word{place}" for place in range(60)]
    rows = [row("x" * 150 + " ", " ".join(words), " ".join(reversed(words)))]
    text = printed(generation_table(rows, edit), width)
    assert all(text.count(f"{word} ") + text.count(f"{word}\n") >= 2 for word in words)
    assert text.count("x") == 2 * 150
    assert "…" not in text


def test_nothing_in_a_text_is_markup_or_steers_the_terminal(edit):
    rows = [row("[red]", "[bold]a[/bold] :smile:", "\x1b[31mred\x07\t日本語")]
    text = printed(generation_table(rows, edit))
    assert "[red][bold]a[/bold] :smile:" in text
    assert "[red]\\x1b[31mred\\x07\\t日本語" in text


def test_touched_tokens_are_marked(edit):
    rows = [reached("The guests\n", TOKENS, touched=True, at_most=19)]
    expected = r"""
          depth  token               id
              0  '<|endoftext|>'      0
▸ edited      1  'The'              504
▸ edited      2  ' guests\n'      12040
edited: 2 of the 3 tokens of the prompt
generated tokens: each of the up to 19 that are read again is edited

"""
    assert printed(touch_table(rows)).partition("The guests\n")[2] == expected


@pytest.mark.parametrize(
    ("touched", "at_most", "said"),
    [
        (True, 19, "each of the up to 19 that are read again is edited"),
        (True, 1, "the first is edited when it is read again"),
        (True, 0, "none is edited"),
        (False, 19, "none is edited"),
    ],
)
def test_generated_tokens(touched, at_most, said):
    rows = [reached("", TOKENS[:1], touched=touched, at_most=at_most)]
    assert f"generated tokens: {said}\n" in printed(touch_table(rows))


def test_tokens_are_not_markup():
    tokens = (TouchedToken(text="[red]", id=7, touched=True), TouchedToken(text=":smile:", id=8, touched=False))
    text = printed(touch_table([reached("[b]", tokens, touched=False, at_most=1)]))
    assert all(part in text for part in ("[b]\n", "'[red]'", "':smile:'"))


def test_visible():
    assert visible("a\nb\tc\x00é日") == "a\nb\\tc\\x00é日"
