"""The tables of an outcome: as CSV, and on the page."""

from __future__ import annotations

import csv
import io
import json
import tomllib

import pytest
from made_outcome import make_outcome, outcome_csvs, recipe_of, tables_of, typed

from neurosteer.experiments.outcome import csv_text
from neurosteer.experiments.page import baselines_by_task_table, baselines_table
from neurosteer.experiments.recipe import read_recipe
from neurosteer.experiments.recipe.toml import recipe_toml
from neurosteer.report.table import spread


def result_of(experiment, **changes):
    return make_outcome((experiment,), **{"tasks": 5, "layers": 6, **changes})["results"][0]


def tables_for(result):
    """The tables of an outcome with this one result."""
    return tables_of({**make_outcome((result["experiment"],), tasks=5, layers=6), "results": [result]})


def baseline_tables(outcome):
    tasks = typed(outcome).scope.tasks
    return baselines_table(tasks), baselines_by_task_table(tasks)


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_every_table_is_a_file():
    outcome = make_outcome(tasks=5, layers=6)
    files = outcome_csvs(outcome)
    assert list(files)[:3] == ["fig2.csv", "fig2.tasks.csv", "fig3.csv"]
    assert {"fig5.random.csv", "fig6.means.csv", "overlap.stability.csv", "causal.predicted.csv"} < set(files)
    for result in outcome["results"]:
        if "rows" in result:
            found = rows_of(files[f"{result['experiment']}.csv"])
            assert len(found) == len(result["rows"])
            assert list(found[0]) == list(result["rows"][0])


def test_floats_have_six_significant_digits():
    rows = [
        {
            "layer": 3,
            "lambda": 0.00012345678,
            "delta": -0.12345678,
            "p": 1.23456789e-9,
            "low": None,
            "pairs": 1234567,
        },
        {"layer": 4, "lambda": 1.0, "delta": -0.0, "p": None, "low": 12345.67891, "pairs": 0},
    ]
    assert csv_text(rows) == (
        "layer,lambda,delta,p,low,pairs\n3,0.000123457,-0.123457,1.23457e-09,,1234567\n4,1.0,0.0,,12345.7,0\n"
    )


def test_every_cell_of_the_transfer_has_its_pairs():
    outcome = make_outcome(("fig6",), tasks=5, layers=6)
    rows, result = rows_of(outcome_csvs(outcome)["fig6.csv"]), outcome["results"][0]
    assert [int(row["pairs"]) for row in rows] == [count for row in result["pairs"] for count in row]
    assert {row["pairs"] for row in rows} == {"188", "200"}


def test_truth_values_and_awkward_names_survive():
    rows = [{"source": 'mine, "again"', "related": True, "units": 7}]
    [row] = rows_of(csv_text(rows))
    assert (row["source"], json.loads(row["related"]), int(row["units"])) == ('mine, "again"', True, 7)


def test_long_tables_keep_both_ends():
    assert spread(range(30)) == [0, 3, 6, 10, 13, 16, 19, 23, 26, 29]
    assert spread(range(7)) == list(range(7))
    [table] = tables_for(result_of("fig5", layers=30))
    assert [row[0] for row in table.rows] == ["0", "3", "6", "10", "13", "16", "19", "23", "26", "29"]
    assert table.caption.endswith("not even all others (10 of 30 layers; all in the CSV)")
    assert "all in the CSV" not in tables_for(result_of("fig5"))[0].caption
    by_layer = tables_for(result_of("controls", layers=30))[1]
    assert [row[0] for row in by_layer.rows] == [row[0] for row in table.rows]
    assert by_layer.caption.endswith("(10 of 30 layers; all in the CSV)")


def test_masks():
    result = result_of("fig2", layers=2, lambdas=(0.2, 1.0))
    for row, kept, accuracy in zip(result["rows"], (0.118, 1.0, 0.2, 1.0), (0.7349, 0.8, 0.7, 0.81), strict=True):
        row |= {"kept": kept, "accuracy": accuracy}
    for row, accuracy in zip(result["dense"], (0.8, None), strict=True):
        row["accuracy"] = accuracy
    for row, relative, tasks in zip(result["rows"], (0.9499, 1.0, 0.95, None), (4, 4, 1, 0), strict=True):
        row |= {"relative": relative, "relative_tasks": tasks, "excluded": 4 - row["layer"]}
    grid, relative = tables_for(result)
    assert grid.headers == ("layer", "λ = .2", "λ = 1", "dense", "tasks below .55")
    assert grid.rows == (
        ("0", "12%  .73", "100%  .80", ".80", "4"),
        ("1", "20%  .70", "100%  .81", "–", "3"),  # noqa: RUF001
    )
    assert grid.caption.endswith("tasks below .55: whose dense probe reads less on validation data")
    assert relative.rows == (
        ("λ = .2", "16%", ".95", "1 of 2", "1 to 4"),
        ("λ = 1", "100%", "1.00", "1 of 1", "0 to 4"),
    )
    assert "mean over tasks where that reaches .55 on validation data" in relative.caption


