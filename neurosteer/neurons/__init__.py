"""Rankings of neurons, sets of them, and matched controls, with where they come from.

A `Ranking` scores every unit of some layers for one task; `top` takes the best as a `NeuronSet`. Both know the model
they belong to and the sentences they have seen, so that they are never applied to another model or tested on what
chose them.
"""

from __future__ import annotations

from .compare import spearman as spearman
from .compare import top_set as top_set
from .controls import check_count as check_count
from .controls import matched_controls as matched_controls
from .controls import without_massive as without_massive
from .direction import Direction as Direction
from .from_python import HasUnits as HasUnits
from .grains import check_grain as check_grain
from .grains import grain_of as grain_of
from .grains import member_scores as member_scores
from .grains import site_of as site_of
from .grains import units_of_members as units_of_members
from .orders import Order as Order
from .orders import UnitPool as UnitPool
from .orders import order_of as order_of
from .orders import shuffled_orders as shuffled_orders
from .ranking import Ranking as Ranking
from .sets import NeuronSet as NeuronSet
from .stats import STATS as STATS
from .stats import is_measured as is_measured
from .stats import joined_stats as joined_stats
from .stats import massive as massive
from .stats import stats_arrays as stats_arrays
from .stats import stats_from as stats_from
from .topk import best_units as best_units
from .topk import resolve_topk as resolve_topk
