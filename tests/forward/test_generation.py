"""Generation: greedy as Hugging Face's own, sampled from the right distribution, and never the global generator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from plain_edits import SOME_KINDS, hf_edited, hf_greedy, neurons_at
from scipy import stats
from sizes import quick_and_slow
from tiny_models import CONTEXT, EOS, LAYERS, hf_network, ids_of

from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.forward import Generated, Token, generate, steering, touched_tokens
from neurosteer.model import Model, load_model

PROMPTS = ["w3 w1 w4", "w1 w5 w9 w2 w6 w5 w3", "", "w7 w7", "w8"]
EVERY = [(layer, unit) for layer in range(LAYERS) for unit in (3, 8, 17, 21)]
ACTS: dict[str, Callable[[int], Callable[[int], bool]]] = {  # length of the prompt with BOS, depth
    "all": lambda _length: lambda depth: depth > 0,
    "prompt": lambda length: lambda depth: 0 < depth < length,
    "generated": lambda length: lambda depth: depth >= length,
}


@pytest.fixture
def model(tiny: Callable[[str], Model]) -> Model:
    return tiny("llama")


def tokens_of(written: list[Generated]) -> list[list[int]]:
    return [list(row.tokens) for row in written]


@pytest.mark.parametrize("kind", SOME_KINDS)
def test_greedy(kind: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]):
    """As Hugging Face's `generate` writes, and as the likeliest token after another."""
    network = hf_network(tiny_folder(kind))
    written = generate(tiny(kind), PROMPTS, max_new_tokens=9)
    for prompt, row in zip(PROMPTS, written, strict=True):
        ids = ids_of(prompt, eos=None)
        theirs = network.generate(torch.tensor([ids]), max_new_tokens=9, do_sample=False, pad_token_id=EOS)
        assert list(row.tokens) == theirs[0, len(ids) :].tolist() == hf_greedy(network, ids, 9)
        assert row.prompt == prompt
        assert row.text == " ".join(f"w{token}" for token in row.tokens if token < 62) or max(row.tokens) >= 62
        assert str(row) == row.prompt + row.text
    assert generate(tiny(kind), PROMPTS[0], max_new_tokens=9) == written[0]
    assert generate(tiny(kind), tuple(PROMPTS), max_new_tokens=9) == written


@pytest.mark.parametrize("cache", quick_and_slow([True], [False]))
@pytest.mark.parametrize("where", ACTS)
@pytest.mark.parametrize("kind", SOME_KINDS)
def test_greedy_under_an_edit(
    kind: str, where: str, cache: bool, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]
):
    model, network = tiny(kind), hf_network(tiny_folder(kind))
    with steering(model, Edit.amplify(neurons_at(model, EVERY), -3.0, where=where)):
        written = generate(model, PROMPTS, max_new_tokens=7, cache=cache)
    expected = []
    for prompt in PROMPTS:
        ids = ids_of(prompt, eos=None)
        acts = ACTS[where](len(ids))
        with hf_edited(network, kind, EVERY, lambda _l, _u, _d, old: -3 * old, acts=acts):
            expected.append(hf_greedy(network, ids, 7))
    assert tokens_of(written) == expected
    assert tokens_of(generate(model, PROMPTS, max_new_tokens=7)) != expected


def test_samples(model: Model):
    """The same for the same seed, others for others; each prompt's own; the global generator is not touched."""
    before = torch.get_rng_state()
    options = {"max_new_tokens": 12, "temperature": 1.0}
    first = generate(model, PROMPTS, **options, seed=1)
    assert generate(model, PROMPTS, **options, seed=1) == first
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    assert generate(model, PROMPTS, **options, seed=1) == first
    torch.set_rng_state(before)
    others = generate(model, PROMPTS, **options, seed=2)
    assert all(one.tokens != other.tokens for one, other in zip(first, others, strict=True))
    assert generate(model, PROMPTS[::-1], **options, seed=1) == first[::-1]
    assert generate(model, [PROMPTS[0]] * 2, **options, seed=1) == [first[0]] * 2
    assert generate(model, f"{PROMPTS[0]} ", **options, seed=1).tokens != first[0].tokens  # the same ids
    assert all(row.tokens != generate(model, row.prompt, max_new_tokens=12).tokens for row in first)


@pytest.mark.slow
def test_samples_follow_the_distribution(model: Model, tiny_folder: Callable[[str], Path]):
    """The first token of 300 seeds against softmax(logits / T), chi-square at 1e-3."""
    seeds, temperature, prompt = 300, 0.7, "w3 w1 w4"
    logits = hf_network(tiny_folder("llama"))(torch.tensor([ids_of(prompt, eos=None)])).logits[0, -1].double()

    def p_value(at: float) -> float:
        probability = (logits / at).softmax(-1)
        common = probability * seeds >= 5
        expected = torch.cat([probability[common], probability[~common].sum()[None]]) * seeds
        observed = torch.cat([counts[common], counts[~common].sum()[None]])
        return float(stats.chisquare(observed, expected).pvalue)

    drawn = [
        generate(model, prompt, max_new_tokens=1, temperature=temperature, seed=seed).tokens[0]
        for seed in range(seeds)
    ]
    counts = torch.bincount(torch.tensor(drawn), minlength=64).double()
    assert p_value(temperature) > 1e-3
    assert p_value(2 * temperature) < 1e-3  # so the test would notice


def test_a_nearly_cold_sample_is_greedy(model: Model):
    assert generate(model, PROMPTS, temperature=1e-3, seed=4) == generate(model, PROMPTS)


