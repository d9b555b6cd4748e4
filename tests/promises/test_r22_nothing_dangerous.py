"""R22: nothing dangerous is loaded: no pickles, no remote code, no way out of a folder, in whatever is handed on.

Each attempt is refused in one line, and leaves no trace: no code has run, nothing outside the folder was written.
"""

from __future__ import annotations

import ast
import json
import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_pairs import made_pairs
from safetensors.torch import load_file as load_torch
from stub_recipe import DIGEST, stub_units

import neurosteer
from neurosteer.artefacts import check_path
from neurosteer.cli import main
from neurosteer.errors import CorruptFileError, InputError
from neurosteer.model import load_model
from neurosteer.neurons import NeuronSet, Ranking
from neurosteer.runner.execution import run_units
from neurosteer.store import MANIFEST, canonical_json, file_digest, file_stem, locked, write_artefact

pytestmark = pytest.mark.usefixtures("blank_pictures")

PACKAGE = Path(neurosteer.__file__).parent
ESCAPES = ("../../x", "/etc/passwd", "..", "a/../../x", "..\\x", "~/x", "x\0y", "")


class Planted:
    """A pickle that leaves a file when it is loaded."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return Path.touch, (self.trace,)


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """The file that code which was run would have left."""
    path = tmp_path / "ran"
    pickle.loads(pickle.dumps(Planted(path)))
    assert path.exists()  # the trap is a good one
    path.unlink()
    return path


@pytest.fixture
def folder(tiny_folder: Callable[[str], Path], tmp_path: Path) -> Path:
    """A sound model's folder of one's own."""
    return Path(shutil.copytree(tiny_folder("llama"), tmp_path / "model"))


def message_of(folder: Path) -> str:
    """The one line that loading ends with."""
    with pytest.raises(InputError) as error:
        load_model(folder)
    assert "\n" not in str(error.value)
    return str(error.value)


# --- what is unpickled or run ------------------------------------------------------------------------------------


@pytest.mark.parametrize("load", [Ranking.load, NeuronSet.load])
def test_a_pickle_that_calls_itself_an_artefact(load: Callable[[Path], object], trace: Path, tmp_path: Path):
    path = tmp_path / "neurons.safetensors"
    path.write_bytes(pickle.dumps(Planted(trace)))
    with pytest.raises(CorruptFileError, match="is damaged or no safetensors file"):
        load(path)
    [row] = check_path(path)
    assert not row["ok"]
    assert not trace.exists()


@pytest.mark.parametrize("harmless", [False, True])
@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.safetensors", "indexed.bin"])
def test_pickled_weights(folder: Path, trace: Path, name: str, harmless: bool):
    """Under the old name, under that of safetensors, and by way of an index; even where they hold only weights."""
    weights = load_torch(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights if harmless else Planted(trace), folder / name)
    if name == "indexed.bin":
        index = {"metadata": {"total_size": 1}, "weight_map": dict.fromkeys(weights, name)}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")
    assert message_of(folder).startswith(f"cannot load the model in {folder}: ")
    assert not trace.exists()


def plant_code(folder: Path, trace: Path) -> None:
    (folder / "theirs.py").write_text(
        f"open({str(trace)!r}, 'w')\n"
        "from transformers import LlamaConfig as Config, LlamaForCausalLM as Network\n"
        "from transformers import PreTrainedTokenizerFast as Words\n",
        "utf-8",
    )


def change(path: Path, **keys: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | keys), "utf-8")


MAP = {"AutoConfig": "theirs.Config", "AutoModelForCausalLM": "theirs.Network", "AutoTokenizer": ["", "theirs.Words"]}


def test_an_architecture_that_brings_its_code(folder: Path, trace: Path, monkeypatch: pytest.MonkeyPatch):
    """Refused, even where somebody would say yes."""
    plant_code(folder, trace)
    change(folder / "config.json", model_type="theirs", auto_map=MAP)
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    assert "custom code" in message_of(folder)
    assert not trace.exists()


def test_a_known_architecture_that_brings_its_code(folder: Path, trace: Path):
    """The library's own is taken; theirs is never run, nor that of the tokenizer."""
    plant_code(folder, trace)
    change(folder / "config.json", auto_map=MAP)
    change(folder / "tokenizer_config.json", auto_map={"AutoTokenizer": MAP["AutoTokenizer"]})
    (folder / "custom_generate").mkdir()
    shutil.copy(folder / "theirs.py", folder / "custom_generate" / "generate.py")
    model = load_model(folder)
    assert type(model.bridge.original_model).__module__.startswith("transformers.models.")
    assert not trace.exists()


