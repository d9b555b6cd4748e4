"""Sentence scores by lm-eval and minicons, in their own conventions: the fixed numbers of a test.

    pip install lm-eval minicons "torch>=2.6,<2.14" "transformers>=5.9" accelerate
    python recipes/validity/community_scores.py --data FOLDER_OF_BLIMP_FILES --model FOLDER_OF_THE_MODEL \\
        --out tests/forward/community_scores.json

The built-in pairs are first written as such files:

    for task in TASKS:
        frame = neurosteer.load_pairs(task, source="builtin").to_frame()
        frame.to_json(f"FOLDER/{task}.jsonl", orient="records", lines=True)

FOLDER_OF_THE_MODEL is a Hugging Face folder (config.json, model.safetensors, a tokenizer) named as the model is;
the built-in model's is `models/smollm2-135m` in neurosteer's cache. Neurosteer itself is not needed, so the two
libraries may sit in an environment of their own. One model, float32, eager attention, CPU, one sentence at a time.

What the two libraries do with a sentence s:

- lm-eval runs its own BLiMP tasks, here on the given files and with `prefix_token_id` set to the context token. A
  request has an empty context and the continuation " " + s (`doc_to_text` is empty, `target_delimiter` is a space).
  The empty context becomes the prefix token, and the score is the sum of the log-probabilities of all tokens of
  " " + s given it.
- minicons (`IncrementalLMScorer.sequence_score`, all defaults) tokenizes s as it stands, without BOS, and leaves out
  the first token. The score is the mean of the log-probabilities of the second to the last token.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lm_eval
import torch
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from minicons import scorer
from transformers import AutoModelForCausalLM, AutoTokenizer

CONTEXT = "<|endoftext|>"
TASKS = ("intransitive", "anaphor_number_agreement", "distractor_agreement_relative_clause")

Scores = list[list[float]]  # good and bad of every pair


def nine_digits(number: float) -> float:
    """Enough digits to tell any two float32 numbers apart."""
    return float(f"{number:.9g}")


def lm_eval_scores(model: Any, tokenizer: Any, data: Path, n: int) -> dict[str, Scores]:
    """By lm-eval's own BLiMP tasks, each one's dataset replaced by the file of that name in `data`."""
    tasks = {f"blimp_{task}": task for task in TASKS}
    prefix = tokenizer.convert_tokens_to_ids(CONTEXT)
    harness = HFLM(pretrained=model, tokenizer=tokenizer, backend="causal", batch_size=1, prefix_token_id=prefix)
    with tempfile.TemporaryDirectory() as folder:
        for name, task in tasks.items():
            config = {
                "include": str(Path(lm_eval.__file__).parent / "tasks" / "blimp" / f"{task}.yaml"),
                "task": name,
                "dataset_path": "json",
                "dataset_name": None,
                "dataset_kwargs": {
                    "data_files": {"train": str((data / f"{task}.jsonl").resolve())},
                    "cache_dir": folder,
                },
            }
            Path(folder, f"{name}.yaml").write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
        manager = TaskManager(include_path=folder, include_defaults=False)
        results = lm_eval.simple_evaluate(
            harness, tasks=list(tasks), task_manager=manager, limit=n, bootstrap_iters=0, log_samples=True
        )
    scores = {}
    for name, task in tasks.items():
        samples = sorted(results["samples"][name], key=lambda sample: sample["doc_id"])
        assert [sample["doc_id"] for sample in samples] == list(range(n))
        for sample in samples:
            sides = (sample["doc"]["sentence_good"], sample["doc"]["sentence_bad"])
            assert [tuple(request) for request in sample["arguments"]] == [("", f" {side}") for side in sides]
        scores[task] = [[nine_digits(side[0]) for side in sample["filtered_resps"]] for sample in samples]
    return scores


def minicons_scores(model: Any, tokenizer: Any, data: Path, n: int) -> dict[str, Scores]:
    """By `sequence_score` with all its defaults, one sentence a call."""
    incremental = scorer.IncrementalLMScorer(model, "cpu", tokenizer=tokenizer)
    scores = {}
    for task in TASKS:
        lines = (data / f"{task}.jsonl").read_text(encoding="utf-8").splitlines()[:n]
        pairs = [json.loads(line) for line in lines]
        assert len(pairs) == n
        scores[task] = [
            [nine_digits(incremental.sequence_score([pair[f"sentence_{side}"]])[0]) for side in ("good", "bad")]
            for pair in pairs
        ]
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of TASK.jsonl files")
    parser.add_argument("--model", type=Path, required=True, help="Hugging Face folder; its name is noted")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--pairs", type=int, default=100, help="of each task, from its start")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForCausalLM.from_pretrained(
        options.model, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    by_library = {
        "lm-eval": lm_eval_scores(model, tokenizer, options.data, options.pairs),
        "minicons": minicons_scores(model, tokenizer, options.data, options.pairs),
    }
    content = {
        "made_with": {name: version(name) for name in ("lm-eval", "minicons", "torch", "transformers")},
        "context_token": CONTEXT,
        "model": options.model.resolve().name,
        "pairs": options.pairs,
        "scores": {task: {name: scores[task] for name, scores in by_library.items()} for task in TASKS},
    }
    for task in TASKS:
        for name, scores in by_library.items():
            margins = [good - bad for good, bad in scores[task]]
            accuracy = sum(margin > 0 for margin in margins) / len(margins)
            print(f"{task:40} {name:9} mean margin {sum(margins) / len(margins):.4f}, accuracy {accuracy:.2f}")
    text = json.dumps(content, indent=1)
    text = re.sub(r"\[\s+([^][,\s]+),\s+([^][,\s]+)\s+\]", r"[\1, \2]", text)  # a pair a line
    options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
