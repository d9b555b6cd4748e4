"""What `neurosteer neuron` prints: one neuron, from where it is high to what the model does without it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from neurosteer.results.card import NeuronCardResult, TokenActivations, Word

from .effects import sweep_of
from .grid import add_row, grid
from .numbers import NONE, p_value
from .texts import visible

SHOWN = 5  # sentences at each end
AROUND = 8  # tokens to each side of the peak


def card_table(card: NeuronCardResult) -> RenderableType:
    """The card as something rich can print; it fits a terminal of 80 columns."""
    contrast = card.contrast
    facts = [
        f"mean {card.mean:.3g}, sd {card.sd:.3g} over tokens" + ("; massive" if card.massive else ""),
        f"at BOS {NONE if card.bos is None else f'{card.bos:.3g}'}" + ("; a sink" if card.sink else ""),
        f"at EOS, good against bad: t {contrast.t:.2f}, q {p_value(contrast.q)} over the units of its layer",
    ]
    parts: list[RenderableType] = [
        Text.assemble((f"neuron {card.name}", "bold"), (f"  {card.site}, {card.model}, {card.task}\n", "dim")),
        Text("\n".join(facts)),
        *_places(card),
        *_sentences("highest", card.high),
        *_sentences("lowest", card.low, low=True),
    ]
    if card.raised is not None and card.lowered is not None:
        parts += [Text(), Text.assemble(("raises ", "bold"), _words(card.raised))]
        parts += [Text.assemble(("lowers ", "bold"), _words(card.lowered))]
    if card.effect:
        parts += [Text(), Text("ablating it alone, dose by dose", style="bold"), sweep_of(card.effect)]
    return Group(*parts, Text(), Text(card.reading), Text())


def _places(card: NeuronCardResult) -> list[RenderableType]:
    if not card.places:
        return [Text("no find in the folder of runs ranks it", style="dim")]
    table = grid("task", "ranking", "score", "place", "in its layer", left=2)
    for one in card.places:
        place = f"{one.place:,} of {one.among:,}"
        add_row(table, one.task, one.method, f"{one.score:.4g}", place, f"{one.place_in_layer:,}")
    return [table]


def _sentences(what: str, rows: Sequence[TokenActivations], *, low: bool = False) -> list[RenderableType]:
    lines: list[RenderableType] = [Text(), Text(what, style="bold")]
    for row in rows[:SHOWN]:
        peak = row.values.index(row.lowest if low else row.highest)
        start = max(0, peak - AROUND)
        before = visible("".join(row.tokens[start:peak]))
        after = visible("".join(row.tokens[peak + 1 : peak + 1 + AROUND]))
        token = visible(row.tokens[peak])
        value = f"{row.values[peak]:>8.3g}  "
        lines.append(Text.assemble((value, "dim"), before, (f"[{token}]", "bold underline"), after))
    return lines


def _words(words: Sequence[Word]) -> str:
    return ", ".join(f"{word.text!r} {word.weight:+.2f}" for word in words[:8])
