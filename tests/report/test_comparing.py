"""Methods beside each other, with what any such comparison has to confess."""

import re

import pytest
from made_effects import altered
from showing import printed

from neurosteer.report import compare_table

CONFESSION = "attribution was selected on the outcome shown here (on other pairs)"
SEEN = "seen from: the smallest change that would have been seen with 80 % power"
EQUAL = "a set that disturbs more (KL) may move more for that alone: compare at equal KL"


def test_the_whole_table(three_methods):
    expected = f"""\
intransitive  encoded against used, 200 test pairs
ablate to zero (resid_post), at all tokens but BOS
unedited: accuracy .80, mean margin 3.62 nats

 neurons            k at   acc.  change, 95 % interval;       seen
 by                layer  .80 →   controls: mean, range    p  from     KL
 ────────────────────────────────────────────────────────────────────────
 welch          40 at 14    .72    -0.08 [-0.21, +0.05]  .85  0.94  0.124
   19 controls              .78    -0.11 -0.43 to +0.21             0.031
 l0             40 at 14    .72    -0.51 [-0.78, -0.26]  .10  0.94  0.124
   19 controls              .78    -0.16 -0.56 to +0.24             0.031
 attribution    40 at 17    .72    -3.22 [-3.61, -2.85]  .05     –  0.610
   19 controls              .78    -0.25 -0.83 to +0.33             0.031

{SEEN}
{CONFESSION}
{EQUAL}

"""  # noqa: RUF001
    assert printed(compare_table(three_methods)) == expected


def test_who_did_not_see_the_outcome_has_nothing_to_confess(three_methods):
    text = printed(compare_table(three_methods[:2]))
    assert CONFESSION not in text
    assert EQUAL in text


def test_without_controls(three_methods):
    text = printed(compare_table([altered(effect, controls=None) for effect in three_methods]))
    assert re.search(r"\n l0 +40 at 14 +\.72 +-0\.51 \[-0\.78, -0\.26\] +– +– +0\.124\n", text)  # noqa: RUF001
    assert "controls\n" not in text
    assert "seen from:" not in text


def row_of(text, name):
    [line] = [line for line in text.splitlines() if line.startswith(f" {name} ")]
    return line.split()


def test_only_a_null_says_what_it_would_have_seen(three_methods):
    """And one that no change would have overcome says so."""
    nothing = {"controls__detectable__nats": None, "controls__detectable__share": None}
    three_methods[1] = altered(three_methods[1], **nothing)
    text = printed(compare_table(three_methods))
    shown = {effect.method: row_of(text, effect.method)[-3:-1] for effect in three_methods}
    assert shown == {"welch": [".85", "0.94"], "l0": [".10", "never"], "attribution": [".05", "–"]}  # noqa: RUF001
    del three_methods[:2]
    assert SEEN not in printed(compare_table(three_methods))


@pytest.mark.parametrize(
    ("nothing", "word", "heading", "note"),
    [
        (True, "none", "nothing to lose", "none: nothing to lose, so no change shows a need"),
        (
            None,
            "few",
            "too few test pairs to tell whether there is anything to lose",
            "few: too few test pairs to tell whether there is anything to lose, 20 are wanted",
        ),
    ],
)
def test_without_a_preference_no_p_is_shown(three_methods, nothing, word, heading, note):
    clean = {"margin__before": 0.2, "margin__before_low": -0.15, "margin__before_high": 0.55}
    effects = [altered(effect, nothing_to_lose=nothing, **clean) for effect in three_methods]
    text = printed(compare_table(effects))
    words = " ".join(text.split())
    assert f"{heading}: the unedited mean margin is +0.20 [-0.15, +0.55]" in words
    assert note in words
    for effect in effects:
        assert row_of(text, effect.method)[-3:-1] == [word, "–"]  # noqa: RUF001
    assert "nothing to lose" not in printed(compare_table([altered(effects[0], nothing_to_lose=False)]))


def test_a_set_that_moves_less_is_marked(three_methods):
    note = "*: stands out as moving the margin less than the controls do"
    assert note not in printed(compare_table(three_methods))
    three_methods[2] = altered(three_methods[2], controls__direction="less")
    text = printed(compare_table(three_methods))
    assert note in text
    assert row_of(text, "attribution")[-3] == ".05*"


def test_wide_cells_fold_and_are_not_cut(three_methods):
    first, second, third = three_methods
    first = altered(first, edit__k=1234, edit__layers=(0, 3, 7, 9, 21))
    third = altered(third, controls__p=0.0001, controls__delta_low=-123.45)
    text = printed(compare_table([first, altered(second, method=None), third]))
    words = text.split()
    assert {"1,234", "0-21", "given", "<.001", "-123.45"} <= set(words)
    assert "…" not in text


def test_pairs_that_count_as_one_are_said(three_methods):
    text = " ".join(printed(compare_table([altered(effect, groups=40) for effect in three_methods])).split())
    assert "encoded against used, 200 test pairs (40 groups that share an item or a sentence) ablate" in text
