"""What several rooms' tests share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def blimp() -> Path:
    """The folder of BLiMP's JSONL files beside the repository; without it the test is skipped."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "blimp"
    if not folder.is_dir():
        pytest.skip("no BLiMP files in ../shared/blimp")
    return folder
