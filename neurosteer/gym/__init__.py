"""The gym: invented words, and a plan of what each unit of a tiny model does. No torch; the model is in `model`."""

from __future__ import annotations

from .plan import COUNTS as COUNTS
from .plan import LAYER as LAYER
from .plan import WIDTH as WIDTH
from .plan import GymPlan as GymPlan
from .plan import Role as Role
from .plan import plan_of as plan_of
from .tasks import FILLERS as FILLERS
from .tasks import GYM_TASKS as GYM_TASKS
from .tasks import GymTask as GymTask
from .tasks import neutral_text as neutral_text
from .truth import Truth as Truth
from .truth import truth_of as truth_of
