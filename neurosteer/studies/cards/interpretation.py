"""What a card says of its neuron, in sentences."""

from __future__ import annotations

from neurosteer.report.numbers import change, interval, p_equals, p_value, span
from neurosteer.results.card import NeuronCardResult
from neurosteer.vocabulary import LEVEL, counted


def read_card(card: NeuronCardResult) -> str:
    """Whether it tells good from bad, what happens without it, and what else it is."""
    told = "tells" if card.contrast.q < LEVEL else "does not tell"
    said = [
        f"Neuron {card.name} {told} good sentences of {card.task} from bad ones at EOS (t {card.contrast.t:.2f}, "
        f"q {p_value(card.contrast.q)} over the units of its layer)."
    ]
    effect = card.effect
    if effect:
        margin = effect.margin
        moved = interval(margin.delta, margin.low, margin.high)
        said.append(f"Ablating it alone changes the mean margin by {moved} nats")
        if effect.controls:
            controls = effect.controls
            said[-1] += (
                f"; {counted(controls.n, 'single unit')} like it by {change(controls.delta_mean)} "
                f"({span(controls.delta_low, controls.delta_high)}): {p_equals(controls.p)}, {effect.verdict}"
            )
        said[-1] += "."
    if card.massive:
        said.append(
            "It is massive: its activations are far larger than those of its layer, so an edit of it disturbs much."
        )
    if card.sink:
        said.append("It is a BOS sink: it lies far from zero at BOS, and near it elsewhere.")
    return " ".join(said)
