"""Methods beside each other, with what any such comparison has to confess."""

from showing import printed

from neurosteer.report import compare_table

CONFESSION = "attribution was selected on the outcome shown here (on other pairs)"
EQUAL = "a set that disturbs more (KL) moves more: compare at equal KL"


def test_the_whole_table(three_methods):
    expected = f"""\
intransitive  encoded against used, 200 test pairs
ablate to zero (resid_post), at all tokens but BOS
unedited: accuracy .80, mean margin 3.62 nats

 neurons          k at   acc.     change of margin,       controls:
 by              layer  .80 →         95 % interval           range    p     KL
 ──────────────────────────────────────────────────────────────────────────────
 welch        40 at 14    .72  -0.08 [-0.21, +0.05]  -0.43 to +0.21  .85  0.124
 l0           40 at 14    .72  -0.51 [-0.78, -0.26]  -0.56 to +0.24  .10  0.124
 attribution  40 at 17    .72  -3.22 [-3.61, -2.85]  -0.83 to +0.33  .05  0.610

{CONFESSION}
{EQUAL}

"""
    assert printed(compare_table(three_methods)) == expected


def test_who_did_not_see_the_outcome_has_nothing_to_confess(three_methods):
    text = printed(compare_table(three_methods[:2]))
    assert CONFESSION not in text
    assert EQUAL in text


def test_without_controls(three_methods):
    for entry in three_methods:
        entry["controls"] = None
    assert " l0           40 at 14    .72  -0.51 [-0.78, -0.26]          –  –  0.124\n" in printed(  # noqa: RUF001
        compare_table(three_methods)
    )


def test_wide_cells_fold_and_are_not_cut(three_methods):
    three_methods[0]["edit"] |= {"k": 1234, "layers": [0, 3, 7, 9, 21]}
    three_methods[1]["method"] = None
    three_methods[2]["controls"] |= {"p": 0.0001, "delta_low": -123.45}
    text = printed(compare_table(three_methods))
    words = text.split()
    assert {"1,234", "0-21", "given", "<.001", "-123.45"} <= set(words)
    assert "…" not in text
