"""Log-probabilities under every convention equal a plain Hugging Face loop, however the passes are arranged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from plain_edits import SOME_KINDS, hf_edited, hf_logprobs, neurons_at
from sizes import quick_and_slow
from tiny_models import BOS, LAYERS, WIDTH, hf_network, ids_of, random_pairs, save_tiny, sentences_of
from tokenizers.processors import TemplateProcessing
from torch import Tensor
from transformers import AutoTokenizer

from neurosteer.edits import Edit
from neurosteer.errors import InputError, NeurosteerError
from neurosteer.forward import (
    PreparedEdit,
    from_first_difference,
    pairs_of_texts,
    score,
    score_texts,
    steering,
    variant_of,
)
from neurosteer.forward.check import forest_is_exact
from neurosteer.model import Model, load_model
from neurosteer.pairs import Pair, Pairs
from neurosteer.progress import QUIET

PAIRS = random_pairs(20)
LONGER = Pairs("longer", "random", tuple(pair for pair in PAIRS if min(map(len, (pair.good, pair.bad))) > 3))
CONVENTIONS = {  # first token given, first of the scored tokens among those of the sentence, divided by their number
    "sum": (BOS, 0, False),
    "mean": (BOS, 0, True),
    "lm-eval": (BOS, 0, False),
    "minicons": (None, 1, True),
}


def plain(network: Any, pairs: Pairs, convention: str) -> tuple[Tensor, Tensor]:
    """Log-probabilities and how many tokens were scored, `[pair, side]`."""
    bos, first, mean = CONVENTIONS[convention]
    rows, counts = [], []
    for sentence in sentences_of(pairs):
        logprobs = hf_logprobs(network, ids_of(sentence, bos=bos, eos=None))
        rows.append(logprobs.mean() if mean else logprobs.sum())
        counts.append(len(sentence.split()) - first)
        assert len(logprobs) == counts[-1]
    return torch.stack(rows).reshape(-1, 2), torch.tensor(counts).reshape(-1, 2)


@pytest.fixture(params=[True, False], ids=["forest", "batches"])
def arranged(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a prefix forest, and in batches of equal length."""
    if not request.param:
        monkeypatch.setattr("neurosteer.forward.check.forest_is_exact", lambda _model, _progress: False)


@pytest.mark.parametrize("kind", SOME_KINDS)
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_conventions(convention: str, kind: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]):
    """Words of the tiny tokenizer are the same with a space before them."""
    check_convention(convention, tiny(kind), tiny_folder(kind))


@pytest.mark.parametrize("convention", ["sum", "minicons"])
@pytest.mark.usefixtures("arranged")
def test_conventions_however_arranged(
    convention: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]
):
    check_convention(convention, tiny("llama"), tiny_folder("llama"))


def check_convention(convention: str, model: Model, folder: Path) -> None:
    expected, counts = plain(hf_network(folder), LONGER, convention)
    scores = score(model, LONGER, convention=convention)
    assert scores.logprob.dtype == torch.float64
    assert (scores.logprob - expected).abs().max() < 1e-4
    assert torch.equal(scores.tokens, counts)
    per_token = expected if CONVENTIONS[convention][2] else expected / counts
    assert (scores.per_token - per_token).abs().max() < 1e-4
    assert scores.accuracy == sum(good > bad for good, bad in expected.tolist()) / len(LONGER)
    assert (scores.convention, scores.task, scores.digest) == (convention, "longer", LONGER.digest)
    assert scores.model == model.fingerprint


def test_a_tokenizer_that_puts_bos_before_a_sentence_itself(tmp_path: Path):
    """For `minicons` it stands there, so that the first word is scored too; EOS behind it is not."""
    folder = save_tiny("llama", tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 62), ("</s>", 63)]
    )
    tokenizer.save_pretrained(folder)
    model = load_model(folder)
    assert model.tokenizer("w1 w2")["input_ids"] == [62, 1, 2, 63]
    scores = score(model, PAIRS, convention="minicons")
    expected, counts = plain(hf_network(folder), PAIRS, "mean")
    assert (scores.logprob - expected).abs().max() < 1e-4
    assert torch.equal(scores.tokens, counts)


