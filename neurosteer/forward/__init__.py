"""What a model computes on sentences, with no token computed twice."""

from __future__ import annotations

from .attribution import Attribution as Attribution
from .attribution import PairAttributions as PairAttributions
from .attribution import attribute as attribute
from .attribution import attribute_pairs as attribute_pairs
from .gates import Gated as Gated
from .gates import GatedTexts as GatedTexts
from .generation import Generated as Generated
from .generation import Token as Token
from .generation import generate as generate
from .generation import refuse_untouched as refuse_untouched
from .generation import touched_tokens as touched_tokens
from .scoring import PreparedEdit as PreparedEdit
from .scoring import TextScores as TextScores
from .scoring import no_finite as no_finite
from .scoring import refuse_unscored as refuse_unscored
from .scoring import score as score
from .scoring import score_texts as score_texts
from .states import eos_states as eos_states
from .states import states_and_stats as states_and_stats
from .steer import check_edit as check_edit
from .steer import check_neurons as check_neurons
from .steer import donor_of as donor_of
from .steer import steering as steering
from .steer import variant_of as variant_of
from .swaps import NextToken as NextToken
from .swaps import Places as Places
from .swaps import Preferences as Preferences
from .swaps import Swap as Swap
from .swaps import preferences as preferences
from .texts import CONVENTIONS as CONVENTIONS
from .texts import Text as Text
from .texts import from_first_difference as from_first_difference
from .texts import pairs_of_texts as pairs_of_texts
from .texts import texts_of as texts_of
