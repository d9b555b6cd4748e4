"""GGUF files: the numbers are those of the folder that was written into the file, or one line says why not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import tokenizers
import torch
import transformers
from plain_edits import hf_logprobs
from safetensors.torch import load_file
from sizes import quick_and_slow
from tiny_models import GROUPED, hf_network, save_random
from tokenizers import decoders, models, pre_tokenizers

from neurosteer.errors import InputError
from neurosteer.forward import score
from neurosteer.model import load_model
from neurosteer.pairs import Pair, Pairs
from neurosteer.progress import QUIET

SENTENCES = ("The cat sleeps .", "A dog barked at 2024 cats .")
PAIRS = Pairs("toy", "made", (Pair(*SENTENCES, "0"), Pair(*SENTENCES[::-1], "1")))
WORDS = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "th", "the", "<s>", "</s>"]
MERGES = [("t", "h"), ("th", "e")]
NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
LLAMA = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
LLAMA |= {f"model.layers.{i}.{ours}": f"blk.{i}.{theirs}" for i in range(3) for ours, theirs in NAMES.items()}
Change = Callable[[gguf.GGUFWriter], object]


def nothing(_writer: gguf.GGUFWriter) -> None:
    """The file is sound."""


def save(folder: Path, change: Change = nothing, *, pre: str = "gpt-2") -> Path:
    """A tiny Llama, and beside it the same as a GGUF file, whose vocabulary lacks GPT-2's `<|endoftext|>`."""
    ids = {word: i for i, word in enumerate(WORDS)}
    sizes = {"vocab_size": len(WORDS), "bos_token_id": ids["<s>"], "eos_token_id": ids["</s>"]}
    save_random(transformers.LlamaConfig(**{**GROUPED, **sizes}), folder)
    tokenizer = tokenizers.Tokenizer(models.BPE(ids, MERGES))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<s>", "</s>"])
    special = {"bos_token": "<s>", "eos_token": "</s>"}
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    file = folder.with_suffix(".gguf")
    write(file, load_file(folder / "model.safetensors"), change, pre)
    return file


def write(file: Path, weights: dict[str, torch.Tensor], change: Change, pre: str) -> None:
    writer = gguf.GGUFWriter(str(file), "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_block_count(3)
    writer.add_feed_forward_length(48)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(8)
    writer.add_vocab_size(len(WORDS))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(WORDS)
    writer.add_token_types([3 if word in ("<s>", "</s>") else 1 for word in WORDS])
    writer.add_token_merges([" ".join(merge) for merge in MERGES])
    writer.add_bos_token_id(WORDS.index("<s>"))
    writer.add_eos_token_id(WORDS.index("</s>"))
    change(writer)
    for name, theirs in LLAMA.items():
        writer.add_tensor(f"{theirs}.weight", as_in_gguf(theirs, weights[f"{name}.weight"].numpy()))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def as_in_gguf(name: str, weight: np.ndarray) -> np.ndarray:
    """Queries and keys have the pairs of units that are rotated together side by side."""
    if not name.endswith(("attn_q", "attn_k")):
        return weight
    heads = 4 if name.endswith("attn_q") else 2
    rows, columns = weight.shape
    return np.ascontiguousarray(weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2)).reshape(
        rows, columns
    )


def setting(name: str, value: float | str) -> Change:
    def put(writer: gguf.GGUFWriter) -> None:
        (writer.add_string if isinstance(value, str) else writer.add_float32)(f"llama.{name}", value)

    return put


def several(*changes: Change) -> Change:
    return lambda writer: [change(writer) for change in changes]


