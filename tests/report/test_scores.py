"""What `score` prints: one task in short, many by phenomenon."""

import pytest
from made_effects import altered
from showing import printed

from neurosteer.report import score_table
from neurosteer.results.pairs_used import PairsUsed
from neurosteer.results.score import (
    FrameScore,
    MeanScore,
    PhenomenonScore,
    ScoreRun,
    TaskScore,
    TokenCount,
)


def row(task, phenomenon, accuracy, margin, ties=0, pairs=1000, differ=0.2, count=0.5):
    return TaskScore(
        task=task,
        phenomenon=phenomenon,
        data=PairsUsed(source="./blimp", pairs=pairs, digest="d"),
        convention="sum",
        accuracy=accuracy,
        accuracy_interval=(accuracy - 0.03, accuracy + 0.02),
        margin=margin,
        pairs=pairs,
        ties=ties,
        same_tokens=0,
        token_count=TokenCount(differ=differ, accuracy=count),
    )


def run(*rows):
    """By hand: `summary`, which a study makes, is tested there."""
    names = sorted({row.phenomenon or "" for row in rows})
    groups = {name: [row.accuracy for row in rows if (row.phenomenon or "") == name] for name in names}
    phenomena = tuple(
        PhenomenonScore(phenomenon=name or None, tasks=len(some), accuracy=sum(some) / len(some))
        for name, some in groups.items()
    )
    overall = MeanScore(tasks=len(rows), accuracy=sum(row.accuracy for row in rows) / len(rows))
    return ScoreRun(results=rows, phenomena=phenomena, overall=overall)


@pytest.fixture
def many():
    return [
        row("transitive", "argument_structure", 0.75, 2.9, ties=3),
        row("intransitive", "argument_structure", 0.8, 3.4),
        row("coordinate_structure_constraint_complex_left_branch", "island_effects", 0.3, -1.2),
        row("mine [b]", None, 0.5, 0.01, pairs=20),
    ]


def test_one_task_is_one_line(many):
    expected = """\

 task          accuracy  95 % interval  margin  pairs
 ────────────────────────────────────────────────────
 intransitive      .800     .77 to .82    3.40  1,000

data: ./blimp; convention: sum
margin: log P(good) - log P(bad) in nats, mean over pairs

"""
    assert printed(score_table(run(many[1]))) == expected


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
only 20 pairs of mine [b]: accuracies are rough
a tie counts as wrong

"""
    assert printed(score_table(run(*many))) == expected


def test_ties_are_spoken_of_where_there_are_any(many):
    text = printed(score_table(run(altered(many[0], ties=0), *many[1:])))
    assert "tie" not in text
    assert "coordinate_structure_constraint_complex_left_branch  " in text


def test_token_counts_are_spoken_of_where_many_differ(many):
    assert "token" not in printed(score_table(run(*many)), 200)
    first, second, third, last = many
    first = altered(first, token_count=TokenCount(differ=0.201, accuracy=0.332))
    second = altered(second, token_count=TokenCount(differ=0.6, accuracy=0.702))
    third = altered(third, token_count=TokenCount(differ=0.19, accuracy=0.7))
    line = (
        "token counts differ in over 20% of the pairs of 2 tasks: fewer tokens = good, a tie one half, "
        "is right in .332 (transitive) to .702 (intransitive)\n"
    )
    assert line in printed(score_table(run(first, second, third, last)), 200)
    first = altered(first, token_count__differ=0.2)
    line = (
        "token counts differ in 60% of the pairs of intransitive: fewer tokens = good, a tie one half, is right in "
    )
    assert f"{line}.702\n" in printed(score_table(run(first, second, third, last)), 200)
    line = "token counts differ in 60% of the pairs: fewer tokens = good, a tie one half, is right in .702\n"
    assert line in printed(score_table(run(second)), 200)


def test_no_phenomenon_is_none_or_empty(many):
    assert "mine [b]" in printed(score_table(run(*many[:3], altered(many[3], phenomenon=""))))


def test_balanced_pairs_have_an_accuracy_in_either_frame(many):
    frames = tuple(
        FrameScore(frame=frame, pairs=500, margin=1.0, accuracy=accuracy)
        for frame, accuracy in (("first", 0.95), ("second", 0.65))
    )
    lines = printed(score_table(run(altered(many[1], frames=frames)))).splitlines()
    assert lines[1].split() == ["task", "accuracy", "95", "%", "interval", "margin", "pairs", "first", "second"]
    assert lines[3].split() == ["intransitive", ".800", ".77", "to", ".82", "3.40", "1,000", ".950", ".650"]
    assert "first, second: accuracy by frame of the balanced pairs; what a second frame is" in lines
    assert max(map(len, lines)) <= 80
