"""One self-contained HTML page: figures inside, tables, and no scripts. Only the files beside it are linked."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from neurosteer.results import Verdict

from .table import Table

PIXELS = 96  # of the page, for an inch of a figure
TEMPLATE = "page.html.jinja"


@dataclass(frozen=True)
class Picture:
    """A PNG inside the page; how to read it, and what it does not show."""

    source: str  # data URI
    width: int  # pixels of the page
    read: str
    limits: str

    @classmethod
    def of(cls, png: bytes, *, read: str, limits: str) -> Picture:
        """As wide as the PNG's own size and density say."""
        with Image.open(BytesIO(png)) as image:
            width = round(PIXELS * image.width / image.info["dpi"][0])
        return cls(f"data:image/png;base64,{base64.b64encode(png).decode()}", width, read, limits)


@dataclass(frozen=True)
class Section:
    """A part of the page with its heading."""

    name: str  # of its anchor
    heading: str
    pictures: Sequence[Picture]
    tables: Sequence[Table]
    files: Sequence[str]


@dataclass(frozen=True)
class Page:
    title: str
    subtitle: Sequence[str]
    settings: Sequence[tuple[str, str]]
    command: str  # that makes it again
    recipe_file: str
    recipe: str  # TOML
    verdicts: Sequence[Verdict]
    sections: Sequence[Section]
    baselines: Table
    baselines_by_task: Table
    skipped: Sequence[tuple[str, str]]  # task, reason
    notices: Sequence[str]

    def to_html(self) -> str:
        environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        return environment.get_template(TEMPLATE).render(page=self)
