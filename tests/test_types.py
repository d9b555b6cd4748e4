"""A type checker finds typos in what users write, and nothing in what is right: `types/typos.py`, `types/usage.py`.

An expected error stands behind its line, as the codes of mypy and of basedpyright. One that is missed, another one,
and one that is no longer reported are failures alike.
"""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import neurosteer as ns

TESTS = Path(__file__).parent
FILES = sorted((TESTS / "types").glob("*.py"))
CODES = re.compile(r"  # (?P<mypy>[a-z]+-[a-z]+), (?P<basedpyright>report\w+)")
Errors = set[tuple[str, int, str]]  # file, line, code


def expected(checker: str) -> Errors:
    lines = [(file.name, i, line) for file in FILES for i, line in enumerate(file.read_text("utf-8").splitlines(), 1)]
    return {(name, i, codes[checker]) for name, i, line in lines if (codes := CODES.search(line))}


def output_of(module: str, *options: str) -> str:
    command = [sys.executable, "-m", module, *options]
    return subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, check=False).stdout


def test_mypy():
    """Under the project's own settings, so that after `mypy`, which runs before the tests in CI, it takes 2 s."""
    lines = output_of("mypy", "--no-error-summary", *(str(file.relative_to(TESTS.parent)) for file in FILES))
    found = re.findall(r"types/(\w+\.py):(\d+): error: .*\[([a-z-]+)\]$", lines, re.M)
    assert {(file, int(line), code) for file, line, code in found} == expected("mypy")


def test_basedpyright(tmp_path: Path):
    """At the level that editors use unless told otherwise; without libraries, none of whose types is needed."""
    (tmp_path / "none" / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    settings = tmp_path / "pyrightconfig.json"
    settings.write_text(
        json.dumps(
            {
                "include": [str(TESTS / "types")],
                "extraPaths": [str(TESTS.parent)],
                "venvPath": str(tmp_path),
                "venv": "none",
                "pythonVersion": "3.11",
                "typeCheckingMode": "standard",
            }
        )
    )
    reports = json.loads(output_of("basedpyright", "--project", str(settings), "--outputjson"))["generalDiagnostics"]
    found = {
        (Path(report["file"]).name, report["range"]["start"]["line"] + 1, report["rule"])
        for report in reports
        if report["severity"] == "error"
    }
    assert found == expected("basedpyright")


def test_expectations_are_read():
    """The tests above can fail: every line of typos is expected to be one, and both files are checked."""
    typos = (TESTS / "types" / "typos.py").read_text("utf-8")
    for checker in ("mypy", "basedpyright"):
        assert sum(name == "typos.py" for name, _, _ in expected(checker)) == typos.count("  # ")
    assert {file.name for file in FILES} == {"typos.py", "usage.py"}


def test_signatures_are_short():
    """What a notebook shows of a default is something to type, and no object's address or screen of fields."""
    found = [getattr(ns, name) for name in dir(ns)]
    classes = [one for one in found if inspect.isclass(one) and not issubclass(one, Exception)]
    methods = [value for one in classes for _, value in inspect.getmembers(one) if hasattr(value, "__code__")]
    ours = [*filter(inspect.isfunction, found), *classes, *methods]
    defaults = [parameter.default for one in ours for parameter in inspect.signature(one).parameters.values()]
    shown = {repr(default) for default in defaults if default is not inspect.Parameter.empty}
    assert {"L0Settings()", "'all'"} <= shown
    assert not [text for text in shown if len(text) > 50 or text.startswith("<")]


def test_settings_show_what_is_not_the_default():
    assert repr(ns.L0Settings()) == "L0Settings()"
    assert repr(ns.L0Settings(start="warm", steps=400)) == "L0Settings(start='warm', steps=400)"
