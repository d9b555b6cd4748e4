"""The tables of causal transfer, as the page shows them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_causal import made_causal, made_scope

from neurosteer.experiments.causal import EXPERIMENT
from neurosteer.experiments.causal.result import CausalTransfer, MeanDrop, NullChange
from neurosteer.report.table import Table


def tables_of(result: CausalTransfer) -> list[Table]:
    return EXPERIMENT.tables(result, made_scope(result))


def test_sets_that_are_small_are_said_to_be():
    result = made_causal()
    nulls = [NullChange("l0", "t", i, units, 0.0) for i, units in enumerate((9, 40))]

    def caption(l0: int, null_changes: list[NullChange]) -> str:
        cells = [replace(cell, units=l0 if cell.method == "l0" else 40) for cell in result.cells]
        return tables_of(replace(result, k=40, cells=cells, null_changes=null_changes))[1].caption

    small = "; not all sets hold 40 units: those of l0"
    assert "not all sets" not in tables_of(result)[1].caption
    assert caption(40, nulls).endswith(f"{small} 40 to 40, those of its null searches 9 to 40")
    assert caption(7, []).endswith(f"{small} 7 to 7")


def with_mean(result: CausalTransfer, changed: MeanDrop) -> CausalTransfer:
    """The result with one of its means replaced."""
    key = (changed.method, changed.what, changed.kind)
    effects = [changed if (row.method, row.what, row.kind) == key else row for row in result.effects]
    return replace(result, effects=effects)


def test_means_of_measured_cells():
    result = with_mean(made_causal(), MeanDrop("l0", "measured", "own", 0.126, -0.049, 0.3, 12))
    result = with_mean(result, MeanDrop("l0", "measured", "unrelated", None, None, None, 0))
    [measured, *_] = tables_of(result)
    assert measured.rows[1][:4] == ("l0", "-0.13 [-0.30, +0.05]", "–", "–")  # noqa: RUF001
    assert [row[4:] for row in measured.rows] == [("–", "–")] * 3  # noqa: RUF001
    assert "19 controls are too few for verdicts on them (--set controls=199)" in measured.caption
    assert measured.caption.endswith("; massive units, in no set: 138, 378")


def test_families():
    [_, families, *_] = tables_of(made_causal())
    first = ("welch", "own cells, against matched controls", "made up: falls more", "4", "–")  # noqa: RUF001
    assert families.rows[0] == (*first, "-0.40", "-0.10", "-0.30", "11%", "<.001", "8.4%")
    assert families.rows[4][1:5] == (
        "other cells, against matched controls",
        "made up: falls more",
        "12",
        "1 no units",
    )
    assert len(families.rows) == 9
    in_common = "welch 21% (by chance 6.9%), l0 31% (by chance 6.9%)"
    for said in ("Declared before measuring", "39 null searches", "Two-sided", "100,000 times", in_common):
        assert said in families.caption


def test_neutral_text():
    """The mean over the sources, then each; of those that are known."""
    result = made_causal()
    shown = ("0.150", "0.060", "21.30", "24.60", "22.40", "7.0%", ".20")
    neutral = tables_of(result)[2]
    sources = [row.source for row in result.neutral if row.method == "welch"]
    assert [row for row in neutral.rows if row[0] == "welch"] == [
        ("welch", source, *shown) for source in ("mean", *sources)
    ]
    first, *others = result.neutral
    changed = [replace(first, kl=0.35, perplexity=None), *others]
    rows = tables_of(replace(result, neutral=changed))[2].rows
    assert rows[0][2:6] == ("0.200", "0.060", "21.30", "24.60")  # of four sources
    assert rows[1][2:6] == ("0.350", "0.060", "21.30", "–")  # noqa: RUF001


def test_contrasts_and_agreement():
    result = made_causal()
    contrasts, agreement = tables_of(result)[3:]
    assert [row[:2] for row in contrasts.rows[:4]] == [
        ("welch", "measured"),
        ("welch", "beyond controls"),
        ("welch", "beyond others' controls"),
        ("welch", "predicted"),
    ]
    found = next(row for row in result.effects if (row.method, row.kind) == ("welch", "own - other"))
    assert contrasts.rows[0][-1] == f"{found.drop:+.2f} [{found.low:+.2f}, {found.high:+.2f}]"
    assert agreement.rows[0][:2] == ("probe transfer ~ causal", ".10 [-.05, .24] (16)")


def test_single_cells_are_counted_where_there_are_controls_enough():
    result = replace(made_causal(controls=199), nothing_to_lose=["ant", "bee"])
    [measured, *_] = tables_of(result)
    for row, method in zip(measured.rows, result.methods, strict=True):
        cells = [cell for cell in result.cells_of(method) if cell.q is not None]
        for text, own in zip(row[4:], (True, False), strict=True):
            qs = [cell.q for cell in cells if (cell.source == cell.target) is own]
            assert text == f"{sum(q < 0.05 for q in qs)} of {len(qs)}"
    assert "descriptive" not in measured.caption
    assert "nothing to lose, in no mean and no family" in measured.caption
    assert ": ant, bee" in measured.caption


@pytest.mark.parametrize(
    ("units", "ending"),
    [
        ([], None),
        (list(range(100, 1500)), "100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111 and 1,388 more"),
    ],
)
def test_massive_units_are_named_if_there_are_any_and_not_too_many(units: list[int], ending: str | None):
    caption = tables_of(replace(made_causal(5), massive=units))[0].caption
    assert caption.endswith(f"in no set: {ending}") if ending else "massive" not in caption
