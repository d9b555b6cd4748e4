"""`find`: which neurons encode a contrast, layer by layer, and which of them the model uses."""

from __future__ import annotations

from .found import Found as Found
from .rank import rank_neurons as rank_neurons
from .save import save_find as save_find
from .search import find as find
