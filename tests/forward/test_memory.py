"""Memory stays within the states asked for and one pack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MEASURE = """
import json, sys
from pathlib import Path

import torch
from tiny_models import CONFIGS, random_pairs, save_tiny

import transformers
from neurosteer.forward import states_and_stats
from neurosteer.model import load_model

torch.set_num_threads(1)
CONFIGS["wide"] = lambda: transformers.LlamaConfig(
    vocab_size=64, hidden_size=512, intermediate_size=16, num_hidden_layers=8, num_attention_heads=4,
    max_position_embeddings=64, bos_token_id=62, eos_token_id=63,
)
model = load_model(save_tiny("wide", Path(sys.argv[1])))
here = {"site": "resid_post", "layers": range(8), "position": "eos"}


def status(field):
    [line] = [line for line in open("/proc/self/status") if line.startswith(field)]
    return int(line.split()[1]) * 1024


states_and_stats(model, random_pairs(40, seed=1, task="warm"), range(9), **here)
pairs = random_pairs(4000, longest=5)
Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
before = status("VmRSS")
states, _ = states_and_stats(model, pairs, range(1000), **here)
print(json.dumps({"growth": status("VmHWM") - before, "states": states.values.numel() * 4}))
"""


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="the system cannot reset the peak")
def test_peak_growth(tmp_path: Path):
    """One pack: 8 rows of 128 nodes, 512 units, MLP and attention around them: 2 MB a tensor."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n{MEASURE}"
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "wide")], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    measured = json.loads(run.stdout)
    assert measured["states"] == 4000 * 2 * 8 * 512 * 4
    assert measured["states"] / 2 < measured["growth"] < 1.2 * measured["states"] + 30e6