def message_of(file: Path) -> str:
    with pytest.raises(InputError) as error:
        load_model(file, progress=QUIET)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    "change",
    quick_and_slow(
        [nothing],
        [
            several(setting("rope.scaling.type", "none"), setting("rope.scaling.factor", 0.0)),
            several(setting("rope.scaling.type", "linear"), setting("rope.scaling.factor", 1.0)),
            setting("logit_scale", 1.0),
        ],
    ),
)
def test_the_numbers_of_the_folder(change: Change, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Those of a plain loop over its ids; the file's vocabulary gets no token that it has not."""
    file = save(tmp_path / "llama", change)
    folder = file.with_suffix("")
    capsys.readouterr()
    model = load_model(file, progress=QUIET)
    assert capsys.readouterr() == ("", "")  # no bar of another library
    own, network = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")), hf_network(folder)
    rows = [own.encode(f"<s>{sentence}").ids for pair in PAIRS for sentence in (pair.good, pair.bad)]
    expected = torch.stack([hf_logprobs(network, row).sum() for row in rows]).view(-1, 2)
    torch.testing.assert_close(score(model, PAIRS).logprob.double(), expected, rtol=0, atol=1e-4)
    assert (len(model.tokenizer), model.bos.text, model.eos.text) == (len(WORDS), "<s>", "</s>")


FACTOR = setting("rope.scaling.factor", 4.0)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (several(setting("rope.scaling.type", "linear"), FACTOR), "the setting rope.scaling.type (linear)"),
        (several(setting("rope.scaling.type", "yarn"), FACTOR), "the setting rope.scaling.type (yarn)"),
        (setting("rope.scaling.type", "longrope"), "the setting rope.scaling.type (longrope)"),
        (FACTOR, "the setting rope.scaling.factor (4)"),
        (setting("rope.scale_linear", 2.0), "the setting rope.scale_linear (2)"),
        (setting("logit_scale", 0.5), "the setting logit_scale (0.5)"),
        (setting("final_logit_softcapping", 30.0), "the setting final_logit_softcapping (30)"),
    ],
)
def test_settings_that_transformers_leaves_out(change: Change, told: str, tmp_path: Path):
    file = save(tmp_path / "llama", change)
    assert message_of(file) == (
        f"{file} has {told}, for which transformers' LlamaForCausalLM has no place: the numbers would be others; "
        "take the model's Hugging Face folder"
    )


def test_a_split_that_transformers_does_not_know(tmp_path: Path):
    file = save(tmp_path / "llama", pre="zzz")
    assert message_of(file) == (
        f"{file} says that its text is split as tokenizer.ggml.pre 'zzz', which transformers would take for GPT-2's: "
        "the ids would be others; take the model's Hugging Face folder"
    )


@pytest.mark.parametrize("pre", ["smollm", "llama-bpe", "qwen2"])
def test_splits_that_it_knows(pre: str, tmp_path: Path):
    file = save(tmp_path / "llama", pre=pre)
    assert load_model(file, progress=QUIET).n_layers == 3


def test_scales_beside_quantised_weights(tmp_path: Path):
    def add(writer: gguf.GGUFWriter) -> None:
        writer.add_tensor("blk.0.attn_q.scale", np.ones(1, dtype=np.float32))

    file = save(tmp_path / "llama", add)
    assert message_of(file) == (
        f"{file} has blk.0.attn_q.scale, by which quantised weights are to be multiplied and which transformers "
        "leaves out; take the model's Hugging Face folder"
    )


def test_made_up_tokens_alone_go(tmp_path: Path):
    """What the file's own tokens are called is kept, whatever else its class adds."""
    from neurosteer.model.gguf_header import Header, without_made_up

    file = save(tmp_path / "llama")
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(file.with_suffix(""))
    assert without_made_up(tokenizer, Header({}, {}, len(WORDS))) is tokenizer
    tokenizer.add_special_tokens({"unk_token": "<|endoftext|>", "pad_token": "</s>"})
    found = without_made_up(tokenizer, Header({}, {}, len(WORDS)))
    assert (found.unk_token, found.pad_token, found.bos_token, len(found)) == (None, "</s>", "<s>", len(WORDS))
    assert (
        json.loads(found.backend_tokenizer.to_str())["model"]
        == json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    )
