"""One tiny model and what `find` finds in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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
def found(llama: Model, few: Pairs, tmp_path_factory: pytest.TempPathFactory) -> Found:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEUROSTEER_HOME", str(tmp_path_factory.mktemp("home")))
        return find(llama, few, k=3, draws=2, seed=5)
