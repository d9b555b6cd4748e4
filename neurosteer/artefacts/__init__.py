"""The kinds of artefact on disk, and what each of them holds: the shape, the range and the type of everything.

It is checked whenever a file is read, even where its digest fits: a file can be signed and wrong.
"""

from __future__ import annotations

from .checking import check_path as check_path
from .checking import check_run as check_run
from .kinds import ATTRIBUTION as ATTRIBUTION
from .kinds import CONTROLS as CONTROLS
from .kinds import DIRECTION as DIRECTION
from .kinds import EVIDENCE as EVIDENCE
from .kinds import FOUND as FOUND
from .kinds import KINDS as KINDS
from .kinds import MASK_PATH as MASK_PATH
from .kinds import NEURONS as NEURONS
from .kinds import PROBES as PROBES
from .kinds import RANKING as RANKING
from .kinds import STATES as STATES
from .kinds import TOKEN_STATS as TOKEN_STATS
from .kinds import TOKENS as TOKENS
from .kinds import TOP_STATES as TOP_STATES
from .kinds import UNIT as UNIT
from .schema import Schema as Schema
from .schema import WrongContentError as WrongContentError
