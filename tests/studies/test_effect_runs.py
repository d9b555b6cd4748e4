"""The run folder of `ablate` and `amplify`: what it holds, and that nothing half-done stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fresh_process import told

from neurosteer.artefacts import check_path
from neurosteer.edits import Edit
from neurosteer.errors import CorruptFileError, InputError
from neurosteer.experiments import open_run
from neurosteer.model import Model
from neurosteer.neurons import NeuronSet
from neurosteer.results import record
from neurosteer.results.pairs_used import SplitPairs
from neurosteer.studies import Effect, Found, measure_effect, save_effects, with_origin
from neurosteer.studies.effects import effect as effect_module
from neurosteer.studies.runs import runs

pytestmark = pytest.mark.usefixtures("blank_pictures")


@pytest.fixture(scope="module")
def effects(
    llama: Model, found: Found, neutral: Path, apart: Callable[[], AbstractContextManager[None]]
) -> list[Effect]:
    """By two methods, the second with a curve."""
    asked: dict[str, Any] = {"controls": 1, "neutral": neutral}
    with apart():
        return [
            measure_effect(llama, found.test, Edit.ablate(found.ranking("welch").top(3)), **asked),
            measure_effect(llama, found.test, Edit.ablate(found.ranking("l0").top(2)), scales=[1.0, 2.0], **asked),
        ]


def saved(
    model: Model, effects: list[Effect], found: Found, out: Path, **options: Any
) -> tuple[Path, dict[str, Any]]:
    return save_effects(model, effects, command="ablate", out=out, options=options)


def test_what_a_run_folder_holds(tmp_path: Path, llama: Model, found: Found, effects: list[Effect]):
    folder, result = saved(llama, effects, found, tmp_path / "runs", k=3)
    assert {path.name for path in folder.iterdir()} == {
        "MANIFEST.json",
        "index.html",
        "results.json",
        *(f"made{figure}.{kind}" for figure in ("", ".l0.doses") for kind in ("png", "svg")),
        *(
            f"made.{method}{end}"
            for method in ("welch", "l0")
            for end in (".csv", ".safetensors", ".controls.safetensors", ".tokens.safetensors")
        ),
    }
    assert json.loads((folder / "results.json").read_text("utf-8")) == result
    assert (result["command"], result["options"], result["model"]) == ("ablate", {"k": 3}, record(llama.describe()))
    for entry, effect in zip(result["results"], effects, strict=True):
        files = entry.pop("files")
        assert entry == {key: value for key, value in record(effect).items() if key != "files"}
        assert Path(files["pairs"]).read_text("utf-8") == effect.to_csv()
        assert list(NeuronSet.load(files["neurons"])) == list(effect.neuron_set)
    rows = check_path(tmp_path / "runs")
    assert [(row["kind"], row["ok"]) for row in rows] == [
        *[("controls", True), ("neurons", True), ("tokens", True)] * 2,
        ("run", True),
    ]
    [run] = runs(tmp_path / "runs")
    assert (run.command, run.tasks, run.run) == ("ablate", ("made",), folder.name)
    assert (run.data, run.site, run.topk) == (found.pairs.source, "resid_post", 3)
    assert run.layers == tuple(sorted({layer for effect in effects for layer, _ in effect.neuron_set}))


def test_what_is_said_of_the_origin_is_kept(tmp_path: Path, llama: Model, found: Found, effects: list[Effect]):
    data = SplitPairs(source="elsewhere", pairs=80, digest="d", split=None)
    placed = with_origin(effects[0], neurons_from="here", data=data)
    _, result = saved(llama, [placed], found, tmp_path)
    [entry] = result["results"]
    assert entry["neurons_from"] == "here"
    tested = len(found.test)
    assert (entry["data"]["source"], entry["data"]["pairs"], entry["data"]["tested"]) == ("elsewhere", 80, tested)
    assert (effects[0].neurons_from, effects[0].data.source) == (None, found.pairs.source)


def test_the_name_says_what_was_asked(tmp_path: Path, llama: Model, found: Found, effects: list[Effect]):
    names = [saved(llama, effects[:1], found, tmp_path, k=k)[0].name for k in (3, 4, 3)]
    assert names[0] == names[2] != names[1]
    assert all(name.startswith("ablate-made-") for name in names)


def test_a_failing_save_leaves_nothing(
    tmp_path: Path,
    llama: Model,
    found: Found,
    effects: list[Effect],
    monkeypatch: pytest.MonkeyPatch,
):
    def fail(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(effect_module, "write_bytes", fail)
    with pytest.raises(KeyboardInterrupt):
        saved(llama, effects, found, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_neurons_that_say_nothing_of_a_method(tmp_path: Path, llama: Model, found: Found, neutral: Path):
    """A set made by hand is saved like any other."""
    neurons = replace(found.ranking().top(2), metadata={})
    effect = measure_effect(llama, found.test, Edit.ablate(neurons), controls=0, neutral=neutral)
    folder, _ = saved(llama, [effect], found, tmp_path)
    assert list(NeuronSet.load(folder / "made.given.safetensors")) == list(neurons)
    again = Effect.load(folder)
    assert (again.controls, again.control_margins.shape) == (None, (0, len(found.test)))
    same(again, effect)


def same(one: Effect, other: Effect) -> None:
    """Every number, and what is made from them."""
    assert one.to_json() == other.to_json()
    assert one.to_csv() == other.to_csv()
    assert one.digest == other.digest
    assert np.array_equal(one.control_margins, other.control_margins)
    assert np.array_equal(one.before, other.before)
    assert list(one.neuron_set) == list(other.neuron_set)
    assert one.to_frame().equals(other.to_frame())


def test_a_run_is_opened_as_what_it_was(tmp_path: Path, llama: Model, found: Found, effects: list[Effect]):
    """Also where it was moved; figures are drawn from it."""
    folder, _ = saved(llama, effects, found, tmp_path / "runs")
    moved = folder.rename(tmp_path / "elsewhere")
    opened = open_run(moved)
    assert isinstance(opened, list)
    for one, other in zip(effects, opened, strict=True):
        same(one, other)
    assert opened[1].doses().axes
    with pytest.raises(InputError, match=r"has 2 effects; read them with neurosteer.open_run$"):
        Effect.load(moved)
    [row] = runs(tmp_path)
    for place in (row, str(moved)):
        for one, other in zip(effects, open_run(place, Effect), strict=True):
            same(one, other)
    with pytest.raises(InputError, match=r"elsewhere holds Effect, not Found$"):
        open_run(row, Found)


@pytest.mark.slow
def test_opening_imports_no_model(tmp_path: Path, llama: Model, found: Found, effects: list[Effect]):
    """What was found before is shown without waiting for the libraries that run models."""
    saved(llama, effects[:1], found, tmp_path)
    code = (
        "import json, neurosteer as ns\n"
        "[run] = ns.runs(sys.argv[1])\n"
        "[effect] = ns.open_run(run.path)\n"
        "from rich.console import Console\n"
        "with (console := Console(width=200)).capture() as shown:\n"
        "    console.print(effect)\n"
        "print(json.dumps([effect.margin.delta, shown.get(), 'transformer_lens' in sys.modules]))"
    )
    delta, shown, imported = told(code, tmp_path)
    assert (delta, imported) == (effects[0].margin.delta, False)
    assert f"{delta:+.2f} [" in shown


def test_one_effect_is_saved_and_loaded(tmp_path: Path, effects: list[Effect]):
    effects[1].save(tmp_path / "mine")
    same(Effect.load(tmp_path / "mine"), effects[1])
    [row] = [row for row in check_path(tmp_path / "mine") if row["kind"] == "run"]
    assert row["ok"]
    effects[0].save(tmp_path / "mine")  # in the place of the other
    same(Effect.load(tmp_path / "mine"), effects[0])


def test_saving_spares_what_is_not_a_run(tmp_path: Path, effects: list[Effect]):
    (tmp_path / "notes.txt").write_text("mine")
    for place in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(InputError, match=r"is there and is no run of neurosteer; name another folder$"):
            effects[0].save(place)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_run_of_version_0_1(tmp_path: Path, llama: Model, found: Found, effects: list[Effect]):
    """It has no margins of single controls, no sentences, and no KL of the controls without massive units."""
    folder, _ = saved(llama, effects[:1], found, tmp_path)
    for file in folder.glob("*.controls.safetensors"):
        file.unlink()
    [table] = folder.glob("*.csv")
    frame = effects[0].to_frame().drop(columns=["sentence_good", "sentence_bad"])
    table.write_text(frame.to_csv(index=False))
    result = json.loads((folder / "results.json").read_text("utf-8"))
    del result["results"][0]["files"]["controls"]
    (folder / "results.json").write_text(json.dumps(result))
    old = Effect.load(folder)
    assert old.margin == effects[0].margin
    assert np.array_equal(old.after, effects[0].after)
    assert old.control_margins.shape == (0, len(found.test))
    means = [row.margin_controls for row in old.by_pair]
    assert means == pytest.approx([row.margin_controls for row in effects[0].by_pair])


def test_what_cannot_be_opened(tmp_path: Path, llama: Model, found: Found, effects: list[Effect]):
    with pytest.raises(InputError, match=r"^no run in '.*none': No such file or directory$"):
        open_run(tmp_path / "none")
    folder, result = saved(llama, effects[:1], found, tmp_path)
    [controls] = folder.glob("*.controls.safetensors")
    content = bytearray(controls.read_bytes())
    content[-1] ^= 1
    controls.write_bytes(content)
    with pytest.raises(CorruptFileError, match=r"does not match its digest"):
        open_run(folder)
    for broken, message in (
        ({**result, "command": "run"}, r"is not the result of `neurosteer run`: "),
        ({**result, "command": "dance"}, r"is of a command that is not known here: 'dance'"),
        ({**result, "results": [{}]}, r"is not the result of `neurosteer ablate` or `amplify`: task: field required"),
        ([], r"is not the result of a run$"),
    ):
        (folder / "results.json").write_text(json.dumps(broken))
        with pytest.raises(InputError, match=message):
            open_run(folder)
