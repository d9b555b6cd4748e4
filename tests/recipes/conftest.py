"""The stand-ins of the notebooks and benchmarks."""

from __future__ import annotations

from pathlib import Path

import pytest
from stand_ins import sample_sentences, save_model, write_sample

LAYERS = 15  # the notebooks look at layer 14


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the model, and a folder `blimp` with one task."""
    folder = tmp_path_factory.mktemp("stand-in")
    sample = write_sample(folder / "blimp", {"intransitive": 300})  # as many as a lexical split takes
    return save_model(folder, sample_sentences(sample), layers=LAYERS)
