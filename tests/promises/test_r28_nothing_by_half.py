"""R28: nothing is loaded by half: one line names what would be left out, made up or read as something else.

Each kind has several members: tensors that the model does not take, missing or misshapen ones, quantised layouts and
unknown quantisations, weights that are no numbers, adapters beside or inside the weights, more token ids than rows,
configs without layers; and what may be there is let pass.
"""

from __future__ import annotations

import inspect
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from plain_edits import hf_logprobs
from safetensors.torch import load_file, save_file
from sizes import quick_and_slow
from tiny_models import hf_network, ids_of, random_pairs, save_tokenizer, sentences_of
from torch import Tensor, nn

from neurosteer.errors import InputError
from neurosteer.forward import score
from neurosteer.model import load_model

GATE, UP = "model.layers.1.mlp.gate_proj.weight", "model.layers.1.mlp.up_proj.weight"
Change = Callable[[dict[str, Tensor]], object]


@pytest.fixture
def folder(tiny_folder: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy to spoil."""
    return shutil.copytree(tiny_folder("llama"), tmp_path / "llama")


def message_of(source: object, **options: Any) -> str:
    """The one line that loading ends with."""
    with pytest.raises(InputError) as error:
        inspect.unwrap(load_model)(source, **options)  # past the type checker of the tests
    assert error.value.exit_code == 2
    assert "\n" not in str(error.value)
    return str(error.value)


def change_weights(folder: Path, change: Change) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def change_config(folder: Path, **values: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | values), "utf-8")


def named(more: Mapping[str, Tensor]) -> Change:
    return lambda weights: weights.update(more)


# --- tensors ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"model.layers.0.self_attn.q_proj.bias": torch.ones(32)}, "have 1 tensor for which its config has no place"),
        (
            {"model.layers.3.mlp.up_proj.weight": torch.ones(48, 32)},
            "(model.layers.3.mlp.up_proj.weight): the numbers",
        ),
        ({f"model.extra.{i}": torch.ones(2) for i in range(5)}, "(model.extra.0, model.extra.1, model.extra.2, ...)"),
        (
            {"model.layers.0.mlp.up_proj.lora_A.weight": torch.ones(2, 32)},
            "an adapter, which would be left out; merge",
        ),
        ({"model.layers.0.mlp.up_proj.qweight": torch.ones(2, 2)}, "a quantised layout that its config does not"),
        ({"model.layers.0.mlp.up_proj.scales": torch.ones(2, 2)}, "a quantised layout that its config does not"),
        ({"model.layers.0.mlp.up_proj.weight_scale_inv": torch.ones(1)}, "a quantised layout that its config does"),
    ],
)
def test_tensors_that_the_model_does_not_take(more: dict[str, Tensor], told: str, folder: Path):
    change_weights(folder, named(more))
    text = message_of(folder)
    assert text.startswith(f"the weights of {folder} have ")
    assert told in text


def test_what_older_versions_wrote_beside_the_weights_may_be_there(
    tiny_folder: Callable[[str], Path], tmp_path: Path
):
    """Masks and tables that newer ones compute anew."""
    folder = shutil.copytree(tiny_folder("gpt2"), tmp_path / "gpt2")
    stamp = load_model(folder).fingerprint
    mask = torch.ones(1, 1, 64, 64).tril()
    left = {"transformer.h.0.attn.bias": mask, "transformer.h.0.attn.masked_bias": torch.tensor(-1e4)}
    change_weights(folder, named(left))
    assert load_model(folder).fingerprint == stamp


def test_tensors_that_are_missing_or_of_another_shape(folder: Path):
    change_weights(folder, lambda weights: (weights.pop(GATE), weights.pop(UP)))
    assert message_of(folder) == f"the weights of {folder} are incomplete: {GATE}, {UP} are missing"
    change_weights(folder, named({GATE: torch.ones(48, 32), UP: torch.ones(40, 32)}))
    assert message_of(folder) == f"the weights of {folder} do not fit its config: {UP} is 40 x 32, not 48 x 32"


@pytest.mark.parametrize("kind", [torch.int8, torch.uint8, torch.float8_e4m3fn])
def test_a_quantised_layout_that_looks_plain(kind: torch.dtype, folder: Path):
    """Same name, same shape: only the type gives it away."""
    change_weights(folder, lambda weights: weights.update({UP: (3 * weights[UP]).to(kind)}))
    text = message_of(folder)
    assert text.startswith(f"{folder} stores {UP} as ")
    assert text.endswith("a quantised layout that its config does not declare; load the unquantised model")


@pytest.mark.parametrize(("value", "what"), [(torch.nan, "NaN"), (torch.inf, "infinite"), (-torch.inf, "infinite")])
@pytest.mark.parametrize("name", quick_and_slow([UP], ["model.norm.weight", "model.embed_tokens.weight"]))
def test_weights_that_are_no_numbers(value: float, what: str, name: str, folder: Path):
    change_weights(folder, lambda weights: weights[name].view(-1)[-1:].fill_(value))
    told = f"has weights that are {what}, in {name}; take another copy of the model"
    assert message_of(folder) == f"{folder} {told}"
    network, tokenizer = hf_network(folder), transformers.AutoTokenizer.from_pretrained(folder)
    assert message_of(network, tokenizer=tokenizer).endswith(told)


def test_weights_that_overflow_a_number_type(folder: Path):
    change_weights(folder, lambda weights: weights[UP].fill_(1e5))
    assert load_model(folder).dtype == torch.float32
    assert message_of(folder, dtype="float16") == (
        f"{folder} does not fit float16: {UP} overflows; try --dtype bfloat16 or float32"
    )


def split_into_shards(folder: Path) -> tuple[Path, Path]:
    """The weights in two files and an index, as large models are published."""
    whole = folder / "model.safetensors"
    weights, shards = load_file(whole), [folder / f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    whole.unlink()
    names = sorted(weights)
    places = {name: shards[2 * i >= len(names)] for i, name in enumerate(names)}
    for shard in shards:
        save_file({name: weights[name] for name in names if places[name] == shard}, shard, {"format": "pt"})
    index = {"metadata": {}, "weight_map": {name: shard.name for name, shard in places.items()}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")
    return shards[0], shards[1]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda second: second.pop("model.norm.weight"), "are incomplete: model.norm.weight is missing"),
        (named({"model.extra": torch.ones(2)}), "have 1 tensor for which its config has no place (model.extra)"),
        (
            named({"model.norm.weight": torch.full((32,), torch.nan)}),
            "weights that are NaN, in model.norm.weight",
        ),
        (
            named({"model.norm.weight": torch.ones(32, dtype=torch.int8)}),
            "stores model.norm.weight as I8, a",
        ),
    ],
)
def test_what_is_wrong_in_the_second_of_two_files(change: Change, told: str, folder: Path):
    _, second = split_into_shards(folder)
    assert load_model(folder).n_layers == 3
    weights = load_file(second)
    change(weights)
    save_file(weights, second, {"format": "pt"})
    assert told in message_of(folder)


def test_a_file_of_two_is_missing(folder: Path):
    _, second = split_into_shards(folder)
    second.unlink()
    assert message_of(folder) == f"cannot load the model in {folder}: No such file or directory: {second}"


def test_the_files_that_are_loaded_are_checked(folder: Path):
    """Beside a whole file transformers passes over an index and its shards, whatever is in which."""
    shutil.copy(folder / "model.safetensors", folder / "whole")
    split_into_shards(folder)
    (folder / "whole").rename(folder / "model.safetensors")
    change_weights(folder, lambda weights: [weight.mul_(0.5) for weight in weights.values()])
    pairs, network = random_pairs(6), hf_network(folder)
    expected = [hf_logprobs(network, ids_of(sentence, eos=None)).sum() for sentence in sentences_of(pairs)]
    found = score(load_model(folder), pairs).logprob.flatten().double()
    torch.testing.assert_close(found, torch.stack(expected), rtol=0, atol=1e-4)
    change_weights(folder, lambda weights: weights.update({UP: (3 * weights[UP]).to(torch.int8)}))
    assert message_of(folder).startswith(f"{folder} stores {UP} as I8, a quantised layout")


def test_a_tensor_in_two_files(folder: Path):
    first, second = split_into_shards(folder)
    doubled = load_file(second)
    doubled[GATE] = load_file(first)[GATE]
    save_file(doubled, second, {"format": "pt"})
    assert load_model(folder).n_layers == 3  # both say the same
    doubled[GATE] = 2 * doubled[GATE]
    save_file(doubled, second, {"format": "pt"})
    assert message_of(folder) == (
        f"the weights of {folder} have {GATE} twice, with other values in {second.name} than in {first.name}; take "
        "another copy of the model"
    )


def test_weights_that_a_config_names(folder: Path):
    """transformers would load these instead of those that were checked."""
    shutil.copy(folder / "model.safetensors", folder / "other.safetensors")
    for named in ("other.safetensors", "adapter_model.bin"):
        change_config(folder, transformers_weights=named)
        assert message_of(folder) == (
            f"the config of {folder} names weights of its own, '{named}', beside model.safetensors; take "
            "transformers_weights out of it"
        )
    change_config(folder, transformers_weights="model.safetensors")
    assert load_model(folder).n_layers == 3


def test_a_head_that_a_config_calls_tied_is_taken_as_it_is_stored(folder: Path):
    """Weights that differ from the embedding's are not replaced by them."""
    pairs = random_pairs(6)
    expected = score(load_model(folder), pairs).logprob
    change_config(folder, tie_word_embeddings=True)
    assert torch.equal(score(load_model(folder), pairs).logprob, expected)


# --- quantisation and adapters ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"quant_method": "zzz", "bits": 4}, "a quant_method that transformers does not know, 'zzz'; load the"),
        ({"quant_method": "gptq-2", "bits": 4}, "a quant_method that transformers does not know, 'gptq-2'; load the"),
        ({"bits": 4, "group_size": 64}, "quantization_config in its config names no quant_method"),
    ],
)
def test_quantisations_that_transformers_would_pass_over(settings: dict[str, Any], told: str, folder: Path):
    change_config(folder, quantization_config=settings)
    assert message_of(folder).startswith(f"{folder} is quantised")
    assert told in message_of(folder)


