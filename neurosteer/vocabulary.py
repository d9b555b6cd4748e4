"""The words that options, recipes and results share, and how layers, pairs and devices are written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, get_args

Json: TypeAlias = Any  # null, a truth value, a number, a text, or a list or dict of such
PaperMethod = Literal["welch", "l0"]  # of ranking, in the paper
CausalMethod = Literal["welch", "l0", "attribution"]  # that the recipe `causal` compares
Method = Literal["welch", "l0", "mean-diff", "l1", "localizer", "attribution", "causal-l0"]  # see `rankings`
SplitKind = Literal["pair", "lexical"]
RunState = Literal["running", "waiting", "failed", "stopped"]  # of a recipe that is not finished
Site = Literal["resid_post", "resid_pre", "resid_mid", "attn_out", "mlp_out", "mlp_post", "z"]
Grain = Literal["unit", "head"]  # what is ranked, chosen and edited as one: a unit, or the units of a head
Edited = Literal["unit", "head", "direction"]  # what an edit acts on
DirectionKind = Literal["mean", "probe"]  # the difference of the means of good and bad states, or probe weights
Position = Literal["eos", "last"]
Layers: TypeAlias = Literal["all"] | int | Sequence[int]  # block indices
Dtype = Literal["auto", "float32", "bfloat16", "float16"]
Workers: TypeAlias = int | Literal["auto"]  # processes that compute a recipe
Convention = Literal["sum", "mean", "lm-eval", "minicons"]
Reference = Literal["zero", "mean", "resample"]  # what an edit moves its neurons towards, or away from
FixedReference = Literal["zero", "mean"]  # of these, one value for a neuron, the same at every token
EditKind = Literal["zero", "mean", "resample", "clamp", "push"]
PushFormat = Literal["gguf", "lm-eval"]  # files of other tools that a push is written as
Where = Literal["all", "prompt", "generated", "eos", "every"]  # all: every token but BOS; every: BOS too
Reach = Literal["own", "onward", "all"]
L0States = Literal["standardised", "scaled", "raw"]  # what masks are trained on; scaled: a layer over one number
L0Start = Literal["cold", "warm"]
L0Decay = Literal["cosine", "none"]
PAPER_METHODS: tuple[PaperMethod, ...] = get_args(PaperMethod)
CAUSAL_METHODS: tuple[CausalMethod, ...] = get_args(CausalMethod)
METHODS: tuple[Method, ...] = get_args(Method)
SITES: tuple[Site, ...] = get_args(Site)
DIRECTION_KINDS: tuple[DirectionKind, ...] = get_args(DirectionKind)
GRAINS: tuple[Grain, ...] = get_args(Grain)
NOUNS: Mapping[Edited, str] = {"unit": "neuron", "head": "head", "direction": "direction"}
POSITIONS: tuple[Position, ...] = get_args(Position)
DTYPES: tuple[Dtype, ...] = get_args(Dtype)
CONVENTIONS: tuple[Convention, ...] = get_args(Convention)
MEAN_CONVENTIONS: tuple[Convention, ...] = ("mean", "minicons")  # log probabilities per token, not summed
REFERENCES: tuple[Reference, ...] = get_args(Reference)
FIXED_REFERENCES: tuple[FixedReference, ...] = get_args(FixedReference)
KINDS: tuple[EditKind, ...] = get_args(EditKind)
WHERES: tuple[Where, ...] = get_args(Where)
L0_STATES: tuple[L0States, ...] = get_args(L0States)
L0_STARTS: tuple[L0Start, ...] = get_args(L0Start)
L0_DECAYS: tuple[L0Decay, ...] = get_args(L0Decay)
REACHES: tuple[Reach, ...] = get_args(Reach)
MOST_CONTROLS = 100_000  # of one set: each takes 2 to 5 KB, and a forward pass of all pairs
CARDS = 10  # neurons of each ranking, highest first, that have a card in a page
MOST_DRAWS = 10_000  # of random sets: each is a probe at every layer
MOST_WORKERS = 1024
MOST_LAMBDAS = 1_000  # each is a mask at every layer
FEWEST_CONTROLS = 19  # that can give p = .05
Stat = Literal["token_mean", "token_var", "eos_mean", "eos_var"]  # of a unit, over train sentences
Columns: TypeAlias = tuple[str, str]  # names of the columns with the good and with the bad sentence
COLUMNS: Columns = ("sentence_good", "sentence_bad")
LEVEL = 0.05  # of p and q
POWER = 0.8  # with which the smallest effect is said that would have been detected
ENOUGH = 0.95  # of the dense probe's accuracy
AGREE = 0.5  # of the largest Spearman that ties allow
FEWEST_PAIRS = 50  # for a 95 % interval: at 40 it holds the truth in 88 % of cases
FEWEST_PREFERRED = 20  # to tell a preference: of none the interval lies above 0 in 9 % of cases at 5 pairs, 4 % at 10
EffectVerdict = Literal["stands out", "does not stand out", "too few to tell", "nothing to lose"]
STANDS_OUT, DOES_NOT_STAND_OUT, TOO_FEW_TO_TELL, NOTHING_TO_LOSE = get_args(EffectVerdict)
MoreOrLess = Literal["more", "less"]  # how far a set that stands out moves the margin, beside its controls
MORE, LESS = get_args(MoreOrLess)
Question = Literal["encoded", "necessary", "sufficient", "interchangeable", "selective", "isolated"]  # of evidence
QUESTIONS: tuple[Question, ...] = get_args(Question)
Region = Literal["cause", "between", "last"]  # of a factorial item: up to `last`, the token before the outcome
REGIONS: tuple[Region, ...] = get_args(Region)


def counted(number: int, noun: str) -> str:
    """`1 neuron`, `1,200 neurons`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def are(number: int) -> str:
    """The verb after `counted`: `1 pair is`, `2 pairs are`."""
    return "is" if number == 1 else "are"