def test_topk_and_ranks():
    result = result_of("fig3", layers=1)
    grid, relative = tables_for(result)
    assert grid.headers[:5] == ("layer", "k = 1", "k = 2", "k = 4", "k = 6")
    assert len(grid.rows[0]) == len(result["ks"]) + 3
    assert relative.rows[-1] == ("k = 576", "1.00", "1 of 1", "5")
    assert tables_for(result_of("fig3", tasks=9))[0].rows[0][-1] == "3"
    ranks = result_of("fig4", layers=1, lambdas=(0.2, 1.0))
    ranks["rows"][0] |= {"spearman": 0.4012, "limit": 0.6183}
    assert tables_for(ranks)[0].headers == ("layer", "λ = .2", "λ = 1")
    assert tables_for(ranks)[0].rows == (("0", ".40 of .62", "–"),)  # noqa: RUF001


def test_what_nothing_matches_is_told_in_words():
    result = result_of("fig5", tasks=8)
    result["rows"][0] |= {"top": 0.6, "top_low": 0.58, "top_high": 0.62, "median_multiple": 4.2}
    result["rows"][0] |= {"equivalent": 30.4, "equivalent_low": 20.0, "equivalent_high": 41.0}
    result["rows"][0] |= {"multiple": 5.07, "multiple_low": 3.33, "multiple_high": 6.84}
    result["rows"][3] |= {"equivalent": 60.0, "equivalent_low": 42.0, "multiple": 10.0, "multiple_low": 7.0}
    result["rows"][1] |= dict.fromkeys(
        [f"{key}{end}" for key in ("top", "multiple") for end in ("", "_low", "_high")]
    )
    result["rows"][1] |= {"tasks": 0, "excluded": 5, "median_multiple": None, "censored_tasks": 0, "beyond": False}
    result["rows"][1] |= dict.fromkeys(("equivalent", "equivalent_low", "equivalent_high"))
    rows = tables_for(result)[0].rows
    assert rows[0] == ("0", "8", ".60 [.58, .62]", "30 [20, 41]", "5.1× [3.3×, 6.8×]", "4.2×", "4 of 8")  # noqa: RUF001
    assert rows[1] == ("1", "0 (5 left out)", *["–"] * 4, "0 of 0")  # noqa: RUF001
    assert rows[3][3:5] == ("60 [42, none]", "10.0× [7.0×, none]")  # noqa: RUF001
    assert rows[5][3:] == ("none [180, none]", "none [30.0×, none]", "none", "21 of 8")  # noqa: RUF001


@pytest.mark.parametrize("experiment", ["fig2", "fig3", "fig5", "controls"])
def test_a_floor_that_luck_passes_is_told_in_the_caption(experiment):
    result = result_of(experiment)
    assert "knows nothing" not in " ".join(table.caption for table in tables_for(result))
    result["chance_above_floor"] = 0.2204
    said = "; a probe that knows nothing passes the floor of .55 with probability up to .22"
    assert [table.caption.endswith(said) for table in tables_for(result)].count(True) == 1


def test_controls():
    result = result_of("controls")
    table, by_layer = tables_for(result)
    assert [row[0] for row in table.rows] == ["neurons", "randomly rotated basis", "untrained model"]
    for row, variant in zip(table.rows, result["variants"], strict=True):
        matched = result["curves"][variant]["fig5"]["rows"]
        multiples = sorted(found["multiple"] for found in matched if found["multiple"] is not None)
        assert row[4] == f"{(multiples[1] + multiples[2]) / 2:.1f}×"  # noqa: RUF001
        assert row[5] == "2 of 6"
        assert float(row[2]) == pytest.approx(sum(found["top"] for found in matched) / 6, abs=0.0051)
        column = 2 + result["variants"].index(variant)
        told = [f"{found['multiple']:.1f}×" for found in matched if found["multiple"] is not None]  # noqa: RUF001
        assert [cells[column].split()[0] for cells in by_layer.rows] == [*told, "none", "none"]
    assert by_layer.headers == ("layer", "tasks", "neurons", "randomly rotated basis", "untrained model")


def test_controls_say_how_many_tasks_they_leave_out():
    whole, by_layer = tables_for(result_of("controls", tasks=9))
    assert "reaches .55 on validation data in every variant (0 to 3 left out a layer)" in whole.caption
    assert [row[1] for row in by_layer.rows] == ["6 (3 left out)", *["9"] * 5]


