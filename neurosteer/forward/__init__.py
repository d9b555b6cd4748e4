"""What a model computes on sentences, with no token computed twice."""

from __future__ import annotations

from .states import eos_states as eos_states
from .states import states_and_stats as states_and_stats
