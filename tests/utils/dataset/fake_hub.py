"""A Hub of one dataset repository on this machine: the few routes that `huggingface_hub` asks for a download."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote, urlsplit

from ...local_server import local_server

REPOSITORY = "someone/MedQ-copy"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
REVISIONS = ("main", "v1", COMMIT)


class FakeHub:
    """What is served, and what was asked for.

    Attributes:
        endpoint: for `HF_ENDPOINT`.
        files: path in the repository -> content.
        sent: (path, bytes sent) of each file body, in order.
        unknown: requests that no route answers.
        gated: whether the repository is given out to nobody.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.endpoint = ""
        self.files = dict(files)
        self.sent: list[tuple[str, int]] = []
        self.unknown: list[str] = []
        self.gated = False


@contextmanager
def fake_hub(files: Mapping[str, bytes]) -> Iterator[FakeHub]:
    hub = FakeHub(files)
    with local_server(type("Handler", (_Handler,), {"hub": hub})) as hub.endpoint:
        yield hub


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes = b"") -> None:
        path = unquote(urlsplit(self.path).path)
        api = re.fullmatch(r"/api/datasets/([^/]+/[^/]+)(?:/(revision|tree|paths-info)/([^/]+)(?:/(.*))?)?", path)
        file = re.fullmatch(r"/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        if not (match := api or file):
            self.hub.unknown.append(f"{self.command} {self.path}")
            return self._refuse(404, "NoRoute")
        revision = match[3] if api else match[2]
        if match[1] != REPOSITORY:
            return self._refuse(404, "RepoNotFound")
        if self.hub.gated:
            return self._refuse(403, "GatedRepo")
        if revision not in (None, *REVISIONS):
            return self._refuse(404, "RevisionNotFound")
        if file:
            return self._send_file(file[3])
        return self._send_json(self._about(api[2], api[4] or "", body))  # type: ignore[index]

    def _about(self, what: str | None, folder: str, body: bytes) -> object:
        entries = [
            {"type": "file", "path": path, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
            for path, content in self.hub.files.items()
            if path.startswith(folder)
        ]
        if what == "tree":
            return entries
        if what == "paths-info":
            wanted = json.loads(body)["paths"]
            return [entry for entry in entries if entry["path"] in wanted]
        siblings = [{"rfilename": path} for path in self.hub.files]
        return {"id": REPOSITORY, "sha": COMMIT, "private": False, "tags": [], "siblings": siblings}

    def _send_json(self, answer: object) -> None:
        content = json.dumps(answer).encode()
        self._send(200, content, {"Content-Type": "application/json"})

    def _send_file(self, path: str) -> None:
        if path not in self.hub.files:
            return self._refuse(404, "EntryNotFound")
        content = self.hub.files[path]
        headers = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "Accept-Ranges": "bytes"}
        status = 200
        if part := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(part[1]), min(int(part[2] or len(content)), len(content) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            status, content = 206, content[first : last + 1]
        if self.command == "GET":
            self.hub.sent.append((path, len(content)))
        return self._send(status, content, headers)

    def _refuse(self, status: int, code: str) -> None:
        self._send(status, b"", {"X-Error-Code": code, "X-Error-Message": f"{code} says the Hub"})

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"X-Repo-Commit": COMMIT, "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
