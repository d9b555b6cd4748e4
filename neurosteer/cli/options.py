"""The options that commands share, with their types and their help."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from neurosteer import hub
from neurosteer.errors import NeurosteerError
from neurosteer.sites import USUAL_SITES, site_list
from neurosteer.vocabulary import Convention as ConventionName
from neurosteer.vocabulary import Dtype as DtypeName
from neurosteer.vocabulary import Json, SplitKind
from neurosteer.vocabulary import Position as PositionName
from neurosteer.vocabulary import Site as SiteName

from . import parse
from .parse import suggest

if TYPE_CHECKING:
    from neurosteer.model import KnownModel
    from neurosteer.model import Model as LoadedModel
    from neurosteer.pairs import Pairs
    from neurosteer.progress import Progress

_pairs_option = partial(typer.Option, rich_help_panel="The pairs")
_model_option = partial(typer.Option, rich_help_panel="The model")
_output_option = partial(typer.Option, rich_help_panel="The output")
MOST = 1_000_000  # of what is drawn, passed or written: far more than anyone waits for
MOST_PAIRS, LARGEST_SEED = 10**9, 2**32 - 1  # more of either is a slip of the hand
DEFAULT_COLUMNS = parse.Columns()
DEFAULT_MODEL = "smollm2-135m"


def known_tasks() -> list[str]:
    """The tasks whose names a shell completes."""
    from neurosteer.grammar import PARADIGMS
    from neurosteer.meaning import MEANING_TASKS

    return ["all", *PARADIGMS, *MEANING_TASKS]


# Where `run` has these, their defaults are the recipe's.
DATA = _pairs_option(
    metavar="SOURCE",
    parser=parse.some_text,
    autocompletion=suggest("auto", "blimp", "builtin", "builtin:balanced", "builtin:meaning", "builtin:gym"),
    help="auto, blimp, builtin, builtin:balanced, builtin:meaning, a published set (rublimp, multiblimp:deu), a file "
    "(JSON, CSV, TSV, Parquet, text), a folder of such files, or a hub data set.",
)
COLUMNS = _pairs_option(metavar="GOOD,BAD", parser=parse.columns, help="The columns with the two sentences.")
LAYOUT = _pairs_option(
    metavar="LAYOUT",
    parser=parse.layout,
    autocompletion=suggest("auto", "good-bad", "bad-good"),
    help="How rows become pairs: auto finds it; good-bad or bad-good where sentences alternate; or columns by their "
    "part: good=A,bad=B or sentence=A,label=B,pair=C, and task=D.",
)
SPLIT = _pairs_option(help="Part pairs at random, or so that no contrasting word is in two parts.")
SEED = _pairs_option(
    min=0, max=LARGEST_SEED, metavar="N", help="Decides the split, every draw and which built-in pairs are made."
)
MODEL_NAME: dict[str, Any] = {
    "metavar": "NAME",
    "parser": parse.some_text,
    "autocompletion": suggest(DEFAULT_MODEL),
    "help": "The built-in model, a local Hugging Face folder, or a hub id.",
}
MODEL = _model_option(**MODEL_NAME)
DEVICE = _model_option(
    metavar="DEVICE",
    parser=parse.device,
    autocompletion=suggest("auto", "cpu", "cuda", "xpu", "mps"),
    help="auto, cpu, cuda, cuda:N, xpu or mps.",
)
DTYPE = _model_option(metavar="DTYPE", help="auto, float32, bfloat16 or float16.")

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="TASK", autocompletion=known_tasks, help="The same as --task.", show_default=False),
]
Name = Annotated[
    str | None,
    typer.Argument(metavar="TASK", autocompletion=known_tasks, help="The same as --task.", show_default=False),
]
Task = Annotated[
    list[str] | None,
    _pairs_option(
        "--task",
        "-t",
        metavar="NAME",
        autocompletion=known_tasks,
        help="A task, a glob ('*island*'), a phenomenon (island_effects) or all. Repeats.",
        show_default=False,
    ),
]
Data = Annotated[str, DATA]
Columns = Annotated[parse.Columns, COLUMNS]
Layout = Annotated[str, LAYOUT]
Limit = Annotated[
    int | None,
    _pairs_option(
        min=1, max=MOST_PAIRS, metavar="N", help="Only the first N pairs; else all, and 1,000 of the built-in."
    ),
]
Split = Annotated[SplitKind, SPLIT]
Seed = Annotated[int, SEED]
Convention = Annotated[
    ConventionName,
    typer.Option(
        help="How sentences are scored: sum, mean (per token), lm-eval (space first) or minicons (its default)."
    ),
]

Model = Annotated[str, MODEL]
Revision = Annotated[
    str | None,
    _model_option(
        metavar="REV", parser=parse.some_text, help="A branch, tag or commit of a hub model.", show_default=False
    ),
]
Device = Annotated[str, DEVICE]
Dtype = Annotated[DtypeName, DTYPE]
DeviceMap = Annotated[
    str | None,
    _model_option(
        metavar="MAP",
        parser=parse.some_text,
        autocompletion=suggest("auto", "balanced"),
        help="Spread a large model over devices, as accelerate does: auto, balanced.",
        show_default=False,
    ),
]
Bos = Annotated[
    str | None,
    _model_option(
        metavar="TOKEN",
        parser=parse.some_text,
        help="The token before a sentence, or none; else the tokenizer's own.",
    ),
]
Eos = Annotated[
    str | None,
    _model_option(
        metavar="TOKEN", parser=parse.some_text, help="The token after a sentence; else the tokenizer's own."
    ),
]
Site = Annotated[
    SiteName | None,
    _model_option(
        metavar="SITE",
        help=f"Which activations: {site_list()}.",
        show_default=f"{USUAL_SITES['unit']}; {USUAL_SITES['head']} by head",
    ),
]
Position = Annotated[PositionName, _model_option(help="Read at the EOS token or at the sentence's last token.")]

Out = Annotated[Path, _output_option(metavar="FOLDER", parser=parse.folder, help="The folder for runs.")]
Format = Annotated[Literal["table", "json"], _output_option("--format", help="Print tables, or one JSON object.")]
Quiet = Annotated[bool, _output_option("--quiet", help="No progress and no notices.")]
Offline = Annotated[bool, _output_option("--offline", help="Never reach for the network; use what is cached.")]


@dataclass(frozen=True)
class PairsFrom:
    """Which pairs."""

    task: Task = None
    data: Data = "auto"
    columns: Columns = DEFAULT_COLUMNS
    layout: Layout = "auto"
    limit: Limit = None

    def load(self, names: list[str] | None, *, seed: int, offline: bool, progress: Progress) -> list[Pairs]:
        """Those of `--task` and of `names`, which were typed without it."""
        from neurosteer.pairs import load_tasks

        return load_tasks(
            self._tasks(names),
            source=self.data,
            limit=self.limit,
            columns=self.columns,
            layout=self.layout,
            seed=seed,
            offline=offline,
            progress=progress,
        )

    def record(self, names: list[str] | None) -> dict[str, Json]:
        """As a run keeps them, as JSON."""
        asked = {"tasks": self._tasks(names), "source": self.data, "n": self.limit, "columns": self.columns}
        return asked if self.layout == "auto" else {**asked, "layout": self.layout}  # it names the folders of runs

    def _tasks(self, names: list[str] | None) -> list[str]:
        return [*(names or ()), *(self.task or ())]


@dataclass(frozen=True)
class ModelOfFind:
    """Which model, where and how: the model of the newest find, unless one is named."""

    model: Annotated[str | None, _model_option(**MODEL_NAME, show_default="that of the newest find")] = None
    revision: Revision = None
    device: Device = "auto"
    dtype: Dtype = "auto"
    device_map: DeviceMap = None
    bos: Bos = None
    eos: Eos = None

    def named(self, model: str, **instead: str | None) -> ModelFrom:
        """The model of this name, with other options replaced by those of `instead`."""
        return ModelFrom(**{**vars(self), "model": model, **instead})


@dataclass(frozen=True)
class ModelFrom(ModelOfFind):
    """Which model, where and how."""

    model: Model = DEFAULT_MODEL

    def load(self, *, offline: bool, progress: Progress) -> LoadedModel:
        """The model."""
        from neurosteer.model import load_model

        return load_model(
            self.model,
            revision=self.revision,
            device=self.device,
            dtype=self.dtype,
            device_map=self.device_map,
            bos=self.bos,
            eos=self.eos,
            offline=offline,
            progress=progress,
        )

    def known(self, *, offline: bool) -> KnownModel | None:
        """What is known of the model without loading it, where it was loaded before from the same files."""
        from neurosteer.model import ModelRequest, known_model

        return known_model(ModelRequest(**self.record()), offline=offline)

    def record(self) -> dict[str, Json]:
        """As a run keeps it, as JSON."""
        kept = dict(vars(self))
        return {"name": kept.pop("model"), **kept}


Open = Annotated[bool, _output_option("--open", help="Open the run's page in a browser.")]


@dataclass(frozen=True)
class Output:
    """What is printed, and where runs are kept."""

    out: Out = Path("runs")
    format_: Format = "table"
    quiet: Quiet = False
    offline: Offline = False

    def __post_init__(self) -> None:
        prepare(offline=self.offline, quiet=self.quiet)

    @property
    def as_json(self) -> bool:
        """Whether one JSON object is printed, and nothing else."""
        return self.format_ == "json"


@dataclass(frozen=True)
class PageOutput(Output):
    """The same of a command whose run has a page."""

    open: Open = False


def open_page(page: Path) -> None:
    """Open a page in the user's browser. Raises `NeurosteerError` where there is no page, or no browser."""
    import webbrowser

    if not page.is_file():
        raise NeurosteerError(f"there is no page in '{page.parent}' to open")
    if not webbrowser.open(page.resolve().as_uri()):
        raise NeurosteerError(f"no browser was found to open '{page}' in; open it by hand")


def prepare(*, offline: bool, quiet: bool) -> None:
    """Tell the Hugging Face libraries, which read this when they are imported, what was asked for."""
    if offline:
        hub.go_offline()
    if quiet:
        os.environ.update(HF_HUB_DISABLE_PROGRESS_BARS="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1")