def test_another_bos_and_none(tiny_folder: Callable[[str], Path]):
    network = hf_network(tiny_folder("llama"))
    for bos, first in [("w7", 7), ("none", None)]:
        scores = score(load_model(tiny_folder("llama"), bos=bos), LONGER)
        for got, sentence in zip(scores.logprob.flatten(), sentences_of(LONGER), strict=True):
            assert abs(got - hf_logprobs(network, ids_of(sentence, bos=first, eos=None)).sum()) < 1e-4


@pytest.mark.parametrize(("bos", "convention"), [("none", "sum"), ("none", "lm-eval"), ("<s>", "minicons")])
def test_nothing_to_score(bos: str, convention: str, tiny_folder: Callable[[str], Path]):
    model = load_model(tiny_folder("llama"), bos=bos)
    with pytest.raises(InputError, match="nothing to score in 'w5': one token, and none before it"):
        score(model, Pairs("short", "hand", (Pair("w1 w2", "w5", "0"),)), convention=convention)
    assert (
        score(model, Pairs("short", "hand", (Pair("w1 w2", "w5 w1", "0"),)), convention=convention).tokens.sum() > 0
    )


def test_an_unknown_convention(tiny: Callable[[str], Model]):
    with pytest.raises(
        InputError, match=r"unknown convention 'minicon'; did you mean 'minicons'\?; one of sum, mean"
    ):
        score(tiny("llama"), PAIRS, convention="minicon")


def test_ties_are_wrong(tiny: Callable[[str], Model]):
    first, second = "w3 w1 w4", "w1 w5 w9"
    rows = [(first, first), (first, second), (second, first), (second, second)]
    scores = score(tiny("llama"), Pairs("ties", "hand", tuple(Pair(*row, str(i)) for i, row in enumerate(rows))))
    assert scores.margin[0] == scores.margin[3] == 0
    assert scores.margin[1] == -scores.margin[2] != 0
    assert (scores.ties, scores.accuracy) == (2, 0.25)


def test_no_finite_number_is_an_error(tiny_folder: Callable[[str], Path]):
    model = load_model(tiny_folder("llama"))
    score(model, PAIRS)
    model.bridge.original_model.get_output_embeddings().weight.data[:] = torch.nan
    told = "on toy computes no finite numbers in float32: some of its numbers are not finite; its config or weights"
    with pytest.raises(InputError, match=told):
        score(model, PAIRS)


def test_an_edit_does_not_decide_how_the_model_is_run_ever_after(tiny_folder: Callable[[str], Path]):
    """The forest is tried on the model itself, also where its first scores are asked for under an edit."""
    model = load_model(tiny_folder("llama"))
    every = neurons_at(model, [(layer, unit) for layer in range(LAYERS) for unit in range(WIDTH)])
    with steering(model, Edit.amplify(every, 1e30)), pytest.raises(NeurosteerError, match="no finite"):
        score(model, PAIRS)
    assert forest_is_exact(model, QUIET)


def variants_of(model: Model, site: str) -> list[PreparedEdit]:
    """One at every layer, one pooled over two, and one without neurons."""
    chosen = [*([(layer, 3), (layer, 17)] for layer in range(LAYERS)), [(0, 5), (2, 8)], []]
    return [variant_of(model, Edit.amplify(neurons_at(model, some, site=site), -2.0)) for some in chosen]


