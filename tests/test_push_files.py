"""Pushes as files of other tools: plain Hugging Face with the vector of the file added does what the edit does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
from sizes import quick_and_slow
from tiny_models import hf_blocks, hf_network, ids_of, random_pairs

from neurosteer.edits import Edit
from neurosteer.errors import InputError, NeurosteerError
from neurosteer.forward import steering
from neurosteer.model import Model, load_model
from neurosteer.neurons import Direction, NeuronSet
from neurosteer.studies import push_files
from neurosteer.studies.push_files import export_push

TOKENS = torch.tensor([ids_of("w3 w1 w4 w1 w5 w9")])
VECTOR = torch.linspace(-1, 1, 32)


def of_gguf(path: Path) -> tuple[int, torch.Tensor]:
    """Layer and vector, as llama.cpp reads them: by the number in the tensor's name."""
    reader = gguf.GGUFReader(str(path))
    assert reader.fields["general.architecture"].contents() == "controlvector"
    assert reader.fields["controlvector.layer_count"].contents() == 1
    [tensor] = reader.tensors
    assert str(tensor.tensor_type.name) == "F32"
    return int(tensor.name.removeprefix("direction.")), torch.from_numpy(tensor.data.copy())


@pytest.mark.parametrize("kind", quick_and_slow(["gpt2"], ["llama", "neox"]))
@pytest.mark.parametrize("to", ["gguf", "lm-eval"])
def test_a_file_does_what_the_push_does(to: Any, kind: str, tiny_folder: Callable[[str], Path], tmp_path: Path):
    """Added by a hook of one's own to what the block gives, at every token."""
    model = load_model(tiny_folder(kind))
    along = Direction.of(model, VECTOR, 1, std=0.7)
    path = tmp_path / ("push.gguf" if to == "gguf" else "push.pt")
    made = export_push(model, Edit.push(along, -3.0, where="every"), path, to=to, pairs=random_pairs(6))
    assert made.logits < 1e-5
    assert (made.texts, made.path, made.to) == (12, str(path), to)
    network = hf_network(tiny_folder(kind))
    if to == "gguf":
        layer, vector = of_gguf(path)
        block = hf_blocks(network)[layer]
    else:
        [(name, told)] = torch.load(path, weights_only=True).items()
        assert told.keys() == {"action", "steering_coefficient", "steering_vector", "bias", "head_index"}
        assert (told["action"], told["bias"], name) == ("add", None, made.module)
        vector = told["steering_coefficient"] * told["steering_vector"]
        block = dict(network.base_model.named_modules())[name]
        assert block is hf_blocks(network)[1]
    torch.testing.assert_close(vector, -3.0 * 0.7 * VECTOR / VECTOR.norm(), rtol=0, atol=1e-6)

    def add(_module: Any, _given: Any, out: Any) -> Any:
        return (out[0] + vector, *out[1:]) if isinstance(out, tuple) else out + vector

    plain = network(TOKENS).logits
    with torch.no_grad(), steering(model, Edit.push(along, -3.0, where="every")):
        pushed = model.bridge(TOKENS, return_type="logits")
    block.register_forward_hook(add)
    assert (plain - pushed).abs().max() > 1e-2
    torch.testing.assert_close(network(TOKENS).logits, pushed, rtol=0, atol=1e-4)


def test_what_such_files_cannot_say(llama: Model, tmp_path: Path):
    along, path = Direction.of(llama, VECTOR, 1), tmp_path / "push.gguf"
    first, attention = Direction.of(llama, VECTOR, 0), Direction.of(llama, VECTOR, 1, site="attn_out")
    for edit, to, reason in [
        (Edit.push(along, 1.0), "gguf", "it acts on all tokens, BOS too, and where 'all' leaves some out"),
        (Edit.project_out(along, where="every"), "lm-eval", "it only adds a vector, and this edit is a zero"),
        (Edit.ablate(NeuronSet.of(llama, [(1, 2)])), "gguf", "it only adds a vector, and this edit is a zero"),
        (
            Edit.push(first, 1.0, where="every"),
            "gguf",
            "llama.cpp has no control vector for",
        ),
        (
            Edit.push(attention, 1.0, where="every"),
            "gguf",
            "it adds to what one",
        ),
    ]:
        with pytest.raises(InputError) as error:
            export_push(llama, edit, path, to=to)
        assert str(error.value).startswith(f"this edit cannot be a {to} file: {reason}")
    push = Edit.push(along, 1.0, where="every")
    with pytest.raises(InputError, match=r"a lm-eval file ends in \.pt, and '.*push\.gguf' does not"):
        export_push(llama, push, path, to="lm-eval")
    path.write_bytes(b"mine")
    with pytest.raises(InputError, match="is there already"):
        export_push(llama, push, path)
    assert path.read_bytes() == b"mine"


def test_a_file_that_does_something_else_is_not_kept(llama: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(push_files._FORMATS, "gguf", lambda *_given: torch.zeros(32))
    push = Edit.push(Direction.of(llama, 9 * VECTOR, 1), 1.0, where="every")
    with pytest.raises(NeurosteerError, match=r"^the file does not do what the edit does: logits differ by "):
        export_push(llama, push, tmp_path / "push.gguf")
    assert not list(tmp_path.glob("*.gguf"))


def test_from_the_command_line(
    run: Any, tiny_folder: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Along the direction of a file, and refused for what a push has no use of."""
    monkeypatch.chdir(tmp_path)
    model = load_model(tiny_folder("llama"))
    Direction.of(model, VECTOR, 2, std=0.5).save("along.safetensors")
    about = ["--model", str(tiny_folder("llama")), "--quiet"]
    written = run(
        "export", "along.safetensors", "push.gguf", "--to", "gguf", "--push", "2", "--format", "json", *about
    )
    assert (written.code, written.err) == (0, "")
    told = json.loads(written.out)
    assert told["options"] == {"edit": "along.safetensors", "to": "gguf", "push": 2.0}
    [made] = told["results"]
    assert (made["path"], made["to"], made["edit"]["where"], made["logits"] < 1e-5) == (
        "push.gguf",
        "gguf",
        "every",
        True,
    )
    layer, vector = of_gguf(Path("push.gguf"))
    assert (layer, round(float(vector.norm()), 5)) == (2, 1.0)
    for more in (["--to", "gguf"], ["--push", "2"], ["--to", "hf", "--push", "2"]):
        refused = run("export", "along.safetensors", "other.gguf", *more, *about)
        assert (refused.code, refused.err.count("\n")) == (2, 1)
