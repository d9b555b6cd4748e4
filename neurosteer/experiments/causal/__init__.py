"""The causal transfer matrix: what happens to one task's margins when another task's neurons are ablated."""

from __future__ import annotations

from .cells import causal_units as causal_units
from .cells import measured_tasks as measured_tasks
from .cells import task_units as task_units
from .sources import attribution_name as attribution_name
from .sources import attribution_unit as attribution_unit
from .sources import ranking_of as ranking_of
from .summary import causal_result as causal_result
