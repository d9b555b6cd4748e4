"""Continuations of prompts: batched, with a key-value cache, greedy or sampled; under the edits that are active."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, overload

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, TemperatureLogitsWarper

from neurosteer.arguments import as_texts, expect, whole
from neurosteer.edits import Edit
from neurosteer.errors import InputError, NeurosteerError
from neurosteer.model import Model, active_edits, edited_positions, encode, prompt_ends_at
from neurosteer.progress import AUTO, QUIET, Progress
from neurosteer.seeds import generator
from neurosteer.shown import quoted
from neurosteer.vocabulary import Where, counted

from .generation_check import can_cache_keys, can_pad, padded
from .oom_retry import split_on_oom
from .overflow import overflow

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Generated:
    """A prompt and the text that the model wrote after it; `str` joins both.

    Attributes:
        prompt: the prompt.
        text: the new text.
        tokens: ids of the new tokens, with EOS if the model wrote it.

    Example:
        >>> written = ns.generate(model, "dab molo kiri", max_new_tokens=1)
        >>> written.prompt, len(written.tokens)
        ('dab molo kiri', 1)
        >>> list(written.to_frame())
        ['prompt', 'text', 'tokens']
    """

    prompt: str
    text: str
    tokens: tuple[int, ...]

    def __str__(self) -> str:
        return self.prompt + self.text

    def to_frame(self) -> pd.DataFrame:
        """Show one row as a data frame: prompt, text, and number of new tokens; `pd.concat` joins several."""
        import pandas as pd

        return pd.DataFrame([{"prompt": self.prompt, "text": self.text, "tokens": len(self.tokens)}])

    def _repr_html_(self) -> str:
        look = "white-space: pre-wrap"
        return f'<p style="{look}"><span style="opacity: .6">{escape(self.prompt)}</span>{escape(self.text)}</p>'

    def __repr__(self) -> str:
        written = counted(len(self.tokens), "token")
        return f"Generated({quoted(self.prompt)}, {quoted(self.text)}, {written})"


@dataclass(frozen=True)
class Token:
    """A token of a prompt, and whether an edit changes activations at it."""

    text: str
    id: int
    touched: bool


@overload
def generate(
    model: Model,
    prompts: str,
    *,
    max_new_tokens: int = ...,
    temperature: float = ...,
    seed: int = ...,
    cache: bool = ...,
    progress: Progress = ...,
) -> Generated: ...


@overload
def generate(
    model: Model,
    prompts: list[str],
    *,
    max_new_tokens: int = ...,
    temperature: float = ...,
    seed: int = ...,
    cache: bool = ...,
    progress: Progress = ...,
) -> list[Generated]: ...


def generate(
    model: Model,
    prompts: str | Sequence[str],
    *,
    max_new_tokens: int = 20,
    temperature: float = 0.0,
    seed: int = 0,
    cache: bool = True,
    progress: Progress = AUTO,
) -> Generated | list[Generated]:
    """Continue one prompt, or several in one batch, each with BOS before it.

    If memory runs out, batches become smaller. A continuation ends at EOS, or after `max_new_tokens`. Edits that are
    active apply.

    Args:
        model: the model.
        prompts: a prompt, or several.
        max_new_tokens: the most tokens that are written, at least 1.
        temperature: 0 takes the most probable token; above 0 tokens are sampled.
        seed: decides the samples, together with the prompt: they do not depend on the other prompts of the batch.
        cache: whether keys and values are cached. A model without such a cache (a recurrent one) runs without, with a
            notice.
        progress: where notices go.

    Returns:
        A `Generated`; for several prompts a list of them, in the same order.

    Raises:
        InputError: for a prompt that is too long for the model's context, and for an active edit that acts on no
            token of generation.

    Example:
        >>> first, second = ns.generate(model, ["dab molo kiri", "daben molo"], max_new_tokens=2)
        >>> str(second).startswith("daben molo"), len(second.tokens)
        (True, 2)
    """
    expect(model, Model, "model")
    texts = as_texts(prompts, "prompts")
    if whole(max_new_tokens, "max_new_tokens") < 1:
        raise InputError(f"max_new_tokens must be at least 1, not {max_new_tokens}")
    if not 0 <= temperature < float("inf"):
        raise InputError(f"temperature must be 0 (greedy) or above, not {temperature}")
    for applied in active_edits(model):
        refuse_untouched(applied.where, max_new_tokens)
    rows = list(enumerate(zip(texts, _encode(model, texts, max_new_tokens), strict=True)))
    cache = cache and can_cache_keys(model, progress)
    lengths = sorted({len(ids) for _, (_, ids) in rows})
    if len(lengths) == 1 or can_pad(model, progress, cache=cache):
        jobs = [rows]
    else:
        jobs = [[row for row in rows if len(row[1][1]) == length] for length in lengths]
    batches = split_on_oom(
        jobs,
        lambda batch: _batch(model, [row for _, row in batch], max_new_tokens, temperature, seed, cache),
        halves=lambda batch: (batch[: (len(batch) + 1) // 2], batch[(len(batch) + 1) // 2 :]),
        unit="prompt",
        model=model,
        progress=QUIET,
    )
    written = {place: row for batch, found in batches for (place, _), row in zip(batch, found, strict=True)}
    return written[0] if isinstance(prompts, str) else [written[place] for place in range(len(rows))]


def touched_tokens(model: Model, prompt: str, edit: Edit) -> list[Token]:
    """The tokens of a prompt, with BOS, and at which of them an edit acts."""
    [ids] = _encode(model, [prompt], 1)
    chosen = (
        edited_positions(model, {"input_ids": torch.tensor([ids])}, edit.where, prompt=len(ids)).tokens[0].tolist()
    )
    texts = [model.tokenizer.decode([token]) for token in ids]
    return [Token(*row) for row in zip(texts, ids, chosen, strict=True)]


def _batch(
    model: Model,
    batch: Sequence[tuple[str, tuple[int, ...]]],
    max_new_tokens: int,
    temperature: float,
    seed: int,
    cache: bool,
) -> list[Generated]:
    """Continue prompts: pairs of a text and its token ids."""
    prompts, sequences = zip(*batch, strict=True)
    tokens, mask = padded(sequences, fill=model.eos.id)
    width = tokens.shape[1]
    settings = GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=False,
        num_beams=1,
        repetition_penalty=1.0,
        use_cache=cache,
        eos_token_id=model.eos.id,
        pad_token_id=model.eos.id,
    )
    with prompt_ends_at(model, width), _own_defaults(model), torch.no_grad():
        found = model.bridge.original_model.generate(
            tokens.to(model.device),
            attention_mask=mask.to(model.device),
            generation_config=settings,
            logits_processor=_sampling(model, prompts, temperature, seed),
            return_dict_in_generate=True,
        )
    rows = zip(prompts, found.sequences, strict=True)
    return [_generated(model, prompt, row[width:].tolist()) for prompt, row in rows]


@contextmanager
def _own_defaults(model: Model) -> Iterator[None]:
    """Inside the block the checkpoint's own generation settings, which would fill what is not given, are unset."""
    network = model.bridge.original_model
    before = network.generation_config
    network.generation_config = GenerationConfig()
    try:
        yield
    finally:
        network.generation_config = before


