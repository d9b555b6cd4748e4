"""Edits in weights: the written folder, as plain Hugging Face loads it, does what a slow hook does."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from made_pairs import made_pairs
from sizes import all_slow_but
from tiny_models import hf_blocks, hf_network, ids_of, random_pairs
from torch import Tensor

from neurosteer.edits import Edit
from neurosteer.errors import InputError, NeurosteerError
from neurosteer.model import Model, load_model
from neurosteer.neurons import Direction, NeuronSet
from neurosteer.studies import export as exporting
from neurosteer.studies.export import export_edit

PAIRS = random_pairs(6)
TOKENS = torch.tensor([ids_of("w3 w1 w4 w1 w5 w9")])
INPUTS = {  # of which module of a block each site is the input
    ("llama", "z"): "self_attn.o_proj",
    ("llama", "mlp_post"): "mlp.down_proj",
    ("gpt2", "z"): "attn.c_proj",
    ("gpt2", "mlp_post"): "mlp.c_proj",
    ("neox", "z"): "attention.dense",
    ("gemma3", "mlp_post"): "mlp.down_proj",
}
CHOSEN = [(0, 3), (0, 17), (2, 8)]


def by_hook(network: Any, path: str, scale: float) -> Tensor:
    """Logits where the chosen inputs of a module are scaled at every token, BOS too."""

    def scaler(layer: int) -> Callable[..., Any]:
        def change(_module: Any, given: tuple[Tensor, ...]) -> Any:
            values = given[0].clone()
            for unit in (unit for at, unit in CHOSEN if at == layer):
                values[..., unit] *= scale
            return (values, *given[1:])

        return change

    with ExitStack() as stack:
        for layer, block in enumerate(hf_blocks(network)):
            stack.callback(block.get_submodule(path).register_forward_pre_hook(scaler(layer)).remove)
        return network(TOKENS).logits


@pytest.mark.parametrize(("kind", "site"), all_slow_but([("llama", "z"), ("gpt2", "mlp_post")], INPUTS))
def test_the_written_weights_do_what_a_hook_does(
    kind: str, site: str, tiny_folder: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = tiny_folder(kind)
    model, scale = load_model(folder), 0.0 if site == "z" else -1.3
    edit = Edit.amplify(NeuronSet.of(model, CHOSEN, site=site), scale, where="every")
    capsys.readouterr()
    made = export_edit(model, edit, tmp_path / "edited", pairs=PAIRS)
    assert capsys.readouterr().err == ""  # no bar of another library
    written = hf_network(tmp_path / "edited")
    expected = by_hook(hf_network(folder), INPUTS[kind, site], scale)
    assert (expected - hf_network(folder)(TOKENS).logits).abs().max() > 1e-3
    assert (written(TOKENS).logits - expected).abs().max() < 1e-4
    assert made.logits < 1e-5
    assert (made.same_decisions, made.pairs, made.texts) == (6, 6, 12)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "edited")
    assert tokenizer("w3 w1")["input_ids"][-2:] == [3, 1]
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".edited")) == []


def test_what_weights_cannot_say(llama: Model, tmp_path: Path):
    heads = NeuronSet.of(llama, [(1, 2)], by="head")
    stream = NeuronSet.of(llama, [(1, 2)])
    for edit, reason in [
        (Edit.ablate(heads), "where 'all' leaves out tokens, and weights act on all of them, BOS too"),
        (Edit.ablate(stream, where="every"), "resid_post is written by many blocks and read by many"),
        (Edit.clamp(heads, 1.0, where="every"), "clamp puts other values in the place of the units' own"),
        (Edit.project_out(Direction.of(llama, [1.0] * 32, 1), where="every"), "along a direction units are mixed"),
    ]:
        with pytest.raises(InputError) as error:
            export_edit(llama, edit, tmp_path / "edited")
        assert str(error.value).startswith(f"this edit cannot be put into weights exactly: {reason}")
    (tmp_path / "there").mkdir()
    with pytest.raises(InputError, match="is there already"):
        export_edit(llama, Edit.ablate(heads, where="every"), tmp_path / "there")
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["there"]


def test_weights_that_do_something_else_are_not_kept(llama: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exporting, "bake", lambda *_given: None)
    edit = Edit.ablate(NeuronSet.of(llama, [(1, 2)], by="head"), where="every")
    with pytest.raises(NeurosteerError, match=r"^the weights do not do what the edit does: logits differ by "):
        export_edit(llama, edit, tmp_path / "edited", pairs=PAIRS)
    assert not [path for path in tmp_path.iterdir() if "edited" in path.name]


def test_from_the_command_line(
    run: Any, tiny_folder: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    rows = [{"sentence_good": pair.good, "sentence_bad": pair.bad} for pair in made_pairs()]
    (tmp_path / "made.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "prose.txt").write_text("w1 w5 w9 w2 w6 w5 w3\n")
    monkeypatch.chdir(tmp_path)
    about = ["--model", str(tiny_folder("llama")), "--quiet"]
    asked = ["--task", "made", "--data", "made.jsonl", "--controls", "0", "--neutral", "prose.txt", *about]
    assert run("ablate", "--by", "head", "--neurons", "1:2,2:0", "--where", "every", *asked).code == 0
    [edit] = map(str, Path("runs").glob("ablate-*"))
    written = run("export", edit, "edited", "--to", "hf", "--quiet", "--format", "json")
    [made] = json.loads(written.out)["results"]
    assert (made["edit"]["where"], made["edit"]["k"], made["pairs"]) == ("every", 2, made["same_decisions"])
    assert made["logits"] < 1e-5
    scored = json.loads(run("score", "--data", "made.jsonl", "--model", "edited", "--format", "json", "--quiet").out)
    assert scored["results"][0]["pairs"] == 80
    again = run("export", edit, "edited", "--quiet")
    assert (again.code, again.err.count("\n")) == (2, 1)
