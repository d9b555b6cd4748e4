"""neurosteer: find the neurons in which a language model keeps grammar, layer by layer.

    import neurosteer as ns

    model = ns.load_model("smollm2-135m")
    pairs = ns.load_pairs("intransitive", source="blimp")
    found = ns.find(model, pairs)

Names are imported when they are first used, so that `import neurosteer` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import NeurosteerError as NeurosteerError
    from .forward import eos_states as eos_states
    from .model import load_model as load_model
    from .neurons import NeuronSet as NeuronSet
    from .neurons import Ranking as Ranking
    from .pairs import load_pairs as load_pairs
    from .studies import find as find
    from .studies import rank_neurons as rank_neurons

_ROOM_OF = {
    "NeurosteerError": "errors",
    "NeuronSet": "neurons",
    "Ranking": "neurons",
    "eos_states": "forward",
    "find": "studies",
    "load_model": "model",
    "load_pairs": "pairs",
    "rank_neurons": "studies",
}

__all__ = [*_ROOM_OF, "__version__"]  # noqa: PLE0604
__version__ = version("neurosteer")


def __getattr__(name: str) -> object:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'neurosteer' has no attribute '{name}'")
    return getattr(import_module(f".{_ROOM_OF[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
