"""Effects drawn: every number where it belongs, every text on the canvas and on no other."""

import sys
from itertools import combinations

import numpy as np
import pytest
from made_effects import altered
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from sizes import quick_and_slow

from neurosteer.report import dose_figure, effect_figure, save_figure

LONG = "coordinate_structure_constraint_complex_left_branch"


def texts_in(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text()]


def beyond(axis):
    """Labels of ticks that lie outside of the axes; they are there, but not drawn."""
    low, high = sorted(axis.get_view_interval())
    return {tick.label1 for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high}


def boxes_in(figure):
    """What each text on the figure covers, and the canvas."""
    figure.draw_without_rendering()
    unseen = set().union(*(beyond(axis) for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)))
    shown = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    boxes = [(text.get_text(), text.get_window_extent()) for text in shown if text not in unseen]
    return boxes, figure.bbox


def check_texts(figure):
    """Every text lies on the canvas, and none on another."""
    boxes, canvas = boxes_in(figure)
    for text, box in boxes:
        assert canvas.x0 <= box.x0, text
        assert box.x1 <= canvas.x1, text
        assert canvas.y0 <= box.y0, text
        assert box.y1 <= canvas.y1, text
    for (a, box), (b, other) in combinations(boxes, 2):
        apart = box.x1 <= other.x0 or other.x1 <= box.x0 or box.y1 <= other.y0 or other.y1 <= box.y0
        assert apart, (a, b)


def dots_in(figure):
    return [sorted(line.get_ydata()) for line in figure.axes[0].lines if line.get_label() == "controls"]


def markers_in(figure):
    return markers_of(figure.axes[0])


def markers_of(axes):
    return {box.get_label(): box[0] for box in axes.containers}


def test_every_set_and_every_control_is_drawn(three_methods):
    figure = effect_figure(three_methods)
    assert dots_in(figure) == [sorted(effect.controls.deltas) for effect in three_methods]
    drawn = markers_in(figure)
    assert {name: line.get_ydata()[0] for name, line in drawn.items()} == {
        effect.method: effect.margin.delta for effect in three_methods
    }
    for box, effect in zip(figure.axes[0].containers, three_methods, strict=True):
        [segment] = box[2][0].get_segments()
        assert segment[:, 1] == pytest.approx([effect.margin.low, effect.margin.high])


def test_labels(three_methods):
    figure = effect_figure(three_methods, "smollm2-135m")
    axes = figure.axes[0]
    assert axes.get_title(loc="left") == "intransitive"
    assert axes.get_ylabel() == "change of the mean margin (nats)"
    names = [label.get_text() for label in axes.get_xticklabels()]
    assert names == [
        "encoded: welch\n40 at layer 14",
        "encoded: l0\n40 at layer 14",
        "used: attribution\n40 at layer 17",
    ]
    assert {"p = .85", "p = .10", "p = .05", "KL 0.610", "19 controls", "unedited", "−3.22"} <= set(texts_in(figure))  # noqa: RUF001
    assert "smollm2-135m  ·  ablate to zero  ·  resid_post  ·  at all tokens but BOS" in texts_in(figure)
    notes = axes.get_xlabel()
    assert "p: empirical, two-sided, against 19 matched controls" in notes
    assert "attribution was selected on the outcome shown here (on other pairs)" in notes
    assert "compare at equal KL" in notes


def test_only_attribution_confesses(three_methods):
    assert "selected" not in effect_figure(three_methods[:2]).axes[0].get_xlabel()
    assert "selected" in effect_figure(three_methods[2:]).axes[0].get_xlabel()


def test_one_method_says_what_was_done(effect_of):
    figure = effect_figure([effect_of()], "smollm2-135m")
    parts = "  ·  ".join(("smollm2-135m", "ablate to zero", "40 neurons at layer 14", "resid_post"))
    assert f"{parts}\nat all tokens but BOS" in texts_in(figure)
    assert "equal KL" not in figure.axes[0].get_xlabel()


