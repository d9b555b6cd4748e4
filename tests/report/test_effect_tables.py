"""What `ablate` prints: the change beside its controls, and nothing that is not known."""

import re

import pytest
from made_effects import altered, other_task
from showing import printed

from neurosteer.report import effect_table
from neurosteer.results import record
from neurosteer.results.effect import Accuracy, Flipped, Margin


def everywhere(effect, **changes):
    """The same change in the effect, its doses, its kinds, the other tasks and what is not massive."""
    rows = {
        part: tuple(altered(row, **changes) for row in getattr(effect, part))
        for part in ("by_scale", "kinds", "also")
    }
    return altered(effect, without_massive=altered(effect.without_massive, **changes), **rows, **changes)


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

p = .05 against 19 controls (the smallest 19 can give): moves more than they do
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

                 change of margin,             controls:       seen
 scale  acc.         95 % interval           mean, range    p  from     KL
 ─────────────────────────────────────────────────────────────────────────
 0       .72  -0.90 [-1.14, -0.65]  -0.20 -0.70 to +0.30  .05     –  0.100
 0.5     .76  -0.45 [-0.69, -0.20]  -0.10 -0.35 to +0.15  .25  0.94  0.025
 2       .88  +0.90 [+0.66, +1.15]  +0.20 -0.30 to +0.70  .05     –  0.100
 4       .94  +1.50 [+1.26, +1.75]  +0.60 -0.90 to +2.10  .05     –  0.900

other kinds of the same edit

                    change of margin,             controls:       seen
 kind      acc.         95 % interval           mean, range    p  from     KL
 ────────────────────────────────────────────────────────────────────────────
 zero       .72  -0.86 [-1.10, -0.61]  -0.20 -0.85 to +0.45  .05     –  0.120
 mean       .76  -0.41 [-0.65, -0.16]  -0.10 -0.40 to +0.20  .05     –  0.080
 resample   .81  +0.12 [-0.12, +0.37]  -0.30 -0.85 to +0.25  .35  0.94  0.210

other tasks, which a specific effect leaves alone

                                                   change of margin,       seen
 task (test pairs)                    accuracy         95 % interval    p  from
 ──────────────────────────────────────────────────────────────────────────────
 transitive (200)                    .80 → .72  -0.86 [-1.10, -0.61]  .05     –
   19 controls: mean, range          .80 → .78  -0.20 -0.85 to +0.45
 coordinate_structure_constraint_co
 mplex_left_branch (200)             .80 → .72  -0.86 [-1.10, -0.61]  .05     –
   19 controls: mean, range          .80 → .78  -0.20 -0.85 to +0.45

seen from: the smallest change that would have been seen with 80 % power
"""  # noqa: RUF001
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
    text = printed(effect_table(everywhere(full_effect, controls=None)))
    assert re.search(r"\n 0\.5 +\.76  -0\.45 \[-0\.69, -0\.20\] +–  – +–  0\.025\n", text)  # noqa: RUF001
    assert "controls: mean, range" not in text.replace("controls:\n", "")
    assert "mismatch" not in text


@pytest.mark.parametrize(
    ("p", "headline"),
    [(0.05, "p = .05 against 19 controls (the smallest 19 can give)\n"), (0.1, "p = .10 against 19 controls\n")],
)
def test_the_smallest_p_is_called_so(effect_of, p, headline):
    assert headline in printed(effect_table(effect_of(controls__p=p, controls__direction=None)))


def test_the_word_in_the_place_of_p_is_explained(effect_of):
    """Also where only the set's own row has it."""
    effect = altered(effect_of(), nothing_to_lose=True, by_scale=(), kinds=(), also=())
    text = printed(effect_table(effect))
    assert re.search(r"these 40 neurons .* none +0\.124\n", text)
    assert text.count("none: nothing to lose, so no change shows a need\n") == 1


@pytest.mark.parametrize(("direction", "mark"), [("more", ""), ("less", "*")])
def test_the_headline_says_in_which_direction(effect_of, direction, mark):
    text = printed(effect_table(effect_of(controls__direction=direction)))
    assert f"19 controls (the smallest 19 can give): moves {direction} than they do\n" in text
    assert f"[-1.10, -0.61]  .05{mark}  0.124" in text


