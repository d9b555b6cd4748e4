"""What `score` prints: one task in short, many by phenomenon."""

import pytest
from showing import printed

from neurosteer.report import score_table


def row(task, phenomenon, accuracy, margin, ties=0, pairs=1000, differ=0.2, count=0.5):
    data = {"source": "./blimp", "pairs": pairs}
    about = {"task": task, "phenomenon": phenomenon, "data": data, "convention": "sum"}
    about["token_count"] = {"differ": differ, "accuracy": count}
    return {**about, "accuracy": accuracy, "margin": margin, "pairs": pairs, "ties": ties}


@pytest.fixture
def many():
    return {
        "results": [
            row("transitive", "argument_structure", 0.75, 2.9, ties=3),
            row("intransitive", "argument_structure", 0.8, 3.4),
            row("coordinate_structure_constraint_complex_left_branch", "island_effects", 0.3, -1.2),
            row("mine [b]", None, 0.5, 0.01, pairs=20),
        ],
        "phenomena": [
            {"phenomenon": None, "tasks": 1, "accuracy": 0.5},
            {"phenomenon": "argument_structure", "tasks": 2, "accuracy": 0.775},
            {"phenomenon": "island_effects", "tasks": 1, "accuracy": 0.3},
        ],
        "overall": {"tasks": 4, "accuracy": 0.5875},
    }


def test_one_task_is_one_line(many):
    many["results"] = many["results"][1:2]
    expected = """\

 task          accuracy  margin  pairs
 ─────────────────────────────────────
 intransitive      .800    3.40  1,000

data: ./blimp; convention: sum
margin: log P(good) - log P(bad) in nats, mean over pairs

"""
    assert printed(score_table(many)) == expected


def test_many_tasks_stand_beneath_their_phenomena(many):
    expected = """\

 phenomenon and task                              accuracy  margin  pairs  ties
 ──────────────────────────────────────────────────────────────────────────────
 no phenomenon (1 task)                               .500
   mine [b]                                           .500    0.01     20     0
 argument_structure (2 tasks)                         .775
   intransitive                                       .800    3.40  1,000     0
   transitive                                         .750    2.90  1,000     3
 island_effects (1 task)                              .300
   coordinate_structure_constraint_complex_left_
 branch                                               .300   -1.20  1,000     0

 all 4 tasks                                          .588

data: ./blimp; convention: sum
margin: log P(good) - log P(bad) in nats, mean over pairs
accuracy of a phenomenon, and of all: the mean over its tasks
a tie counts as wrong

"""
    assert printed(score_table(many)) == expected


def test_ties_are_spoken_of_where_there_are_any(many):
    many["results"][0]["ties"] = 0
    text = printed(score_table(many))
    assert "tie" not in text
    assert "coordinate_structure_constraint_complex_left_branch  " in text


def test_token_counts_are_spoken_of_where_many_differ(many):
    assert "token" not in printed(score_table(many), 200)
    many["results"][0]["token_count"] = {"differ": 0.201, "accuracy": 0.332}
    many["results"][1]["token_count"] = {"differ": 0.6, "accuracy": 0.702}
    many["results"][2]["token_count"] = {"differ": 0.19, "accuracy": 0.7}
    line = (
        "token counts differ in over 20% of the pairs of 2 tasks: fewer tokens = good, a tie one half, "
        "is right in .332 (transitive) to .702 (intransitive)\n"
    )
    assert line in printed(score_table(many), 200)
    many["results"][0]["token_count"]["differ"] = 0.2
    line = (
        "token counts differ in 60% of the pairs of intransitive: fewer tokens = good, a tie one half, is right in "
    )
    assert f"{line}.702\n" in printed(score_table(many), 200)
    many["results"] = many["results"][1:2]
    line = "token counts differ in 60% of the pairs: fewer tokens = good, a tie one half, is right in .702\n"
    assert line in printed(score_table(many), 200)


def test_no_phenomenon_is_none_or_empty(many):
    many["results"][3]["phenomenon"] = ""
    assert "mine [b]" in printed(score_table(many))


def test_balanced_pairs_have_an_accuracy_in_either_frame(many):
    many["results"] = many["results"][1:2]
    first, second = ({"frame": frame, "pairs": 500, "margin": 1.0} for frame in ("first", "second"))
    many["results"][0]["frames"] = [first | {"accuracy": 0.95}, second | {"accuracy": 0.65}]
    lines = printed(score_table(many)).splitlines()
    assert lines[1].split() == ["task", "accuracy", "margin", "pairs", "first", "second"]
    assert lines[3].split() == ["intransitive", ".800", "3.40", "1,000", ".950", ".650"]
    assert "first, second: accuracy by frame of the balanced pairs; what a second frame is" in lines
    assert max(map(len, lines)) <= 80
