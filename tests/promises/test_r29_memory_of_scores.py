"""R29: the memory of scores does not grow with the vocabulary: one pack and 256 MiB beside the weights, at most.

`score` and `ablate` on 60 built-in pairs, at 32,000 and at 262,144 words, each in a process of its own.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fresh_process import told_warm

WIDTH, MB = 32, 2**20
PACK = 4 * 8 * 128 * WIDTH * 4  # four tensors of 8 rows of 128 nodes, as in R15
CODE = """
import json
from pathlib import Path
import torch, transformers
from plain_edits import neurons_at
from tiny_models import save_random, save_tokenizer
from neurosteer.edits import Edit
from neurosteer.forward import score
from neurosteer.model import load_model
from neurosteer.pairs import load_pairs
from neurosteer.studies import measure_effect

torch.set_num_threads(1)
place, words, width = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
config = transformers.LlamaConfig(
    vocab_size=words, hidden_size=width, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
    max_position_embeddings=64, bos_token_id=62, eos_token_id=63, tie_word_embeddings=True,
)
pairs, others = (load_pairs("intransitive", source="builtin", limit=n, seed=n) for n in (60, 4))
english = [sentence for pair in (*pairs, *others) for sentence in (pair.good, pair.bad)]
prose = place / "prose.txt"
prose.write_text(" ".join(english[:40]))
save_tokenizer(save_random(config, place / "model"), english=english)
model = load_model(place / "model")
edit = Edit.ablate(neurons_at(model, [(0, 3), (1, 5)]))

def status(field):
    [line] = [line for line in open("/proc/self/status") if line.startswith(field)]
    return int(line.split()[1]) * 1024

def growth(work, size):
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    work(size)
    return status("VmHWM") - before

works = {
    "score": lambda size: score(model, size),
    "ablate": lambda size: measure_effect(model, size, edit, controls=2, neutral=prose),
}
score(model, others)
print(json.dumps({name: growth(work, pairs) for name, work in works.items()}))
"""


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="the system cannot reset the peak")
@pytest.mark.parametrize("words", [32_000, pytest.param(262_144, marks=pytest.mark.slow)])
def test_peak_growth(words: int, tmp_path: Path):
    grown = told_warm(CODE, tmp_path, words, WIDTH)
    assert set(grown) == {"score", "ablate"}
    for size in grown.values():
        assert size < PACK + 256 * MB, grown