def refuse_untouched(where: Where, max_new_tokens: int) -> None:
    """Raise `InputError` for an edit that cannot act during generation."""
    if where == "eos":
        raise InputError("an edit where 'eos' cannot matter for generation: it ends there; use where 'all'")
    if where == "generated" and max_new_tokens == 1:
        raise InputError("an edit where 'generated' cannot matter for one new token: it is never read again")


def _encode(model: Model, prompts: Sequence[str], room: int) -> list[tuple[int, ...]]:
    if not prompts:
        raise InputError("no prompt to continue")
    if not model.bos and not all(prompts):
        raise InputError("an empty prompt needs a BOS before it")
    head = (model.bos.id,) if model.bos else ()
    encoded = iter(encode(model, [prompt for prompt in prompts if prompt], position="last"))
    sequences = [next(encoded) if prompt else head for prompt in prompts]
    for prompt, ids in zip(prompts, sequences, strict=True):
        if len(ids) + room > model.context:
            raise InputError(
                f"a prompt of {len(ids)} tokens and {room} new ones exceed the {model.context} of {model.name}: "
                f"{prompt[:37]!r}"
            )
    return sequences


def _generated(model: Model, prompt: str, new: list[int]) -> Generated:
    if model.eos.id in new:
        new = new[: new.index(model.eos.id) + 1]
    written = new[:-1] if new[-1:] == [model.eos.id] else new
    return Generated(prompt, model.tokenizer.decode(written), tuple(new))


def _sampling(model: Model, prompts: Sequence[str], temperature: float, seed: int) -> LogitsProcessorList:
    """For greedy search only a check for what is no number. Else the largest of scores plus Gumbel noise is a sample
    (Gumbel 1954), drawn without the global generator."""
    if temperature == 0:
        return LogitsProcessorList([_CheckScores(model)])
    return LogitsProcessorList(
        [_CheckScores(model), TemperatureLogitsWarper(float(temperature)), _AddNoise(prompts, seed)]
    )


class _CheckScores(LogitsProcessor):
    """Raises `NeurosteerError` for scores that are no numbers: text generated from them would be meaningless.

    Without edits it is an `InputError`, which says what helps.
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    def __call__(
        self, input_ids: Int[Tensor, "row token"], scores: Float[Tensor, "row vocab"]
    ) -> Float[Tensor, "row vocab"]:
        finite = scores.amax(dim=-1).isfinite()  # a word may be ruled out, by minus infinity
        if not bool(finite.all()):
            if not active_edits(self.model):
                raise overflow(self.model, input_ids[~finite].tolist())
            raise NeurosteerError("the next token's probabilities are no numbers; give a --scale nearer to 1")
        return scores


class _AddNoise(LogitsProcessor):
    """Adds Gumbel noise from each prompt's own generator to its scores."""

    def __init__(self, prompts: Sequence[str], seed: int) -> None:
        self.sources = [generator(seed, "sample", prompt) for prompt in prompts]

    def __call__(
        self, input_ids: Int[Tensor, "row token"], scores: Float[Tensor, "row vocab"]
    ) -> Float[Tensor, "row vocab"]:
        noise = torch.stack([torch.rand(scores.shape[1], generator=source) for source in self.sources])
        return scores - (-noise.clamp_min(1e-30).log()).log().to(scores)
