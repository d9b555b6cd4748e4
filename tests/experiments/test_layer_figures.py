"""The figures by layer: what is drawn is what was given, in an order that grey keeps, and nothing else."""

from __future__ import annotations

import math

import pytest
from figure_checks import check_texts, series_of, texts_in
from made_outcome import caption_of, make_outcome, outcome_figures, tables_of
from matplotlib.colors import to_rgb
from sizes import quick_and_slow

from neurosteer.report.canvas import SEPARATOR

ONE, TWO = {"tasks": 1, "layers": 1, "lambdas": (0.2,)}, {"tasks": 2, "layers": 2, "lambdas": (1.0,)}


def drawn(experiment, **changes):
    """The outcome, its only result, and that result's figure."""
    outcome = make_outcome((experiment,), **{"tasks": 8, "layers": 6, **changes})
    [(name, figure)] = outcome_figures(outcome)
    assert name == experiment
    return outcome, outcome["results"][0], figure


def by_layer(rows, key, **where):
    chosen = [row for row in rows if all(row[name] == value for name, value in where.items())]
    known = [row for row in chosen if row[key] is not None]
    return [row["layer"] for row in known], [row[key] for row in known]


def grey(colour):
    return sum(w * c for w, c in zip((0.3, 0.59, 0.11), to_rgb(colour), strict=True))


def beneath(figure):
    """The parts of the subtitle."""
    return [part for line in figure.texts[1].get_text().split("\n") for part in line.split(SEPARATOR)]


def legend_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_masks_kept_and_accuracy():
    _, result, figure = drawn("fig2")
    upper, lower = figure.axes
    names = {0.05: ".05", 0.1: ".1", 0.2: ".2", 0.4: ".4", 0.8: ".8", 1.0: "1"}
    for value, name in names.items():
        assert series_of(upper)[name] == by_layer(result["rows"], "kept", **{"lambda": value})
        assert series_of(lower)[name] == by_layer(result["rows"], "accuracy", **{"lambda": value})
    assert series_of(lower)["dense: all units"] == by_layer(result["dense"], "accuracy")
    assert legend_of(figure) == [*reversed(names.values()), "dense: all units"]
    assert {"bigram .782", "unigram .741", "chance .500", "units kept (share of all)"} <= set(texts_in(figure))
    levels = [line.get_ydata()[0] for line in lower.lines if line.get_linestyle() == "--"]
    assert sorted(levels) == [0.5, 0.687, 0.733, 0.741, 0.761, 0.782, 0.803]


def test_bands_are_the_intervals():
    _, result, figure = drawn("fig2", lambdas=(0.2,))
    for axes, key in zip(figure.axes, ("kept", "accuracy"), strict=True):
        [band] = axes.collections
        box = band.get_datalim(axes.transData)
        ends = (min(row[f"{key}_low"] for row in result["rows"]), max(row[f"{key}_high"] for row in result["rows"]))
        assert (box.y0, box.y1) == pytest.approx(ends)


@pytest.mark.parametrize(("experiment", "key"), [("fig2", "lambdas"), ("fig3", "ks"), ("fig4", "lambdas")])
def test_ordered_series_keep_their_order_in_grey(experiment, key):
    _, result, figure = drawn(experiment)
    handles = [line for line in figure.legends[0].get_lines() if line.get_marker() not in ("", "None")]
    greys = [grey(line.get_color()) for line in handles]
    assert greys == sorted(greys)
    assert greys[-1] - greys[0] > 0.4
    assert len({line.get_marker() for line in handles}) == len(handles)
    assert len(handles) == len(result[key]) - (experiment == "fig4")


def test_topk_stresses_the_k_of_the_recipe():
    _, result, figure = drawn("fig3")
    axes = figure.axes[0]
    for k in result["ks"]:
        name = "6  (1 %)" if k == 6 else f"{k:,}"
        assert series_of(axes)[name] == by_layer(result["rows"], "accuracy", k=k)
    widths = {line.get_label(): line.get_linewidth() for line in figure.legends[0].get_lines()}
    assert max(widths, key=lambda name: (name != "dense: all units") * widths[name]) == "6  (1 %)"


