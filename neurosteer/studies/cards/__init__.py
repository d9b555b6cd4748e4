"""The card of one neuron: where it is high, what it tells apart, what the model does without it."""

from __future__ import annotations

from .card import NeuronCard as NeuronCard
from .card import neuron_card as neuron_card
