"""What `find` finds in a tiny model, and neutral text."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from made_pairs import made_pairs
from one_thread import one_thread  # noqa: F401  (a fixture)

from neurosteer.model import Model
from neurosteer.pairs import Pairs
from neurosteer.studies import Found, find


@pytest.fixture(scope="session")
def few() -> Pairs:
    """80 pairs of 4 verbs: too few for a lexical split."""
    return made_pairs()


@pytest.fixture(scope="session")
def found(llama: Model, few: Pairs, apart: Callable[[], AbstractContextManager[None]]) -> Found:
    with apart():
        return find(llama, few, topk=3, draws=2, seed=5)


@pytest.fixture(scope="session")
def neutral(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two paragraphs that the tiny models can read; the second is longer than their context of 64."""
    words = [f"w{(7 * i * i + 3 * i) % 62}" for i in range(90)]
    path = tmp_path_factory.mktemp("neutral") / "prose.txt"
    path.write_text(
        " ".join(words[:12]) + "\n  \n" + "\n".join([" ".join(words[12:40]), " ".join(words[40:])]) + "\n"
    )
    return path
