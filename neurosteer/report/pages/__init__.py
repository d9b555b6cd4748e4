"""The page of a run: one HTML file with its numbers, charts and texts, that sends nothing anywhere."""

from __future__ import annotations

from .card import card_page as card_page
from .charts import Chart as Chart
from .document import Document as Document
from .document import Part as Part
from .document import Picture as Picture
from .document import Plate as Plate
from .run import PAGE as PAGE
from .run import run_page as run_page
