"""The figures over tasks: every cell its value, every mark its cell, every name in its place."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from figure_checks import check_texts, series_of, texts_in
from made_outcome import make_outcome, outcome_figures
from matplotlib.colors import to_rgb
from sizes import quick_and_slow

from neurosteer.pairs import TASKS
from neurosteer.report.matrix import reach_of, short, spans
from neurosteer.report.palette import falling, rising, shares

PHENOMENA = sorted({task.phenomenon.replace("_", " ") for task in TASKS})


def drawn(experiment, **changes):
    """The only result of an outcome, and its figures by name."""
    outcome = make_outcome((experiment,), **{"tasks": 5, "layers": 3, **changes})
    return outcome["results"][0], dict(outcome_figures(outcome))


def maps_of(figure):
    """The image of every heat map, in order."""
    return [axes.images[0] for axes in figure.axes if axes.images]


def cells_of(image):
    return np.asarray(image.get_array())


def chance_of(axes):
    """Value, lower and upper end of every line at chance."""
    bars = [bar.get_segments()[0] for bar in axes.collections if bar.get_label() == "_chance"]
    return [(start[0], start[1], end[1]) for start, end in bars]


def row_names(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def column_names(axes):
    return [label.get_text() for label in axes.get_xticklabels()]


@pytest.mark.parametrize("kind", ["accuracy", "pairwise"])
def test_transfer_cells(kind):
    result, figures = drawn("fig6")
    sparse, dense, apart = maps_of(figures["fig6" if kind == "accuracy" else "fig6.pairwise"])
    assert cells_of(sparse) == pytest.approx(np.array(result["sparse"][kind]))
    assert cells_of(dense) == pytest.approx(np.array(result["dense"][kind]))
    expected = np.array(result["sparse"][kind]) - np.array(result["dense"][kind])
    assert cells_of(apart) == pytest.approx(expected)
    assert sparse.get_clim() == dense.get_clim() == (0, 1)
    assert apart.get_clim() == pytest.approx((-np.abs(expected).max(), np.abs(expected).max()))


@pytest.mark.parametrize(("name", "suffix"), [("fig6", ""), ("fig6.pairwise", "_pairwise")])
def test_transfer_means_stand_in_their_rows(name, suffix):
    result, figures = drawn("fig6")
    means = figures[name].axes[2]
    lines = series_of(means)
    keys = {
        "itself, sparse": "sparse_own",
        "same phenomenon, sparse": "sparse_same",
        "other phenomena, sparse": "sparse_other",
        "other phenomena, dense": "dense_other",
    }
    for label, key in keys.items():
        values, rows = lines[label]
        known = [(row[key + suffix], i) for i, row in enumerate(result["means"]) if row[key + suffix] is not None]
        assert list(zip(values, rows, strict=True)) == known
    assert means.get_ylim() == figures[name].axes[0].get_ylim()
    assert "188 to 200 test pairs a cell" in " ".join(texts_in(figures[name]))


@pytest.mark.parametrize(("name", "spreads"), [("fig6", (0.012, 0.02)), ("fig6.pairwise", (0.02, 0.034))])
def test_bands_of_row_means_by_kind_of_probe(name, spreads):
    _, figures = drawn("fig6")
    sparse, dense = figures[name].axes[2].patches
    for band, spread in zip((sparse, dense), spreads, strict=True):
        assert (band.get_x(), band.get_width()) == pytest.approx((0.499 - 2 * spread, 4 * spread))
    assert (sparse.get_linewidth(), dense.get_facecolor()[3]) == (0, 0)  # one is a surface, the other an outline
    named = [text.get_text() for text in figures[name].axes[2].get_legend().get_texts()]
    assert named[-2:] == ["flipped labels, sparse: ± 2 sd", "flipped labels, dense: ± 2 sd"]


def test_no_band_where_rows_cannot_differ():
    outcome = make_outcome(("fig6",), tasks=4, layers=1)
    outcome["results"][0]["null"]["accuracy_sparse"]["row_sd"] = None
    (_, figure), (_, pairwise) = outcome_figures(outcome)
    assert [band.get_label() for band in figure.axes[2].patches] == ["flipped labels, dense: ± 2 sd"]
    assert len(pairwise.axes[2].patches) == 2


def test_unknown_cells_are_left_white():
    outcome = make_outcome(("fig6",), tasks=4, layers=1)
    outcome["results"][0]["sparse"]["accuracy"][1][2] = None
    (_, figure), _ = outcome_figures(outcome)
    sparse, _, apart = maps_of(figure)
    for image in (sparse, apart):
        mask = np.ma.getmaskarray(image.get_array()) | np.isnan(cells_of(image))
        assert np.argwhere(mask).tolist() == [[1, 2]]
        assert image.cmap.get_bad()[3] == 0


@pytest.fixture(scope="module")
def whole():
    """All 67 tasks."""
    outcome = make_outcome(("fig6", "overlap"), layers=2)
    return {result["experiment"]: result for result in outcome["results"]}, dict(outcome_figures(outcome))


@pytest.mark.parametrize("name", ["fig6", "overlap"])
def test_many_tasks_are_named_by_phenomenon_on_both_axes(whole, name):
    first, second = whole[1][name].axes[:2]
    assert row_names(first) == column_names(first) == column_names(second) == PHENOMENA
    assert row_names(second) == [""] * 12
    starts = [line.get_ydata()[0] for line in first.lines if len(set(line.get_ydata())) == 1]
    sizes = [sum(task.phenomenon.replace("_", " ") == name for task in TASKS) for name in PHENOMENA]
    assert starts == [sum(sizes[:i]) - 0.5 for i in range(1, 12)]


@pytest.mark.parametrize("name", quick_and_slow(["fig6", "overlap"], ["fig6.pairwise"]))
def test_texts_of_many_tasks_keep_their_place(whole, name):
    check_texts(whole[1][name])


@pytest.mark.parametrize("experiment", ["fig6", "overlap"])
@pytest.mark.parametrize("tasks", quick_and_slow([1], [24]))
def test_texts_of_few_tasks_keep_their_place(experiment, tasks):
    for figure in drawn(experiment, tasks=tasks)[1].values():
        check_texts(figure)


@pytest.mark.slow
def test_tasks_without_phenomena_leave_names_out_rather_than_crowd_them():
    outcome = make_outcome(("fig6",), tasks=60, layers=1)
    outcome["results"][0]["phenomena"] = [f"a task of my own {i}" for i in range(60)]
    (_, figure), _ = outcome_figures(outcome)
    assert 20 < len(row_names(figure.axes[0])) < 60
    check_texts(figure)


def test_overlap_cells_and_means():
    result, figures = drawn("overlap")
    figure = figures["overlap"]
    for image, method in zip(maps_of(figure), ("welch", "l0"), strict=True):
        assert cells_of(image) == pytest.approx(np.array(result["matrices"][method]))
        assert image.get_clim()[0] == 0
    groups, stable = figure.axes[2:4]
    lines = series_of(groups)
    assert lines["welch: p < .001"][0] == [result["within"]["welch"], result["across"]["welch"]]
    assert lines["l0: p = .012"][0] == [result["within"]["l0"], result["across"]["l0"]]
    for kind in ("folds", "seeds"):
        for method in ("welch", "l0"):
            expected = [row[kind] for row in result["stability"] if row["method"] == method]
            assert series_of(stable)[f"{kind} {method}"][0] == expected
            middles = [bar.get_segments()[0][0][0] for bar in stable.collections if bar.get_label() != "_chance"]
            assert middles.count(np.median(expected)) == 1


def test_chance_is_drawn_beside_what_it_is_the_chance_of():
    _, figures = drawn("overlap", tasks=11)
    groups, stable = figures["overlap"].axes[2:4]
    chance = {method: 0.01041667 * part for method, part in (("welch", 1), ("l0", 0.6))}
    within = sorted(chance_of(groups))
    assert [value for value, _, _ in within] == pytest.approx([chance["l0"]] * 2 + [chance["welch"]] * 2)
    assert [(low + high) / 2 for _, low, high in within] == pytest.approx([0.15, 1.15, -0.15, 0.85])
    again = sorted(chance_of(stable), key=lambda line: line[1])
    assert [(low + high) / 2 for _, low, high in again] == pytest.approx([0, 1, 2, 3])
    folds = [chance["welch"], 0.01041667 * 0.5]  # of sets from fewer pairs
    assert [value for value, _, _ in again] == pytest.approx([*folds, chance["welch"], chance["l0"]])
    for image, part in zip(figures["overlap"].axes[4:6], (".010", ".006"), strict=True):
        assert f"(by chance {part})" in image.get_ylabel()


def test_one_task_has_no_chance():
    result, figures = drawn("overlap", tasks=1)
    assert result["chance"] == {"welch": None, "l0": None}
    groups, stable = figures["overlap"].axes[2:4]
    assert chance_of(groups) == []
    assert len(chance_of(stable)) == 2
    assert not any("by chance" in text for text in texts_in(figures["overlap"]) if "median" not in text)


@pytest.mark.parametrize("scale", [rising(), falling().reversed(), shares()], ids=["rising", "falling", "shares"])
def test_colours_keep_their_order_in_grey(scale):
    greys = [float(np.dot((0.3, 0.59, 0.11), to_rgb(scale(i)))) for i in range(256)]
    assert all(a >= b - 0.004 for a, b in pairwise(greys))
    assert greys[0] - greys[-1] > 0.8


def test_scales_end_where_they_say():
    values = np.concatenate([np.linspace(-1, 1, 1000), [50.0, -80.0, np.nan]])
    assert reach_of(values, 0.1) == pytest.approx(np.quantile(np.abs(values[:-1]), 0.99))
    assert reach_of(values[-20:], 0.1) == 80
    assert reach_of(np.full((3, 3), np.nan), 0.1) == 0.1
    assert reach_of(np.zeros(4), 0.1) == 0.1


def test_names():
    long = "coordinate_structure_constraint_complex_left_branch"
    assert len(short(long)) == 26
    assert short(long).startswith("coordinate_st")
    assert short(long).endswith("left_branch")
    assert short("wh_island") == "wh_island"
    assert spans(["a", "a", None, "b"]) == [(0, 2, "a"), (2, 3, "no phenomenon"), (3, 4, "b")]
