"""Choosing tasks and opening sources, the hub being played by a stand-in."""

from __future__ import annotations

import time
from pathlib import Path

import datasets
import pytest

from neurosteer.errors import InputError
from neurosteer.hub import is_reachable
from neurosteer.pairs import TASKS, load_pairs, load_tasks
from neurosteer.progress import Progress

ROW = '{"sentence_good": "A %d.", "sentence_bad": "B %d.", "linguistics_term": "%s"}\n'
RECORDS = [{"sentence_good": f"A {i}.", "sentence_bad": f"B {i}."} for i in range(3)]


def refusal(call: object, *arguments: object, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    terms = {
        "wh_island": "island_effects",
        "adjunct_island": "island_effects",
        "mine": "Word-Order",
        "plain": "",
    }
    for task, term in terms.items():
        (tmp_path / f"{task}.jsonl").write_text("".join(ROW % (i, i, term) for i in range(4)))
    (tmp_path / "README.md").write_text("not pairs")
    return tmp_path


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (["mine"], ["mine"]),
        (["*island*", "mine", "adjunct_island"], ["adjunct_island", "wh_island", "mine"]),
        (["mine", "island_effects"], ["mine", "adjunct_island", "wh_island"]),
        (["word_order"], ["mine"]),
        (["all"], ["adjunct_island", "mine", "plain", "wh_island"]),
        (["wh_island", "*"], ["wh_island", "adjunct_island", "mine", "plain"]),
    ],
)
def test_selection(folder: Path, wanted: list[str], chosen: list[str]):
    assert [pairs.task for pairs in load_tasks(wanted, source=str(folder))] == chosen


def test_phenomena(folder: Path):
    found = {pairs.task: pairs.phenomenon for pairs in load_tasks(["all"], source=str(folder))}
    assert found == {
        "adjunct_island": "island_effects",
        "mine": "word_order",
        "plain": None,
        "wh_island": "island_effects",
    }


def test_tasks_that_are_not_there(folder: Path):
    holds = f"('{folder}' holds: adjunct_island, mine, plain, wh_island)"
    source = str(folder)
    expected = f"unknown task 'wh_islnd'; did you mean 'wh_island'? {holds}"
    assert refusal(load_pairs, "wh_islnd", source=source) == expected
    assert refusal(load_tasks, ["mine", "wh_islnd"], source=source) == expected
    assert "did you mean 'island_effects'?" in refusal(load_tasks, ["island_effect"], source=source)
    assert refusal(load_tasks, ["*zz*"], source=source) == f"no task matches '*zz*' {holds}"
    which = f"which of 4 tasks? give --task NAME, a glob, a phenomenon or 'all' {holds}"
    assert refusal(load_tasks, [], source=source) == refusal(load_pairs, source=source) == which
    one = str(folder / "mine.jsonl")
    assert refusal(load_pairs, "zzz", source=one) == f"unknown task 'zzz' ('{one}' holds: mine)"
    assert [pairs.task for pairs in load_tasks([], source=one)] == ["mine"]


def test_a_path_is_as_good_as_its_text(folder: Path):
    """What is kept of it is text, as a run's options are."""
    pairs = load_pairs("mine", source=folder)
    assert pairs == load_pairs("mine", source=str(folder))
    assert type(pairs.source) is str
    assert load_tasks(["mine"], source=folder) == load_tasks(["mine"], source=str(folder))


def test_paths_that_are_not_there(tmp_path: Path, folder: Path):
    for source in (str(tmp_path / "none"), "./none", "~/none/none", "data/none.csv", "none", "a/b/c"):
        assert refusal(load_pairs, source=source).startswith(f"no such file or folder: '{source}' (--data takes ")
    (tmp_path / "empty").mkdir()
    message = f"'{tmp_path}/empty' holds no files of pairs (.jsonl, .json, .csv, .tsv, .parquet, .txt)"
    assert refusal(load_pairs, source=str(tmp_path / "empty")) == message
    (folder / "mine.csv").write_text("")
    message = f"'{folder}' holds task 'mine' twice: mine.csv and mine.jsonl"
    assert refusal(load_pairs, "mine", source=str(folder)) == message


@pytest.fixture
def fake_hub(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, bool]]:
    """Every dataset has the configurations `one` and `two`; remembers what is loaded, and whether offline."""
    calls: list[tuple[str, str, bool]] = []

    def load_dataset(repo: str, config: str) -> dict[str, list[dict[str, str]]]:
        calls.append((repo, config, datasets.config.HF_HUB_OFFLINE))
        return {"train": RECORDS}

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    monkeypatch.setattr(datasets, "get_dataset_config_names", lambda repo: ["one", "two"])
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("neurosteer.pairs.sources.is_reachable", lambda: True)
    return calls


