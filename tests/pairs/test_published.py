"""Published sets by their names: copies in their native form, which `datasets` itself reads in the hub's place."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import pytest

from neurosteer.errors import InputError
from neurosteer.pairs import PUBLISHED, Pairs, load_pairs, load_tasks
from neurosteer.progress import Progress

PAIRS = [(f"Die Katze {i} schläft.", f"Die Katze {i} schlafen.") for i in range(6)]
Rows = list[dict[str, Any]]
Copy = dict[str, dict[str, tuple[str, Rows]]]  # configuration -> split -> file, rows


def rows(names: str, pairs: Iterable[tuple[str, str]] = PAIRS, **more: Any) -> Rows:
    """A row for each pair, under these two names; what else it holds may depend on its number."""
    good, bad = names.split()
    return [
        {good: a, bad: b, **{name: value(i) if callable(value) else value for name, value in more.items()}}
        for i, (a, b) in enumerate(pairs)
    ]


def turn(number: int) -> str:
    return "SV-#" if number < 3 else "SV-P"


CLIMP = [
    {"": 2 * i + (not good), "0": "binding", "1": f"binding_{turn(i)[-1]}", "2": sentence, "3": int(good)}
    for i, pair in enumerate(PAIRS)
    for sentence, good in zip(pair, (True, False), strict=True)
]
EITHER = [
    {"sentence_a": a, "sentence_b": b, "label": 0.0, "type": turn(i), "category": "syntax", "annotator": i}
    if i % 2
    else {"sentence_a": b, "sentence_b": a, "label": 1.0, "type": turn(i), "category": "syntax", "annotator": i}
    for i, (a, b) in enumerate(PAIRS)
]
EWOK = [
    {"Domain": turn(i), "Context1": "Die Katze", "Target1": a[10:], "Target2": b[10:], "Context2": "Katzen"}
    for i, (a, b) in enumerate(PAIRS)
]
TWO = {"SV-#": PAIRS[:3], "SV-P": PAIRS[3:]}
NATIVE: dict[
    str, tuple[str, Copy, dict[str, list[tuple[str, str]]], str | None]
] = {  # --data, the copy, what it holds
    "multiblimp": (
        "multiblimp:deu",
        {
            "deu": {"train": ("deu/data.tsv", rows("sen wrong_sen", phenomenon=turn, lang="deu", num_attractors=0))},
            "eng": {"train": ("eng/data.tsv", rows("sen wrong_sen", phenomenon="x", lang="eng", num_attractors=0))},
        },
        TWO,
        None,
    ),
    "rublimp": (
        "rublimp",
        {
            name: {
                "train": (f"{name}.csv", rows(own, pairs, PID=name, phenomenon="Word formation", level="morphology"))
            }
            for own in ["source_sentence target_sentence"]
            for name, pairs in (("add_new_suffix", PAIRS[:3]), ("change_verb_prefixes_order", PAIRS[3:]))
        },
        {"add_new_suffix": PAIRS[:3], "change_verb_prefixes_order": PAIRS[3:]},
        "word_formation",
    ),
    "sling": (
        "sling",
        {
            "default": {
                "train": (
                    "all.jsonl",
                    rows("sentence_good sentence_bad", Phenomenon="aspect", Paradigm=turn, pair_ID=lambda i: i),
                )
            }
        },
        TWO,
        "aspect",
    ),
    "zhoblimp": (
        "zhoblimp",
        {
            name: {"train": (f"{name}.jsonl", rows("sentence_good sentence_bad", pairs, UID=name, phenomenon="BA"))}
            for name, pairs in (("BA_BEI_subj_drop", PAIRS[:3]), ("BA_deletion", PAIRS[3:]))
        },
        {"BA_BEI_subj_drop": PAIRS[:3], "BA_deletion": PAIRS[3:]},
        "ba",
    ),
    "turblimp": (
        "turblimp",
        {
            "binding": {
                "train": ("binding.csv", rows("sentence_good sentence_bad", phenomenon="Binding", good_cue="x"))
            }
        },
        {"binding": PAIRS},
        "binding",
    ),
    "blimp-nl": (
        "blimp-nl",
        {
            f"anaphor_agreement__{name}": {"test": (f"{name}.tsv", rows("sentence_good sentence_bad", pairs))}
            for name, pairs in (("number", PAIRS[:3]), ("person", PAIRS[3:]))
        },
        {"anaphor_agreement__number": PAIRS[:3], "anaphor_agreement__person": PAIRS[3:]},
        "anaphor_agreement",
    ),
    "climp": (
        "climp",
        {"default": {"train": ("binding.csv", CLIMP)}},
        {"binding_#": PAIRS[:3], "binding_P": PAIRS[3:]},
        "binding",
    ),
    "qfrblimp": (
        "qfrblimp",
        {
            "default": {
                split: (f"release/{split}.jsonl", part)
                for split, part in (("train", EITHER[:2]), ("dev", EITHER[2:4]), ("test", EITHER[4:]))
            }
        },
        TWO,
        "syntax",
    ),
    "ewok": ("ewok", {"default": {"test": ("ewok.jsonl", EWOK)}}, TWO, None),
}


def write_copy(folder: Path, copy: Copy) -> None:
    """A dataset as the hub has it: files, and a card that says which configuration and split has which."""
    card = ["---", "configs:"]
    for config, splits in copy.items():
        card += [f"- config_name: {config}", "  data_files:"]
        for split, (name, content) in splits.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            card += [f"  - split: {split}", f'    path: "{name}"']
            with path.open("w", encoding="utf-8", newline="") as file:
                if path.suffix == ".jsonl":
                    file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in content)
                else:
                    mark = "\t" if path.suffix == ".tsv" else ","
                    writer = csv.DictWriter(file, list(content[0]), delimiter=mark)
                    writer.writeheader()
                    writer.writerows(content)
        if any(name.endswith(".tsv") for name, _ in splits.values()):
            card.append('  sep: "\\t"')
    (folder / "README.md").write_text("\n".join([*card, "---", ""]), "utf-8")


@pytest.fixture
def in_place_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts a copy where the hub's set would be found."""
    monkeypatch.setattr("neurosteer.pairs.sources.is_reachable", lambda: False)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()

    def put(name: str) -> Path:
        folder = tmp_path / "copy"
        folder.mkdir()
        write_copy(folder, NATIVE[name][1])
        monkeypatch.setitem(PUBLISHED, name, replace(PUBLISHED[name], hub_id=str(folder)))
        return folder

    return put


