"""Loading: where models come from, what they are called, and one clear line for each that cannot be had."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from sizes import quick_and_slow
from tiny_models import hf_network, random_pairs, save_tiny, save_tokenizer
from transformer_lens.model_bridge import TransformerBridge

from neurosteer.errors import InputError, NeurosteerError
from neurosteer.forward import eos_states
from neurosteer.model import Model, encode, load_model, sentence_tokens
from neurosteer.model.specials import Special

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def folder(tiny_folder: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy to spoil."""
    return shutil.copytree(tiny_folder("llama"), tmp_path / "llama")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every attempt to reach the network fails and is noted."""
    attempts: list[Any] = []

    def refuse(*address: Any, **_options: Any) -> None:
        attempts.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return attempts


@pytest.fixture
def hub(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache on disk, in which `someone/tiny` has the revisions `main` and `v2`, with other weights."""
    cache = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    repository = cache / "models--someone--tiny"
    (repository / "refs").mkdir(parents=True)
    for revision, sha, seed in (("main", SHA, 0), ("v2", SHA[::-1], 1)):
        (repository / "refs" / revision).write_text(sha, "utf-8")
        save_tiny("llama", repository / "snapshots" / sha, seed=seed)
    return repository


def message_of(source: object, **options: Any) -> str:
    """The one line that loading ends with."""
    with pytest.raises(InputError) as error:
        load_model(source, **options)
    assert error.value.exit_code == 2
    assert "\n" not in str(error.value)
    return str(error.value)


# --- the hub ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", quick_and_slow([None, "v2"], ["main", SHA[::-1]]))
def test_hub_id_and_revision(revision: str | None, hub: Path, tmp_path: Path, no_network: list[Any]):
    """The revision is that of weights and tokenizer; offline, not one connection is tried."""
    model = load_model("someone/tiny", revision=revision, offline=True)
    same = save_tiny("llama", tmp_path / "same", seed=0 if revision in (None, "main") else 1)
    assert (model.name, model.revision) == ("someone/tiny", revision)
    assert model.fingerprint == load_model(same).fingerprint
    assert no_network == []


def test_only_the_revision_asked_for_need_be_there(hub: Path, no_network: list[Any]):
    (hub / "refs" / "main").unlink()
    assert load_model("someone/tiny", revision="v2", offline=True).revision == "v2"
    assert no_network == []


@pytest.mark.parametrize("revision", [None, "v2"])
def test_the_revision_reaches_every_download(
    revision: str | None, folder: Path, monkeypatch: pytest.MonkeyPatch, no_network: list[Any]
):
    asked: list[tuple[str, str | None, bool, bool]] = []

    def redirect(auto: Any) -> Any:
        class FromTheHub:
            @staticmethod
            def from_pretrained(name: str, **options: Any) -> Any:
                asked.append((name, options["revision"], options["local_files_only"], options["trust_remote_code"]))
                return auto.from_pretrained(folder, **{**options, "revision": None})

        return FromTheHub

    for name in ("AutoConfig", "AutoTokenizer", "AutoModelForCausalLM"):
        monkeypatch.setattr(f"neurosteer.model.load.{name}", redirect(getattr(transformers, name)))
    monkeypatch.setattr("neurosteer.hub.is_reachable", lambda: True)
    looked: list[tuple[str, str, str | None]] = []
    monkeypatch.setattr(
        "huggingface_hub.file_exists", lambda *where, revision: bool(looked.append((*where, revision)))
    )
    load_model("someone/tiny", revision=revision)
    assert asked == [("someone/tiny", revision, False, False)] * 3
    assert looked == [("someone/tiny", "adapter_config.json", revision)]
    assert no_network == []


def test_hub_id_that_is_not_in_the_cache(hub: Path, no_network: list[Any]):
    assert message_of("someone/else", offline=True).startswith("cannot load 'someone/else' from the hub or its cache")
    assert "cannot load 'someone/tiny'" in message_of("someone/tiny", revision="v3", offline=True)
    assert no_network == []


