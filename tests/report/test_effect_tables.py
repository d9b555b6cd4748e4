"""What `ablate` prints: the change beside its controls, and nothing that is not known."""

import re

import pytest
from showing import printed

from neurosteer.report import effect_table


def test_the_whole_of_a_small_entry(effect_of):
    expected = """\
intransitive  ./blimp, 200 test pairs of 1,000, pair split
ablate to zero: 40 neurons at layer 14 (resid_post), at all tokens but BOS
neurons by welch from runs/find-intransitive-smollm2-135m-e6b85c03

                                           change of margin,
                              accuracy         95 % interval    p     KL
 ───────────────────────────────────────────────────────────────────────
 these 40 neurons            .80 → .72  -0.86 [-1.10, -0.61]  .05  0.124
   19 controls: mean, range  .80 → .78  -0.20 -0.85 to +0.45       0.031

p = .05 against 19 controls (the smallest 19 can give)
sign-flip of before against after p < .001: means little alone
mean margin 3.62 → 2.76 nats; pairs: 20 lost, 4 gained
side effects: KL 0.124 nats/token, perplexity 21.3 → 24.1
side effects are measured on 512 tokens of neutral text (built-in)
smallest change seen with 80 % power: 0.94 nats = 26%
mismatch left in the controls: .07 standard deviations
overlap of the controls with the set: 9.0%

Without these 40 neurons the mean margin falls by .86 nats.

"""
    assert printed(effect_table(effect_of())) == expected


def test_the_parts_that_may_be_there(full_effect):
    text = printed(effect_table(full_effect))
    expected = """\
 without massive: 38         .80 → .76  -0.50 [-0.74, -0.25]  .10  0.050
   19 controls: mean, range  .80 → .78  -0.15 -0.55 to +0.25       0.031
"""
    assert expected in text
    expected = """\
other scales (1 is the unedited model)

                     change of margin,             controls:
 scale  accuracy         95 % interval           mean, range    p     KL
 ───────────────────────────────────────────────────────────────────────
 0           .72  -0.90 [-1.14, -0.65]  -0.20 -0.70 to +0.30  .05  0.100
 0.5         .76  -0.45 [-0.69, -0.20]  -0.10 -0.35 to +0.15  .25  0.025
 2           .88  +0.90 [+0.66, +1.15]  +0.20 -0.30 to +0.70  .05  0.100
 4           .94  +1.50 [+1.26, +1.75]  +0.60 -0.90 to +2.10  .05  0.900

other kinds of the same edit

                        change of margin,             controls:
 kind      accuracy         95 % interval           mean, range    p     KL
 ──────────────────────────────────────────────────────────────────────────
 zero           .72  -0.86 [-1.10, -0.61]  -0.20 -0.85 to +0.45  .05  0.120
 mean           .76  -0.41 [-0.65, -0.16]  -0.10 -0.40 to +0.20  .05  0.080
 resample       .81  +0.12 [-0.12, +0.37]  -0.30 -0.85 to +0.25  .35  0.210

zero, mean, resample do not agree in direction or in what p says

other tasks, which a specific effect leaves alone

                                                         change of margin,
 task (test pairs)                          accuracy         95 % interval    p
 ──────────────────────────────────────────────────────────────────────────────
 transitive (200)                          .80 → .72  -0.86 [-1.10, -0.61]  .05
   19 controls: mean, range                .80 → .78  -0.20 -0.85 to +0.45
 coordinate_structure_constraint_complex_
 left_branch (200)                         .80 → .72  -0.86 [-1.10, -0.61]  .05
   19 controls: mean, range                .80 → .78  -0.20 -0.85 to +0.45
"""
    assert expected in text
    assert ".07 standard deviations (without massive .07)" in text
    assert "9.0% (without massive 9.0%)" in text


def test_without_controls_there_is_no_p(effect_of):
    text = printed(effect_table(effect_of(controls=False)))
    assert "no controls (--controls 0): nothing to compare with" in text
    assert " these 40 neurons  .80 → .72  -0.86 [-1.10, -0.61]  –  0.124\n" in text  # noqa: RUF001
    assert "19" not in text
    assert "None" not in text


def test_without_controls_every_part_is_shown(full_effect):
    parts = [full_effect, full_effect["without_massive"]]
    for part in parts + full_effect["doses"] + full_effect["kinds"] + full_effect["also"]:
        part["controls"] = None
    text = printed(effect_table(full_effect))
    assert " 0.5         .76  -0.45 [-0.69, -0.20]            –  –  0.025\n" in text  # noqa: RUF001
    assert "controls: mean, range" not in text.replace("controls:\n", "")
    assert "mismatch" not in text


@pytest.mark.parametrize(
    ("p", "headline"),
    [(0.05, "p = .05 against 19 controls (the smallest 19 can give)\n"), (0.1, "p = .10 against 19 controls\n")],
)
def test_the_smallest_p_is_called_so(effect_of, p, headline):
    entry = effect_of()
    entry["controls"]["p"] = p
    assert headline in printed(effect_table(entry))


def test_too_few_controls_give_no_p(full_effect):
    """3 controls: neither in the headline nor in any column, and what `few` means stands beneath."""
    few = {"n": 3, "p": 0.25, "verdict": "too few to tell", "detectable": {"nats": None, "share": None}}
    for part in (full_effect, full_effect["without_massive"]):
        part["controls"] |= few
    for row in full_effect["doses"] + full_effect["kinds"] + full_effect["also"]:
        row["controls"] = row["controls"] | few
    full_effect["kinds_agree"] = None
    text = printed(effect_table(full_effect))
    assert "3 controls are too few to tell: a verdict takes 19\n" in text
    assert "smallest change seen with 80 % power: – (without massive –)" in text  # noqa: RUF001
    assert ".25  0" not in text
    assert len(re.findall(r"\] +few|\d +few", text)) == 2 + 4 + 3 + 2
    assert "few: too few controls to tell, a verdict takes 19\n" in text
    assert "zero, mean, resample agree in direction; without 19 controls no more can be told\n" in text


