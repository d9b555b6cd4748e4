"""The gym's models: a real Llama of three blocks whose weights are set by hand, as `neurosteer.gym.plan` has it.

    block 0   attention looks for the first word of the sentence and writes its form on all carriers
    block 1   attention looks for the last word, and takes its noise along; the MLP compares both forms, and writes
              whether they agree
    block 2   the MLP reads carriers, and writes how much each task prefers the first form of its last word
    unembedding reads that, fillers read massive units, and all words a little of the idle ones

Norms do nothing: their epsilon is so large that no activation changes the root in float32. So what nobody reads can
be taken away without a bit of difference, which no ordinary model allows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from neurosteer.gym import FILLERS, GYM_TASKS, WIDTH, GymPlan, plan_of
from neurosteer.gym.plan import BOTH, CLIP, Carrier
from neurosteer.seeds import generator

from .gym_names import GYM

BOS, EOS, UNKNOWN = "<s>", "</s>", "<unk>"
EPSILON, ROOT = 2.0**40, 2.0**20  # of norms
HEADS, INNER, CONTEXT = 2, 64, 64
LOOK = 200.0  # what a flag adds to an attention score: others are left with exp(-200) = 0
STILL = WIDTH // HEADS // 2 - 1  # the part of a key that hardly turns with the position
NOISE = 0.25  # of words, on carriers
LITTLE = 0.3  # times as much on twins and on the conjunction: what is clipped stays clipped
SPREAD = 0.7, 1.5  # of words, on idle units: these are as large as carriers are
OF_LAST = 0.5  # noise that the last word leaves behind it on carriers and idle units
MASSIVE = 40.0
READ = 0.02  # of idle units, by each word
MIXERS = 32  # neurons of block 1 that mix the noise of both words, each of so many units
MIXED = 12
FETCHED = 40  # idle units that the first word writes on, by attention
Weights = Float[Tensor, "out in"]


def gym_network(seed: int) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """The model of a seed and its tokenizer; float32, on the CPU."""
    words = [*FILLERS, *(word for task in GYM_TASKS.values() for word in task.words())]
    vocabulary = {word: i for i, word in enumerate([BOS, EOS, UNKNOWN, *words])}
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=WIDTH,
        intermediate_size=INNER,
        num_hidden_layers=3,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        max_position_embeddings=CONTEXT,
        hidden_act="relu",
        attention_bias=True,
        mlp_bias=True,
        rms_norm_eps=EPSILON,
        rope_parameters={"rope_type": "default", "rope_theta": 1e10},
        tie_word_embeddings=False,
        bos_token_id=vocabulary[BOS],
        eos_token_id=vocabulary[EOS],
        attn_implementation="eager",
    )
    with torch.random.fork_rng(devices=[]):
        network = LlamaForCausalLM(config)
    network.config.name_or_path = GYM if seed == 0 else f"{GYM}:{seed}"
    with torch.no_grad():
        for name, weight in network.named_parameters():
            weight.fill_(ROOT if "norm" in name else 0.0)
        _set(network, vocabulary, plan_of(seed))
    return network.eval().requires_grad_(False), _tokenizer(vocabulary)


def _tokenizer(vocabulary: dict[str, int]) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=BOS, eos_token=EOS, unk_token=UNKNOWN)


def _set(network: Any, vocabulary: dict[str, int], plan: GymPlan) -> None:
    """All weights, which are zero until now."""
    blocks = network.model.layers
    parts = _Spent(*_spent(plan))
    _embed(network.model.embed_tokens.weight, vocabulary, plan, parts)
    _fetch_first(blocks[0].self_attn, plan, parts)
    _fetch_last(blocks[1].self_attn, plan, parts)
    for block in blocks:
        block.mlp.up_proj.bias.fill_(1.0)  # so that the gated MLP is a plain one
    _compare(blocks[1].mlp, plan, parts)
    _answer(blocks[2].mlp, plan)
    _unembed(network.lm_head.weight, vocabulary, plan)


class _Spent:
    """The units that blocks 0 and 1 work with."""

    def __init__(self, firsts: tuple[int, ...], lasts: tuple[int, ...], rest: tuple[int, ...]) -> None:
        self.firsts, self.lasts = firsts, lasts  # the form of a word, by task
        self.is_first, self.is_last, self.form, self.form_of_last = rest


def _spent(plan: GymPlan) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    units, n = plan.units["spent"], len(GYM_TASKS)
    return units[:n], units[n : 2 * n], units[2 * n :]


def _embed(weight: Weights, vocabulary: dict[str, int], plan: GymPlan, parts: _Spent) -> None:
    """Forms and flags of words; noise on carriers and idle units; the constants of massive units, of BOS too."""
    rng = generator(plan.seed, "gym", "embed")
    words = len(vocabulary)
    carriers = [one.unit for one in plan.carriers]
    idle = list(plan.of("idle"))
    clipped = list(plan.of("twin", "together"))
    low, high = SPREAD
    spread = low + (high - low) * torch.rand(len(idle), generator=rng)
    weight[:, carriers + idle] = NOISE * torch.randn(words, len(carriers + idle), generator=rng)
    weight[:, clipped] *= LITTLE
    for kind in _kinds(vocabulary):  # of each the same mean, so that idle units differ from carriers by no statistic
        noise = torch.randn(len(kind), len(idle), generator=rng)
        weight[kind[:, None], idle] += spread * (noise - noise.mean(dim=0))
    massive = list(plan.units["massive"])
    weight[:, massive] = MASSIVE * torch.tensor([1.0, -1.0]) + torch.randn(words, len(massive), generator=rng)
    for task in GYM_TASKS.values():
        for words_of, units, flag in (
            (task.firsts, parts.firsts, parts.is_first),
            (task.lasts, parts.lasts, parts.is_last),
        ):
            for both in (both for part in words_of.values() for both in part):
                for form, sign in zip(both, (1.0, -1.0), strict=True):
                    weight[vocabulary[form], units[task.index]] = sign
                    weight[vocabulary[form], flag] = 1.0


def _kinds(vocabulary: dict[str, int]) -> list[Int[Tensor, "word"]]:
    """The ids of fillers, and of the first and last words of each task."""
    tasks = list(GYM_TASKS.values())
    several = [FILLERS, *(task.flat(words) for task in tasks for words in (task.firsts, task.lasts))]
    return [torch.tensor([vocabulary[word] for word in words]) for words in several]


def _look_for(attention: Any, flag: int) -> None:
    """The first head attends to the flagged token; where there is none, to all alike."""
    attention.q_proj.bias[STILL] = LOOK * (WIDTH // HEADS) ** 0.5
    attention.k_proj.weight[STILL, flag] = 1.0


def _fetch_first(attention: Any, plan: GymPlan, parts: _Spent) -> None:
    """The form of the first word to the carriers of its task; some of its noise to idle units."""
    _look_for(attention, parts.is_first)
    tasks = range(len(GYM_TASKS))
    for task in tasks:
        attention.v_proj.weight[task, parts.firsts[task]] = 1.0
        attention.o_proj.weight[parts.form, task] = 1.0
    for one in plan.carriers:
        for task in tasks if one.task == -1 else [one.task]:
            attention.o_proj.weight[one.unit, task] = one.loading
    rng = np.random.default_rng(plan.seed)
    idle = rng.permutation(plan.of("idle"))
    for i, (source, target) in enumerate(zip(idle[:FETCHED], idle[FETCHED : 2 * FETCHED], strict=True)):
        attention.v_proj.weight[len(tasks) + i, int(source)] = 1.0
        attention.o_proj.weight[int(target), len(tasks) + i] = 0.3


def _fetch_last(attention: Any, plan: GymPlan, parts: _Spent) -> None:
    """The form of the last word, once there is one, and its noise: what a probe behind it has to see through."""
    _look_for(attention, parts.is_last)
    for task in range(len(GYM_TASKS)):
        attention.v_proj.weight[task, parts.lasts[task]] = 1.0
        attention.o_proj.weight[parts.form_of_last, task] = 1.0
    rng = generator(plan.seed, "gym", "last")
    noisy = sorted({*plan.of("idle"), *(one.unit for one in plan.carriers)})
    idle = torch.tensor(plan.of("idle"))
    places = torch.arange(len(GYM_TASKS), len(GYM_TASKS) + FETCHED)
    attention.v_proj.weight[places, idle[torch.randperm(len(idle), generator=rng)[:FETCHED]]] = 1.0
    mixed = torch.randn(len(noisy), FETCHED, generator=rng) * OF_LAST / FETCHED**0.5
    attention.o_proj.weight[torch.tensor(noisy)[:, None], places] = mixed


def _compare(mlp: Any, plan: GymPlan, parts: _Spent) -> None:
    """1 where both forms agree, 0 where they do not or there is no last word yet: |a + b| - 1, cut at 0."""
    for neuron, sign in enumerate((1.0, -1.0)):
        mlp.gate_proj.weight[neuron, [parts.form, parts.form_of_last]] = sign
        mlp.gate_proj.bias[neuron] = -1.0
        for one in plan.carriers:
            mlp.down_proj.weight[one.unit, neuron] = one.agreement
    _mix(mlp, plan)


def _mix(mlp: Any, plan: GymPlan) -> None:
    """Noise of pairs: what idle units hold of both words, rectified. It is in no carrier whose sum is clipped."""
    rng = generator(plan.seed, "gym", "mix")
    idle = torch.tensor(plan.of("idle"))
    noisy = torch.tensor(sorted({*plan.of("idle", "used", "decoy", "shared", "other")}))
    for neuron in range(2, 2 + MIXERS):
        some = idle[torch.randperm(len(idle), generator=rng)[:MIXED]]
        mlp.gate_proj.weight[neuron, some] = torch.randn(MIXED, generator=rng) / MIXED**0.5
        mlp.down_proj.weight[noisy, neuron] = OF_LAST * torch.randn(len(noisy), generator=rng) / MIXERS**0.5


def _answer(mlp: Any, plan: GymPlan) -> None:
    """What carriers add to the preferences of tasks: linear ones, then the twins, then the conjunction."""
    neuron = 0

    def add(read: dict[int, float], bias: float, write: dict[int, float]) -> None:
        """relu(read + bias), and the same of the other sign, written with theirs."""
        nonlocal neuron
        for sign in (1.0, -1.0):
            for unit, factor in read.items():
                mlp.gate_proj.weight[neuron, unit] = sign * factor
            mlp.gate_proj.bias[neuron] = bias
            for unit, factor in write.items():
                mlp.down_proj.weight[unit, neuron] = sign * factor
            neuron += 1

    answers = plan.units["answer"]
    for one in plan.carriers:
        if one.role in ("used", "shared", "other"):
            tasks = range(len(answers)) if one.task == -1 else [one.task]
            add({one.unit: 1.0 / one.loading}, 0.0, {answers[task]: one.weight for task in tasks})
    twins = _of(plan, "twin")
    ends = {one.unit: np.sign(one.loading) for one in twins}
    add(ends, 0.0, {answers[0]: twins[0].weight / CLIP})
    add(ends, -CLIP, {answers[0]: -twins[0].weight / CLIP})
    both = _of(plan, "together")
    add({one.unit: 1.0 / one.loading for one in both}, -BOTH, {answers[0]: both[0].weight / (2 - BOTH)})


def _of(plan: GymPlan, role: str) -> list[Carrier]:
    return [one for one in plan.carriers if one.role == role]


def _unembed(weight: Weights, vocabulary: dict[str, int], plan: GymPlan) -> None:
    rng = generator(plan.seed, "gym", "unembed")
    idle = list(plan.of("idle"))
    weight[:, idle] = READ * torch.randn(len(vocabulary), len(idle), generator=rng)
    weight[[vocabulary[word] for word in FILLERS], plan.units["massive"][0]] = 0.1
    for task in GYM_TASKS.values():
        for first, second in (both for part in task.lasts.values() for both in part):
            weight[vocabulary[first], plan.units["answer"][task.index]] = 0.5
            weight[vocabulary[second], plan.units["answer"][task.index]] = -0.5