def test_an_unreachable_hub_is_given_up_at_once(hub: Path, monkeypatch: pytest.MonkeyPatch, no_network: list[Any]):
    monkeypatch.setattr("neurosteer.hub.is_reachable", lambda: False)
    text = message_of("someone/else")
    assert text.startswith("cannot load 'someone/else' from the hub or its cache")
    assert text.endswith("name a local folder with --model")
    assert no_network == []


def test_unknown_name(no_network: list[Any], hub: Path):
    text = message_of("smollm2-135n", offline=True)
    assert text.startswith("unknown model 'smollm2-135n'; did you mean 'smollm2-135m'?")
    assert no_network == []


# --- folders ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["./nowhere", "/nowhere/at/all", "a/b/c", "~/no-such-folder"])
def test_missing_folder(source: str):
    assert message_of(source) == f"no such model folder: {source}; name a folder, a hub id or 'smollm2-135m'"


def test_folder_that_holds_no_model(tmp_path: Path):
    assert message_of(tmp_path) == f"{tmp_path} is no Hugging Face model folder: it has no config.json"


def test_a_missing_weight_is_not_made_up(folder: Path):
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    expected = f"the weights of {folder} are incomplete: model.layers.1.mlp.up_proj.weight is missing"
    assert message_of(folder) == expected


@pytest.mark.parametrize(("file", "content"), [("config.json", b"{"), ("model.safetensors", b"short")])
def test_spoilt_folder(file: str, content: bytes, folder: Path):
    (folder / file).write_bytes(content)
    assert message_of(folder).startswith(f"cannot load the model in {folder}: ")


def test_an_architecture_that_transformer_lens_lacks(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_args: Any, **_options: Any) -> None:
        raise ValueError(f"Could not determine it from config.\nAvailable: {list('abcdefghij')}, Config: X")

    monkeypatch.setattr(TransformerBridge, "boot_transformers", refuse)
    with pytest.raises(NeurosteerError) as error:
        load_model(folder)
    assert str(error.value) == (
        f"TransformerLens cannot wrap {folder} (LlamaForCausalLM): Could not determine it from config. "
        "Available: ['a', 'b', 'c', ...], Config: X"
    )


# --- device and dtype --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", ["cuda:99", "banana", "meta"])
def test_device_that_is_not_there(device: str, folder: Path):
    assert message_of(folder, device=device) == f"device '{device}' is not available here; try --device auto"


def test_dtypes(folder: Path):
    """On a CPU `auto` is float32, whatever the checkpoint is."""
    hf_network(folder).to(torch.bfloat16).save_pretrained(folder)
    on_cpu = {name: load_model(folder, device="cpu", dtype=name).dtype for name in ("auto", "float32", "bfloat16")}
    assert on_cpu == {"auto": torch.float32, "float32": torch.float32, "bfloat16": torch.bfloat16}
    model = load_model(folder, device="cpu", dtype="float16")
    assert {p.dtype for p in model.bridge.original_model.parameters()} == {torch.float16}
    assert message_of(folder, dtype="float8") == "unknown dtype 'float8'; one of auto, float32, bfloat16, float16"


def test_a_loaded_model_only_reads(tiny: Callable[[str], Model]):
    network = tiny("llama").bridge.original_model
    assert not any(module.training for module in network.modules())
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert network.config._attn_implementation == "eager"


# --- BOS and EOS -------------------------------------------------------------------------------------------------

START, END = Special(62, "<s>"), Special(63, "</s>")


@pytest.mark.parametrize(
    ("own", "options", "expected"),
    [
        ({}, {}, (START, END)),
        ({}, {"bos": "none"}, (None, END)),
        ({}, {"bos": "w5", "eos": "w6"}, (Special(5, "w5"), Special(6, "w6"))),
        ({"bos": None}, {}, (END, END)),
        ({"bos": None}, {"eos": "w6"}, (Special(6, "w6"), Special(6, "w6"))),
        ({"bos": None}, {"bos": "<s>"}, (START, END)),
        ({"eos": None}, {"eos": "</s>"}, (START, END)),
    ],
)
def test_specials(own: dict[str, Any], options: dict[str, str], expected: tuple[Any, Any], folder: Path):
    save_tokenizer(folder, **own)
    model = load_model(folder, **options)
    assert (model.bos, model.eos) == expected
    start, end = expected
    head = [] if start is None else [start.id]
    assert encode(model, ["w3 w9", "w1"]) == [(*head, 3, 9, end.id), (*head, 1, end.id)]
    assert encode(model, ["w3 w9"], position="last") == [(*head, 3, 9)]
    assert (model.describe().bos, model.describe().eos) == (start and start.id, end.id)


