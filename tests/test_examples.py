"""Public names are explained in one style, and every example in a docstring of the package runs.

The examples of all docstrings go on from those of the package itself, `neurosteer.__doc__`: the model with known
neurons (`gym`), its pairs and what `find` finds there. They are run once, for all modules.
"""

from __future__ import annotations

import dataclasses
import doctest
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
import torch

import neurosteer

PACKAGE = Path(neurosteer.__file__).parent
PROMPT = re.compile(r"^ *>>> ", flags=re.MULTILINE)
SECTIONS = ("Args", "Attributes", "Returns", "Yields", "Raises", "Source", "Example")  # in this order
OF_OURS = {  # methods that only the package itself calls: a summary is enough
    "Direction": {"along", "listed"},
    "Edit": {"by_layer"},
    "NeuronSet": {"arrays", "described", "from_arrays", "listed", "with_members"},
    "Pairs": {"from_records", "from_rows"},
    "Ranking": {"every_unit"},
}
EXPORTED = {name: getattr(neurosteer, name) for name in neurosteer.__all__ if name != "__version__"}


def dotted(path: Path) -> str:
    """The name under which a file of the package is imported."""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


WITH_EXAMPLES = {
    dotted(path): len(found)
    for path in sorted(PACKAGE.rglob("*.py"))
    if path != PACKAGE / "__init__.py" and (found := PROMPT.findall(path.read_text("utf-8")))
}


def run_examples(tests: list[doctest.DocTest]) -> int:
    """How many there are; none may fail, or be left out."""
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in tests:
        assert not any(example.options.get(doctest.SKIP) for example in test.examples), f"{test.name} is skipped"
        runner.run(test, clear_globs=False)
    assert runner.summarize(verbose=False).failed == 0
    return sum(len(test.examples) for test in tests)


def examples_of(module: ModuleType, names: dict[str, Any]) -> list[doctest.DocTest]:
    """Those of a module; the finder passes over an exported function that a decorator has wrapped elsewhere."""
    finder, globs = doctest.DocTestFinder(), {**vars(module), **names}
    found = finder.find(module, globs=globs)
    known = {test.name for test in found}
    for name, one in EXPORTED.items():
        if one.__module__ == module.__name__ and f"{module.__name__}.{name}" not in known:
            found += finder.find(one, f"{module.__name__}.{name}", module=False, globs=globs)
    return found


@pytest.fixture(scope="module")
def begun(
    tmp_path_factory: pytest.TempPathFactory, apart: Callable[[], AbstractContextManager[None]]
) -> dict[str, Any]:
    """What the names of the package's own example stand for."""
    [test] = doctest.DocTestFinder(recurse=False).find(neurosteer, globs={})
    with pytest.MonkeyPatch.context() as patch, apart():
        patch.chdir(tmp_path_factory.mktemp("begun"))
        assert run_examples([test]) > 0
    return {**test.globs, "torch": torch}


