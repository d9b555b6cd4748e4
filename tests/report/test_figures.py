"""The figure: every series once, directly labelled baselines, the same bytes every time."""

import math
import sys
from dataclasses import replace

import pytest
from figure_checks import check_texts
from made_found import with_layer, without_words
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from neurosteer.report import find_figure, save_figure, save_pictures
from neurosteer.report.figures import _apart

SERIES = {
    "dense: all units",
    "top 6 units",
    "L0: units kept by the mask",
    "random 6: mean and range",
    "dense, new words",
    "top 6, new words",
}


def series_of(figure):
    return {line.get_label(): line for line in figure.axes[0].lines if not line.get_label().startswith("_")}


def texts_of(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_every_series_is_drawn_and_in_the_legend(found_of):
    found = found_of()
    figure = find_figure(found, "smollm2-135m")
    lines = series_of(figure)
    assert set(lines) == SERIES == {text.get_text() for text in figure.legends[0].get_texts()}
    assert list(lines["dense: all units"].get_ydata()) == [row.dense for row in found.layers]
    assert not any(math.isnan(value) for line in lines.values() for value in line.get_ydata())


def test_bands_are_the_intervals_and_the_range_of_the_random_sets(found_of):
    """From the lower end of each layer to the upper one and back, in the colour of the line."""
    found = found_of(6)
    axes = find_figure(found).axes[0]
    dense, top, random = ({tuple(p) for p in c.get_paths()[0].vertices.tolist()} for c in axes.collections)
    for row in found.layers:
        ranged = (row.random.low, row.random.high)
        for band, ends in ((dense, row.intervals.dense), (top, row.intervals.topk), (random, ranged)):
            assert {(row.layer, end) for end in ends} <= band
    colours = [to_rgb(series_of(axes.figure)[label].get_color()) for label in ("dense: all units", "top 6 units")]
    assert [tuple(band.get_facecolor()[0][:3]) for band in axes.collections[:2]] == colours
    assert "bands: 95 % interval over 200 test pairs" in " ".join(texts_of(axes.figure))


def test_bands_of_one_layer_are_bars(found_of):
    found = found_of(1)
    [row] = found.layers
    bars = [tuple(bar.get_segments()[0][:, 1].tolist()) for bar in find_figure(found).axes[0].collections]
    assert bars[:2] == [row.intervals.dense, row.intervals.topk]


@pytest.mark.parametrize(
    ("layers", "named"),
    [
        ([4], [4]),
        ([0, 1, 4, 9, 14, 19, 24, 29], [0, 4, 9, 14, 19, 24, 29]),
        ([3, 11, 12, 40], [3, 11, 40]),
        (list(range(16)), list(range(16))),
        (list(range(30)), list(range(0, 30, 2))),
        (list(range(80)), list(range(0, 80, 5))),
    ],
)
def test_ticks_are_where_layers_were_measured(found_of, layers, named):
    found = found_of(len(layers))
    rows = tuple(replace(row, layer=layer) for row, layer in zip(found.layers, layers, strict=True))
    axes = find_figure(replace(found, layers=rows, best_layer=layers[-1])).axes[0]
    assert [
        (tick, label.get_text()) for tick, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    ] == [(layer, str(layer)) for layer in named]
    assert sorted([*axes.get_xticks(), *axes.get_xticks(minor=True)]) == layers
    check_texts(axes.figure)


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("/home/somebody/models/my-model/", "my-model"),
        ("./blimp", "blimp"),
        ("C:\\data\\mine.csv", "mine.csv"),
        ("nyu-mll/blimp", "blimp"),
        ("builtin:balanced", "builtin:balanced"),
        ("/", "/"),
    ],
)
def test_titles_name_no_folders(found_of, name, short):
    found = found_of(3)
    found = replace(found, data=replace(found.data, source=name))
    texts = [text for text in texts_of(find_figure(found, name)) if "pair split" in text]
    parts = texts[0].split("\n")[0].split("  ·  ")
    assert (parts[0], parts[2]) == (short, short)


def test_labels_axes_and_title(found_of):
    figure = find_figure(found_of(), "smollm2-135m")
    axes = figure.axes[0]
    assert axes.get_title(loc="left") == "intransitive"
    assert axes.get_xlabel() == "layer (block, counted from 0)"
    assert axes.get_ylabel() == "test accuracy (share of sentences)"
    wanted = {"last word .995", "bigram .978", "unigram .920", "chance .500", "best layer 15 (on validation)"}
    wanted |= {"stem .930", "token bigram .985", "token unigram .915"}
    assert wanted < set(texts_of(figure))
    assert any(
        text.startswith("smollm2-135m  ·  pair split: 600 / 200 / 200 pairs  ·  blimp") for text in texts_of(figure)
    )


