"""A page as data, and as one HTML file with everything inside: style, code, charts and their numbers."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup
from PIL import Image

from neurosteer.report.table import Table
from neurosteer.results import Verdict
from neurosteer.vocabulary import Json

from .charts import Chart
from .library import charting_code

HERE = Path(__file__).parent
PIXELS = 96  # of the page, for an inch of a figure
TEMPLATE, STYLE, CODE = "run.html.jinja", "page.css", "page.js"


@dataclass(frozen=True)
class Listed:
    """One of many short things, which flow in columns."""

    name: str
    value: str
    note: str = ""
    link: str = ""  # to a part or a sheet of the same view


@dataclass(frozen=True)
class Listing:
    """Many short things in their order."""

    caption: str
    items: Sequence[Listed]


@dataclass(frozen=True)
class Sheet:
    """One of several of which a part shows one at a time."""

    name: str  # of its anchor
    title: str
    subtitle: str  # beside the title, where one is chosen
    text: Sequence[str]
    tables: Sequence[Table]


@dataclass(frozen=True)
class Picture:
    """A PNG inside the page, for a figure that has no chart."""

    source: str  # data URI
    width: int  # pixels of the page

    @classmethod
    def of(cls, png: bytes) -> Picture:
        """As wide as the PNG's own size and density say."""
        with Image.open(BytesIO(png)) as image:
            width = round(PIXELS * image.width / image.info["dpi"][0])
        return cls(f"data:image/png;base64,{base64.b64encode(png).decode()}", width)


@dataclass(frozen=True)
class Plate:
    """A figure of a recipe: its charts, or else its picture, how to read them, and what they do not show."""

    charts: Sequence[Chart]
    picture: Picture | None
    read: str
    limits: str


@dataclass(frozen=True)
class Part:
    """A part of the page with its heading. `tool` names what page.js fills it with, from `data`."""

    name: str  # of its anchor
    heading: str
    text: Sequence[str] = ()  # paragraphs
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    plates: Sequence[Plate] = ()
    listings: Sequence[Listing] = ()
    sheets: Sequence[Sheet] = ()
    tool: str = ""  # pairs, doses, units, texts, cards
    data: Json = None
    layers: Sequence[int] = ()  # that can be switched off
    folded: Sequence[tuple[str, Table]] = ()  # under what is said of them
    files: Sequence[str] = ()

    @property
    def all_charts(self) -> list[Chart]:
        return [*self.charts, *(chart for plate in self.plates for chart in plate.charts)]


@dataclass(frozen=True)
class View:
    """What is shown of one task or method; a page with several shows one at a time."""

    name: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class Document:
    """The page of a run."""

    title: str
    subtitle: Sequence[str]
    reading: Sequence[tuple[str, str]]  # of what, in words
    command: str  # that makes the run again; empty where there is none
    overview: Sequence[Part]
    views: Sequence[View]
    kind: str  # what a view is of: task or method
    settings: Sequence[tuple[str, str]]
    notices: Sequence[str]
    files: Sequence[str]
    version: str  # empty where pages of several versions are to be the same
    verdicts: Sequence[Verdict] = ()
    recipe: tuple[str, str] | None = None  # name and text of its file

    def to_html(self) -> str:
        """One file; opening it sends nothing anywhere."""
        return _template().render(
            page=self,
            data=Markup(in_script(self._data())),
            style=Markup((HERE / STYLE).read_text("utf-8")),
            code=Markup((HERE / CODE).read_text("utf-8")),
            library=Markup(charting_code()),
        )

    def _parts(self) -> list[tuple[str, Part]]:
        """All parts, each with an id of its own."""
        return [*self.of_overview(), *(row for view in self.views for row in self.of_view(view))]

    def of_overview(self) -> list[tuple[str, Part]]:
        """The parts above all views, each with its id."""
        return self._placed("all-", self.overview)

    def of_view(self, view: View) -> list[tuple[str, Part]]:
        """The parts of a view, each with its id."""
        return self._placed(f"{self.views.index(view)}-", view.parts)

    @staticmethod
    def _placed(before: str, parts: Sequence[Part]) -> list[tuple[str, Part]]:
        return [(f"{before}{part.name}", part) for part in parts]

    def _data(self) -> Json:
        parts = self._parts()
        return {
            "views": [view.name for view in self.views],
            "charts": {f"{place}-{chart.name}": chart.spec for place, part in parts for chart in part.all_charts},
            "tools": {place: part.data for place, part in parts if part.tool},
        }


@cache
def _template() -> Template:
    """Compiled once: that takes longer than to fill it."""
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(TEMPLATE)


def in_script(value: Json) -> str:
    """JSON that no sentence can break out of: inside a `<script>` element nothing in it ends the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
