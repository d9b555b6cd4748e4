"""The table of rankings: it has every method, and figures, pages and words are its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import neurosteer.report.pages
from neurosteer.rankings import COLOURS, RANKINGS, ranking_method, shown_by
from neurosteer.report.canvas import COLOUR_CODES, GREY, method_look
from neurosteer.report.pages.charts import SHAPES, of_method
from neurosteer.vocabulary import METHODS

STYLE = (Path(neurosteer.report.pages.__file__).parent / "page.css").read_text("utf-8")
OF_PAGES = {"welch": 0, "attribution": 1, "l0": 2, "causal-l0": 3, "mean-diff": 4, "l1": 5, "localizer": 6}
CODES = {"blue": "#0072B2", "green": "#009E73", "vermilion": "#D55E00"}  # of Okabe and Ito


def test_it_has_every_method():
    assert set(RANKINGS) == set(METHODS)


def test_no_two_look_alike():
    looks = [(known.colour, known.marker) for known in RANKINGS.values()]
    assert len(set(looks)) == len(looks)


@pytest.mark.parametrize("method", METHODS)
def test_figures_and_pages_show_what_it_says(method):
    known = RANKINGS[method]
    assert method_look(method) == {"color": COLOUR_CODES[known.colour], "marker": known.marker}
    assert of_method(method).place == COLOURS.index(known.colour)
    assert shown_by(method) == f"{known.shows}: "


def test_methods_keep_their_colours():
    """Who knows one page knows the next one."""
    assert {method: of_method(method).place for method in OF_PAGES} == OF_PAGES
    assert {name: COLOUR_CODES[name] for name in CODES} == CODES


def test_every_colour_has_a_shade_and_a_shape_on_pages():
    assert set(COLOUR_CODES) == set(COLOURS)
    assert len(SHAPES) == len(COLOURS)
    for place in range(len(COLOURS)):
        assert len(re.findall(rf"--s{place}: #", STYLE)) == 2  # light and dark


def test_neurons_that_were_given_have_no_method():
    assert ranking_method("given") is None
    assert shown_by("given") == ""
    assert of_method("given").place == COLOURS.index("grey")
    assert method_look("given")["color"] != GREY  # which is that of controls