@pytest.mark.usefixtures("arranged")
def test_margins_from_where_a_pair_parts(tiny: Callable[[str], Model]):
    """Also where one sentence begins the other, and where the two are the same."""
    more = [Pair("w1 w2 w3", "w1 w2", "a"), Pair("w4", "w4 w5", "b"), Pair("w6 w7", "w6 w7", "c")]
    model, pairs = tiny("llama"), Pairs("toy", "random", (*PAIRS.limit(6), *more))
    groups = pairs_of_texts(model, pairs, "sum")
    parted = from_first_difference(groups)
    for (good, bad), pair in zip(parted, pairs, strict=True):
        good_words, bad_words = pair.good.split(), pair.bad.split()
        same = sum(good_words[: i + 1] == bad_words[: i + 1] for i in range(min(len(good_words), len(bad_words))))
        assert (good.scored, bad.scored) == (len(good_words) - same, len(bad_words) - same)
    variants = variants_of(model, "resid_post")
    full, short = (score_texts(model, some, variants) for some in (groups, parted))
    for ours, theirs in [(short.clean, full.clean), (short.edited, full.edited)]:
        margins = [rows.unflatten(-1, (-1, 2)) @ torch.tensor([1.0, -1.0]).double() for rows in (ours, theirs)]
        assert (margins[0] - margins[1]).abs().max() < 1e-4
    assert short.clean[-2:].tolist() == [0, 0]
    assert short.kl is None


@pytest.mark.parametrize("site", quick_and_slow(["resid_pre", "mlp_out"], ["resid_post", "attn_out"]))
@pytest.mark.parametrize("kind", SOME_KINDS)
def test_resumed_above_the_edited_block(
    kind: str, site: str, tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch
):
    model = tiny(kind)
    groups, variants = pairs_of_texts(model, PAIRS.limit(12), "sum"), variants_of(model, site)
    blocks: list[int] = []
    entered = [block.register_forward_pre_hook(lambda *_given: blocks.append(1)) for block in attentions(model)]
    try:
        resumed = score_texts(model, groups, variants, divergence=True)
        fewer, before = len(blocks), len(blocks)
        monkeypatch.setattr("neurosteer.forward.scoring.can_resume", lambda _model, _progress: False)
        full = score_texts(model, groups, variants, divergence=True)
    finally:
        for handle in entered:
            handle.remove()
    assert fewer < len(blocks) - before  # some blocks were indeed not computed
    assert torch.equal(resumed.clean, full.clean)
    assert (resumed.edited - full.edited).abs().max() < 1e-5
    assert resumed.kl is not None
    assert full.kl is not None
    assert (resumed.kl - full.kl).abs().max() < 1e-6
    assert [bool((row != full.clean).any()) for row in full.edited] == [True] * (LAYERS + 1) + [False]


def attentions(model: Model) -> list[Any]:
    return [block.attn for block in model.bridge.blocks]


@pytest.mark.parametrize("kind", quick_and_slow(["llama"], ["gpt2"]))
@pytest.mark.usefixtures("arranged")
def test_divergence(kind: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]):
    """The mean over scored tokens of KL(unedited || edited), from all logits of one sentence after the other."""
    model, network, chosen = tiny(kind), hf_network(tiny_folder(kind)), [(0, 3), (1, 17), (2, 8)]
    variant = variant_of(model, Edit.clamp(neurons_at(model, chosen), 1.5))
    outcome = score_texts(model, pairs_of_texts(model, PAIRS, "sum"), [variant], divergence=True)
    parts = []
    for sentence in sentences_of(PAIRS):
        ids = torch.tensor([ids_of(sentence, eos=None)[:-1]])
        p = network(ids).logits[0].double().log_softmax(-1)
        with hf_edited(network, kind, chosen, lambda *_given: 1.5):
            q = network(ids).logits[0].double().log_softmax(-1)
        parts.append((p.exp() * (p - q)).sum(-1))
    assert outcome.kl is not None
    expected = torch.cat(parts).mean()
    assert expected > 0.01
    assert abs(float(outcome.kl[0] - expected)) < 1e-5 * float(expected) + 1e-6
