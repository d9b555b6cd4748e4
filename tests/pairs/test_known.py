"""The table of baselines that `neurosteer ls tasks` shows: against what the pairs say now."""

from __future__ import annotations

import pytest

from neurosteer.meaning import MEANING_TASKS
from neurosteer.pairs import TASKS, known_tasks, load_pairs

SOME = ("intransitive", "wh_island", "anaphor_gender_agreement", "npi_present_1")


def test_every_task_is_known():
    assert {task.uid for task in known_tasks()} == {task.uid for task in TASKS}


@pytest.mark.parametrize("source", ["blimp", "builtin", "builtin:balanced"])
@pytest.mark.parametrize("uid", SOME)
def test_the_table_is_that_of_the_pairs(uid: str, source: str, request: pytest.FixtureRequest):
    [task] = [known for known in known_tasks() if known.uid == uid]
    place = str(request.getfixturevalue("blimp")) if source == "blimp" else source
    now = load_pairs(uid, source=place).baselines()
    assert task.baselines[source].last_word == pytest.approx(now.last_word, abs=6e-4)
    assert task.baselines[source].unigram == pytest.approx(now.unigram, abs=6e-4)


@pytest.mark.parametrize("name", ["capitals", "selectional_sense"])
def test_the_table_of_the_tasks_about_meaning(name: str):
    known = {task.uid: task for task in known_tasks("builtin:meaning")}
    assert set(known) == set(MEANING_TASKS)
    now = load_pairs(name, source="builtin:meaning").baselines()
    [(source, baselines)] = known[name].baselines.items()
    assert source == "builtin:meaning"
    assert (baselines.last_word, baselines.unigram) == pytest.approx((now.last_word, now.unigram), abs=6e-4)


def test_a_second_frame_of_another_construction_is_known():
    second = {task.uid: task.second for task in known_tasks()}
    assert second["complex_NP_island"] == second["adjunct_island"] == "nothing is moved"
    assert second["passive_2"] == "active, after `had`"
    assert second["anaphor_gender_agreement"] == ""
