"""neurosteer: which neurons of a language model hold grammar, and what happens to the model without them?

    import neurosteer as ns

    model = ns.load_model("smollm2-135m")
    pairs = ns.load_pairs("intransitive", source="blimp")
    found = ns.find(model, pairs)
    ns.measure_effect(model, found.test, ns.Edit.ablate(found.ranking("welch").top(40)))

Names are imported when they are first used, so that `import neurosteer` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .lazy import lazily

if TYPE_CHECKING:
    from .edits import Edit as Edit
    from .errors import NeurosteerError as NeurosteerError
    from .experiments import run_recipe as run_recipe
    from .forward import eos_states as eos_states
    from .forward import generate as generate
    from .forward import score as score
    from .forward import steering as steering
    from .model import load_model as load_model
    from .neurons import NeuronSet as NeuronSet
    from .neurons import Ranking as Ranking
    from .pairs import load_pairs as load_pairs
    from .probes import L0Settings as L0Settings
    from .studies import find as find
    from .studies import measure_effect as measure_effect
    from .studies import open_run as open_run
    from .studies import rank_neurons as rank_neurons
    from .studies.runs import runs as runs

_ROOM_OF = {
    "Edit": "edits",
    "L0Settings": "probes",
    "NeurosteerError": "errors",
    "NeuronSet": "neurons",
    "Ranking": "neurons",
    "eos_states": "forward",
    "find": "studies",
    "generate": "forward",
    "load_model": "model",
    "load_pairs": "pairs",
    "measure_effect": "studies",
    "open_run": "studies",
    "rank_neurons": "studies",
    "run_recipe": "experiments",
    "runs": "studies.runs",
    "score": "forward",
    "steering": "forward",
}

__all__ = [*_ROOM_OF, "__version__"]  # noqa: PLE0604
_fetch = lazily(__name__, _ROOM_OF)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # takes longer to import than everything that help needs of ours

        return version("neurosteer")
    return _fetch(name)


def __dir__() -> list[str]:
    return sorted(__all__)