def test_without_controls(effect_of):
    figure = effect_figure([effect_of(controls=False)])
    assert "no controls" in texts_in(figure)
    assert "nothing to compare with" in figure.axes[0].get_xlabel()
    assert dots_in(figure) == []


@pytest.mark.parametrize(
    ("nothing", "direction", "said"),
    [
        (False, "more", "p = .05"),
        (False, "less", "p = .05, moves less"),
        (True, "less", "nothing to lose"),
        (None, "more", "too few to tell"),
    ],
)
def test_what_stands_above_a_column(three_methods, nothing, direction, said):
    three_methods[2] = altered(three_methods[2], nothing_to_lose=nothing, controls__direction=direction)
    figure = effect_figure(three_methods)
    assert {text for text in texts_in(figure) if text in (said, "p = .85", "p = .10")} == {said, "p = .85", "p = .10"}
    check_texts(figure)


def test_pairs_that_count_as_one_are_said(effect_of):
    few = effect_of(groups=40)
    notes = " ".join(effect_figure([few]).axes[0].get_xlabel().split())
    assert "over 200 test pairs (40 groups that share an item or a sentence)" in notes
    check_texts(effect_figure([few]))
    assert "groups" not in effect_figure([effect_of()]).axes[0].get_xlabel()


def test_axes_of_ones_own(effect_of):
    """Drawn where the user wants it, beside what is already there."""
    own = Figure()
    left, right = own.subplots(1, 2)
    left.plot([0, 1], [0, 1])
    assert effect_figure([effect_of()], ax=right) is own
    assert [line.get_ydata()[0] for line in markers_of(right).values()] == [-0.86]
    assert len(left.lines) == 1


def test_one_control_is_spoken_of_as_one(effect_of):
    single = effect_of(controls__n=1, controls__deltas=(0.1,), edit__k=1)
    figure = effect_figure([single])
    assert "1 control" in texts_in(figure)
    assert "1 matched control (dots" in " ".join(figure.axes[0].get_xlabel().split())
    assert any("1 neuron at layer 14" in text for text in texts_in(figure))


def test_methods_differ_without_colour(three_methods):
    lines = markers_in(effect_figure([*three_methods, altered(three_methods[0], method=None)])).values()
    assert len({line.get_marker() for line in lines}) == 4
    assert len({to_rgb(line.get_color()) for line in lines}) == 4


@pytest.mark.parametrize("count", quick_and_slow([3], [1, 2]))
@pytest.mark.parametrize("change", ["", "long", "many", "large", "nothing"])
def test_texts_keep_their_place(three_methods, count, change):
    still = {f"margin__{name}": 0.0 for name in ("delta", "low", "high")}
    still |= {f"controls__delta_{name}": 0.0 for name in ("mean", "low", "high")}
    many = {"layers": (0, 3, 7, 21), "k": 12345, "reach": "onward", "kind": "resample", "scale": 0.5}
    changes = {
        "": {},
        "long": {"task": LONG},
        "many": {f"edit__{name}": value for name, value in many.items()},
        "large": {"margin__delta": -132.4, "margin__low": -140.0, "margin__high": -120.0},
        "nothing": {**still, "controls__deltas": (0.0,) * 19},
    }
    effects = [altered(effect, **changes[change]) for effect in three_methods[:count]]
    check_texts(effect_figure(effects, model="~/models/a-rather-long-name-of-a-model" if change == "long" else "m"))


def test_endless_names_do_not_leave_the_canvas(effect_of):
    figure = effect_figure([effect_of(task="task " * 40)], model="/models" * 30)
    boxes, canvas = boxes_in(figure)
    assert all(box.x1 <= canvas.x1 for _, box in boxes)
    assert any(text.startswith("…") for text, _ in boxes)