def test_rank_correlations_and_their_limits():
    _, result, figure = drawn("fig4")
    axes = figure.axes[0]
    for value, name in ((0.05, ".05"), (0.8, ".8")):
        assert series_of(axes)[name] == by_layer(result["rows"], "spearman", **{"lambda": value})
    limits = [(list(line.get_ydata()), line.get_color()) for line in axes.lines if line.get_label() == "_limit"]
    colours = {line.get_label(): line.get_color() for line in axes.lines}
    expected = [
        (by_layer(result["rows"], "limit", **{"lambda": value})[1], colours.get(name))
        for value, name in ((0.05, ".05"), (0.1, ".1"), (0.2, ".2"), (0.4, ".4"), (0.8, ".8"))
    ]
    assert limits[:-1] == expected
    assert limits[-1][0] == []
    assert "1" not in legend_of(figure)


def test_chosen_beside_random():
    _, result, figure = drawn("fig5")
    upper, lower = figure.axes
    assert series_of(upper)["top 6  (1 %)"] == by_layer(result["rows"], "top")
    for size in result["sizes"]:
        name = f"random {size:,}" + (" (all others)" if size == 570 else "")
        assert series_of(upper)[name] == by_layer(result["curves"], "accuracy", size=size)
    points = series_of(lower)
    assert points["of the mean accuracy,\nwith 95 % interval"] == by_layer(result["rows"], "multiple")
    assert points["median task"] == by_layer(result["rows"], "median_multiple")
    assert lower.get_yscale() == "log"
    assert "paper: 6×" in texts_in(figure)  # noqa: RUF001


def test_what_nothing_matches_is_an_arrow_and_no_number():
    _, result, figure = drawn("fig5")
    lower = figure.axes[1]
    beyond = [row["layer"] for row in result["rows"] if row["beyond"]]
    assert beyond == [4, 5]
    layers, heights = series_of(lower)["no number of\nrandom units matches"]
    assert layers == beyond
    [arrow] = [line for line in lower.lines if line.get_label() == "no number of\nrandom units matches"]
    assert arrow.get_marker() == "^"
    assert arrow.get_transform().transform((0, heights[0])) == pytest.approx(
        lower.get_xaxis_transform().transform((0, heights[0]))
    )
    assert 0.9 < heights[0] < 1
    numbers = [line for name, line in series_of(lower).items() if not name.startswith(("no number", "_"))]
    assert all(layer not in beyond for layers, _ in numbers for layer in layers)


def test_the_median_task_has_its_own_arrow():
    outcome = make_outcome(("fig5",), tasks=5, layers=6)
    rows = outcome["results"][0]["rows"]
    rows[1]["median_multiple"] = None
    rows[2] |= {"tasks": 0, "top": None, "median_multiple": None, "multiple": None}
    [(_, figure)] = outcome_figures(outcome)
    points = series_of(figure.axes[1])
    assert points["no number of\nrandom units matches,\nmedian task"][0] == [1, 4, 5]
    assert points["median task"][0] == [0, 3]
    check_texts(figure)


def test_intervals_without_an_upper_end_reach_the_top():
    _, result, figure = drawn("fig5")
    lower = figure.axes[1]
    bars = {bar.get_label(): bar.get_segments() for bar in lower.collections}
    ends = {
        row["layer"]: (row["multiple_low"], row["multiple_high"] or lower.get_ylim()[1])
        for row in result["rows"]
        if row["multiple_low"] is not None
    }
    found = {segment[0][0]: (segment[0][1], segment[1][1]) for bar in bars.values() for segment in bar}
    assert found.keys() == ends.keys()
    assert all(found[layer] == pytest.approx(ends[layer]) for layer in ends)
    assert [segment[0][0] for segment in bars["_open"]] == [3, 4, 5]


