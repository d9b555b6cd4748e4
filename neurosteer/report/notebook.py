"""Results that show themselves in a notebook: the table as HTML, the figure below it."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

from rich.console import Console, RenderableType

from neurosteer.results import FindResult
from neurosteer.results.card import NeuronCardResult
from neurosteer.results.effect import EffectResult
from neurosteer.results.evidence import EvidenceResult

from .cards import card_table
from .comparing import compare_table
from .effects import effect_table
from .evidence import evidence_table
from .tables import find_table


def find_html(found: FindResult) -> str:
    """The table and the figure of one `find` as a piece of HTML without outside references."""
    from .figures import find_figure

    return _html(find_table(found), picture=find_figure(found), alt="accuracy by layer")


def effect_html(effects: Sequence[EffectResult]) -> str:
    """The tables of one or more effects, and their figure."""
    from .effect_figures import effect_figure

    tables = [effect_table(effect) for effect in effects]
    more = [compare_table(effects)] if len(effects) > 1 else []
    return _html(*tables, *more, picture=effect_figure(effects), alt="change of the margin")


def evidence_html(found: Sequence[EvidenceResult]) -> str:
    """The tables of the evidence of one or more sets, and their figure."""
    from .evidence_figures import evidence_figure

    return _html(*map(evidence_table, found), picture=evidence_figure(found), alt="six questions, beside controls")


def card_html(card: NeuronCardResult) -> str:
    """The table of a neuron card."""
    return _text(card_table(card))


def _text(*tables: RenderableType) -> str:
    console = Console(record=True, file=io.StringIO(), width=100, force_jupyter=False)
    for table in tables:
        console.print(table)
    return console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")


def _html(*tables: RenderableType, picture: Any, alt: str) -> str:
    from .canvas import save_figure

    text = _text(*tables)
    png = io.BytesIO()
    save_figure(picture, png, dpi=110)
    data = base64.b64encode(png.getvalue()).decode()
    width = round(86 * picture.get_figwidth())
    return f'{text}<img width="{width}" alt="{alt}" src="data:image/png;base64,{data}">'
