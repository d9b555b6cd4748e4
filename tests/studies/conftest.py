"""One tiny model and what `find` finds in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import torch
from made_pairs import made_pairs

from neurosteer.model import Model
from neurosteer.pairs import Pairs
from neurosteer.studies import Found, find


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """These products are small: a second thread only waits, and on a busy machine for long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def llama(tiny: Callable[[str], Model]) -> Model:
    return tiny("llama")


@pytest.fixture(scope="session")
def few() -> Pairs:
    """80 pairs of 4 verbs: too few for a lexical split."""
    return made_pairs()


@pytest.fixture(scope="session")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], AbstractContextManager[None]]:
    """A cache for what is computed once for several tests: none of theirs, and not the user's."""
    home = tmp_path_factory.mktemp("home")

    @contextmanager
    def inside() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("NEUROSTEER_HOME", str(home))
            yield

    return inside


@pytest.fixture(scope="session")
def found(llama: Model, few: Pairs, apart: Callable[[], AbstractContextManager[None]]) -> Found:
    with apart():
        return find(llama, few, k=3, draws=2, seed=5)


@pytest.fixture(scope="session")
def neutral(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two paragraphs that the tiny models can read; the second is longer than their context of 64."""
    words = [f"w{(7 * i * i + 3 * i) % 62}" for i in range(90)]
    path = tmp_path_factory.mktemp("neutral") / "prose.txt"
    path.write_text(
        " ".join(words[:12]) + "\n  \n" + "\n".join([" ".join(words[12:40]), " ".join(words[40:])]) + "\n"
    )
    return path
