"""The figures of causal transfer: every cell its value, every mark its cell, every name in its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from figure_checks import check_texts, series_of, texts_in
from made_causal import made_causal, made_scope
from matplotlib.figure import Figure
from sizes import quick_and_slow

from neurosteer.experiments.causal import EXPERIMENT
from neurosteer.experiments.causal.result import CausalTransfer
from neurosteer.pairs import TASKS
from neurosteer.report.matrix import short

PHENOMENA = sorted({task.phenomenon.replace("_", " ") for task in TASKS})


def drawn(result: CausalTransfer) -> dict[str, Figure]:
    scope = made_scope(result)
    return {name or "causal": drawing.draw(result, scope) for name, drawing in EXPERIMENT.drawings.items()}


@pytest.fixture(scope="module")
def twenty() -> CausalTransfer:
    return made_causal(20)


@pytest.fixture(scope="module")
def figures(twenty: CausalTransfer) -> Mapping[str, Figure]:
    return drawn(twenty)


def maps_of(figure: Figure) -> list[Any]:
    """The image of every heat map, in order."""
    return [axes.images[0] for axes in figure.axes if axes.images]


def cells_of(image: Any) -> np.ndarray:
    return np.asarray(image.get_array())


def row_names(axes: Any) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def column_names(axes: Any) -> list[str]:
    return [label.get_text() for label in axes.get_xticklabels()]


@pytest.mark.slow
def test_many_tasks_are_named_by_phenomenon_on_both_axes():
    whole = drawn(made_causal(67))
    first, second = whole["predicted"].axes[:2]
    assert row_names(first) == column_names(first) == column_names(second) == PHENOMENA
    assert row_names(second) == [""] * 12
    starts = [line.get_ydata()[0] for line in first.lines if len(set(line.get_ydata())) == 1]
    sizes = [sum(task.phenomenon.replace("_", " ") == name for task in TASKS) for name in PHENOMENA]
    assert starts == [sum(sizes[:i]) - 0.5 for i in range(1, 12)]
    for figure in whole.values():
        check_texts(figure)


@pytest.mark.parametrize("tasks", quick_and_slow([1], [24]))
def test_texts_of_few_tasks_keep_their_place(tasks: int):
    for figure in drawn(made_causal(tasks)).values():
        check_texts(figure)


def test_predictions():
    result = made_causal(25)
    figure = drawn(result)["predicted"]
    every = np.concatenate([np.abs(result.predicted[method]).ravel() for method in result.methods])
    reach = np.quantile(every, 0.99)
    for image, method in zip(maps_of(figure), result.methods, strict=True):
        assert cells_of(image) == pytest.approx(np.array(result.predicted[method]))
        assert image.get_clim() == pytest.approx((-reach, reach))
    largest = np.abs(result.predicted["attribution"])  # the only method whose changes reach the end
    beyond = f"{100 * (largest > reach).mean():.1f}% of the cells lie beyond"
    assert " ".join(texts_in(figure)).count(beyond) == 1


def test_equal_changes_have_equal_colours_in_every_map(twenty: CausalTransfer, figures: Mapping[str, Figure]):
    """One scale: the largest change of any method is its end."""
    largest = max(abs(cell.delta) for cell in twenty.cells if cell.delta is not None)
    for name in ("causal", "predicted"):
        assert len({image.get_clim() for image in maps_of(figures[name])}) == 1
    assert maps_of(figures["causal"])[0].get_clim() == pytest.approx((-largest, largest))


def test_measured_cells_have_their_number_and_the_unusual_a_ring():
    result = made_causal(20, controls=199)
    measured = result.measured
    for axes, method in zip(drawn(result)["causal"].axes, result.methods, strict=False):
        cells = {(cell.source, cell.target): cell for cell in result.cells_of(method)}
        expected = [[cells[a, b].delta for b in measured] for a in measured]
        assert cells_of(axes.images[0]) == pytest.approx(np.array(expected, dtype=float), nan_ok=True)
        assert row_names(axes) in ([short(task) for task in measured], [""] * len(measured))
        [rings] = axes.collections
        ringed = {(measured[round(y)], measured[round(x)]) for x, y in rings.get_offsets()}
        assert ringed == {pair for pair, cell in cells.items() if cell.q is not None and cell.q < 0.05}
        assert ringed
        numbers = [text for text in axes.texts if text.get_text() and text.xy[0] == round(text.xy[0])]
        assert len(numbers) == sum(cell.delta is not None for cell in cells.values())
        for text in numbers:
            value = cells[measured[round(text.xy[1])], measured[text.xy[0]]].delta
            assert value is not None
            digits = float(text.get_text().replace("−", "-"))  # noqa: RUF001
            assert digits == pytest.approx(value, abs=0.0051 if abs(value) < 0.99 else 0.051)


@pytest.mark.parametrize("controls", [19, 199])
def test_single_cells_are_judged_only_with_controls_enough(controls: int):
    result = made_causal(20, controls=controls)
    figure = drawn(result)["causal"]
    for axes, method in zip(figure.axes, result.methods, strict=False):
        [rings] = axes.collections
        assert (len(rings.get_offsets()) > 0) is (controls == 199)
        found = result.summary[method]
        counts = f"{found.significant_own} of {found.judged_own} own"
        assert (counts == "None of 0 own") is (controls == 19)
        counts += f", {found.significant_other} of {found.judged_other} other"
        ps = {row.family: row.p for row in result.families if row.method == method}
        families = [f"{kind} p {'< .001' if ps[kind] < 0.001 else '= .31'}" for kind in ("own", "other")]
        rings_text = "" if controls == 19 else f"; q < .05 (rings): {counts}"
        assert f"as families: {', '.join(families)}{rings_text}" in texts_in(figure)


def test_the_means_of_controls_are_dots_of_their_own_height(twenty: CausalTransfer, figures: Mapping[str, Figure]):
    lines, again = (series_of(drawing["causal"].axes[3]) for drawing in (figures, drawn(made_causal(20))))
    for method in twenty.methods:
        for place, kind in ((0, "own"), (2, "unrelated")):
            values, heights = lines[f"{method} controls {kind}"]
            rows = [row for row in twenty.control_means if (row.method, row.kind) == (method, kind)]
            assert values == [row.delta for row in rows]
            assert len(set(heights)) == len(values) == 19
            [middle] = lines[f"{method} measured {kind}"][1]
            assert max(abs(height - middle) for height in heights) <= 0.09
            assert abs(middle - place) < 0.3
            assert again[f"{method} controls {kind}"][1] == heights
    assert not [name for name in series_of(figures["predicted"].axes[3]) if "controls" in name]


@pytest.mark.parametrize(
    ("units", "said"), quick_and_slow([([138, 378], "2 massive units")], [([7], "1 massive unit"), ([], None)])
)
def test_massive_units_are_in_no_set(units: list[int], said: str | None):
    figures = drawn(replace(made_causal(5), massive=units))
    for name in ("causal", "predicted"):
        subtitle = figures[name].texts[1].get_text()
        assert f"the layer's {said} in no set" in subtitle if said else "massive" not in subtitle


def test_means_of_own_related_and_other_tasks(twenty: CausalTransfer, figures: Mapping[str, Figure]):
    axes = figures["causal"].axes[3]
    lines = series_of(axes)
    for row in twenty.effects:
        name = f"{row.method} {row.what} {row.kind}"
        shown = row.what == "measured" and row.kind in ("own", "unrelated") and row.drop is not None
        assert (name in lines) is shown
        if shown:
            assert lines[name][0] == [-row.drop]
    segments = sorted(tuple(bar.get_segments()[0][:, 0]) for bar in axes.collections)
    expected = sorted(
        (-row.high, -row.low) for row in twenty.effects if f"{row.method} {row.what} {row.kind}" in lines
    )
    assert np.array(segments) == pytest.approx(np.array(expected))
    assert "no such cells" in texts_in(figures["causal"])


def test_predicted_against_measured_and_agreement(twenty: CausalTransfer, figures: Mapping[str, Figure]):
    left, right = figures["agreement"].axes
    for method in twenty.methods:
        for own in (True, False):
            cells = [cell for cell in twenty.cells_of(method) if (cell.source == cell.target) is own]
            cells = [cell for cell in cells if cell.delta is not None]
            expected = ([cell.predicted for cell in cells], [cell.delta for cell in cells])
            assert series_of(left)[f"{method} {'own' if own else 'other'}"] == expected
        rows = [row for row in twenty.agreement if row.method == method]
        assert series_of(right)[method][0] == [row.spearman for row in rows]
    ends = {(row.low, row.high) for row in twenty.agreement}
    assert {tuple(bar.get_segments()[0][:, 0]) for bar in right.collections} == ends
    assert len(ends) == 15


@pytest.mark.parametrize("unknown", quick_and_slow(["delta"], ["q"]))
def test_what_was_not_measured_is_not_drawn(twenty: CausalTransfer, unknown: str):
    figures = drawn(replace(twenty, cells=[replace(cell, **{unknown: None}) for cell in twenty.cells]))
    axes = figures["causal"].axes[0]
    [rings] = axes.collections
    if unknown == "q":
        assert len(rings.get_offsets()) == 0
    else:
        assert np.isnan(np.ma.filled(axes.images[0].get_array(), np.nan)).all()
        assert series_of(figures["agreement"].axes[0])["welch own"] == ([], [])


def test_captions_say_what_controls_are():
    scope = made_scope(made_causal(8))
    caption = EXPERIMENT.drawing.caption(scope)
    text = f"{caption.read} {caption.limits}"
    assert "matched controls of its own" in text
    assert "No set and no control holds a massive unit" in text
    assert "sets together" not in text