@pytest.mark.parametrize("stop", quick_and_slow([1, 3], [2, 4]))
def test_eos_stops(stop: int, tiny_folder: Callable[[str], Path]):
    """A word that greedy search writes is named as EOS: it is the last token, and no part of the text."""
    ids = ids_of("w3 w1 w4", eos=None)
    free = hf_greedy(hf_network(tiny_folder("gpt2")), ids, 9, eos=-1)
    end = next(token for token in free[stop:] if token < 62)
    model = load_model(tiny_folder("gpt2"), eos=f"w{end}")
    kept = free[: free.index(end) + 1]
    [row, other] = generate(model, ["w3 w1 w4", "w9 w9 w9 w9"], max_new_tokens=9)
    assert list(row.tokens) == kept
    assert row.text == model.tokenizer.decode(kept[:-1])
    assert other == generate(model, "w9 w9 w9 w9", max_new_tokens=9)


@pytest.mark.parametrize("where", ACTS)
def test_touched_tokens(where: str, model: Model):
    edit = Edit.ablate(neurons_at(model, EVERY), where=where)
    touched = where != "generated"
    words = [Token(f"w{i}", i, touched) for i in (3, 1, 4)]
    assert touched_tokens(model, "w3 w1 w4", edit) == [Token("<s>", 62, False), *words]
    assert touched_tokens(model, "", edit) == [Token("<s>", 62, False)]


def test_touched_tokens_without_bos_and_where_eos(tiny_folder: Callable[[str], Path], model: Model):
    edit = Edit.ablate(neurons_at(model, EVERY), where="all")
    without = load_model(tiny_folder("llama"), bos="none")
    assert [token.touched for token in touched_tokens(without, "w3 w1", edit)] == [True, True]
    at_eos = Edit.ablate(neurons_at(model, EVERY), where="eos")
    assert [token.touched for token in touched_tokens(model, "w3 </s> w1", at_eos)] == [False, False, True, False]


@pytest.mark.parametrize(
    ("prompts", "options", "message"),
    [
        ("w1 " * 60, {"max_new_tokens": 4}, f"a prompt of 61 tokens and 4 new ones exceed the {CONTEXT} of"),
        (["w1", "w2 " * 63], {"max_new_tokens": 1}, "a prompt of 64 tokens and 1 new ones exceed the 64 of"),
        ([], {}, "no prompt to continue"),
        ("w1", {"max_new_tokens": 0}, "max_new_tokens must be at least 1, not 0"),
        ("w1", {"temperature": -0.1}, r"temperature must be 0 \(greedy\) or above, not -0.1"),
        ("w1", {"temperature": float("nan")}, "temperature must be"),
        ("w1", {"temperature": float("inf")}, "temperature must be"),
    ],
)
def test_refusals(prompts: Any, options: dict[str, Any], message: str, model: Model):
    with pytest.raises(InputError, match=message):
        generate(model, prompts, **options)


def test_a_prompt_that_just_fits(model: Model, tiny_folder: Callable[[str], Path]):
    ids = ids_of("w1 " * 59, eos=None)
    assert list(generate(model, "w1 " * 59, max_new_tokens=4).tokens) == hf_greedy(
        hf_network(tiny_folder("llama")), ids, 4
    )


def test_an_empty_prompt_needs_bos(tiny_folder: Callable[[str], Path]):
    model = load_model(tiny_folder("llama"), bos="none")
    with pytest.raises(InputError, match="an empty prompt needs a BOS before it"):
        generate(model, ["w1", ""])
    ids = ids_of("w1 w2", bos=None, eos=None)
    assert list(generate(model, "w1 w2", max_new_tokens=5).tokens) == hf_greedy(
        hf_network(tiny_folder("llama")), ids, 5
    )


@pytest.mark.parametrize(
    ("name", "value"),
    quick_and_slow(
        [("suppress_tokens", [0, 1, 2, 3, 4, 5, 6, 7, 8]), ("num_beams", 3)],
        [
            ("no_repeat_ngram_size", 2),
            ("repetition_penalty", 5.0),
            ("do_sample", True),
            ("return_dict_in_generate", True),
        ],
    ),
)
def test_the_models_own_generation_settings_do_not_matter(
    name: str, value: Any, model: Model, tiny_folder: Callable[[str], Path]
):
    """Temperature 0 is greedy search whatever a checkpoint's `generation_config.json` would rather have."""
    plain = generate(model, PROMPTS)
    other = load_model(tiny_folder("llama"))
    setattr(other.bridge.original_model.generation_config, name, value)
    assert generate(other, PROMPTS) == plain


def test_a_cache_that_stays_empty_is_not_used(
    tiny_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """As where transformers hands it over under a name that TransformerLens does not read."""
    model = load_model(tiny_folder("llama"))
    whole = generate(model, PROMPTS, max_new_tokens=4, cache=False)
    assert not caplog.messages
    for block in model.bridge.blocks:
        monkeypatch.setattr(block.attn, "_update_kv_cache", lambda k, v, **_: (k, v))
    assert generate(model, PROMPTS, max_new_tokens=4) == whole
    [told] = caplog.messages
    assert "has no key-value cache that can be used" in told


def test_padding_that_is_read_as_text_is_not_used(
    tiny_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """Prompts of unequal length in one batch give what each gives alone, in their order."""
    alone = [generate(load_model(tiny_folder("gpt2")), prompt, max_new_tokens=5) for prompt in PROMPTS]
    model = load_model(tiny_folder("gpt2"))
    network, forward = model.bridge.original_model, model.bridge.original_model.forward

    def without_mask(*args: Any, attention_mask: Any = None, position_ids: Any = None, **kwargs: Any) -> Any:
        return forward(*args, **kwargs)

    monkeypatch.setattr(network, "forward", without_mask)
    assert generate(model, PROMPTS, max_new_tokens=5) == alone
    assert len([told for told in caplog.messages if "reads padding as text" in told]) == 1