def test_doses(full_effect):
    figure = dose_figure(full_effect, "smollm2-135m")
    top, bottom = figure.axes
    [chosen] = [line for line in top.lines if line.get_label() == "chosen"]
    assert list(chosen.get_xdata()) == [0, 0.5, 1, 2, 4]
    deltas = [dose.delta for dose in full_effect.by_scale]
    assert list(chosen.get_ydata()) == [*deltas[:2], 0, *deltas[2:]]
    [controls] = [line for line in top.lines if line.get_label() == "controls"]
    means = [dose.controls.delta_mean for dose in full_effect.by_scale]
    assert list(controls.get_ydata()) == [*means[:2], 0, *means[2:]]
    band, bars = top.collections
    lowest = min(dose.controls.delta_low for dose in full_effect.by_scale)
    assert band.get_datalim(top.transData).y0 == pytest.approx(lowest)
    ends = [(dose.low, dose.high) for dose in full_effect.by_scale]
    assert np.array([segment[:, 1] for segment in bars.get_segments()]) == pytest.approx(np.array(ends))
    assert list(bottom.lines[-1].get_ydata()) == [0.1, 0.025, 0, 0.1, 0.9]
    assert [label.get_text() for label in bottom.get_xticklabels()] == ["0", "0.5", "1", "2", "4"]
    keys = ["19 controls: mean and range", "these 40 neurons, with 95 % interval"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == keys
    assert top.get_title(loc="left") == "intransitive"
    about = "smollm2-135m  ·  40 neurons at layer 14 by welch  ·  resid_post  ·  at all tokens but BOS"
    assert about in texts_in(figure)


@pytest.mark.parametrize(
    ("scales", "ticks"),
    [((0.0,), [0, 1]), ((1.0,), [1]), ((2.0, 4.0), [1, 2, 4]), ((0.0, 0.99, 1.0, 1.01, 4.0), [0, 1, 4])],
)
@pytest.mark.parametrize("controls", quick_and_slow([True], [False]))
def test_any_number_of_doses(effect_of, doses_of, scales, ticks, controls):
    entry = effect_of(task=LONG, controls=controls, by_scale=doses_of(*scales, controls=controls))
    figure = dose_figure(entry)
    assert list(figure.axes[1].get_xticks()) == ticks
    assert len(figure.legends[0].get_texts()) == 1 + controls
    check_texts(figure)


def test_the_unedited_model_is_drawn_hollow(effect_of, doses_of):
    top = dose_figure(effect_of(by_scale=doses_of(0.0, 1.0, 2.0))).axes[0]
    [hollow] = [line for line in top.lines if line.get_markerfacecolor() == "white"]
    assert (list(hollow.get_xdata()), list(hollow.get_ydata())) == ([1], [0])


def test_scaling_about_a_reference_is_said(effect_of, doses_of):
    effect = effect_of(by_scale=doses_of(0.0, 2.0), edit__kind="mean")
    assert dose_figure(effect).axes[1].get_xlabel() == "scale of the activations about their mean"


def test_same_entries_same_bytes(three_methods, full_effect, tmp_path):
    for draw in (lambda: effect_figure(three_methods, "m"), lambda: dose_figure(full_effect, "m")):
        for name in ("a.png", "b.png"):
            save_figure(draw(), tmp_path / name, dpi=60)
        data = (tmp_path / "a.png").read_bytes()
        assert data == (tmp_path / "b.png").read_bytes()
        assert b"atplotlib" not in data


def test_a_dollar_is_a_dollar(effect_of, doses_of, tmp_path):
    effect = effect_of(task="$x^{2$ _[b]", method="$y$", by_scale=doses_of(0.0, controls=False))
    save_figure(effect_figure([effect], "日本語 $"), tmp_path / "a.png", dpi=60)
    save_figure(dose_figure(effect, "$$"), tmp_path / "b.png", dpi=60)


def test_pyplot_is_not_needed(full_effect):
    dose_figure(full_effect)
    assert "matplotlib.pyplot" not in sys.modules