def test_a_layer_that_nobody_reads_is_neither_number_nor_arrow():
    outcome = make_outcome(("fig5",), tasks=5, layers=6)
    row = outcome["results"][0]["rows"][5]
    for key in ("top", "equivalent", "multiple"):
        row |= dict.fromkeys((key, f"{key}_low", f"{key}_high"))
    row |= {"tasks": 0, "beyond": False, "median_multiple": None}
    [(_, figure)] = outcome_figures(outcome)
    points = series_of(figure.axes[1])
    assert points["no number of\nrandom units matches"][0] == [4]
    assert all(5 not in layers for name, (layers, _) in points.items() if not name.startswith("_"))


NOTES = {
    "fig2": "tasks whose dense probe is below .55 on validation data, 0 to 3 a layer, count here but in no ratio to "
    "dense",
    "fig5": "without tasks whose dense probe is below .55 on validation data: 0 to 3 a layer",
    "controls": "only tasks whose dense probe reaches .55 on validation data in every variant: 0 to 3 left out a "
    "layer",
}


@pytest.mark.parametrize("experiment", quick_and_slow(["fig3"], ["fig2", "fig5", "controls"]))
def test_excluded_tasks_are_counted(experiment):
    note = NOTES.get(experiment, NOTES["fig2"])
    assert note in beneath(drawn(experiment, tasks=9)[2])
    assert not any("dense probe" in part for part in beneath(drawn(experiment)[2]))
    one_layer = beneath(drawn(experiment, tasks=9, layers=1)[2])
    assert note.replace("0 to 3", "3") in one_layer


@pytest.mark.parametrize("experiment", quick_and_slow(["fig2"], ["controls", "fig3", "fig5"]))
@pytest.mark.parametrize(("chance", "said"), [(0.2204, True), (0.0501, True), (0.05, False), (0.003, False)])
def test_a_floor_that_luck_passes_is_told(experiment, chance, said):
    outcome = make_outcome((experiment,), tasks=5, layers=2)
    outcome["results"][0]["chance_above_floor"] = chance
    [(_, figure)] = outcome_figures(outcome)
    told = [part for part in beneath(figure) if "knows nothing" in part]
    as_written = {0.2204: ".22", 0.0501: ".05"}.get(chance)
    assert told == (
        [f"a probe that knows nothing passes the floor of .55 with probability up to {as_written}"] * said
    )
    check_texts(figure)


def test_controls_stand_side_by_side():
    outcome, result, figure = drawn("controls")
    upper, lower = figure.axes[:3], figure.axes[3:]
    assert [axes.get_title() for axes in upper] == ["neurons", "randomly rotated basis", "untrained model"]
    for above, below, variant in zip(upper, lower, result["variants"], strict=True):
        curves, lines = result["curves"][variant], series_of(above)
        assert lines["dense: all units"] == by_layer(curves["fig2"]["dense"], "accuracy")
        assert lines["top 6"] == by_layer(curves["fig5"]["rows"], "top")
        assert lines["random 6"] == by_layer(curves["fig5"]["curves"], "accuracy", size=6)
        multiples = series_of(below)["of the mean accuracy,\nwith 95 % interval"]
        assert multiples == by_layer(curves["fig5"]["rows"], "multiple")
        assert above.get_ylim() == upper[0].get_ylim()
    lowest = min(row["accuracy_low"] for row in result["curves"]["untrained"]["fig5"]["curves"])
    assert upper[0].get_ylim()[0] < lowest
    assert outcome["settings"]["k"] == 6


@pytest.mark.parametrize("experiment", quick_and_slow(["fig2", "controls"], ["fig3", "fig4", "fig5"]))
@pytest.mark.parametrize("changes", quick_and_slow([{"width": 4096, "k": 1, "layers": 32}], [ONE, {}, TWO]), ids=str)
def test_texts_keep_their_place(experiment, changes):
    check_texts(drawn(experiment, **changes)[2])