@pytest.mark.parametrize("name", WITH_EXAMPLES)
@pytest.mark.usefixtures("blank_pictures")
def test_every_example_runs(
    name: str, begun: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_examples(examples_of(import_module(name), begun)) == WITH_EXAMPLES[name]


def test_a_wrong_example_is_noticed() -> None:
    for wrong in (">>> 1 + 1\n3", ">>> 1 + 1  # doctest: +SKIP\n2"):
        test = doctest.DocTestParser().get_doctest(wrong, {}, "wrong", None, None)
        with pytest.raises(AssertionError):
            run_examples([test])


class Explained(NamedTuple):
    """A docstring in Google's style, cut into its parts."""

    summary: str
    sections: dict[str, str]

    @classmethod
    def of(cls, one: Any) -> Explained:
        text = inspect.getdoc(one) or ""
        heads = rf"^({'|'.join(SECTIONS)}):\n"
        before, *parts = re.split(heads, text, flags=re.MULTILINE)
        summary = before.strip().partition("\n\n")[0]
        return cls(summary, dict(zip(parts[::2], parts[1::2], strict=True)))

    def entries(self, section: str) -> dict[str, str]:
        """What a section says of each name."""
        found = re.findall(r"^    (\*{0,2}\w+): (\W*\w*)", self.sections.get(section, ""), flags=re.MULTILINE)
        return dict(found)


def parameters_of(one: Callable[..., Any]) -> list[str]:
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    own = inspect.signature(one).parameters.values()
    return [stars.get(par.kind, "") + par.name for par in own if par.name not in ("self", "cls")]


def faults_of_style(said: Explained) -> Iterator[str]:
    """Of any docstring."""
    if not said.summary.endswith(".") or "\n" in said.summary:
        yield "the summary is no single line"
    if list(said.sections) != [section for section in SECTIONS if section in said.sections]:
        yield "its sections come in another order"
    for section in ("Args", "Attributes", "Raises"):
        for name, first in said.entries(section).items():
            if re.match("[A-Z][a-z]", first) and first != "None":
                yield f"{section} begins '{name}' with a capital"


def faults_of_callable(said: Explained, one: Callable[..., Any], *, method: bool) -> Iterator[str]:
    """Of a function or a method: one that has no parameters, or gives a public class, says enough in its summary."""
    parameters = parameters_of(one)
    if list(said.entries("Args")) != parameters:
        yield f"Args are {list(said.entries('Args'))}, not {parameters}"
    gives = str(inspect.signature(one).return_annotation)
    plain = method and (not parameters or gives in EXPORTED)
    if gives != "None" and not plain and not {"Returns", "Yields"} & set(said.sections):
        yield "no Returns"


def faults_of_class(said: Explained, one: type) -> Iterator[str]:
    """Of its fields and its methods too; each is called in an example, its own or that of the class."""
    fields = [field.name for field in dataclasses.fields(one)] if dataclasses.is_dataclass(one) else []
    if list(said.entries("Attributes")) != fields and fields:
        yield f"Attributes are {list(said.entries('Attributes'))}, not {fields}"
    homes = [home for home in one.__mro__ if home.__module__.startswith(("neurosteer", "made"))]
    for name in sorted({name for home in homes for name in vars(home) if not name.startswith("_")} - set(fields)):
        found = inspect.getattr_static(one, name)
        if isinstance(found, (property, classmethod, staticmethod)) or inspect.isfunction(found):
            own = Explained.of(getattr(one, name))
            faults = list(faults_of_style(own))
            if not isinstance(found, property) and name not in OF_OURS.get(one.__name__, ()):
                faults += faults_of_callable(own, getattr(one, name), method=True)
                shown = said.sections.get("Example", "") + own.sections.get("Example", "")
                if f".{name}(" not in shown:
                    faults.append("no example calls it")
            yield from (f"{name}: {fault}" for fault in faults)


def faults(one: Any) -> list[str]:
    """What the docstring of a public name lacks."""
    said = Explained.of(one)
    found = list(faults_of_style(said))
    if ">>> " not in said.sections.get("Example", ""):
        found.append("no example")
    return found + list(
        faults_of_class(said, one) if isinstance(one, type) else faults_of_callable(said, one, method=False)
    )


@pytest.mark.parametrize("name", EXPORTED)
def test_public_names_are_explained(name: str) -> None:
    assert faults(EXPORTED[name]) == []


def grown(length: float, *more: float) -> float:
    """A length, grown.

    Args:
        length: in metres.
        *more: lengths that are added.

    Returns:
        The sum.

    Example:
        >>> grown(1.0)
        1.0
    """
    return length + sum(more)


WRONG = {
    "the summary": ("A length, grown.", "A length,\n    grown."),
    "Args begins": ("in metres", "In metres"),
    "Args are": ("        *more: lengths that are added.\n", ""),
    "no Returns": ("    Returns:\n        The sum.\n\n", ""),
    "no example": (">>> ", ""),
    "its sections": ("    Args:\n", "    Returns:\n        The sum.\n\n    Args:\n"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_docstring_that_lacks_something_is_noticed(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert faults(grown) == []
    text, change = grown.__doc__ or "", WRONG[fault]
    assert change[0] in text
    monkeypatch.setattr(grown, "__doc__", text.replace(*change))
    assert any(found.startswith(fault) for found in faults(grown))