def test_transfer_by_phenomenon():
    result = result_of("fig6", tasks=11)
    for table, suffix in zip(tables_for(result), ("", "_pairwise"), strict=True):
        assert [row[:2] for row in table.rows] == [
            ("anaphor agreement", "2"),
            ("argument structure", "9"),
            ("all", "11"),
        ]
        of_second = [row for row in result["means"] if row["phenomenon"] == "argument_structure"]
        mean = sum(row[f"sparse_other{suffix}"] for row in of_second) / 9
        assert float(table.rows[1][4]) == pytest.approx(mean, abs=0.0051)
        kind = "pairwise" if suffix else "accuracy"
        general = sum(row[kind] for row in result["general"]) / 11
        assert float(table.rows[2][8]) == pytest.approx(general, abs=0.0051)


def test_transfer_rests_on_pairs():
    result = result_of("fig6", tasks=11)
    threshold, pairwise = tables_for(result)
    for table in (threshold, pairwise):
        assert [row[-1] for row in table.rows] == ["188 to 200", "200", "188 to 200"]
        assert "(12 are left out in all: the training task has seen a sentence of theirs)" in table.caption
    null = "probes of flipped labels on other tasks: sparse .499 (sd of rows .0"
    assert threshold.caption.endswith(f"{null}12), dense .499 (sd of rows .020)")
    assert pairwise.caption.endswith(f"{null}20), dense .499 (sd of rows .034)")
    result |= {"pairs": [[200] * 11] * 11, "left_out": 0}
    assert "left out" not in tables_for(result)[0].caption


def test_overlap():
    result = result_of("overlap")
    [table] = tables_for(result)
    folds = [row["folds"] for row in result["stability"] if row["method"] == "l0"]
    assert table.rows[0][:4] == ("welch", ".190", ".050", "<.001")
    assert table.rows[1][3] == ".012"
    assert float(table.rows[1][4]) == pytest.approx(sum(folds) / 5, abs=0.00051)
    assert [row[6] for row in table.rows] == [".010", ".006"]


def test_baselines():
    outcome = make_outcome(("fig4",), tasks=3, layers=1)
    whole, each = baseline_tables(outcome)
    unigram = [task["baselines"]["unigram"] for task in outcome["tasks"]]
    assert float(whole.rows[0][4]) == pytest.approx(sum(unigram) / 3, abs=0.00051)
    assert [row[0] for row in each.rows] == [task["task"] for task in outcome["tasks"]]
    assert each.headers[:6] == ("task", "phenomenon", "train", "validation", "test", "dropped")
    assert each.rows[1][1:6] == ("anaphor agreement", "600", "200", "200", "0")
    assert float(each.rows[2][9]) == pytest.approx(unigram[2], abs=0.00051)
    assert whole.headers[-3:] == each.headers[-3:] == ("token count", "token unigram", "token bigram")
    bigram = [task["baselines"]["tokens"]["bigram"] for task in outcome["tasks"]]
    assert float(whole.rows[0][-1]) == pytest.approx(sum(bigram) / 3, abs=0.00051)
    assert float(each.rows[2][-1]) == pytest.approx(bigram[2], abs=0.00051)
    assert "spaces" not in each.caption


def test_a_task_without_word_baselines_is_in_no_mean_of_theirs():
    outcome = make_outcome(("fig4",), tasks=3, layers=1)
    outcome["tasks"][1]["baselines"] |= dict.fromkeys(("length", "last_word", "unigram", "stem", "bigram"))
    whole, each = baseline_tables(outcome)
    unigram = [outcome["tasks"][i]["baselines"]["unigram"] for i in (0, 2)]
    assert float(whole.rows[0][4]) == pytest.approx(sum(unigram) / 2, abs=0.00051)
    assert each.rows[1][7:12] == ("–",) * 5  # noqa: RUF001
    assert each.caption.endswith("(– not available: this script does not part words by spaces)")  # noqa: RUF001


def test_pairs_that_the_split_dropped():
    outcome = make_outcome(("fig4",), tasks=3, layers=1, split="lexical")
    outcome["tasks"][2]["dropped"] = 1234
    _, each = baseline_tables(outcome)
    assert [row[5] for row in each.rows] == ["500", "500", "1,234"]


def test_the_recipe_is_made_again_by_its_toml(tmp_path):
    recipe = {**recipe_of(("fig2", "fig5"), (0.1, 0.2)), "title": 'Quotes " \\ and\tλ\x7f', "layers": [0, 3]}
    text = recipe_toml(recipe)
    assert tomllib.loads(text) == {key: value for key, value in recipe.items() if key != "name" and value is not None}
    file = tmp_path / "all.toml"
    file.write_text(recipe_toml({**recipe, "title": "A title"}), "utf-8")
    assert read_recipe(file).describe() == {**recipe, "title": "A title"}
