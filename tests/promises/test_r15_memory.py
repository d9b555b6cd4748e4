"""R15: memory is bounded: a states run grows by 1.2 times its states and one pack at most.

Built-in pairs, 1,000 of them; with `pytest -m slow` 10,000 too.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fresh_process import told

LAYERS, WIDTH = 24, 512  # enough for states that outweigh what code and plans take
PACK = 4 * 8 * 128 * WIDTH * 4  # four tensors of 8 rows of 128 nodes: what goes into a block, and what it works on
CODE = """
import json
from pathlib import Path
import torch, transformers
from tiny_models import CONFIGS, save_tiny, save_tokenizer
from neurosteer.forward import states_and_stats
from neurosteer.model import load_model
from neurosteer.pairs import load_pairs

torch.set_num_threads(1)
place, n, layers, width = Path(sys.argv[1]), *map(int, sys.argv[2:])
CONFIGS["wide"] = lambda: transformers.LlamaConfig(
    vocab_size=1024, hidden_size=width, intermediate_size=16, num_hidden_layers=layers, num_attention_heads=4,
    max_position_embeddings=64, bos_token_id=62, eos_token_id=63,
)
pairs, others = (load_pairs("intransitive", source="builtin", limit=n, seed=seed) for n, seed in ((n, 0), (40, 1)))
english = [sentence for pair in (*pairs, *others) for sentence in (pair.good, pair.bad)]
save_tokenizer(save_tiny("wide", place / "wide"), english=english)
model = load_model(place / "wide")
here = {"site": "resid_post", "layers": range(layers), "position": "eos"}

def status(field):
    [line] = [line for line in open("/proc/self/status") if line.startswith(field)]
    return int(line.split()[1]) * 1024

states_and_stats(model, others, range(20), **here)
Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
before = status("VmRSS")
states, _ = states_and_stats(model, pairs, range(n // 2), **here)
print(json.dumps({"growth": status("VmHWM") - before, "states": states.values.numel() * 4}))
"""


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="the system cannot reset the peak")
@pytest.mark.parametrize("n", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_peak_growth(n, tmp_path: Path):
    measured = told(CODE, tmp_path, n, LAYERS, WIDTH)
    states = n * 2 * LAYERS * WIDTH * 4
    assert measured["states"] == states
    assert 0.9 * states < measured["growth"] < 1.2 * states + PACK