def test_a_quantisation_that_the_config_declares(folder: Path):
    change_weights(folder, lambda weights: weights.update({UP: weights[UP].to(torch.float8_e4m3fn)}))
    change_config(folder, quantization_config={"quant_method": "fp8", "weight_block_size": [128, 128]})
    assert message_of(folder) == (
        f"{folder} stores {UP} as F8_E4M3, as its quantization_config says (fp8); load the unquantised model"
    )


@pytest.mark.parametrize("method", ["gptq", "torchao"])
def test_a_quantisation_whose_library_is_not_here(method: str, folder: Path):
    """To install it would not help."""
    change_config(folder, quantization_config={"quant_method": method, "bits": 4, "quant_type": "int4_weight_only"})
    assert message_of(folder) == (
        f"quantised weights ({method}) cannot be edited exactly; load the model in float32 or bfloat16"
    )


@pytest.mark.filterwarnings("ignore")  # torch itself deprecates it
def test_a_network_that_torch_has_quantised(folder: Path):
    network = hf_network(folder)
    torch.ao.quantization.quantize_dynamic(network, {nn.Linear}, dtype=torch.qint8, inplace=True)
    text = message_of(network, tokenizer=transformers.AutoTokenizer.from_pretrained(folder))
    assert text.startswith("quantised weights (torch.ao.nn.quantized.dynamic")


