"""Tables, files and figures of evidence, from given numbers."""

from __future__ import annotations

import csv
import io

import pytest
from figure_checks import check_texts, texts_in
from made_effects import altered
from made_evidence import GRID, VALUES, make_evidence
from matplotlib.figure import Figure
from showing import printed

from neurosteer.report import (
    answers_csv,
    curve_csv,
    elsewhere_csv,
    evidence_figure,
    evidence_html,
    evidence_table,
    faithfulness_figure,
    map_csv,
)
from neurosteer.results import read_record, record
from neurosteer.results.evidence import EvidenceResult, MapCell


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_row_for_each_question():
    text = printed(evidence_table(make_evidence()))
    lines = text.splitlines()
    [necessary] = [line for line in lines if line.startswith(" necessary")]
    assert necessary.split() == [
        "necessary",
        ".62",
        "[.55,",
        ".70]",
        "-.01",
        "(-.10",
        "to",
        ".08)",
        ".05",
        ".06",
        "yes",
    ]
    [isolated] = [line for line in lines if line.startswith(" isolated")]
    assert isolated.split()[-1] == "no"
    [swap] = [line for line in lines if line.startswith(" interchangeable")]
    assert swap.split()[-1] == "?"
    flat = " ".join(text.split())
    assert "cannot tell: interchangeable" in flat
    assert "no clean preference, left out: wh_island" in flat
    assert "CPR .667 (area below f), CMD .332" in flat
    assert "40 neurons of 576 at layer 14 (resid_post) by attribution" in flat
    assert "attribution was selected on the outcome" in flat
    assert "1 of them cannot reach it" in flat


def test_without_a_curve_and_without_more():
    bare = make_evidence(curve=(), cpr=None, cmd=None, elsewhere=(), neutral=None, equal=None, method=None)
    text = printed(evidence_table(bare))
    assert "CPR" not in text
    assert "KL" not in text
    assert "by given" in text


def test_answers_as_csv():
    rows = rows_of(answers_csv([make_evidence(), make_evidence("welch")]))
    assert [row["method"] for row in rows].count("welch") == 11
    own = [row for row in rows if row["what"] == "what necessary measures" and row["method"] == "welch"]
    assert [float(own[0][name]) for name in ("value", "low", "high")] == list(VALUES["necessary"])
    assert own[0]["holds"] == "true"
    assert len(own[0]["controls"].split()) == 19
    [unknown] = [row for row in rows if row["question"] == "interchangeable" and row["method"] == "welch"]
    assert (unknown["value"], unknown["holds"]) == ("", "")
    assert "only 12 items" in unknown["why"]


def test_curve_elsewhere_and_map_as_csv():
    found = make_evidence()
    curve = rows_of(curve_csv([found]))
    assert [float(row["share"]) for row in curve] == list(GRID)
    assert float(curve[4]["control_2"]) == pytest.approx(0.02**1.2)
    there = rows_of(elsewhere_csv([found]))
    assert [row["task"] for row in there] == ["ellipsis_n_bar_1", "wh_island"]
    assert there[1]["effect"] == ""
    cell = MapCell(layer=3, region="cause", whole=0.4, chosen=None, items=40)
    assert rows_of(map_csv([altered(found, map=(cell,))]))[0]["region"] == "cause"
    assert map_csv([found]) == "\n"


def test_read_back_as_it_was():
    found = make_evidence()
    assert read_record(EvidenceResult, record(found)) == found


def drawn_texts(figure: Figure) -> str:
    return "\n".join(texts_in(figure))


def test_the_figure_has_a_row_for_each_question():
    figure = evidence_figure([make_evidence()], "models/smollm2-135m")
    [axes] = figure.axes
    assert [label.get_text().strip() for label in axes.get_yticklabels()] == list(VALUES)
    text = drawn_texts(figure)
    assert "cannot tell: only 12 items" in text
    assert "smollm2-135m" in text
    markers = [line for line in axes.get_lines() if line.get_marker() == "o" and line.get_markersize() == 8.5]
    filled = [line.get_markerfacecolor() != "white" for line in markers]
    assert filled == [True, True, True, True, False]
    values = [float(line.get_xdata()[0]) for line in markers]
    assert values == [VALUES[name][0] for name in VALUES if name != "interchangeable"]


def test_several_sets_stand_below_one_another():
    figure = evidence_figure([make_evidence(), make_evidence("welch")])
    [axes] = figure.axes
    legend = axes.get_legend()
    assert legend is not None
    assert [one.get_text() for one in legend.get_texts()] == [
        "used: attribution, 40 neurons",
        "encoded: welch, 40 neurons",
    ]


def test_the_curve_leads_with_the_ranking():
    figure = faithfulness_figure([make_evidence()])
    [axes] = figure.axes
    lines = {str(line.get_label()): line for line in axes.get_lines()}
    own = lines["used: attribution, 40 neurons: CPR 0.67, CMD 0.33"]
    assert list(own.get_xdata()) == list(GRID)
    assert list(own.get_ydata()) == pytest.approx([share**0.5 for share in GRID])
    assert list(lines["attribution, reversed"].get_ydata()) == pytest.approx([share**3 for share in GRID])


def test_in_a_notebook():
    html = evidence_html([make_evidence()])
    assert "necessary" in html
    assert "data:image/png;base64," in html


def test_no_text_lies_on_another():
    two = [make_evidence(), make_evidence("welch")]
    for found in ([make_evidence()], two):
        check_texts(evidence_figure(found, "smollm2-135m"))
        check_texts(faithfulness_figure(found, "smollm2-135m"))