def test_a_tokenizer_that_brings_its_code(folder: Path, trace: Path):
    plant_code(folder, trace)
    theirs = {"tokenizer_class": "Words", "auto_map": {"AutoTokenizer": MAP["AutoTokenizer"]}}
    change(folder / "tokenizer_config.json", **theirs)
    (folder / "tokenizer.json").unlink()
    message_of(folder)
    assert not trace.exists()


DANGEROUS = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml"}
CALLS = {"eval", "exec", "compile", "__import__"}


def dangers_of(code: str) -> list[str]:
    """Imports and calls of a module that load more than data, and whatever trusts a model's own code."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names if name.name.partition(".")[0] in DANGEROUS]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in DANGEROUS:
            found.append(str(node.module))
        elif isinstance(node, ast.Call):
            named = ast.unparse(node.func)
            keywords = {word.arg: word.value for word in node.keywords}
            if named in CALLS or named in ("torch.load", "np.load", "os.system") or "shell" in keywords:
                found.append(named)
        if isinstance(node, ast.keyword) and node.arg == "trust_remote_code":
            found += [] if ast.unparse(node.value) == "False" else ["trust_remote_code"]
        elif isinstance(node, ast.Dict):
            words = [ast.unparse(key) for key in node.keys if key is not None]
            trusted = "'trust_remote_code'" in words and "'trust_remote_code': False" not in ast.unparse(node)
            found += ["trust_remote_code"] if trusted else []
    return found


def test_no_module_loads_more_than_data():
    modules = sorted(PACKAGE.rglob("*.py"))
    assert len(modules) > 400
    assert {path: found for path in modules if (found := dangers_of(path.read_text("utf-8")))} == {}


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "x = torch.load(path)",
        "eval(text)",
        "subprocess.run(text, shell=True)",
        "load(trust_remote_code=True)",
        "where = {'trust_remote_code': asked}",
    ],
)
def test_such_a_module_would_be_noticed(code: str):
    assert dangers_of(code) != []


# --- ways out of a folder ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ESCAPES)
def test_names_become_files_of_the_folder(tmp_path: Path, name: str):
    """Of tasks, models, methods and recipes."""
    stem = file_stem(name)
    assert stem
    assert Path(stem).name == stem
    assert (tmp_path / f"{stem}.csv").resolve().parent == tmp_path.resolve()


@pytest.mark.parametrize("name", [name for name in ESCAPES if name])
def test_units_keep_to_their_folder(tmp_path: Path, name: str):
    evil = [replace(stub_units()[0], name=name)]
    with pytest.raises(ValueError, match="no stem of a file"):
        run_units(evil, tmp_path / "out" / "run", DIGEST)
    assert not list(tmp_path.rglob("*.safetensors"))


@pytest.fixture(scope="module")
def sound(tiny_folder: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pairs, a recipe, a model and a find."""
    place = tmp_path_factory.mktemp("sound")
    rows = [{"sentence_good": pair.good, "sentence_bad": pair.bad} for pair in made_pairs()]
    (place / "made.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    shutil.copytree(tiny_folder("llama"), place / "llama")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("NEUROSTEER_HOME", str(tmp_path_factory.mktemp("home")))
        find = ["find", "--data", "made.jsonl", "--method", "welch", "--layers", "1", "--draws", "1"]
        with pytest.raises(SystemExit, match="0"):
            main([*find, "--model", "llama", "--quiet", "--format", "json"])
    return place


@pytest.fixture
def place(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in which the test stands; beside it lies `secret`."""
    place = Path(shutil.copytree(sound, tmp_path / "place"))
    (tmp_path / "secret").write_text("mine")
    monkeypatch.chdir(place)
    return place


def find_of(place: Path) -> Path:
    [folder] = place.glob("runs/find-*")
    return folder


def list_files(folder: Path, **more: str) -> None:
    """A manifest that is sound in itself, of what lies there now and more."""
    text = json.loads((folder / MANIFEST).read_text("utf-8"))
    text["files"] = {name: file_digest(folder / name) for name in text["files"] if (folder / name).is_file()} | more
    (folder / MANIFEST).write_text(canonical_json(text), "utf-8")


@pytest.mark.parametrize("name", ["../../../secret", "../place/made.jsonl", "sub/../made.csv", "..", ""])
def test_a_manifest_that_names_files_elsewhere(place: Path, name: str):
    folder = find_of(place)
    list_files(folder, **{name: file_digest(place.parent / "secret")})
    [row] = check_path(folder / MANIFEST)
    assert not row["ok"]
    assert row["message"] == f"{folder / MANIFEST} names '{name}', which is no file of its folder"


@pytest.mark.parametrize("name", ["made.csv", "made.welch.safetensors", MANIFEST])
def test_links_in_a_run_folder_are_told_and_not_followed(run: Any, place: Path, name: str):
    """Even to a copy of the same bytes, and nobody takes neurons from there."""
    folder, elsewhere = find_of(place), place.parent / "elsewhere"
    (folder / name).rename(elsewhere)
    (folder / name).symlink_to(elsewhere)
    rows = check_path(place / "runs")
    assert any("is a symbolic link" in row["message"] and not row["ok"] for row in rows)
    checked = run("check", "runs")
    assert checked.code == 1
    if name != MANIFEST:
        outcome = run("ablate", "--model", "llama", "--offline")
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.splitlines()[0].startswith("note: passed over: ")


def test_a_link_to_a_folder_is_not_entered(place: Path):
    (place / "runs" / "theirs").symlink_to(place.parent, target_is_directory=True)
    assert all("theirs" not in row["path"] for row in check_path(place / "runs"))


def test_results_that_name_files_elsewhere(run: Any, place: Path):
    """A find whose results say another task, and a ranking that lies elsewhere, under a manifest that agrees."""
    folder = find_of(place)
    whole = json.loads((folder / "results.json").read_text("utf-8"))
    shutil.copy(folder / "made.welch.safetensors", place.parent / "x.safetensors")
    for key, value, told in [
        ("rankings", {"welch": "../../../x.safetensors"}, "no such file: "),
        ("task", "../../x", "unknown task '../../x' ("),
    ]:
        entry = whole["results"][0] | {key: value}
        (folder / "results.json").write_text(json.dumps({**whole, "results": [entry]}), "utf-8")
        list_files(folder)
        outcome = run("ablate", "--model", "llama", "--offline", "--quiet")
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
        assert outcome.err.startswith(f"neurosteer: {told}")


def save_saying(place: Path, **about: str) -> None:
    """Neurons of the find in `theirs.safetensors`, whose provenance says something else."""
    chosen = Ranking.load(find_of(place) / "made.welch.safetensors").top(3)
    replace(chosen, metadata={**chosen.metadata, **about}).save(place / "theirs.safetensors")


@pytest.mark.parametrize("task", ["../../x", "/etc/passwd"])
def test_an_artefact_that_names_a_task_elsewhere(run: Any, place: Path, task: str):
    save_saying(place, task=task)
    outcome = run("ablate", "--neurons", "theirs.safetensors", "--model", "llama", "--offline", "--quiet")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == f"neurosteer: unknown task '{task}' ('made.jsonl' holds: made)\n"


def test_an_artefact_whose_method_is_a_path(run: Any, place: Path):
    """What is written from it keeps to its run folder."""
    save_saying(place, method="../../y")
    before = set(place.parent.rglob("*"))
    call = ["ablate", "--neurons", "theirs.safetensors", "--model", "llama", "--controls", "2", "--quiet"]
    outcome = run(*call, "--format", "json")
    assert (outcome.code, outcome.err) == (0, "")
    [folder] = place.glob("runs/ablate-*")
    home = Path(os.environ["NEUROSTEER_HOME"])
    new = set(place.parent.rglob("*")) - before
    assert all(folder in (path, *path.parents) or home in (path, *path.parents) for path in new)


RECIPE = 'format = 1\nexperiments = ["fig5"]\nmodel = "llama"\ndata = "made.jsonl"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (RECIPE + 'out = "../../x"\n', "theirs.toml: unknown key 'out'"),
        (RECIPE + 'name = "../../x"\n', "theirs.toml: unknown key 'name'"),
        (RECIPE + 'tasks = ["../../x"]\n', "unknown task '../../x' ('made.jsonl' holds: made)"),
        (RECIPE.replace("made.jsonl", "../secret"), "'../secret' is of an unknown kind; a file of pairs ends in "),
        (RECIPE + "trust_remote_code = true\n", "theirs.toml: unknown key 'trust_remote_code'"),
    ],
)
def test_recipes_that_reach_elsewhere(run: Any, place: Path, text: str, told: str):
    (place / "theirs.toml").write_text(text)
    before = sorted(place.parent.rglob("*"))
    outcome = run("run", "theirs.toml", "--offline")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert outcome.err.startswith(f"neurosteer: {told}")
    assert sorted(place.parent.rglob("*")) == before


# --- links that were planted where something is written ----------------------------------------------------------


def test_an_artefact_takes_the_place_of_a_link(tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("mine")
    path = tmp_path / "a.safetensors"
    path.symlink_to(secret)
    write_artefact(path, "neurons", {"x": np.zeros(2)}, {})
    assert secret.read_text() == "mine"
    assert not path.is_symlink()


def test_a_lock_is_not_taken_through_a_link(tmp_path: Path):
    """To open the lock for writing would empty what it points to."""
    secret = tmp_path / "secret"
    secret.write_text("mine")
    (tmp_path / ".states.lock").symlink_to(secret)
    with pytest.raises(OSError, match="symbolic link"), locked(tmp_path / "states"):
        pass
    assert secret.read_text() == "mine"


@pytest.mark.parametrize("name", ["", "units"])
def test_no_recipe_is_run_through_a_link(tmp_path: Path, name: str):
    folder, elsewhere = tmp_path / "runs" / "run", tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = folder / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(elsewhere, target_is_directory=True)
    with pytest.raises(InputError, match="is a symbolic link, through which nothing is written"):
        run_units(stub_units(), folder, DIGEST)
    assert list(elsewhere.iterdir()) == []


def test_a_run_takes_the_place_of_a_link(run: Any, place: Path):
    folder, elsewhere = find_of(place), place.parent / "elsewhere"
    folder.rename(elsewhere)
    before = {path.name: path.read_bytes() for path in elsewhere.iterdir()}
    folder.symlink_to(elsewhere, target_is_directory=True)
    find = ["find", "--data", "made.jsonl", "--method", "welch", "--layers", "1", "--draws", "1"]
    assert run(*find, "--model", "llama", "--quiet", "--format", "json").code == 0
    assert not folder.is_symlink()
    assert {path.name: path.read_bytes() for path in elsewhere.iterdir()} == before
