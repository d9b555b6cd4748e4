"""Log-probabilities of pairs: minicons and lm-eval, each with its best batch size and in its own convention."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from copy import deepcopy
from typing import Any

import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from minicons import scorer

import neurosteer as ns
from neurosteer.forward import texts_of
from neurosteer.pairs import Pairs

from .parts import InParts
from .setup import Setup, computed, counting, sentences_of
from .turns import Comparison, Side, take_turns

SIZES = (8, 16, 32, 64)  # of batches, to choose from
TRIAL = 192  # sentences that the choice is made on
PARTS = 5  # a peer scores every fifth sentence in a turn; sorted by length they pad hardly more than all do
Scores = Callable[[Sequence[str], int], list[float]]


def compare(setup: Setup, pairs: Pairs) -> Iterator[Comparison]:
    model, network = setup.load(), setup.plain()
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    peers: tuple[tuple[str, Scores, float], ...] = (
        ("minicons", _minicons(network, deepcopy(model.tokenizer), str(model.device)), 2.0),
        ("lm-eval", _lm_eval(network, deepcopy(model.tokenizer), model.bos.id if model.bos else model.eos.id), 1.5),
    )
    sentences = sentences_of(pairs)
    for name, scores, target in peers:
        size = _best_size(scores, sentences[:TRIAL])
        texts = texts_of(model, sentences, name)
        ours = Side(
            "neurosteer",
            lambda name=name: ns.score(model, pairs, convention=name).logprob.flatten(),
            computed(model, [text.tokens[:-1] for text in texts]),
        )
        parts = InParts(range(PARTS), lambda i, s=scores, n=size: s(sentences[i::PARTS], n), PARTS)
        theirs = Side(f"{name}, batches of {size}", parts, share=parts.share)
        with counting(network) as sizes:
            take_turns([theirs, ours], setup.repeats, setup.say)
        theirs.tokens = round(sum(sizes) / parts.done)
        apart = max(
            float((torch.tensor(found).double() - ours.result[i::PARTS]).abs().max())
            for i, found in parts.found.items()
        )
        yield Comparison(
            "pair scoring", pairs.task, theirs, ours, len(sentences), "sentence", target, f"{apart:.0e} nat"
        )


def _minicons(network: Any, tokenizer: Any, device: str) -> Scores:
    incremental = scorer.IncrementalLMScorer(network, device, tokenizer=tokenizer)

    def scores(sentences: Sequence[str], size: int) -> list[float]:
        chunks = [list(sentences[start : start + size]) for start in range(0, len(sentences), size)]
        return [found for chunk in chunks for found in incremental.sequence_score(chunk)]

    return scores


def _lm_eval(network: Any, tokenizer: Any, prefix: int) -> Scores:
    harness = HFLM(pretrained=network, tokenizer=tokenizer, backend="causal", prefix_token_id=prefix)

    def scores(sentences: Sequence[str], size: int) -> list[float]:
        harness.batch_size_per_gpu = size
        requests = [
            Instance(request_type="loglikelihood", doc={}, arguments=("", f" {sentence}"), idx=i)
            for i, sentence in enumerate(sentences)
        ]
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            return [found for found, _ in harness.loglikelihood(requests, disable_tqdm=True)]

    return scores


def _best_size(scores: Scores, sentences: Sequence[str]) -> int:
    """The one with the smallest median of three tries."""
    trials = [Side(str(size), lambda size=size: scores(sentences, size)) for size in SIZES]
    take_turns(trials, 3, lambda _: None)
    return int(min(trials, key=lambda side: side.median).name)