@pytest.mark.parametrize(
    "name",
    ["adapter_model.safetensors", "adapter_model.bin", "adapters.safetensors", "pytorch_lora_weights.safetensors"],
)
def test_an_adapter_beside_the_weights(name: str, folder: Path):
    (folder / name).write_bytes(b"anything")
    text = message_of(folder)
    assert text.startswith(
        f"{folder} has an adapter beside its weights ({name}), which would be left out; merge it ("
    )
    assert text.endswith(".merge_and_unload().save_pretrained(FOLDER)), or move it away")


def test_a_folder_of_an_adapter_alone(tmp_path: Path):
    (tmp_path / "adapter_config.json").write_text("{}", "utf-8")
    assert message_of(tmp_path).startswith(f"{tmp_path} has an adapter and no whole model (adapter_config.json)")


def test_an_adapter_inside_a_network(folder: Path):
    """As `network.load_adapter` leaves it, and behind PEFT's own class."""
    network, tokenizer = hf_network(folder), transformers.AutoTokenizer.from_pretrained(folder)
    network.model.layers[0].mlp.register_module("lora_A", nn.Linear(2, 2))
    assert message_of(network, tokenizer=tokenizer) == (
        "this model has an adapter (model.layers.0.mlp.lora_A.weight); merge it: model = model.merge_and_unload()"
    )
    behind = nn.Module()
    behind.merge_and_unload = lambda: None  # type: ignore[assignment]
    assert message_of(behind) == "this model has an adapter; merge it: model = model.merge_and_unload()"


