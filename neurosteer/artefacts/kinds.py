"""Every kind of artefact that neurosteer writes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal, get_args

import numpy as np
from pydantic import BaseModel, Field

from neurosteer.pairs.splitting import PARTS
from neurosteer.vocabulary import FixedReference, Json, Position, Site, SplitKind, Stat

from .schema import Array, Arrays, Metadata, Schema

_SCORES = Array("float", ("layer", "unit"))
_STATS = {
    "stats_layers": Array("int", ("layer",), least=0, rising=True),
    "stats_tokens": Array("int", (1,), least=0),
    **{
        name: Array("float", ("layer", "unit"), least=0 if name.endswith("var") else None, nan=True)
        for name in get_args(Stat)
    },
}  # of all units of the ranked layers
_DIRECTIONS = {
    "directions": Array("float", ("layer", "unit")),
    "spread": Array("float", ("layer",), least=0),
    "mean_directions": Array("float", ("layer", "unit")),
    "mean_spread": Array("float", ("layer",), least=0),
}  # of dense probes, and of differences of means
_Index = Annotated[int, Field(ge=0)]
_Count = Annotated[int, Field(ge=1)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_TOPK = r"^\s*([1-9][0-9]*|[0-9]*\.?[0-9]+%)\s*$"  # a count of neurons, or a share


class _Network(BaseModel):
    """The model, with its BOS and EOS."""

    name: str | None = None
    fingerprint: str | None = None
    bos: _Index | None = None
    eos: _Index | None = None


class _Attribution(BaseModel):
    to: FixedReference = "zero"
    steps: _Count = 1


class _Probes(BaseModel):
    strengths: list[_Positive] = Field(default_factory=list)
    l2: dict[str, _Positive] = Field(default_factory=dict)


_PROVENANCE: Mapping[str, object] = {
    "task": str,
    "source": str,
    "pairs": str,  # digest
    "layout": str,
    "split": SplitKind | Literal["own"],  # own: of `ns.rank_neurons`, whose caller has split them
    "seed": _Index,
    "position": Position,
    "method": str,  # also of rankings that others have named
    "k": _Count | Annotated[str, Field(pattern=_TOPK)],
    "to": FixedReference,
    "steps": _Count,
    "attribution": _Attribution | None,
    "probes": _Probes,
    "group": int,  # units that go together, as those of a head
    "seen": list[str],  # hashes of the sentences that chose the neurons
    "network": _Network,
}  # where neurons come from


def _wrong_stats(arrays: Arrays) -> str:
    measured = not np.isnan(arrays["token_mean"]).all()
    return "'stats_tokens' is 0, and yet 'token_mean' is known" if measured and not arrays["stats_tokens"][0] else ""


def _wrong_neurons(arrays: Arrays, metadata: Metadata) -> str:
    chosen = list(zip(arrays["layers"].tolist(), arrays["units"].tolist(), strict=True))
    twice = [one for one, following in pairwise(sorted(chosen)) if one == following]
    if chosen != sorted(chosen):
        return "its neurons are not in ascending order"
    if twice:
        return "unit {1} of layer {0} stands there twice".format(*twice[0])
    if (np.isnan(arrays["token_mean"]) != np.isnan(arrays["token_var"])).any():
        return "'token_mean' and 'token_var' are not known of the same units"
    unknown = {layer for layer, _ in chosen} - set(arrays["stats_layers"].tolist())
    if unknown:
        return f"layer {min(unknown)} is not among its 'stats_layers'"
    last = max((unit for _, unit in chosen), default=0)
    width = arrays["token_mean"].shape[1]
    if last >= width:
        return f"there is no unit {last} among {width}"
    wrong = _wrong_stats(arrays) or _wrong_group(arrays, metadata)
    return wrong or _wrong_parts(set(chosen), metadata.get("group", 1))


def _wrong_parts(chosen: set[tuple[int, int]], group: int) -> str:
    first = ((layer, unit - unit % group) for layer, unit in chosen)
    whole = all((layer, unit + i) in chosen for layer, unit in first for i in range(group))
    return "" if whole else f"it has a part of {group} units that go together"


def _wrong_direction(arrays: Arrays, metadata: Metadata) -> str:
    length = float(np.linalg.norm(arrays["vector"]))
    wrong = "" if abs(length - 1) <= 1e-3 else f"'vector' is of length {length:.4g}, not 1"
    return wrong or _wrong_neurons(arrays, metadata)


def _wrong_group(arrays: Arrays, metadata: Metadata) -> str:
    group, width = metadata.get("group", 1), arrays["token_mean"].shape[1]
    return f"'group' is {group}, which does not part {width} units" if group < 1 or width % group else ""


def _wrong_ranking(arrays: Arrays, metadata: Metadata) -> str:
    best, layers = metadata["best_layer"], arrays["stats_layers"].tolist()
    if best is not None and best not in layers:
        return f"its best layer {best} is not among its 'stats_layers'"
    if wrong := _wrong_stats(arrays) or _wrong_group(arrays, metadata):
        return wrong
    members = arrays["scores"].reshape(len(layers), -1, metadata.get("group", 1))
    return "units that go together have different scores" if (members != members[..., :1]).any() else ""


_TOP: Mapping[str, Array] = {
    "top_layers": Array("int", ("best",), least=0),
    "top_units": Array("int", ("best",), least=0),
    "top_means": Array("float32", ("best", 2)),
    "top_values": Array("float32", ("best", 2, "sentence")),
    "top_sentences": Array("int", ("best", 2, "sentence"), least=0),
}


def _wrong_found(arrays: Arrays, metadata: Metadata) -> str:
    """The scores of its methods, whose names only the metadata know."""
    if not metadata["rankings"]:
        return "'rankings' is empty"
    for name in (f"scores_{method}" for method in metadata["rankings"]):
        if name not in arrays:
            return f"it has no array '{name}'"
        if arrays[name].shape != arrays["token_mean"].shape:
            return f"'{name}' has another shape than 'token_mean'"
        if fault := _SCORES.fault(arrays[name]):
            return f"'{name}' {fault}"
    for name, array in _TOP.items():
        if name in arrays and (fault := array.fault(arrays[name])):
            return f"'{name}' {fault}"
    return _wrong_stats(arrays)


def _wrong_tokens(arrays: Arrays, metadata: Metadata) -> str:
    rows, tokens = arrays["logprobs"].shape
    if len(metadata["pairs"]) != len(arrays["counts"]):
        return f"it names {len(metadata['pairs'])} pairs and counts the tokens of {len(arrays['counts'])}"
    if len(metadata["texts"]) != tokens or int(arrays["counts"].sum()) != tokens:
        return f"'logprobs' has {tokens} tokens, 'texts' {len(metadata['texts'])}, 'counts' {arrays['counts'].sum()}"
    return "" if rows == 1 + len(metadata["scales"]) else f"'logprobs' has {rows} rows for as many edits and one more"


def _wrong_split(arrays: Arrays, metadata: Metadata) -> str:
    pairs, placed = len(metadata["pairs"]), np.concatenate([arrays[part] for part in PARTS])
    if len(np.unique(placed)) < placed.size:
        return "a pair stands in two parts of the split"
    return f"the split names pair {placed.max()} of {pairs}" if placed.size and placed.max() >= pairs else ""


NEURONS = Schema(
    "neurons",
    {
        "layers": Array("int", ("neuron",), least=0),
        "units": Array("int", ("neuron",), least=0),
        "scores": Array("float", ("neuron",)),
        **_STATS,
    },
    {"model": str, "site": Site},
    _PROVENANCE,
    _wrong_neurons,
)  # a set
DIRECTION = Schema(
    "direction",
    {**NEURONS.arrays, "vector": Array("float", ("neuron",)), "std": Array("float", (1,), least=0)},
    {"model": str, "site": Site},
    _PROVENANCE,
    _wrong_direction,
)
RANKING = Schema(
    "ranking",
    {"scores": _SCORES, **_STATS},
    {"best_layer": int | None, "method": str, "model": str, "site": Site},
    _PROVENANCE,
    _wrong_ranking,
)
FOUND = Schema(
    "found",
    {**_STATS, **_DIRECTIONS},
    {"result": str, "rankings": dict[str, Json]},
    fault=_wrong_found,
)  # a whole search, in the cache
PROBES = Schema(
    "probes",
    {**_DIRECTIONS, **{part: Array("int", (f"{part} pair",), least=0, rising=True) for part in PARTS}},
    {"pairs": list[Json], "source": str},
    fault=_wrong_split,
)  # the dense probes of a search, its pairs and their split
TOP_STATES = Schema("states of neurons", _TOP, {"task": str})  # of the best neurons of a find, after some sentences
CONTROLS = Schema(
    "controls", {"margins": Array("float", ("control", "pair"))}, {"task": str, "pairs": str}
)  # of an edit
TOKENS = Schema(
    "tokens",
    {"counts": Array("int", ("pair", 2), least=0), "logprobs": Array("float", ("row", "token"))},
    {"task": str, "pairs": list[str], "texts": list[str], "scales": list[float]},
    fault=_wrong_tokens,
)  # log-probabilities token by token, for a page
STATES = Schema("states", {"values": Array("float32", ("pair", 2, "layer", "unit"))})
TOKEN_STATS = Schema(
    "stats",
    {
        "mean": Array("float", ("layer", "unit")),
        "var": Array("float", ("layer", "unit"), least=0),
        "tokens": Array("int", (1,), least=1),
    },
)
ATTRIBUTION = Schema("attribution", {name: Array("float", ("layer", "unit")) for name in ("product", "gradient")})
MASK_PATH = Schema(
    "mask",
    {
        "log_alpha": _SCORES,
        "mean": _SCORES,
        **{name: Array("float", ("layer", "unit"), least=0) for name in ("square", "area")},
        "opened": Array("int", ("layer", "unit"), least=0),
    },
    {"step": int, "start": float},
)  # a causal mask in training
EVIDENCE = Schema("evidence", metadata={"part": str})  # the answer to one question, in the cache
UNIT = Schema("unit", metadata={"unit": str, "digest": str, "values": dict[str, Json]})  # of a recipe's run
KINDS: tuple[Schema, ...] = (
    NEURONS,
    DIRECTION,
    RANKING,
    FOUND,
    PROBES,
    TOP_STATES,
    CONTROLS,
    TOKENS,
    STATES,
    TOKEN_STATS,
    ATTRIBUTION,
    MASK_PATH,
    EVIDENCE,
    UNIT,
)
