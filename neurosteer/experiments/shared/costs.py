"""What the work costs on two CPU cores, in seconds: for the order of progress and the estimate of a dry run."""

from __future__ import annotations

from neurosteer.model import Model
from neurosteer.studies.costs import TOKEN

PARAMETERS = 134_515_008  # of the built-in model
TOKENS = 5  # that are computed for a sentence: the rest it shares with others
BACKWARD = 3.5  # activations, gradients and two sentences at a time
BY_PAIR = 1.2  # tokens that are computed where only the sentences of a pair share their beginnings
PROBE = 2e-8  # a fit of a layer's probe, per training sentence and unit
MASK_STEP = 1.6e-9  # a step of the masks of a layer by lambda, per training sentence and unit
ONE_LAYER = 1.5e-6  # an L0 and a dense probe, per training sentence and unit


def token_seconds(model: Model) -> float:
    """Of one token through a model: as many times as long as it has parameters."""
    return TOKEN * sum(weight.numel() for weight in model.bridge.original_model.parameters()) / PARAMETERS
