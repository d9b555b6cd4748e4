"""R6: nothing is silent: every edit fires exactly as often as it must, else there is an error.

Passes, firings and edited tokens are counted by hand, BOS and padding left out; calls of Hugging Face's and
TransformerLens's own functions inside the block are edited too; an edit that cannot matter is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from plain_edits import KINDS, hf_edited, hf_greedy, neurons_at
from sizes import quick_and_slow
from tiny_models import EOS, LAYERS, hf_network, ids_of, random_pairs, sentences_of

from neurosteer.edits import Edit
from neurosteer.errors import InputError, NeurosteerError
from neurosteer.forward import eos_states, generate, pairs_of_texts, score, score_texts, steering, variant_of
from neurosteer.model import Model
from neurosteer.pairs import Pairs

CHOSEN = [(0, 3), (0, 17), (2, 31)]
PAIRS = random_pairs(4, longest=5)
PROMPTS = ["w3 w1 w4", "w1 w5 w9 w2 w6", "w7"]  # 9 tokens beside BOS
TOKENS = torch.tensor([ids_of("w3 w1 w4 w1 w5"), ids_of("w9 w2 w6 w5 w3")])
Folder = Callable[[str], Path]


def twice(model: Model, where: str = "all", site: str = "resid_post") -> Edit:
    return Edit.amplify(neurons_at(model, CHOSEN, site=site), 2.0, where=where)


@pytest.fixture
def model(tiny: Callable[[str], Model]) -> Model:
    score(tiny("llama"), PAIRS)  # the check of the forest, once per model
    return tiny("llama")


def prefixes(pairs: Pairs) -> int:
    """How many tokens but BOS a forest must compute to score every word."""
    words = [sentence.split() for sentence in sentences_of(pairs)]
    return len({tuple(sentence[:end]) for sentence in words for end in range(1, len(sentence))})


@pytest.mark.parametrize("where", ["all", "prompt"])
def test_scoring_in_one_pack(where: str, model: Model):
    with steering(model, twice(model, where)) as applied:
        score(model, PAIRS)
        assert (applied.calls, applied.firings, applied.tokens) == (1, 2, prefixes(PAIRS))
        score(model, PAIRS)
    assert (applied.calls, applied.firings, applied.tokens) == (2, 4, 2 * prefixes(PAIRS))
    assert applied.layers == (0, 2)


def test_scoring_in_batches_of_equal_length(model: Model, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("neurosteer.forward.check.forest_is_exact", lambda _model, _progress: False)
    given = [len(sentence.split()) for sentence in sentences_of(PAIRS)]  # BOS instead of the last word
    with steering(model, twice(model)) as applied:
        score(model, PAIRS)
    assert applied.calls == len(set(given))
    assert applied.firings == 2 * applied.calls
    assert applied.tokens == sum(length - 1 for length in given)


def test_padding_of_a_forest_is_no_edited_token(model: Model):
    """Rows of a pack differ in length, and each begins with its own BOS; padding has depth 0 as BOS has."""
    pairs, real, padding = random_pairs(20), [], []

    def count(_module: object, _args: object, given: dict[str, torch.Tensor]) -> None:
        real.append(int((given["position_ids"] > 0).sum()))
        padding.append(int((given["position_ids"] == 0).sum()) - len(given["position_ids"]))

    handle = model.bridge.original_model.register_forward_pre_hook(count, with_kwargs=True)
    try:
        with steering(model, twice(model)) as applied:
            score(model, pairs)
    finally:
        handle.remove()
    assert sum(padding) > 0
    assert applied.tokens == sum(real) >= prefixes(pairs)


@pytest.mark.parametrize("layers", [[2], [1, 2], "all"])
def test_states_at_an_edited_layer_whose_hook_was_taken_off(layers: list[int] | str, model: Model):
    """The last layer read is itself an edited one."""
    with steering(model, twice(model)):
        eos_states(model, PAIRS, layers=layers, cache=False)
        model.bridge.hook_dict["blocks.2.hook_out"].remove_hooks()
        with pytest.raises(NeurosteerError, match="were its hooks removed"):
            eos_states(model, PAIRS, layers=layers, cache=False)


def test_states_stop_above_the_last_layer_read(model: Model):
    """The edit at layer 2 is beyond what is read at layer 1, so only layer 0 fires."""
    with steering(model, twice(model)) as applied:
        eos_states(model, PAIRS, layers=[1], cache=False)
    assert (applied.calls, applied.firings) == (1, 1)


@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("where", ["all", "prompt", "generated"])
def test_generation(where: str, cache: bool, model: Model):
    """Five new tokens are five passes: with a cache over the prompt, then over one token each."""
    new, rows = 5, len(PROMPTS)
    with steering(model, twice(model, where)) as applied:
        written = generate(model, PROMPTS, max_new_tokens=new, cache=cache)
    assert [len(row.tokens) for row in written] == [new] * rows
    prompt = 9 if cache else 9 * new
    generated = rows * (4 if cache else 0 + 1 + 2 + 3 + 4)
    assert applied.tokens == {"all": prompt + generated, "prompt": prompt, "generated": generated}[where]
    assert (applied.calls, applied.firings) == (new, 2 * new)


def test_nested_edits_count_for_themselves(model: Model):
    with steering(model, twice(model)) as outer, steering(model, twice(model, "eos", "mlp_out")) as inner:
        model.bridge(TOKENS)
    assert (outer.calls, outer.firings, outer.tokens) == (1, 2, 12)
    assert (inner.calls, inner.firings, inner.tokens) == (1, 2, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_calls_of_the_bridge_are_edited(kind: str, tiny: Callable[[str], Model], tiny_folder: Folder):
    model, network = tiny(kind), hf_network(tiny_folder(kind))
    with steering(model, twice(model)) as applied:
        ours = model.bridge(TOKENS)
    for row, tokens in zip(ours, TOKENS, strict=True):
        with hf_edited(network, kind, CHOSEN, lambda _layer, _unit, _depth, old: 2 * old):
            theirs = network(tokens[None]).logits[0]
        assert (row - theirs).abs().max() < 1e-5
        assert (row - network(tokens[None]).logits[0]).abs().max() > 1e-2
    assert (applied.calls, applied.firings, applied.tokens) == (1, 2, 12)


@pytest.mark.parametrize("where", quick_and_slow(["prompt"], ["all", "generated"]))
@pytest.mark.parametrize("kind", KINDS)
def test_hugging_faces_own_generate_is_edited(
    kind: str, where: str, tiny: Callable[[str], Model], tiny_folder: Folder
):
    """What comes on top of a key-value cache counts as generated."""
    model, network = tiny(kind), hf_network(tiny_folder(kind))
    ids, every = ids_of("w3 w1 w4 w1", eos=None), [(layer, unit) for layer in range(LAYERS) for unit in (3, 8, 17)]
    edit = Edit.amplify(neurons_at(model, every), -3.0, where=where)
    with steering(model, edit) as applied:
        ours = model.bridge.original_model.generate(
            torch.tensor([ids]), max_new_tokens=6, do_sample=False, pad_token_id=EOS
        )
    acts = {"all": lambda at: at > 0, "prompt": lambda at: 0 < at < 5, "generated": lambda at: at >= 5}[where]
    with hf_edited(network, kind, every, lambda _layer, _unit, _depth, old: -3 * old, acts=acts):
        assert ours[0, 5:].tolist() == hf_greedy(network, ids, 6)
    assert (applied.calls, applied.firings) == (6, 18)
    assert applied.tokens == {"all": 4 + 5, "prompt": 4, "generated": 5}[where]


@pytest.mark.parametrize(
    "use",
    [
        lambda model: model.bridge(TOKENS),
        lambda model: score(model, PAIRS),
        lambda model: generate(model, PROMPTS, max_new_tokens=2),
        lambda model: model.bridge.original_model(TOKENS),
    ],
)
@pytest.mark.parametrize("point", [None, "blocks.0.hook_out", "blocks.2.hook_out"])
def test_hooks_taken_off_inside_the_block(point: str | None, use: Callable[[Model], object], model: Model):
    with steering(model, twice(model)):
        use(model)
        if point is None:
            model.bridge.reset_hooks()
        else:
            model.bridge.hook_dict[point].remove_hooks()
        left = {None: "[]", "blocks.0.hook_out": "[2]", "blocks.2.hook_out": "[0]"}[point]
        with pytest.raises(NeurosteerError) as caught:
            use(model)
    assert str(caught.value).startswith(f"the edit fired at layers {left} of a pass, expected once at each of [0, 2]")


def test_states_below_an_edited_layer_whose_hook_was_taken_off(model: Model):
    with steering(model, twice(model)):
        model.bridge.reset_hooks()
        with pytest.raises(NeurosteerError, match=r"fired at layers \[\] of a pass, expected once at each of \[0\]"):
            eos_states(model, PAIRS, layers=[1], cache=False)


@pytest.mark.parametrize("resumed", [True, False])
def test_a_sweep_of_variants_notices_too(resumed: bool, model: Model, monkeypatch: pytest.MonkeyPatch):
    """Hooks that do not stay on while variants are scored."""
    monkeypatch.setattr("neurosteer.forward.scoring.can_resume", lambda _model, _progress: resumed)
    monkeypatch.setattr("neurosteer.model.edit_hooks.hooked", lambda _model, _points: nullcontext())
    with pytest.raises(NeurosteerError, match="were its hooks removed"):
        score_texts(model, pairs_of_texts(model, PAIRS, "sum"), [variant_of(model, twice(model))])


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("eos", "EOS is appended to read a state and is never scored, so nothing can change"),
        ("generated", "scored sentences are given, not generated, so nothing can change"),
    ],
)
def test_edits_that_scoring_cannot_see(where: str, reason: str, model: Model):
    with steering(model, twice(model)), steering(model, twice(model, where)), pytest.raises(InputError) as caught:
        score(model, PAIRS)
    assert str(caught.value) == f"an edit where '{where}' cannot matter for scores: {reason}; use where 'all'"


@pytest.mark.parametrize(
    ("where", "new", "reason"),
    [
        ("eos", 5, "for generation: it ends there; use where 'all'"),
        ("generated", 1, "for one new token: it is never read again"),
    ],
)
def test_edits_that_generation_cannot_meet(where: str, new: int, reason: str, model: Model):
    with steering(model, twice(model, where)), pytest.raises(InputError) as caught:
        generate(model, PROMPTS, max_new_tokens=new)
    assert str(caught.value) == f"an edit where '{where}' cannot matter {reason}"


def test_a_pass_over_embeddings_is_refused(model: Model):
    """They do not say where BOS is."""
    with steering(model, twice(model)), pytest.raises(InputError, match="must be given token ids"):
        model.bridge.original_model(inputs_embeds=torch.zeros(1, 3, 32))