def test_a_padding_token_is_never_taken_for_another(folder: Path):
    fast = transformers.AutoTokenizer.from_pretrained(folder)
    fast.add_special_tokens({"pad_token": "w9"})
    fast.save_pretrained(folder)
    model = load_model(folder)
    assert (model.bos, model.eos) == (START, END)
    assert encode(model, ["w9 w9"]) == [(62, 9, 9, 63)]


def test_tokens_that_a_tokenizer_adds_by_itself_are_not_doubled(folder: Path):
    fast = transformers.AutoTokenizer.from_pretrained(folder, add_bos_token=True, add_eos_token=True)
    fast.save_pretrained(folder)
    assert fast("w3")["input_ids"] == [62, 3, 63]
    assert encode(load_model(folder), ["w3"]) == [(62, 3, 63)]


def test_sentences_that_cannot_be_read(tiny: Callable[[str], Model]):
    model = tiny("llama")
    [longest] = encode(model, [" ".join(["w1"] * 62)])
    assert len(longest) == model.context
    with pytest.raises(InputError, match=r"a sentence of 65 tokens exceeds the 64 of .*: 'w1 w1 .*\.\.\.'"):
        encode(model, ["w1", " ".join(["w1"] * 63)])
    with pytest.raises(InputError, match="makes no tokens of '  '"):
        encode(model, ["w1", "  "])
    assert encode(model, []) == []


# --- the fingerprint ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", quick_and_slow(["llama", "gpt2", "bloom"], ["neox", "gemma3", "qwen3"]))
def test_one_model_has_one_fingerprint(kind: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]):
    """By its path, in another dtype, with other specials, and behind a bridge, whoever built it."""
    folder, stamp = tiny_folder(kind), tiny(kind).fingerprint
    assert load_model(str(folder), dtype="bfloat16", eos="w1").fingerprint == stamp
    assert load_model(tiny(kind).bridge).fingerprint == stamp
    theirs = TransformerBridge.boot_transformers(str(folder), device="cpu", dtype=torch.float32)
    assert load_model(theirs).fingerprint == stamp


def test_a_bridge_gives_the_same_states(tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]):
    theirs = TransformerBridge.boot_transformers(str(tiny_folder("llama")), device="cpu", dtype=torch.float32)
    model, pairs = load_model(theirs), random_pairs(10)
    assert model.bridge is theirs
    expected = eos_states(tiny("llama"), pairs, cache=False).values
    assert torch.equal(eos_states(model, pairs, cache=False).values, expected)


def test_a_bridge_without_a_tokenizer(folder: Path):
    bridge = load_model(folder).bridge
    bridge.tokenizer = None
    assert message_of(bridge) == "this TransformerBridge has no tokenizer; load it with one, or give tokenizer="


def test_another_model_has_another_fingerprint(folder: Path):
    stamps = [load_model(folder).fingerprint]
    weights = load_file(folder / "model.safetensors")
    weights["model.layers.2.mlp.up_proj.weight"][3, 4] += 1e-6
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    stamps.append(load_model(folder).fingerprint)
    save_tokenizer(folder, shift=1)
    stamps.append(load_model(folder).fingerprint)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"rms_norm_eps": 1e-3}), "utf-8")
    stamps.append(load_model(folder).fingerprint)
    assert len(set(stamps)) == 4


@pytest.mark.parametrize("bos", [None, "none"])
def test_sentence_tokens_are_the_words_alone(tiny_folder: Callable[[str], Path], bos: str | None):
    model = load_model(tiny_folder("llama"), bos=bos)
    assert (model.bos is None) == (bos == "none")
    assert sentence_tokens(model, ["w3 w1 w4", "w1"]) == [(3, 1, 4), (1,)]