def test_what_moves_less_is_marked_and_the_mark_explained(full_effect):
    note = "*: stands out as moving the margin less than the controls do\n"
    assert note not in printed(effect_table(full_effect))
    for part in ("by_scale", "kinds", "also"):
        first, *others = getattr(full_effect, part)
        rows = (altered(first, controls__direction="less"), *others)
        text = printed(effect_table(altered(full_effect, **{part: rows})))
        assert note in text
        assert len(re.findall(r"\] +\.05\*|\d +\.05\*", text)) == 1


def test_other_tasks_without_a_preference_have_no_p(full_effect):
    """One with nothing to lose, one of too few pairs."""
    first, second = full_effect.also
    also = (altered(first, nothing_to_lose=True), altered(second, nothing_to_lose=None))
    text = printed(effect_table(altered(full_effect, also=also)))
    assert re.search(r"\n transitive \(200\) .* none +–\n", text)  # noqa: RUF001
    assert re.search(r"left_branch \(200\) .* few +–\n", text)  # noqa: RUF001
    assert "\nnone: nothing to lose, so no change shows a need\n" in text
    assert "few: too few test pairs to tell whether there is anything to lose, 20 are wanted" in text


def test_other_tasks_that_do_not_move_say_what_would_have_been_seen(full_effect):
    null = {"controls__p": 0.4, "controls__verdict": "does not stand out", "controls__direction": None}
    text = printed(effect_table(altered(full_effect, also=(other_task("transitive", **null),))))
    assert re.search(r"\n transitive \(200\) .* \.40 +0\.94\n", text)


def test_too_few_controls_give_no_p(full_effect):
    """3 controls: neither in the headline nor in any column, and what `few` means stands beneath."""
    few = {"n": 3, "p": 0.25, "verdict": "too few to tell", "direction": None}
    few |= {"detectable__nats": None, "detectable__share": None}
    changes = {f"controls__{name}": value for name, value in few.items()}
    text = printed(effect_table(altered(everywhere(full_effect, **changes), kinds_agree=None)))
    assert "3 controls are too few to tell: a verdict takes 19\n" in text
    assert "smallest change seen with 80 % power: – (without massive –)" in text  # noqa: RUF001
    assert ".25  0" not in text
    assert len(re.findall(r"\] +few|\d +few", text)) == 2 + 4 + 3 + 2
    assert "few: too few controls to tell, a verdict takes 19\n" in text


def test_nothing_to_lose_comes_first(effect_of):
    clean = {"margin__before": 0.2, "margin__before_low": -0.15, "margin__before_high": 0.55}
    effect = effect_of(nothing_to_lose=True, verdict="nothing to lose", **clean)
    text = printed(effect_table(effect))
    assert "\nnothing to lose: the unedited mean margin is +0.20 [-0.15, +0.55]\np = .05 against 19 controls" in text
    words = " ".join(printed(effect_table(altered(effect, nothing_to_lose=None))).split())
    assert "anything to lose: the unedited mean margin is +0.20 [-0.15, +0.55] p = .05 against 19 controls" in words


@pytest.mark.parametrize(("tested", "told"), [(49, True), (50, False)])
def test_few_pairs_are_told(effect_of, tested, told):
    effect = effect_of(groups=tested, data__tested=tested)
    note = f"{tested} test pairs are few: below 50 the 95 % interval is too narrow\n"
    assert (note in printed(effect_table(effect))) is told
    words = " ".join(printed(effect_table(altered(effect, data__tested=200))).split())
    counted = f"200 test pairs ({tested} groups that share an item or a sentence) are few: below 50 the 95 %"
    assert (counted in words) is told


def test_one_dose_and_one_kind_are_no_comparison(full_effect):
    one = altered(full_effect, by_scale=full_effect.by_scale[:1], kinds=full_effect.kinds[:1], kinds_agree=None)
    text = printed(effect_table(one))
    assert "scales" not in text
    assert "agree" not in text


def test_where_the_neurons_come_from_may_be_unknown(effect_of):
    effect = effect_of("given", neurons_from=None, data__split=None)
    assert printed(effect_table(effect)).splitlines()[:3] == [
        "intransitive  ./blimp, 200 test pairs of 1,000",
        "ablate to zero: 40 neurons at layer 14 (resid_post), at all tokens but BOS",
        "given neurons",
    ]
    assert printed(effect_table(effect_of(None, neurons_from="a.safetensors"))).splitlines()[2].startswith("given")