@pytest.mark.parametrize("name", NATIVE)
def test_a_set_in_its_native_form(in_place_of_the_hub: Callable[[str], Path], name: str, tmp_path: Path, run: Any):
    in_place_of_the_hub(name)
    source, _, expected, phenomenon = NATIVE[name]
    found = load_tasks(["all"], source=source)
    assert {one.task: one.sentences for one in found} == expected
    assert {one.phenomenon for one in found} == {phenomenon}
    assert {one.source for one in found} == {source}
    task = next(iter(expected))
    assert load_pairs(task, source=source).sentences == expected[task]


def test_every_set_is_tested_and_in_the_guide():
    """The guide's table is this one."""
    assert set(PUBLISHED) == {*NATIVE, "blimp"}
    guide = Path(__file__).parents[2] / "recipes" / "guide" / "data.md"
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in guide.read_text("utf-8").splitlines()]
    told = {cells[0].strip("`"): cells[1:] for cells in lines if len(cells) == 4}
    for name, row in PUBLISHED.items():
        typed = f"{name}:deu" if row.each == "language" else name
        assert told[typed] == [f"`{row.hub_id}`", row.languages, row.licence]


def test_what_is_asked_of_the_hub(monkeypatch: pytest.MonkeyPatch):
    """Identity and configuration, as the field's harnesses ask for them; several configurations only where needed."""
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr("neurosteer.pairs.sources.is_reachable", lambda: True)
    monkeypatch.setattr(datasets, "get_dataset_config_names", lambda repo: calls.append((repo,)) or ["one", "two"])

    def load_dataset(repo: str, config: str) -> dict[str, Rows]:
        calls.append((repo, config))
        return {
            "train": rows("sen wrong_sen", phenomenon=turn) if "multi" in repo else rows("sentence_good sentence_bad")
        }

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    assert load_pairs("SV-#", source="multiblimp:deu").sentences == PAIRS[:3]
    assert calls == [("jumelet/multiblimp", "deu")]
    calls.clear()
    assert load_pairs("two", source="zhoblimp").sentences == PAIRS
    assert calls == [("Junrui1202/zhoblimp",), ("Junrui1202/zhoblimp", "two")]
    calls.clear()
    assert load_pairs(source="turblimp:one").task == "one"
    assert calls == [("juletxara/turblimp", "one")]
    assert load_pairs("two", source="me/pairs:two").source == "me/pairs:two"
    assert calls[-1] == ("me/pairs", "two")


