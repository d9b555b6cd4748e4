"""The printed table: readable at 80 columns, nothing cut, nothing that is not known shown as a number."""

from dataclasses import replace

import pytest
from made_found import with_layer, without_words
from showing import printed

from neurosteer.pairs.baselines import TOKEN_FEATURES
from neurosteer.report import find_table
from neurosteer.report.baselines import COLUMNS, DRAWN, NAMES
from neurosteer.report.pages.found import baselines_table
from neurosteer.results import SplitSizes


def row_of(text, layer):
    return next(
        line.replace("▸", " ").split()
        for line in text.splitlines()
        if line.replace("▸", " ").split()[:1] == [str(layer)]
    )


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize(("topk", "units"), [(6, 576), (143, 14336)])
def test_nothing_is_cut_or_wrapped(found_of, width, topk, units):
    text = printed(find_table(found_of(topk=topk, width=units)), width)
    assert "…" not in text
    assert len([line for line in text.splitlines() if "–" in line]) == 30  # noqa: RUF001  (one line a layer)


def test_the_whole_of_a_small_table(found_of):
    expected = """\
intransitive  nyu-mll/blimp, 1,000 pairs
pair split: 600 train, 200 validation, 200 test pairs

without a model  majority  length  last word  unigram  stem  bigram
pair split           .500    .610       .995     .920  .930    .978
  its tokens                 .590                .915          .985

               top     random 6    L0    L0  Spear-  signif-
 layer  dense    6  mean, range  kept  acc.     man    icant
 ───────────────────────────────────────────────────────────
     0    .94  .75  .65 .61–.68   12%   .93     .30       40
   ▸ 1    .95  .77  .67 .63–.70   12%   .94     .28       51
     2    .94  .75  .65 .61–.68   12%   .93     .26       62

top 6 of 576 units by welch; all accuracies on test data
▸ best layer, chosen on validation data
its tokens: the same of the model's tokens; length is their number

At layer 15 the top 6 units reach .77. On unseen words .84 remain.

"""  # noqa: RUF001
    assert printed(find_table(found_of(3, new_words=False))) == expected


def test_columns_and_lines_are_baselines():
    assert {*COLUMNS, *filter(None, COLUMNS.values()), *DRAWN} <= set(NAMES)


def test_a_later_baseline_is_on_the_page_and_leaves_the_table_as_wide(found_of, monkeypatch):
    """A run of before has no value of it."""
    found = found_of(l0=False, new_words=False)
    before = printed(find_table(found))
    monkeypatch.setitem(TOKEN_FEATURES, "trigram", TOKEN_FEATURES["bigram"])
    monkeypatch.setattr("neurosteer.report.baselines.NAMES", (*NAMES, "token trigram"))
    assert printed(find_table(found)) == before
    assert baselines_table(found).rows[-2:] == (("token bigram", ".985", "–"), ("token trigram", "–", "–"))  # noqa: RUF001


def test_new_words_add_a_row_of_baselines_and_two_columns(found_of):
    text = printed(find_table(found_of()))
    assert "new words            .500    .600       .500     .497  .505    .620" in text
    assert row_of(text, 12)[-2:] == [".83", ".72"]


def test_words_that_spaces_do_not_part_have_no_baselines(found_of):
    """A dash and a note, never a number; the tokens' baselines stand."""
    text = printed(find_table(without_words(found_of(2, new_words=False))))
    lines = {line.split("  ")[0]: line.split() for line in text.splitlines() if line}
    assert lines["pair split"] == ["pair", "split", ".500", "–", "–", "–", "–", "–"]  # noqa: RUF001
    assert "  its tokens                 .590                .915          .985" in text.splitlines()[5]
    note = "– not available: this script does not part words by spaces"  # noqa: RUF001
    assert note in text
    assert note not in printed(find_table(found_of(2)))


