"""The pages of the manual, the README and the guide, cut into blocks, commands and words in backticks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = ("neurosteer ", "python ", "pip ")
RECIPES = "neurosteer run "


@dataclass(frozen=True)
class Page:
    """One page. A block whose fence says more than its language (` ```python shown`) is not run."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT)) if self.path.is_relative_to(ROOT) else self.path.name

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @cached_property
    def prose(self) -> str:
        """The page without its blocks."""
        return re.sub(r"^```.*?^```$", "", self.text, flags=re.DOTALL | re.MULTILINE)

    def blocks(self, *kinds: str) -> list[str]:
        found = re.findall(r"^```([^\n]*)\n(.*?)^```$", self.text, flags=re.DOTALL | re.MULTILINE)
        return [text for kind, text in found if kind in kinds]

    @cached_property
    def spans(self) -> list[str]:
        """What stands in backticks in the running text."""
        return re.findall(r"`([^`\n]+)`", self.prose)

    @cached_property
    def commands(self) -> list[str]:
        """The commands of its blocks in their order, then those in its text; each once."""
        in_blocks = [command for text in self.blocks("sh", "console") for command in commands_in(text)]
        return list(dict.fromkeys([*in_blocks, *_commands_of_spans(self.spans)]))

    @cached_property
    def anchors(self) -> set[str]:
        """Its headings as GitHub names them in links."""
        headings = re.findall(r"^#+ (.*)$", self.prose, flags=re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands_in(text: str) -> Iterator[str]:
    """The commands of a shell block: its lines without comments, or in a transcript those after `$`."""
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    if any(line.startswith("$ ") for line in lines):
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    for line in lines:
        yield from filter(None, (part.strip() for part in re.sub(r"\s#.*", "", line).split("&&")))


def _commands_of_spans(spans: list[str]) -> Iterator[str]:
    """Of alternatives (`ls tasks | models`) each."""
    for span in spans:
        for command in span.replace("PATH", "runs").split(" && "):
            if command.startswith(PROGRAMS):
                first, *others = command.split(" | ")
                yield from (first, *(f"{first.rsplit(' ', 1)[0]} {other}" for other in others))


README = Page(ROOT / "README.md")
GUIDE = [Page(path) for path in sorted((ROOT / "recipes" / "guide").glob("*.md"))]
PAGES = [README, *GUIDE]


def page(name: str) -> Page:
    """A page of the guide by its name."""
    [found] = [page for page in GUIDE if page.path.stem == name]
    return found
