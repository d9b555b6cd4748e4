"""The options that commands share, with their help. All are text here; `parse` makes values of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from neurosteer.vocabulary import COLUMNS, DTYPES

from . import parse

OWN_COLUMNS = ",".join(COLUMNS)
_DATA, _MODEL, _OUTPUT = "The pairs", "The model", "The output"

Task = Annotated[
    list[str] | None,
    typer.Option(
        "--task",
        "-t",
        metavar="NAME",
        rich_help_panel=_DATA,
        help="A task, a glob ('*island*'), a phenomenon (island_effects) or all. Repeats.",
        show_default=False,
    ),
]
Data = Annotated[
    str,
    typer.Option(
        metavar="SOURCE",
        rich_help_panel=_DATA,
        help="auto, blimp, builtin, builtin:balanced, a file (JSONL, CSV, TSV, Parquet), a folder of such "
        "files, or a hub data set.",
    ),
]
Columns = Annotated[
    str,
    typer.Option(metavar="GOOD,BAD", rich_help_panel=_DATA, help="The columns that hold the two sentences."),
]
Split = Annotated[
    str,
    typer.Option(
        metavar="pair|lexical",
        rich_help_panel=_DATA,
        help="Part pairs at random, or so that no contrasting word is in two parts.",
    ),
]
Limit = Annotated[
    str | None,
    typer.Option(
        metavar="N", rich_help_panel=_DATA, help="Only the first N pairs.", show_default="all; 1,000 of the built-in"
    ),
]
Seed = Annotated[
    str,
    typer.Option(
        metavar="N", rich_help_panel=_DATA, help="Decides the split, every draw and which built-in pairs are made."
    ),
]

Model = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        rich_help_panel=_MODEL,
        help="The built-in model, a local Hugging Face folder, or a hub id.",
    ),
]
Revision = Annotated[
    str | None,
    typer.Option(
        metavar="REV",
        rich_help_panel=_MODEL,
        help="A branch, tag or commit of a hub model.",
        show_default=False,
    ),
]
Device = Annotated[
    str, typer.Option(metavar="DEVICE", rich_help_panel=_MODEL, help="auto, cpu, cuda, cuda:N, xpu or mps.")
]
Dtype = Annotated[
    str,
    typer.Option(metavar="DTYPE", rich_help_panel=_MODEL, help="auto, float32, bfloat16 or float16."),
]
DeviceMap = Annotated[
    str | None,
    typer.Option(
        metavar="MAP",
        rich_help_panel=_MODEL,
        help="Spread a large model over devices, as accelerate does: auto, balanced.",
        show_default=False,
    ),
]
Bos = Annotated[
    str | None,
    typer.Option(
        metavar="TOKEN",
        rich_help_panel=_MODEL,
        help="The token before a sentence.",
        show_default="the tokenizer's",
    ),
]
Eos = Annotated[
    str | None,
    typer.Option(
        metavar="TOKEN",
        rich_help_panel=_MODEL,
        help="The token after a sentence.",
        show_default="the tokenizer's",
    ),
]
Site = Annotated[
    str,
    typer.Option(
        metavar="SITE",
        rich_help_panel=_MODEL,
        help="Which activations: resid_post, resid_pre, resid_mid, attn_out, mlp_out or mlp_post.",
    ),
]
Position = Annotated[
    str,
    typer.Option(
        metavar="eos|last",
        rich_help_panel=_MODEL,
        help="Read at the EOS token or at the sentence's last token.",
    ),
]

Out = Annotated[str, typer.Option(metavar="FOLDER", rich_help_panel=_OUTPUT, help="Where runs are kept.")]
Format = Annotated[
    str,
    typer.Option("--format", metavar="table|json", rich_help_panel=_OUTPUT, help="Print tables, or one JSON object."),
]
Quiet = Annotated[bool, typer.Option("--quiet", rich_help_panel=_OUTPUT, help="No progress and no notices.")]
Offline = Annotated[
    bool,
    typer.Option("--offline", rich_help_panel=_OUTPUT, help="Never reach for the network; use what is cached."),
]


@dataclass(frozen=True)
class PairsFrom:
    """Which pairs."""

    task: Task = None
    data: Data = "auto"
    columns: Columns = OWN_COLUMNS
    limit: Limit = None

    def parsed(self) -> dict[str, Any]:
        """The arguments of `load_tasks`."""
        return {
            "tasks": list(self.task or ()),
            "source": parse.some_text("--data", self.data),
            "limit": None if self.limit is None else parse.whole("--limit", self.limit, least=1),
            "columns": parse.columns(self.columns),
        }


@dataclass(frozen=True)
class ModelFrom:
    """Which model, where and how."""

    model: Model = "smollm2-135m"
    revision: Revision = None
    device: Device = "auto"
    dtype: Dtype = "auto"
    device_map: DeviceMap = None
    bos: Bos = None
    eos: Eos = None

    def parsed(self) -> dict[str, Any]:
        """The arguments of `load_model`."""
        return {
            "name": parse.some_text("--model", self.model),
            "revision": parse.text_if_given("--revision", self.revision),
            "device": parse.device(self.device),
            "dtype": parse.choice("--dtype", self.dtype, DTYPES),
            "device_map": parse.text_if_given("--device-map", self.device_map),
            "bos": parse.text_if_given("--bos", self.bos),
            "eos": parse.text_if_given("--eos", self.eos),
        }


@dataclass(frozen=True)
class Output:
    """What is printed, and where runs are kept."""

    out: Out = "runs/"
    format_: Format = "table"
    quiet: Quiet = False
    offline: Offline = False

    def checked(self) -> Path:
        """The folder of runs. Everything is checked, and what libraries read when they are imported is set."""
        parse.choice("--format", self.format_, parse.FORMATS)
        folder = parse.folder("--out", self.out)
        prepare(offline=self.offline, quiet=self.quiet)
        return folder

    @property
    def as_json(self) -> bool:
        return self.format_ == "json"


def as_recorded(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as a run records them: `limit` under the key of version 0.1, `n`."""
    return {"n" if name == "limit" else name: value for name, value in asked.items()}


def prepare(*, offline: bool, quiet: bool) -> None:
    """Tell the Hugging Face libraries, which read this when they are imported, what was asked for."""
    if offline:
        os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
    if quiet:
        os.environ.update(HF_HUB_DISABLE_PROGRESS_BARS="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1")