def test_lines_differ_without_colour(found_of):
    looks = [(line.get_marker(), line.get_linestyle()) for line in series_of(find_figure(found_of())).values()]
    assert len(set(looks)) == len(looks)


def test_colours_differ_in_grey(found_of):
    solid = [line for line in series_of(find_figure(found_of())).values() if line.get_linestyle() == "-"]
    greys = sorted(
        sum(w * c for w, c in zip((0.3, 0.59, 0.11), to_rgb(line.get_color()), strict=True)) for line in solid
    )
    assert greys[0] > 0.1
    assert greys[-1] < 0.7


def test_absent_parts_leave_no_trace(found_of):
    figure = find_figure(found_of(5, l0=False, new_words=False))
    assert set(series_of(figure)) == {"dense: all units", "top 6 units", "random 6: mean and range"}
    assert not any("new words" in text for text in texts_of(figure))


def test_a_layer_without_a_mask_is_left_out_of_its_line(found_of):
    found = with_layer(found_of(5), 2, l0=None)
    line = series_of(find_figure(found))["L0: units kept by the mask"]
    assert list(line.get_xdata()) == [0, 1, 3, 4]


def test_drawn_on_axes_of_the_users_own(found_of):
    """The same series there, the legend beneath them, and nothing on the axes beside."""
    figure = Figure(figsize=(17, 6), layout="constrained")
    left, right = figure.subplots(1, 2)
    assert find_figure(found_of(), ax=right) is figure
    assert {line.get_label() for line in right.lines if not line.get_label().startswith("_")} == SERIES
    assert {text.get_text() for text in right.get_legend().get_texts()} == SERIES
    assert not left.lines
    assert not figure.legends
    figure.draw_without_rendering()
    assert right.get_legend().get_window_extent().y1 < right.xaxis.label.get_window_extent().y0


def test_one_layer_is_enough(found_of, tmp_path):
    save_figure(find_figure(found_of(1)), tmp_path / "one.png")
    assert (tmp_path / "one.png").stat().st_size > 1000


def test_pictures_are_png_and_svg_with_the_same_bytes_every_time(found_of, tmp_path):
    for stem in ("a.doses", "b"):
        save_pictures(find_figure(found_of(3)), tmp_path / stem)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.doses.png", "a.doses.svg", "b.png", "b.svg"]
    svg = (tmp_path / "b.svg").read_bytes()
    assert svg == (tmp_path / "a.doses.svg").read_bytes()
    assert svg.startswith(b"<?xml")
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")


def test_same_result_same_bytes_and_no_version_inside(found_of, tmp_path):
    for name in ("a.png", "b.png"):
        save_figure(find_figure(found_of(6)), tmp_path / name)
    data = (tmp_path / "a.png").read_bytes()
    assert data == (tmp_path / "b.png").read_bytes()
    assert b"atplotlib" not in data


def test_legend_and_labels_cover_no_data(found_of):
    figure = find_figure(found_of())
    figure.draw_without_rendering()
    axes = figure.axes[0].get_window_extent()
    legend = figure.legends[0].get_window_extent()
    assert legend.y1 < axes.y0
    beside = [text for text in figure.axes[0].texts if text.get_text().startswith(("last", "bigram", "chance"))]
    assert all(text.get_window_extent().x0 > axes.x1 for text in beside)


def test_a_baseline_that_is_not_available_is_not_drawn(found_of):
    found = without_words(found_of(5, new_words=False))
    beside = {text for text in texts_of(find_figure(found)) if not text.startswith(("best", "pair"))}
    assert beside == {"token bigram .985", "token unigram .915", "chance .500"}


def test_pyplot_is_not_needed(found_of):
    find_figure(found_of(2))
    assert "matplotlib.pyplot" not in sys.modules


def test_labels_keep_their_distance():
    assert _apart([0.1, 0.5, 0.5, 0.5], 0.04) == pytest.approx([0.1, 0.5, 0.54, 0.58])
    assert _apart([0.97, 0.98, 1.0], 0.04) == pytest.approx([0.92, 0.96, 1.0])
    assert _apart([0.2, 0.6], 0.04) == [0.2, 0.6]