def test_nothing_to_lose_comes_first(effect_of):
    entry = effect_of(nothing_to_lose=True, verdict="nothing to lose")
    entry["margin"] |= {"before": 0.2, "before_low": -0.15, "before_high": 0.55}
    text = printed(effect_table(entry))
    assert "\nnothing to lose: the unedited mean margin is +0.20 [-0.15, +0.55]\np = .05 against 19 controls" in text


@pytest.mark.parametrize(("tested", "told"), [(49, True), (50, False)])
def test_few_pairs_are_told(effect_of, tested, told):
    entry = effect_of()
    entry["data"]["tested"] = tested
    note = f"{tested} test pairs are few: below 50 the 95 % interval is too narrow\n"
    assert (note in printed(effect_table(entry))) is told


def test_one_dose_and_one_kind_are_no_comparison(full_effect):
    full_effect.update(doses=full_effect["doses"][:1], kinds=full_effect["kinds"][:1], kinds_agree=None)
    text = printed(effect_table(full_effect))
    assert "scales" not in text
    assert "agree" not in text


@pytest.mark.parametrize(
    ("agree", "said"), [(True, "agree in direction and"), (False, "do not agree in direction or")]
)
def test_whether_the_kinds_agree(full_effect, agree, said):
    full_effect["kinds_agree"] = agree
    assert f"zero, mean, resample {said} in what p says" in printed(effect_table(full_effect))


def test_where_the_neurons_come_from_may_be_unknown(effect_of):
    entry = effect_of("given")
    del entry["neurons_from"], entry["data"]["split"]
    assert printed(effect_table(entry)).splitlines()[:3] == [
        "intransitive  ./blimp, 200 test pairs of 1,000",
        "ablate to zero: 40 neurons at layer 14 (resid_post), at all tokens but BOS",
        "given neurons",
    ]
    assert printed(effect_table(effect_of(None, neurons_from="a.safetensors"))).splitlines()[2].startswith("given")


def test_controls_whose_divergence_was_not_measured(effect_of):
    entry = effect_of()
    del entry["controls"]["kl"]
    assert re.search(r"19 controls: mean, range .* –\n", printed(effect_table(entry)))  # noqa: RUF001


def test_attribution_confesses(effect_of):
    note = "attribution was selected on the outcome shown here (on other pairs)"
    assert note in printed(effect_table(effect_of("attribution")))
    assert "selected on" not in printed(effect_table(effect_of("welch")))


def test_the_users_texts_are_not_markup(full_effect):
    full_effect.update(task="[red]mine[/red]", reading="[b]Fällt[/b] :smile:")
    full_effect["data"]["source"] = "daten/sätze [neu].jsonl"
    full_effect["also"][0]["task"] = "日本語 [/red] :smile:"
    full_effect["side_effects"]["text"] = "[i].txt"
    text = printed(effect_table(full_effect))
    for part in (
        "[red]mine[/red]",
        "[b]Fällt[/b] :smile:",
        "daten/sätze [neu].jsonl",
        "[/red] :smile: (200)",
        "([i].txt)",
    ):
        assert part in text


def test_large_changes_stay_whole(full_effect):
    full_effect["margin"].update(delta=-132.4, low=-140.25, high=-120.5, before=3.62, after=-128.78)
    full_effect["controls"].update(delta_low=-1000.25, delta_high=1000.25)
    text = " ".join(printed(effect_table(full_effect)).split())
    for part in ("-132.40", "-140.25", "-120.50", "3.62 → -128.78", "-1000.25 to +1000.25"):
        assert part in text
    assert "…" not in text


def numbers_in(value):
    if isinstance(value, dict):
        return [number for inner in value.values() for number in numbers_in(inner)]
    return [number for inner in value for number in numbers_in(inner)] if isinstance(value, list) else [value]


def test_every_number_is_shown(effect_of):
    entry = effect_of(accuracy={"before": 0.81, "after": 0.73}, flipped={"lost": 23, "gained": 7})
    entry["margin"] = {"before": 3.21, "after": 1.98, "delta": -1.23, "low": -1.56, "high": -0.92, "p": 0.014}
    entry["margin"] |= {"before_low": 2.75, "before_high": 3.68}
    entry |= {"nothing_to_lose": True, "verdict": "nothing to lose"}
    entry["controls"] |= {
        "n": 99,
        "accuracy": 0.77,
        "delta_mean": -0.34,
        "delta_low": -0.67,
        "delta_high": 0.29,
        "p": 0.03,
    }
    entry["controls"] |= {"unmatched": 0.08, "kl": 0.035, "deltas": [], "overlap": 0.11}
    entry["controls"] |= {"detectable": {"nats": 0.87, "share": 0.3}}
    entry["side_effects"] |= {"perplexity_before": 20.4, "perplexity_after": 30.7, "tokens": 611}
    text = printed(effect_table(entry))
    del entry["data"], entry["edit"], entry["neurons"], entry["controls"]["detectable"]["share"]
    assert "0.87 nats = 30%" in text
    for value in numbers_in(entry):
        if isinstance(value, float | int):
            shown = f"{100 * value:.0f}%" if value == entry["controls"]["overlap"] else f"{abs(value):g}".lstrip("0")
            assert shown in text, value
