"""How much figures 2 and 4, and the claims on them, depend on how the masks are trained."""

from __future__ import annotations

from .summary import sensitivity_result as sensitivity_result
from .units import sensitivity_units as sensitivity_units