def counted_pairs(pairs: int, groups: int, noun: str = "test pair") -> str:
    """`60 test pairs (12 groups that share an item or a sentence)`; `60 test pairs` where each is a group."""
    share = f"{counted(groups, 'group')} that share{'s' * (groups == 1)} an item or a sentence"
    return counted(pairs, noun) + ("" if groups == pairs else f" ({share})")


def is_device(text: str) -> bool:
    """Whether it is `auto`, or a device as torch names it."""
    return re.fullmatch(r"auto|cpu|(cuda|xpu|mps)(:[0-9]+)?", text) is not None


def read_workers(given: int | str) -> Workers:
    """How many workers, or `auto`. Raises `ValueError`, whose message says what is taken."""
    if given == "auto":
        return "auto"
    if re.fullmatch(r"[0-9]{1,4}", str(given)) and 1 <= int(given) <= MOST_WORKERS:
        return int(given)
    why = " (each is a process with a model of its own)" if re.fullmatch(r"[0-9]{4,}", str(given)) else ""
    raise ValueError(f"is neither auto nor a whole number from 1 to {MOST_WORKERS:,}{why}")


def is_share(text: str) -> bool:
    """Whether it is a percentage above 0 and up to 100: `1%`."""
    share = re.fullmatch(r"([0-9]*\.?[0-9]+)%", text)
    return share is not None and 0 < float(share[1]) <= 100


def read_layers(text: str) -> list[int]:
    """The layers of `3`, `3,7,12`, `0-5` or `0-5,9`, ascending, each once. Raises `ValueError` for other text."""
    return sorted({layer for part in text.split(",") for layer in _span(part)})


def _span(part: str) -> range:
    match = re.fullmatch(r"\s*([0-9]{1,4})(?:-([0-9]{1,4}))?\s*", part)
    if not match or int(match[1]) > int(match[2] or match[1]):
        raise ValueError(f"'{part}' is neither a layer nor an ascending range of layers")
    return range(int(match[1]), int(match[2] or match[1]) + 1)
