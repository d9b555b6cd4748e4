"""What several rooms' tests share."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import annotations
import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

if TYPE_CHECKING:
    from neurosteer.model import Model

USERS_HOME = os.environ.get("NEUROSTEER_HOME")
if "PYTEST_XDIST_WORKER" in os.environ:  # tests share the cores out: many threads each would wait for one another
    os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # of dozens of new processes each reads what the first compiled,
sys.dont_write_bytecode = False  # and the next run the tests as pytest rewrote them

PACKAGE = Path(__file__).parents[1] / "neurosteer"

same_everywhere = settings(derandomize=True, deadline=None)  # busy machines are slow, not wrong
settings.register_profile("slow", same_everywhere)
settings.register_profile("quick", same_everywhere, max_examples=40)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--axes", action="store_true", help="check annotations, with the axes of tensors (a sixth slower)"
    )


def pytest_configure(config: pytest.Config) -> None:
    """The slow tests check annotations too, and draw more examples."""
    slow = config.getoption("markexpr") == "slow"
    settings.load_profile("slow" if slow else "quick")
    if config.getoption("--axes") or slow:
        with_axes = [path for path in PACKAGE.rglob("*.py") if "\nfrom jaxtyping import" in path.read_text("utf-8")]
        modules = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in with_axes]
        install_import_hook(modules, "annotations.checked")
        annotations.installed = True


def pytest_collection_finish() -> None:
    """What was imported stays: to look at it again whenever garbage is collected takes seconds."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def neurosteer_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for every test, beside the folder that tests count files in."""
    home = tmp_path.with_name(f"{tmp_path.name}-home")
    monkeypatch.setenv("NEUROSTEER_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def no_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """No lines of the Python API that depend on how busy the machine is."""
    monkeypatch.setattr("neurosteer.progress.AUTO._lines._clock", lambda: 0.0)


@pytest.fixture(scope="session")
def blimp() -> Path:
    """The real BLiMP beside the repository, for its very numbers: without it the test is skipped."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "blimp"
    if not folder.is_dir():
        pytest.skip("no BLiMP files in ../shared/blimp")
    return folder


@pytest.fixture(scope="session")
def blimp_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in BLiMP's layout with a few pairs of our own for each of its 67 tasks."""
    from stand_ins import write_sample

    from neurosteer.pairs import TASKS

    sizes = {task.uid: 20 for task in TASKS} | {"intransitive": 300}
    return write_sample(tmp_path_factory.mktemp("sample") / "blimp", sizes)


@pytest.fixture(scope="session")
def builtin_source() -> Path:
    """The built-in model's folder in the user's own cache: fetched and converted there once, not once per run."""
    from neurosteer.model.builtin import builtin_folder

    with pytest.MonkeyPatch.context() as patch:
        if USERS_HOME is None:
            patch.delenv("NEUROSTEER_HOME", raising=False)
        else:
            patch.setenv("NEUROSTEER_HOME", USERS_HOME)
        return builtin_folder()


@pytest.fixture(scope="session")
def builtin(builtin_source: Path) -> Model:
    """The built-in model, under its own name."""
    from neurosteer.model import load_model

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEUROSTEER_HOME", str(builtin_source.parents[1]))
        return load_model()


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny random model, by its kind; see `tiny_models`."""
    from tiny_models import save_tiny, settle

    return cache(lambda kind: settle(save_tiny(kind, tmp_path_factory.mktemp(kind))))


@pytest.fixture(scope="session")
def tiny(tiny_folder: Callable[[str], Path]) -> Callable[[str], Model]:
    """A tiny random model, by its kind; loaded once, so tests must leave it as it was."""
    from neurosteer.model import load_model

    return cache(lambda kind: load_model(tiny_folder(kind)))


@pytest.fixture(scope="session")
def llama(tiny: Callable[[str], Model]) -> Model:
    return tiny("llama")


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
def planted(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model whose cause of a contrast is known; see `planted_cause`."""
    from planted_cause import planted_model

    return planted_model(tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="session")
def builtin_network(builtin_source: Path) -> Any:
    """The same as plain Hugging Face loads it; who hooks it takes the hooks off again."""
    from tiny_models import hf_network

    return hf_network(builtin_source)


@pytest.fixture(scope="module")
def blank_pictures() -> Iterator[None]:
    """Figures are made and not rendered, for a module whose tests do not look at them; see `blank_pictures`."""
    from blank_pictures import blank

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matplotlib.figure.Figure.savefig", blank)
        yield


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """In such a module, a test whose figures are rendered after all."""
    from blank_pictures import RENDER

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", RENDER)


@dataclass(frozen=True)
class Outcome:
    """What a command leaves its caller."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """The command line, in this process."""
    from neurosteer.cli import main

    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.setenv(name, "0")  # so that what a command sets is undone afterwards
    monkeypatch.setattr("neurosteer.cli.progress.monotonic", lambda: 0.0)  # no lines that depend on how busy it is
    for name in ("HF_HUB_DISABLE_PROGRESS_BARS", "HF_DATASETS_DISABLE_PROGRESS_BARS"):
        monkeypatch.setenv(name, "0")  # so that it is undone
        monkeypatch.delenv(name)  # even "0", where huggingface_hub is imported now, would bind it for good

    def run_main(*arguments: str) -> Outcome:
        with pytest.raises(SystemExit) as stop:
            main(list(arguments))
        captured = capsys.readouterr()
        return Outcome(stop.value.code, captured.out, captured.err)

    return run_main