@pytest.mark.parametrize("experiment", quick_and_slow(["fig4", "fig5"], ["fig2", "fig3", "controls"]))
def test_all_unknown_draws_nothing(experiment):
    outcome = make_outcome((experiment,), tasks=3, layers=4)
    outcome["results"] = [without_numbers(outcome["results"][0])]
    [(_, figure)] = outcome_figures(outcome)
    figure.draw_without_rendering()
    for axes in figure.axes:
        for name, (layers, _) in series_of(axes).items():
            assert name.startswith("_") or layers == []


def test_subtitle_says_what_was_run():
    _, _, figure = drawn("fig2")
    about = ["smollm2-135m", "blimp", "pair split", "8 tasks of 1,000 pairs"]
    assert beneath(figure) == [*about, "mean over tasks with 95 % bootstrap interval over 8 tasks"]
    assert beneath(drawn("fig2", **ONE)[2]) == [*about[:3], "1 task of 1,000 pairs"]


@pytest.mark.parametrize("experiment", quick_and_slow(["fig2"], ["fig3", "fig4", "fig5", "controls"]))
@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        (67, "mean over tasks with 95 % bootstrap interval over 12 phenomena"),
        (20, "mean over tasks with 95 % bootstrap interval over 20 tasks"),
        (6, "mean over tasks with 95 % bootstrap interval over 6 tasks"),
        (5, "mean over tasks"),
        (1, None),
    ],
)
def test_subtitle_says_what_intervals_are_over(experiment, tasks, said):
    outcome, _, figure = drawn(experiment, tasks=tasks, layers=3)
    told = [part for part in beneath(figure) if part.startswith("mean over")]
    assert told == [f"{said} (k = 6)" if experiment == "fig3" else said] * (said is not None)
    caption = caption_of(experiment, outcome).read
    over = said and said.partition(" interval over ")[2]
    assert ("95 % bootstrap intervals over the" in caption) is bool(over)
    assert not over or f"over the {over}" in caption
    assert ("There are no intervals: of fewer than 6 tasks" in caption) is (tasks == 5)


def test_rank_correlations_of_few_tasks_are_not_drawn():
    outcome = make_outcome(("fig4",), tasks=8, layers=6, lambdas=(0.2,))
    rows = outcome["results"][0]["rows"]
    rows[2] |= {"tasks": 3, "undefined": 5, "judged": False}
    [(_, figure)] = outcome_figures(outcome)
    [solid, dashed] = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 2]
    assert list(solid.get_xdata()) == list(dashed.get_xdata()) == [0, 1, 3, 4, 5]
    [table] = tables_of(outcome)
    assert [row[1] == "–" for row in table.rows] == [False, False, True, False, False, False]  # noqa: RUF001


@pytest.mark.parametrize("experiment", quick_and_slow(["fig2", "controls"], ["fig3", "fig4", "fig5"]))
def test_pairs_that_a_split_dropped_are_told(experiment):
    outcome = make_outcome((experiment,), tasks=3, layers=2, split="lexical")
    outcome["tasks"][1]["dropped"] = 260
    [(_, figure)] = outcome_figures(outcome)
    assert beneath(figure)[2:5] == ["lexical split", "3 tasks of 1,000 pairs", "1,740 pairs of 3,000 used"]
    assert not any("used" in part for part in beneath(drawn(experiment)[2]))


def test_endless_names_stay_on_the_canvas():
    outcome = make_outcome(("fig2", "fig6"), tasks=3, layers=3)
    outcome["model"]["name"] = "/models/" * 40
    outcome["data"]["source"] = "$x^{2$ _[b]"
    for _, figure in outcome_figures(outcome):
        check_texts(figure)


def without_numbers(value):
    """Every measured number unknown; settings stay, and baselines that always exist."""
    if isinstance(value, dict):
        kept = ("lambda", "floor", "chance_above_floor", "censored", "majority", "tokens")
        unknown = {key: inner if key in kept else without_numbers(inner) for key, inner in value.items()}
        return unknown | ({"beyond": False} if "beyond" in value else {})  # of what is unknown nothing falls short
    if isinstance(value, list):
        return value if all(isinstance(inner, float) for inner in value) else [without_numbers(v) for v in value]
    return None if isinstance(value, float) and not math.isnan(value) else value