def test_a_configuration_of_several_tasks_is_not_taken_for_one(monkeypatch: pytest.MonkeyPatch):
    """A language of MultiBLiMP under its hub id holds phenomena; it is a task where the user says so."""
    monkeypatch.setattr("neurosteer.pairs.sources.is_reachable", lambda: True)
    monkeypatch.setattr(datasets, "get_dataset_config_names", lambda repo: ["deu", "eng"])
    table = rows("good bad", paradigm=turn)
    monkeypatch.setattr(datasets, "load_dataset", lambda repo, config: {"train": table, "test": table})
    with pytest.raises(InputError) as caught:
        load_pairs("deu", source="me/pairs")
    assert str(caught.value) == (
        "'me/pairs' (deu) holds 2 tasks by 'paradigm' (SV-#, SV-P); give --data me/pairs:deu and name one, or "
        "--layout task= to take them for one"
    )
    heard: list[str] = []

    class Heard(Progress):
        def notice(self, text: str) -> None:
            heard.append(text)

    assert load_pairs("deu", source="me/pairs", layout="task=", progress=Heard()).sentences == PAIRS
    assert heard == [
        "'me/pairs' (deu): good sentences in 'good', bad ones in 'bad'; the split 'train' alone "
        "(there are also test) (--layout says otherwise)"
    ]
    assert load_pairs("SV-P", source="me/pairs:deu", progress=Heard()).sentences == PAIRS[3:]


def test_what_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("neurosteer.pairs.sources.is_reachable", lambda: False)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    for source, message in (
        ("rublimp", "'RussianNLP/rublimp' is not in the cache and the hub cannot be reached; give "),
        ("multiblimp:deu", "'jumelet/multiblimp' is not in the cache and the hub cannot be reached; give "),
        ("multiblimp", "which language of 'multiblimp'? name one by its ISO 639-3 code: --data multiblimp:deu"),
        ("rublmp", "no such file or folder: 'rublmp' (--data takes "),
    ):
        with pytest.raises(InputError) as caught:
            load_tasks(["all"], source=source)
        assert str(caught.value).startswith(message)
    assert str(caught.value).endswith("; did you mean 'rublimp'?")


def test_a_folder_of_that_name_is_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As before there were such names: a copy, whose columns are found."""
    (tmp_path / "rublimp").mkdir()
    write_copy(tmp_path / "rublimp", NATIVE["rublimp"][1])
    monkeypatch.chdir(tmp_path)
    found = load_tasks(["all"], source="rublimp", progress=Progress())
    assert {one.task: one.sentences for one in found} == NATIVE["rublimp"][2]


def test_ls_tasks(in_place_of_the_hub: Callable[[str], Path], run: Any):
    in_place_of_the_hub("blimp-nl")
    listed = run("ls", "tasks", "--data", "blimp-nl")
    assert (listed.code, listed.out.splitlines()) == (
        0,
        [
            f"blimp-nl: {PUBLISHED['blimp-nl'].hub_id} on the hub, Dutch, licence: not stated",
            "anaphor_agreement",
            "  anaphor_agreement__number  3 pairs",
            "  anaphor_agreement__person  3 pairs",
        ],
    )
    told = json.loads(run("ls", "tasks", "--data", "blimp-nl", "--format", "json").out)
    assert [row["pairs"] for row in told["results"]] == [3, 3]


def test_the_digest_is_that_of_the_sentences(in_place_of_the_hub: Callable[[str], Path]):
    in_place_of_the_hub("turblimp")
    expected = Pairs.from_lists(*zip(*PAIRS, strict=True))
    assert load_pairs(source="turblimp").digest == expected.digest
