"""Stand-ins for what is large: commands, notebooks and benchmarks run as they are printed, in seconds.

The built-in pairs in BLiMP's layout stand for BLiMP, and a random model that knows their words, under the name
`smollm2-135m`, for the built-in one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import torch
import transformers
from tiny_models import GROUPED
from tokenizers import Tokenizer, models, pre_tokenizers

from neurosteer.model import Model
from neurosteer.model.builtin import NAME, SEPARATOR, SHA256
from neurosteer.model.gguf import CONVERSION, PROVENANCE
from neurosteer.pairs import TASKS, Pair, load_pairs
from neurosteer.progress import QUIET, Progress
from neurosteer.store import write_manifest

PROMPTS = "The guests have Every morning the ."  # words of the pages and notebooks


def write_sample(folder: Path, sizes: Mapping[str, int]) -> Path:
    """So many built-in pairs of each task, a file of JSON lines for each, with the fields that BLiMP's files have."""
    folder.mkdir(parents=True)
    about = {task.uid: {"field": task.field, "linguistics_term": task.phenomenon, "UID": task.uid} for task in TASKS}
    for task, n in sizes.items():
        pairs = load_pairs(task, source="builtin", limit=n)
        rows = [{"sentence_good": pair.good, "sentence_bad": pair.bad, **about[task]} for pair in pairs]
        lines = (json.dumps({**row, "pairID": str(i)}) + "\n" for i, row in enumerate(rows))
        (folder / f"{task}.jsonl").write_text("".join(lines), "utf-8")
    return folder


def sample_pairs(folder: Path) -> Iterable[Pair]:
    """Of all tasks of a sample."""
    for path in sorted(folder.glob("*.jsonl")):
        yield from load_pairs(path.stem, source=str(folder))


def sample_sentences(folder: Path) -> Iterable[str]:
    """Of all tasks of a sample, the good and the bad ones."""
    return (text for pair in sample_pairs(folder) for text in (pair.good, pair.bad))


def words_of(sentences: Iterable[str]) -> set[str]:
    """The tokens of the random model."""
    return {word for text in sentences for word in re.findall(r"\w+|[^\w\s]+", text)}


def words_of_good_alone(folder: Path) -> set[str]:
    """The words that no bad sentence of a sample has."""
    pairs = list(sample_pairs(folder))
    return words_of(pair.good for pair in pairs) - words_of(pair.bad for pair in pairs)


def save_model(
    home: Path, sentences: Iterable[str], *, layers: int, width: int = 96, preferred: Iterable[str] = ()
) -> Path:
    """The random model in a cache (`NEUROSTEER_HOME`): a word of the sentences is a token, all others are `.`.

    `preferred` words are the likelier ones: all embeddings share a direction that speaks for them, and blocks add
    little to it. So there is a preference that an ablation takes away.
    """
    vocabulary = {word: i for i, word in enumerate([SEPARATOR, *sorted(words_of((PROMPTS, *sentences)))])}
    sizes = {"vocab_size": len(vocabulary), "num_hidden_layers": layers, "hidden_size": width}
    ids = {"max_position_embeddings": 512, "bos_token_id": 0, "eos_token_id": 0}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = transformers.LlamaForCausalLM(transformers.LlamaConfig(**{**GROUPED, **sizes, **ids}))
        if likely := [vocabulary[word] for word in preferred]:
            shared = torch.randn(width)
            network.model.embed_tokens.weight.data += 0.5 * shared
            network.lm_head.weight.data[likely] += 0.3 * shared
            for block in network.model.layers:
                block.self_attn.o_proj.weight.data *= 0.1
                block.mlp.down_proj.weight.data *= 0.1
    folder = home / "models" / NAME
    network.save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="."))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    special = {"bos_token": SEPARATOR, "eos_token": SEPARATOR}
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    (folder / PROVENANCE).write_text(json.dumps({"sha256": SHA256, "conversion": CONVERSION}))
    write_manifest(folder)
    return home


def loading_once(load: Callable[..., Model]) -> Callable[..., Model]:
    """The same, but who asks again gets what was loaded before; commands leave a model as it was."""
    loaded: dict[str, Model] = {}

    def load_once(name: str = NAME, *, progress: Progress = QUIET, **asked: object) -> Model:
        key = repr((name, sorted(asked.items())))
        if key not in loaded:
            loaded[key] = load(name, progress=progress, **asked)
        return loaded[key]

    return load_once
