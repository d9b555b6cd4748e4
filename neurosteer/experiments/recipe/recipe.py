"""`Recipe`: a whole experiment as settings. `reading` makes one of a file in TOML."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator

from neurosteer.vocabulary import (
    CAUSAL_METHODS,
    METHODS,
    MOST_CONTROLS,
    MOST_DRAWS,
    MOST_LAMBDAS,
    Dtype,
    Json,
    L0Decay,
    L0Start,
    L0States,
    Method,
    Position,
    Site,
    SplitKind,
)
from neurosteer.vocabulary import COLUMNS as DEFAULT_COLUMNS

from .values import (
    ALL_IS_NONE,
    COLUMNS,
    COUNT,
    LAYERS,
    LAYOUT,
    Ascending,
    Device,
    Line,
    Several,
    Share,
    Token,
    each_once,
    number,
    takes,
    whole,
)

if TYPE_CHECKING:
    from neurosteer.probes import L0Settings

S = TypeVar("S")  # the settings of one experiment
FORMAT = 1
_SPELT = {"lam": "lambda"}  # fields whose key is no name in Python
ONE_MODEL = {"model", "revision"}  # keys that a recipe of several models has not
CHOSEN = "validation"  # lambda is chosen on validation data
_PENALTY = "above 0 and up to 1"
_LAMBDAS = (0.1, 0.2, 0.4, 0.8, 0.95, 1.0)

Penalty = Annotated[float, number(f"a number {_PENALTY}", gt=0.0, le=1.0)]


@dataclass(frozen=True)
class Recipe:
    """What to run, on which model and pairs. Models, pairs and neurons are named as on the command line.

    Each type says what its key takes; None is a key that a file leaves out. `own` has the keys of one experiment
    alone.
    """

    name: str  # the stem of its file
    title: Annotated[Line, takes("one line of text")] = ""
    experiments: Annotated[Several[Line], takes("a list of experiments, each once")] = ()
    format: Annotated[int, whole(1), takes(f"{FORMAT}")] = FORMAT

    model: Annotated[Line, takes("the name of a model, a folder or a hub id")] = "smollm2-135m"
    revision: Annotated[Line | None, takes("a branch, tag or commit")] = None
    models: Annotated[  # of the experiment of this name, in the place of the two above
        Several[Line] | None,
        takes("a list of models, each once: names, hub ids with or without @REVISION, or folders"),
    ] = None
    device: Annotated[
        Literal["auto", "cpu", "cuda", "xpu", "mps"] | Device, takes("one of auto, cpu, cuda, cuda:N, xpu, mps")
    ] = "auto"
    dtype: Dtype = "auto"
    device_map: Annotated[Line | None, takes("auto or balanced")] = None
    bos: Annotated[Token | None, takes("a token, or none")] = None
    eos: Annotated[Token | None, takes("a token")] = None

    data: Annotated[
        Line, takes("auto, blimp, builtin, builtin:balanced, builtin:meaning, builtin:gym, a path or a hub id")
    ] = "auto"
    tasks: Annotated[Several[Line], takes("a list of names, globs or phenomena, each once, or of all")] = ("all",)
    columns: Annotated[
        tuple[Line, Line], COLUMNS, AfterValidator(each_once), takes("two different column names, 'GOOD,BAD'")
    ] = DEFAULT_COLUMNS
    layout: Annotated[Line, LAYOUT, takes("auto, good-bad, bad-good or PART=COLUMN, with commas between")] = "auto"
    limit: Annotated[  # the first so many of each task
        Annotated[int, whole(1)] | None,
        ALL_IS_NONE,
        takes("all or a whole number of at least 1", examples=["all"]),
    ] = None
    split: SplitKind = "pair"
    seed: Annotated[int, whole(0)] = 0

    site: Site = "resid_post"
    position: Position = "eos"
    layers: Annotated[
        Literal["all"] | Ascending[Annotated[int, whole(0)]],
        LAYERS,
        takes("all, a layer (3), a list (3,7,12) or an ascending range (0-5)"),
    ] = "all"
    topk: Annotated[
        Annotated[int, whole(1)] | Share,
        COUNT,
        takes("a count of neurons (40) or a share above 0 and up to 100% ('1%')"),
    ] = "1%"
    lambdas: Annotated[
        Ascending[Penalty],
        takes(f"a list of numbers {_PENALTY}, each once and at most {MOST_LAMBDAS:,}", max_length=MOST_LAMBDAS),
    ] = _LAMBDAS
    draws: Annotated[int, whole(1, MOST_DRAWS, "each draw is a probe at every layer")] = 5

    # How masks are trained; None leaves neurosteer's own setting (see L0Settings).
    l0_states: L0States | None = None
    l0_start: L0Start | None = None
    l0_log_alpha: Annotated[float | None, number("a number")] = None
    l0_steps: Annotated[int | None, whole(1)] = None
    l0_rate_weights: Annotated[float | None, number("a number above 0", gt=0.0)] = None
    l0_rate_gates: Annotated[float | None, number("a number above 0", gt=0.0)] = None
    l0_decay: L0Decay | None = None
    l0_weight_l2: Annotated[float | None, number("a number of at least 0", ge=0.0)] = None

    layer: Annotated[  # that fig6, overlap, causal and others look at; middle = n_layers // 2 - 1
        Literal["middle"] | Annotated[int, whole(0)], takes("middle or a whole number of at least 0")
    ] = "middle"
    lam: Annotated[  # of the same; validation: the smallest that reaches 95 % of the dense probe
        Literal["validation"] | Penalty, takes(f"{CHOSEN} or a number {_PENALTY}")
    ] = 0.2
    methods: Annotated[  # of causal, frontier and gym
        Several[Method],
        takes(f"a list of some of {', '.join(METHODS)}, each once", examples=list(METHODS)),
    ] = CAUSAL_METHODS
    controls: Annotated[  # matched sets beside each set
        int, whole(2, MOST_CONTROLS, "each control is a pass over all pairs")
    ] = 19
    nulls: Annotated[  # searches on pairs whose good and bad sentences are exchanged by lot
        int, whole(0, MOST_DRAWS, "each null is a search and a pass over all pairs")
    ] = 39
    test_pairs: Annotated[int, whole(1)] = 100

    own: tuple[Any, ...] = ()  # the settings of its experiments that have some, a dataclass each

    def of(self, settings: type[S]) -> S:
        """The settings of one experiment: `recipe.of(GymSettings).seeds`."""
        return next((one for one in self.own if isinstance(one, settings)), settings())

    @property
    def l0(self) -> L0Settings:
        """How masks are trained: neurosteer's default, but for what the keys replace."""
        from neurosteer.probes import L0

        names = [one.name.removeprefix("l0_") for one in fields(self) if one.name.startswith("l0_")]
        given = {name: getattr(self, f"l0_{name}") for name in names}
        return replace(L0, **{name: value for name, value in given.items() if value is not None})

    def describe(self) -> dict[str, Json]:
        """Its name and all keys, as the file spells them, as JSON values: `model` or `models`, not both."""
        lacking = {"own", *({"models"} if self.models is None else ONE_MODEL)}
        keys = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in lacking}
        keys |= {one.name: getattr(settings, one.name) for settings in self.own for one in fields(settings)}
        keys["limit"] = "all" if self.limit is None else self.limit
        return {spelt(name): list(value) if isinstance(value, tuple) else value for name, value in keys.items()}


def spelt(field: str) -> str:
    """The key of a field."""
    return _SPELT.get(field, field)