def test_what_nobody_asked_for_has_no_column(found_of):
    text = printed(find_table(found_of(l0=False, new_words=False)))
    assert row_of(text, 4)[5:] == ["84"]
    assert not any(said in text for said in ("None", "new words", "L0", "Spear"))


def test_what_is_null_is_a_dash(found_of):
    found = with_layer(found_of(new_words=False), 4, l0=None, spearman=None)
    assert row_of(printed(find_table(found)), 4)[5:] == ["–", "–", "–", "84"]  # noqa: RUF001


def test_a_layer_whose_masks_all_fall_short_is_marked(found_of):
    text = printed(find_table(found_of()))
    assert row_of(text, 3)[6] == ".89*"
    assert "* no lambda came within 95 %" in text
    assert "*" not in printed(find_table(found_of(l0=False)))


def test_dropped_pairs_are_counted(found_of):
    found = found_of(2)
    split = SplitSizes(kind="lexical", seed=0, train=300, validation=151, test=153, dropped=396)
    text = printed(find_table(replace(found, data=replace(found.data, split=split))))
    assert "lexical split: 300 train, 151 validation, 153 test pairs (396 dropped)" in text


def test_brackets_in_the_users_names_are_not_markup(found_of):
    assert "[red]mine[/red]" in printed(find_table(replace(found_of(1), task="[red]mine[/red]")))


def test_agreement_of_the_rankings(compared_of):
    expected = """\
agreement of the rankings

                   welch             welch                l0  predicted
 layer              ~ l0     ~ attribution     ~ attribution       drop
 ──────────────────────────────────────────────────────────────────────
     0   .02   .03 (.07)  -.18   .03 (.07)  -.38   .03 (.07)       1.20
   ▸ 1   .02   .03 (.07)  -.18   .03 (.07)  -.38   .03 (.07)       2.20
     2   .02   .03 (.07)  -.18   .03 (.07)  -.38   .03 (.07)       3.20

Spearman over all units; then shared part of the top 6 (by chance)
predicted drop: mean margin on validation, in nats, without attribution's top 6

At layer 15"""
    assert expected in printed(find_table(compared_of()))


@pytest.mark.parametrize(
    ("methods", "shown"),
    [
        (("welch",), True),
        (("welch", "l0"), False),
        (("welch", "attribution"), True),
        (("l0", "attribution"), True),
        (("attribution", "l0", "welch"), False),
    ],
)
def test_one_number_is_shown_once(compared_of, methods, shown):
    assert ("Spear-" in printed(find_table(compared_of(methods)))) is shown


def test_one_method_agrees_with_nothing(compared_of):
    text = printed(find_table(compared_of(("welch",))))
    assert "agreement" not in text
    assert "predicted drop" not in text


def test_an_older_result_has_no_agreement(found_of):
    assert "agreement" not in printed(find_table(found_of(2)))


def test_what_was_not_compared_is_a_dash(compared_of):
    found = with_layer(compared_of(("welch", "attribution")), 0, agreement=(), attribution=None)
    found = with_layer(found, 2, agreement=(replace(found.layers[2].agreement[0], spearman=None),))
    text = printed(find_table(found)).partition("agreement")[2]
    assert row_of(text, 0) == ["0", "–", "–"]  # noqa: RUF001
    assert row_of(text, 2) == ["2", "–", ".03", "(.07)", "3.20"]  # noqa: RUF001


def test_the_drop_is_shown_without_another_method_too(compared_of):
    text = printed(find_table(compared_of(("attribution",))))
    assert "use, as attribution predicts it" in text
    assert row_of(text.partition("use, as")[2], 1) == ["1", "2.20"]
    assert "chance)" not in text


def test_a_mask_that_masks_nothing_is_called_so(found_of):
    note = "only lambda 1, which masks nothing, came within 95 % of the dense"
    for lam in (0.8, 1.0):
        found = found_of()
        found = with_layer(found, 0, l0=replace(found.layers[0].l0, lam=lam))
        assert (note in printed(find_table(found))) is (lam == 1)
