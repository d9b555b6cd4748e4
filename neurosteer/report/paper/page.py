"""One self-contained page: verdicts, figures, tables, baselines, settings."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .about import about, how_many, lam, share_of, used
from .captions import HEADINGS, Caption, caption_of
from .causal_tables import causal_tables
from .csvs import csv_name
from .draw import FIGURES
from .layer_tables import mask_tables, rank_tables, topk_tables
from .matched_tables import control_tables, matched_tables
from .table import Table
from .task_tables import baseline_tables, overlap_tables, transfer_tables
from .toml import recipe_toml

Row = Mapping[str, Any]
PIXELS = 96  # of the page, for an inch of a figure
TEMPLATE = "page.html.jinja"
TABLES = {
    "fig2": mask_tables,
    "fig3": topk_tables,
    "fig4": rank_tables,
    "fig5": matched_tables,
    "fig6": transfer_tables,
    "overlap": overlap_tables,
    "causal": causal_tables,
}


@dataclass(frozen=True)
class Picture:
    """A PNG inside the page, and its caption."""

    name: str
    source: str
    width: int
    caption: Caption


@dataclass(frozen=True)
class Section:
    """One experiment."""

    name: str
    heading: str
    pictures: tuple[Picture, ...]
    tables: tuple[Table, ...]
    files: tuple[str, ...]


def outcome_page(outcome: Row, pictures: Mapping[str, bytes]) -> str:
    """The page as HTML: `pictures` (PNGs by name) are inside, there are no scripts, and only the files beside it are
    linked.
    """
    recipe = outcome["recipe"]
    whole, each = baseline_tables(outcome)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(TEMPLATE).render(
        title=recipe["title"] or recipe["name"],
        beneath=about(outcome),
        file=f"{recipe['name']}.toml",
        command=outcome["again"],
        toml=recipe_toml(recipe),
        verdicts=[{**verdict, "count": _holds_in(verdict)} for verdict in outcome["verdicts"]],
        sections=[_section(outcome, result, pictures) for result in outcome["results"]],
        baselines=whole,
        each_baseline=each,
        skipped=outcome["skipped"],
        notices=outcome["notices"],
        settings=_settings(outcome),
    )


def _section(outcome: Row, result: Row, pictures: Mapping[str, bytes]) -> Section:
    name = result["experiment"]
    tables = control_tables(result, outcome["settings"]["k"]) if name == "controls" else TABLES[name](result)
    drawn = [figure for figure in FIGURES[name] if figure in pictures]
    files = [csv_name(name, table) for table in result["tables"]]
    files += [f"{figure}.png" for figure in drawn]
    shown = tuple(_picture(figure, pictures[figure], outcome) for figure in drawn)
    return Section(name, HEADINGS[name], shown, tuple(tables), tuple(files))


def _picture(name: str, png: bytes, outcome: Row) -> Picture:
    """Its width on the page, from the PNG's own size and density."""
    across = struct.unpack(">I", png[16:20])[0]
    place = png.index(b"pHYs")
    metre = struct.unpack(">I", png[place + 4 : place + 8])[0]  # dots
    width = round(PIXELS * across / (metre * 0.0254))
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return Picture(name, source, width, caption_of(name, outcome))


def _holds_in(verdict: Row) -> str:
    """`27 of 30 layers`."""
    return f"{verdict['holds']} of {verdict['of']} {verdict['unit']}" if verdict["of"] else "cannot be judged"


def _settings(outcome: Row) -> list[tuple[str, str]]:
    """Names and values of what was run on what, without versions and times."""
    model, data, settings = outcome["model"], outcome["data"], outcome["settings"]
    layers = settings["layers"]
    shown = f"{len(layers)} of {settings['n_layers']} ({_listed(layers)})"
    return [
        ("model", f"{model['name']}{_revision(model)}"),
        ("weights", str(model["fingerprint"])[:12]),
        ("computed in", f"{model['dtype']} on {model['device']}"),
        ("BOS, EOS", f"{_id(model['bos'])}, {_id(model['eos'])}"),
        ("data", f"{data['source']}: {how_many(outcome)}, {data['pairs']:,} in all"),
        ("split", ", ".join([data["split"], f"seed {data['seed']}", *used(outcome)])),
        ("site, position", f"{settings['site']}, {settings['position']}"),
        ("layers", shown),
        ("k", f"{settings['k']:,} of {settings['width']:,} units ({share_of(settings['k'], settings['width'])})"),
        ("λ", ", ".join(lam(value) for value in settings["lambdas"])),
        ("random sets", f"{settings['draws']} draws of {', '.join(f'{size:,}' for size in settings['sizes'])}"),
        (
            "one layer",
            f"layer {settings['layer']}, λ {_focus_lambda(settings['lambda'])} (figure 6, overlap, causal)",
        ),
    ]


def _focus_lambda(value: float | str) -> str:
    return "chosen on validation data" if isinstance(value, str) else f"= {lam(value)}"


def _revision(model: Row) -> str:
    return f" at {model['revision']}" if model["revision"] else ""


def _id(token: int | None) -> str:
    return "none" if token is None else f"token {token}"


def _listed(layers: list[int]) -> str:
    run = list(range(layers[0], layers[-1] + 1)) if layers else []
    return f"{layers[0]}-{layers[-1]}" if layers == run and len(layers) > 1 else ", ".join(map(str, layers))
