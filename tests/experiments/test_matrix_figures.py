"""The figures over tasks: every cell its value, every mark its cell, every name in its place."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from figure_checks import check_texts, series_of, texts_in
from made_outcome import make_outcome, outcome_figures
from matplotlib.colors import to_rgb

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
    outcome = make_outcome(("fig6", "overlap", "causal"), layers=2)
    return {result["experiment"]: result for result in outcome["results"]}, dict(outcome_figures(outcome))


@pytest.mark.parametrize("name", ["fig6", "overlap", "causal.predicted"])
def test_many_tasks_are_named_by_phenomenon_on_both_axes(whole, name):
    first, second = whole[1][name].axes[:2]
    assert row_names(first) == column_names(first) == column_names(second) == PHENOMENA
    assert row_names(second) == [""] * 12
    starts = [line.get_ydata()[0] for line in first.lines if len(set(line.get_ydata())) == 1]
    sizes = [sum(task.phenomenon.replace("_", " ") == name for task in TASKS) for name in PHENOMENA]
    assert starts == [sum(sizes[:i]) - 0.5 for i in range(1, 12)]


@pytest.mark.parametrize(
    "name", ["fig6", "fig6.pairwise", "overlap", "causal", "causal.predicted", "causal.agreement"]
)
def test_texts_of_many_tasks_keep_their_place(whole, name):
    check_texts(whole[1][name])


@pytest.mark.parametrize("experiment", ["fig6", "overlap", "causal"])
@pytest.mark.parametrize("tasks", [1, 24])
def test_texts_of_few_tasks_keep_their_place(experiment, tasks):
    for figure in drawn(experiment, tasks=tasks)[1].values():
        check_texts(figure)


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


def test_causal_predictions():
    result, figures = drawn("causal", tasks=25)
    every = np.concatenate([np.abs(result["predicted"][method]).ravel() for method in result["methods"]])
    reach = np.quantile(every, 0.99)
    for image, method in zip(maps_of(figures["causal.predicted"]), result["methods"], strict=True):
        values = np.array(result["predicted"][method])
        assert cells_of(image) == pytest.approx(values)
        assert image.get_clim() == pytest.approx((-reach, reach))
    largest = np.abs(result["predicted"]["attribution"])  # the only method whose changes reach the end
    beyond = f"{100 * (largest > reach).mean():.1f}% of the cells lie beyond"
    assert " ".join(texts_in(figures["causal.predicted"])).count(beyond) == 1


def test_equal_changes_have_equal_colours_in_every_map():
    """One scale: the largest change of any method is its end."""
    result, figures = drawn("causal", tasks=20)
    largest = max(abs(cell["delta"]) for cell in result["cells"] if cell["delta"] is not None)
    for name in ("causal", "causal.predicted"):
        assert len({image.get_clim() for image in maps_of(figures[name])}) == 1
    assert maps_of(figures["causal"])[0].get_clim() == pytest.approx((-largest, largest))


def test_measured_cells_have_their_number_and_the_unusual_a_ring():
    result, figures = drawn("causal", tasks=20, controls=199)
    measured = result["measured"]
    for axes, method in zip(figures["causal"].axes, result["methods"], strict=False):
        cells = {(c["source"], c["target"]): c for c in result["cells"] if c["method"] == method}
        expected = [[cells[a, b]["delta"] for b in measured] for a in measured]
        assert cells_of(axes.images[0]) == pytest.approx(np.array(expected, dtype=float), nan_ok=True)
        assert row_names(axes) in ([short(task) for task in measured], [""] * len(measured))
        [rings] = axes.collections
        ringed = {(measured[round(y)], measured[round(x)]) for x, y in rings.get_offsets()}
        assert ringed == {pair for pair, cell in cells.items() if cell["q"] is not None and cell["q"] < 0.05}
        assert ringed
        numbers = [text for text in axes.texts if text.get_text() and text.xy[0] == round(text.xy[0])]
        assert len(numbers) == sum(cell["delta"] is not None for cell in cells.values())
        for text in numbers:
            value = cells[measured[round(text.xy[1])], measured[text.xy[0]]]["delta"]
            digits = float(text.get_text().replace("−", "-"))  # noqa: RUF001
            assert digits == pytest.approx(value, abs=0.0051 if abs(value) < 0.99 else 0.051)


@pytest.mark.parametrize("controls", [19, 199])
def test_single_cells_are_judged_only_with_controls_enough(controls):
    result, figures = drawn("causal", tasks=20, controls=controls)
    for axes, method in zip(figures["causal"].axes, result["methods"], strict=False):
        [rings] = axes.collections
        assert (len(rings.get_offsets()) > 0) is (controls == 199)
        found = result["summary"][method]
        counts = [f"{found[f'significant_{kind}']} of {found[f'judged_{kind}']} {kind}" for kind in ("own", "other")]
        assert (counts[0] == "None of 0 own") is (controls == 19)
        ps = {row["family"]: row["p"] for row in result["families"] if row["method"] == method}
        told = [f"{kind} p {'< .001' if ps[kind] < 0.001 else '= .31'}" for kind in ("own", "other")]
        rings_told = "" if controls == 19 else f"; q < .05 (rings): {', '.join(counts)}"
        assert f"as families: {', '.join(told)}{rings_told}" in texts_in(figures["causal"])


def test_the_means_of_controls_are_dots_of_their_own_height():
    result, figures = drawn("causal", tasks=20)
    lines = series_of(figures["causal"].axes[3])
    again = series_of(drawn("causal", tasks=20)[1]["causal"].axes[3])
    for method in result["methods"]:
        for place, kind in ((0, "own"), (2, "unrelated")):
            values, heights = lines[f"{method} controls {kind}"]
            rows = [row for row in result["control_means"] if (row["method"], row["kind"]) == (method, kind)]
            assert values == [row["delta"] for row in rows]
            assert len(set(heights)) == len(values) == 19
            [middle] = lines[f"{method} measured {kind}"][1]
            assert max(abs(height - middle) for height in heights) <= 0.09
            assert abs(middle - place) < 0.3
            assert again[f"{method} controls {kind}"][1] == heights
    assert not [name for name in series_of(figures["causal.predicted"].axes[3]) if "controls" in name]


@pytest.mark.parametrize(("units", "said"), [([138, 378], "2 massive units"), ([7], "1 massive unit"), ([], None)])
def test_massive_units_are_in_no_set(units, said):
    outcome = make_outcome(("causal",), tasks=5, layers=1)
    outcome["results"][0]["massive"] = units
    figures = dict(outcome_figures(outcome))
    for name in ("causal", "causal.predicted"):
        about = figures[name].texts[1].get_text()
        assert f"the layer's {said} in no set" in about if said else "massive" not in about


def test_means_of_own_related_and_other_tasks():
    result, figures = drawn("causal", tasks=20)
    axes = figures["causal"].axes[3]
    lines = series_of(axes)
    for row in result["effects"]:
        name = f"{row['method']} {row['what']} {row['kind']}"
        shown = row["what"] == "measured" and row["kind"] in ("own", "unrelated") and row["drop"] is not None
        assert (name in lines) is shown
        if shown:
            assert lines[name][0] == [-row["drop"]]
    segments = sorted(tuple(bar.get_segments()[0][:, 0]) for bar in axes.collections)
    expected = sorted(
        (-row["high"], -row["low"])
        for row in result["effects"]
        if f"{row['method']} {row['what']} {row['kind']}" in lines
    )
    assert np.array(segments) == pytest.approx(np.array(expected))
    assert "no such cells" in texts_in(figures["causal"])


def test_predicted_against_measured_and_agreement():
    result, figures = drawn("causal", tasks=20)
    left, right = figures["causal.agreement"].axes
    for method in result["methods"]:
        for own in (True, False):
            cells = [c for c in result["cells"] if c["method"] == method and (c["source"] == c["target"]) is own]
            cells = [cell for cell in cells if cell["delta"] is not None]
            expected = ([c["predicted"] for c in cells], [c["delta"] for c in cells])
            assert series_of(left)[f"{method} {'own' if own else 'other'}"] == expected
        rows = [row for row in result["agreement"] if row["method"] == method]
        assert series_of(right)[method][0] == [row["spearman"] for row in rows]
    ends = {(row["low"], row["high"]) for row in result["agreement"]}
    assert {tuple(bar.get_segments()[0][:, 0]) for bar in right.collections} == ends
    assert len(ends) == 15


@pytest.mark.parametrize("unknown", ["delta", "q"])
def test_what_was_not_measured_is_not_drawn(unknown):
    outcome = make_outcome(("causal",), tasks=20, layers=1)
    for cell in outcome["results"][0]["cells"]:
        cell[unknown] = None
    figures = dict(outcome_figures(outcome))
    axes = figures["causal"].axes[0]
    [rings] = axes.collections
    if unknown == "q":
        assert len(rings.get_offsets()) == 0
    else:
        assert np.isnan(np.ma.filled(axes.images[0].get_array(), np.nan)).all()
        assert series_of(figures["causal.agreement"].axes[0])["welch own"] == ([], [])


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