def test_blimp_from_the_hub(fake_hub: list[tuple[str, str, bool]]):
    pairs = load_pairs("intransitive", source="blimp")
    assert (pairs.source, pairs.phenomenon, len(pairs)) == ("blimp", "argument_structure", 3)
    assert load_pairs("intransitive") == pairs
    assert [pairs.task for pairs in load_tasks(["ellipsis"])] == ["ellipsis_n_bar_1", "ellipsis_n_bar_2"]
    assert fake_hub[0] == ("nyu-mll/blimp", "intransitive", False)
    message = "unknown task 'intransitiv'; did you mean 'intransitive'? (see: neurosteer ls tasks)"
    assert refusal(load_pairs, "intransitiv") == message
    assert len(load_tasks(["all"])) == len(TASKS)


def test_other_sets_on_the_hub(fake_hub: list[tuple[str, str, bool]]):
    assert load_pairs("two", source="me/pairs").source == "me/pairs"
    assert [pairs.task for pairs in load_tasks(["t*"], source="me/pairs")] == ["two"]
    assert refusal(load_pairs, source="me/pairs").startswith("which of 2 tasks? ")
    message = "me/pairs (one), row 1: no column 'x' (found: sentence_good, sentence_bad)"
    assert refusal(load_pairs, "one", source="me/pairs", columns=("x", "y")).startswith(message)


def test_the_only_configuration_and_split_are_taken(fake_hub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(datasets, "get_dataset_config_names", lambda repo: ["default"])
    monkeypatch.setattr(datasets, "load_dataset", lambda repo, config: {"test": RECORDS})
    assert load_pairs(source="me/pairs").task == "default"
    monkeypatch.setattr(datasets, "load_dataset", lambda repo, config: {"a": RECORDS, "b": RECORDS})
    message = "'me/pairs' (default) has no split 'train' but several others: a, b"
    assert refusal(load_pairs, source="me/pairs") == message


def test_offline_never_asks(fake_hub: list[tuple[str, str, bool]], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("neurosteer.pairs.sources.is_reachable", lambda: pytest.fail("reached for the network"))
    load_pairs("intransitive", source="blimp", offline=True)
    assert fake_hub == [("nyu-mll/blimp", "intransitive", True)]
    assert datasets.config.HF_HUB_OFFLINE is False


def test_no_network_and_no_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("neurosteer.pairs.sources.is_reachable", lambda: False)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    assert refusal(load_pairs, "intransitive", source="blimp") == (
        "'nyu-mll/blimp' is not in the cache and the hub cannot be reached; "
        "give a folder of BLiMP JSONL files or a file of pairs with --data"
    )


def test_auto_is_blimp_where_it_can_be_had(fake_hub: list[tuple[str, str, bool]], monkeypatch: pytest.MonkeyPatch):
    """Reachable, or cached."""
    for reachable in (True, False):
        monkeypatch.setattr("neurosteer.pairs.sources.is_reachable", lambda reachable=reachable: reachable)
        assert load_pairs("intransitive").source == "blimp"


def test_auto_is_built_in_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """And says so, once; the next run is not another one because the network is back."""
    monkeypatch.setattr("neurosteer.pairs.sources.is_reachable", lambda: False)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    notices: list[str] = []

    class Heard(Progress):
        def notice(self, text: str) -> None:
            notices.append(text)

    pairs = load_pairs("intransitive", limit=20, progress=Heard())
    assert pairs == load_pairs("intransitive", source="builtin", limit=20)
    [told] = notices
    assert told.startswith("built-in pairs: nyu-mll/blimp is neither cached nor reachable")
    several = load_tasks(["argument_structure"], limit=4, progress=Heard())
    assert {one.source for one in several} == {"builtin"}
    assert len(notices) == 2


def test_a_set_that_the_hub_lacks(fake_hub, monkeypatch: pytest.MonkeyPatch):
    def missing(repo: str, config: str) -> None:
        raise datasets.exceptions.DatasetNotFoundError("a long\nstory")

    monkeypatch.setattr(datasets, "load_dataset", missing)
    message = "no dataset 'nyu-mll/blmp' on the hub, or no access to it; did you mean 'nyu-mll/blimp'?"
    assert refusal(load_pairs, "one", source="nyu-mll/blmp") == message


def test_a_silent_hub_is_given_up(monkeypatch: pytest.MonkeyPatch):
    import huggingface_hub

    monkeypatch.setattr("neurosteer.hub.TIMEOUT", 0.2)
    monkeypatch.setattr(huggingface_hub, "get_session", lambda: time.sleep(1))
    start = time.monotonic()
    assert not is_reachable()
    assert time.monotonic() - start < 0.8
