"""A small hub on this machine: it answers what huggingface_hub asks of the real one about repositories and files."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest


@dataclass
class FakeHub:
    """Repositories by kind (`models`, `datasets`) and id; each has revisions, which are folders of files."""

    repositories: dict[tuple[str, str], dict[str, Path]] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    breaks_at: str = ""  # a file whose download ends midway
    asked: list[str] = field(default_factory=list)

    def put(self, kind: str, name: str, folder: Path, revision: str = "main") -> None:
        self.repositories.setdefault((kind, name), {})[revision] = folder

    def downloads(self) -> list[str]:
        """The files that were sent, at least their beginning."""
        return [line.rpartition("/")[2] for line in self.asked if line.startswith("GET") and "/resolve/" in line]


def commit_of(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return hashlib.sha1(b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()


def about(name: str, folder: Path) -> dict[str, object]:
    """What the hub's API says of a revision."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    told = [{"rfilename": str(path.relative_to(folder)), "size": path.stat().st_size} for path in files]
    return {"id": name, "sha": commit_of(folder), "siblings": told, "tags": [], "downloads": 0, "private": False}


@contextmanager
def serving() -> Iterator[FakeHub]:
    """The hub, in the place of the real one for this process."""
    hub = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.asked.append(f"{self.command} {path}")
            api, parts = path.startswith("/api/"), path.removeprefix("/api").strip("/").split("/")
            kind = parts.pop(0) if parts[0] in ("models", "datasets") else "models"
            name, revision, file = "/".join(parts[:2]), parts[3] if len(parts) > 3 else "main", "/".join(parts[4:])
            known = hub.repositories.get((kind, name), {})
            folder = known.get(revision) or next((one for one in known.values() if commit_of(one) == revision), None)
            if path == "/":
                self.send(b"", body)
            elif folder is None:
                self.send(b"{}", body, status=404, code="RevisionNotFound" if known else "RepoNotFound")
            elif api and parts[2:3] == ["tree"]:  # of a folder inside: there is none
                self.send(b"{}", body, status=404, code="EntryNotFound")
            elif api:
                self.send(json.dumps(about(name, folder)).encode(), body)
            elif name in hub.gated:
                self.send(b"{}", body, status=403, code="GatedRepo")
            elif not (folder / file).is_file():
                self.send(b"{}", body, status=404, code="EntryNotFound")
            else:
                self.send((folder / file).read_bytes(), body, commit=commit_of(folder), half=file == hub.breaks_at)

        def send(
            self,
            content: bytes,
            body: bool,
            *,
            status: int = 200,
            code: str = "",
            commit: str = "",
            half: bool = False,
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            if code:
                self.send_header("X-Error-Code", code)
            if commit:
                self.send_header("X-Repo-Commit", commit)
                self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
            self.end_headers()
            if body:
                self.wfile.write(content[: len(content) // 2] if half else content)
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.ENDPOINT", address)
        patch.setattr("huggingface_hub.hf_api.api.endpoint", address)  # of the functions that load models
        patch.setattr("transformers.utils.hub._hf_api", None, raising=False)  # made anew, for this address
        template = address + "/{repo_id}/resolve/{revision}/{filename}"
        for place in ("constants", "file_download"):
            patch.setattr(f"huggingface_hub.{place}.HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False)
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        try:
            yield hub
        finally:
            server.shutdown()
            server.server_close()