# --- tokens and layers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("special", [True, False])
def test_more_token_ids_than_embedding_rows(special: bool, folder: Path):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["zebra"], special_tokens=special)
    tokenizer.save_pretrained(folder)
    told = "has 65 token ids and its embedding 64 rows: there is none for 'zebra' (64); resize the embedding"
    assert message_of(folder).startswith(f"the tokenizer of {folder} {told}")
    assert told in message_of(hf_network(folder), tokenizer=tokenizer)


def test_fewer_token_ids_than_embedding_rows_are_usual(folder: Path):
    save_tokenizer(folder, eos="w5")
    assert load_model(folder).eos.id == 5


def test_a_placeholder_for_pictures_needs_no_row(folder: Path):
    """Published text models name one for which their embedding has no row: no text holds it."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, extra_special_tokens={"image_token": "<picture>"})
    tokenizer.save_pretrained(folder)
    assert tokenizer.get_vocab()["<picture>"] == 64
    assert load_model(folder).n_layers == 3


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bloom"])
def test_a_config_without_layers(kind: str, tiny_folder: Callable[[str], Path], tmp_path: Path):
    folder = shutil.copytree(tiny_folder(kind), tmp_path / kind)
    name = "num_hidden_layers" if kind == "llama" else "n_layer"
    change_config(folder, **{name: 0})
    assert message_of(folder) == f"{folder} has no layers: num_hidden_layers is 0 in its config"


# --- what libraries say ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"model_type": "zzz"}, "zzz"),
        ({"hidden_size": "wide"}, "hidden_size"),
        ({"num_attention_heads": 5}, "number of attention heads (5)"),
        ({"hidden_act": "zzz"}, "transformers knows no hidden_act 'zzz', which its config names"),
        (
            {"rope_parameters": {"rope_type": "zzz", "rope_theta": 10000.0}},
            "transformers knows no rope_parameters.rope_type 'zzz', which its config names",
        ),
        ({"quantization_config": ["gptq"]}, "quantization_config in its config is no object"),
    ],
)
def test_the_part_that_names_the_field(change: dict[str, Any], told: str, folder: Path):
    change_config(folder, **change)
    text = message_of(folder)
    assert text.startswith(f"cannot load the model in {folder}: ")
    assert told in text
    assert len(text) < 500
    assert text.count(",") < 12


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 12\n"


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "weights.gguf"])
def test_a_pointer_of_git_lfs(name: str, folder: Path):
    file = folder / name
    file.write_bytes(POINTER)
    told = f"{file} is a pointer of git-lfs, not the file itself; run `git lfs pull` in its folder"
    assert message_of(folder if name != "weights.gguf" else file) == told


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "model.safetensors"])
def test_the_file_that_is_broken(name: str, folder: Path):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    text = message_of(folder)
    assert text.startswith("cannot load the ")
    assert f" in {folder}: its {name} is no " in text


@pytest.mark.parametrize("index", ["{}", "[]", '{"weight_map": {"model.norm.weight": 3}}'])
def test_an_index_that_is_none(index: str, folder: Path):
    split_into_shards(folder)
    (folder / "model.safetensors.index.json").write_text(index, "utf-8")
    assert message_of(folder) == (
        f"cannot load the model in {folder}: its model.safetensors.index.json has no weight_map, which says where "
        "each tensor is; take another copy"
    )


def test_a_class_that_cannot_read_the_tokenizer(folder: Path):
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"tokenizer_class": "T5Tokenizer"}), "utf-8")
    told = f"cannot load the tokenizer (T5Tokenizer, says tokenizer_config.json) in {folder}: "
    assert message_of(folder).startswith(told)


def test_weights_that_are_pickles_alone(folder: Path):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert message_of(folder) == (
        f"cannot load the model in {folder}: its weights are pickles (pytorch_model.bin), which can run any code; if "
        "you trust them, convert them: AutoModelForCausalLM.from_pretrained(FOLDER, use_safetensors=False)"
        ".save_pretrained(FOLDER)"
    )
