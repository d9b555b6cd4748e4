"""The heat map of layers and regions: a panel for the whole layer and one for each set."""

from __future__ import annotations

import numpy as np
import pytest

from neurosteer.report.evidence_map import map_figure
from neurosteer.results.evidence import EvidenceResult, MapCell
from neurosteer.results.pairs_used import MeasuredPairs, SplitSizes


def result(method="attribution", layers=4, regions=("cause", "between", "last"), **other):
    cells = [
        MapCell(
            layer=layer,
            region=region,
            whole=0.1 * layer + 0.2 * i,
            chosen=None if layer == 2 else 0.05 * layer,
            items=30 - i,
        )
        for layer in range(layers)
        for i, region in enumerate(regions)
    ]
    split = SplitSizes(kind="pair", seed=0, train=6, validation=2, test=2, dropped=0)
    given = {"task": "toy", "phenomenon": None, "method": method, "site": "resid_post", "layers": (1,), "k": 40}
    given |= {"data": MeasuredPairs(source="made up", pairs=10, digest="0" * 64, split=split, tested=2), "width": 576}
    given |= {"to": "mean", "seed": 0, "groups": 2, "margin": 1.0, "margin_low": 0.5, "margin_high": 1.5, "tests": {}}
    given |= {"family": 0, "neurons": (), "verdict": "", "reading": "", "map": tuple(cells)}
    return EvidenceResult(**{**given, **other})


def panels(figure):
    return [axes for axes in figure.axes if axes.get_title()]


def test_each_cell_is_drawn_at_its_layer_and_region():
    figure = map_figure([result()], "some/model")
    whole, chosen = panels(figure)
    image = np.ma.filled(whole.images[0].get_array(), np.nan)
    np.testing.assert_allclose(image, [[0.1 * layer + 0.2 * i for i in range(3)] for layer in range(4)])
    own = np.ma.filled(chosen.images[0].get_array().astype(float), np.nan)
    np.testing.assert_allclose(own[[0, 1, 3]], [[0.0] * 3, [0.05] * 3, [0.15] * 3])
    assert np.isnan(own[2]).all()
    assert [axes.get_title() for axes in (whole, chosen)] == ["whole layer", "40 neurons by attribution"]


def test_layer_0_is_at_the_bottom_and_few_layers_have_numbers():
    [whole, _] = panels(map_figure([result()]))
    assert whole.images[0].origin == "lower"
    assert ".40" in [text.get_text() for text in whole.texts]


def test_several_sets_share_the_panel_of_the_whole_layer():
    figure = map_figure([result(), result("welch")])
    assert [axes.get_title() for axes in panels(figure)][1:] == ["40 neurons by attribution", "40 neurons by welch"]


def test_items_without_alignment_have_one_region():
    [whole, _] = panels(map_figure([result(regions=("last",), layers=30)]))
    assert [label.get_text() for label in whole.get_xticklabels()] == ["last token\nbefore the\noutcome"]


def test_sets_without_a_map_are_left_out():
    assert len(panels(map_figure([result(map=()), result("welch")]))) == 2
    with pytest.raises(ValueError, match="no map"):
        map_figure([result(map=())])