def test_controls_whose_divergence_was_not_measured(effect_of):
    text = printed(effect_table(effect_of(controls__kl=None, controls__kls=None)))
    assert re.search(r"19 controls: mean, range .* –\n", text)  # noqa: RUF001


def test_attribution_confesses(effect_of):
    note = "attribution was selected on the outcome shown here (on other pairs)"
    assert note in printed(effect_table(effect_of("attribution")))
    assert "selected on" not in printed(effect_table(effect_of("welch")))


def test_the_users_texts_are_not_markup(full_effect):
    named = {"task": "[red]mine[/red]", "data__source": "daten/sätze [neu].jsonl", "side_effects__text": "[i].txt"}
    also = (other_task("日本語 [/red] :smile:"),)
    text = printed(effect_table(altered(full_effect, **named, also=also, reading="[b]Fällt[/b] :smile:")))
    for part in (
        "[red]mine[/red]",
        "[b]Fällt[/b] :smile:",
        "daten/sätze [neu].jsonl",
        "[/red] :smile: (200)",
        "([i].txt)",
    ):
        assert part in text


def test_large_changes_stay_whole(full_effect):
    margin = {"delta": -132.4, "low": -140.25, "high": -120.5, "before": 3.62, "after": -128.78}
    large = {f"margin__{name}": value for name, value in margin.items()}
    large |= {"controls__delta_low": -1000.25, "controls__delta_high": 1000.25}
    text = " ".join(printed(effect_table(altered(full_effect, **large))).split())
    for part in ("-132.40", "-140.25", "-120.50", "3.62 → -128.78", "-1000.25 to +1000.25"):
        assert part in text
    assert "…" not in text


def numbers_in(value):
    if isinstance(value, dict):
        return [number for inner in value.values() for number in numbers_in(inner)]
    return [number for inner in value for number in numbers_in(inner)] if isinstance(value, list) else [value]


def test_every_number_is_shown(effect_of):
    margin = {"before": 3.21, "after": 1.98, "delta": -1.23, "low": -1.56, "high": -0.92, "p": 0.014}
    margin |= {"before_low": 2.75, "before_high": 3.68}
    controls = {"n": 99, "accuracy": 0.77, "delta_mean": -0.34, "delta_low": -0.67, "delta_high": 0.29, "p": 0.03}
    controls |= {"unmatched": 0.08, "kl": 0.035, "deltas": (), "overlap": 0.11}
    controls |= {"detectable__nats": 0.87, "detectable__share": 0.3}
    side = {"perplexity_before": 20.4, "perplexity_after": 30.7, "tokens": 611}
    effect = effect_of(
        accuracy=Accuracy(before=0.81, after=0.73),
        flipped=Flipped(lost=23, gained=7),
        margin=Margin(**margin),
        nothing_to_lose=True,
        verdict="nothing to lose",
        **{f"controls__{name}": value for name, value in controls.items()},
        **{f"side_effects__{name}": value for name, value in side.items()},
    )
    text = printed(effect_table(effect))
    entry = record(effect)
    del entry["data"], entry["edit"], entry["neurons"], entry["controls"]["detectable"]["share"]
    del entry["controls"]["kls"]
    assert "0.87 nats = 30%" in text
    for value in numbers_in(entry):
        if isinstance(value, float | int):
            shown = f"{100 * value:.0f}%" if value == 0.11 else f"{abs(value):g}".lstrip("0")
            assert shown in text, value


def test_one_of_anything_is_spoken_of_as_one(effect_of):
    """One neuron, one pair, one control."""
    one = effect_of(data__tested=1, groups=1, edit__k=1, controls__n=1, controls__verdict="too few to tell")
    text = printed(effect_table(one))
    assert text.startswith(
        "intransitive  ./blimp, 1 test pair of 1,000, pair split\nablate to zero: 1 neuron at layer 14"
    )
    assert "\nneuron by welch from runs/" in text
    assert "\n this neuron " in text
    assert "\n   1 control: mean, range " in text
    assert "\n1 control is too few to tell: a verdict takes 19\n" in text
    assert "1 test pair is few: below 50 " in text
