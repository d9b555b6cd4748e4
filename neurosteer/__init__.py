"""neurosteer: which neurons of a language model encode grammar, and what happens to the model without them?

    >>> import neurosteer as ns
    >>> model = ns.load_model("gym")  # tiny, and it is known what each of its neurons does
    >>> pairs = ns.load_pairs("number", source="builtin:gym", limit=300)
    >>> found = ns.find(model, pairs, methods=("attribution", "welch"), topk=12)
    >>> ranking = found.ranking("attribution")
    >>> top = ranking.top(12)
    >>> effect = ns.measure_effect(model, found.test, ns.Edit.ablate(top))
    >>> effect.verdict
    'stands out'

The examples of all docstrings go on from these lines. `ns.load_model("smollm2-135m")` is a model of English, and
`ns.load_pairs("intransitive")` are pairs for it. Names are imported when they are first used, so that
`import neurosteer` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lazy import lazily

if TYPE_CHECKING:
    from .data import EosStates as EosStates
    from .data import Scores as Scores
    from .edits import Edit as Edit
    from .errors import InputError as InputError
    from .errors import NeurosteerError as NeurosteerError
    from .experiments import RecipeRun as RecipeRun
    from .experiments import open_run as open_run
    from .experiments import run_recipe as run_recipe
    from .forward import Generated as Generated
    from .forward import eos_states as eos_states
    from .forward import generate as generate
    from .forward import score as score
    from .forward import steering as steering
    from .model import Model as Model
    from .model import load_model as load_model
    from .neurons import Direction as Direction
    from .neurons import NeuronSet as NeuronSet
    from .neurons import Ranking as Ranking
    from .pairs import Pair as Pair
    from .pairs import Pairs as Pairs
    from .pairs import Split as Split
    from .pairs import load_pairs as load_pairs
    from .probes import L0Settings as L0Settings
    from .progress import Progress as Progress
    from .studies import Effect as Effect
    from .studies import Found as Found
    from .studies import find as find
    from .studies import measure_effect as measure_effect
    from .studies import rank_neurons as rank_neurons
    from .studies.cards import NeuronCard as NeuronCard
    from .studies.cards import neuron_card as neuron_card
    from .studies.evidence import Evidence as Evidence
    from .studies.evidence import evidence as evidence
    from .studies.masks import MaskSettings as MaskSettings
    from .studies.runs import runs as runs
    from .version import __version__ as __version__
else:
    __getattr__, __dir__, __all__ = lazily(__name__, __file__)
