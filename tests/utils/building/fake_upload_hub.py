"""A Hub on this machine that takes uploads: the few routes that `huggingface_hub` asks for, all files small enough."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote, urlsplit

from ...local_server import local_server

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class UploadHub:
    """What was made and sent.

    Attributes:
        repositories: name -> whether it is private.
        files: path -> content, of the one repository that is uploaded to.
        unknown: requests that no route answers.
    """

    def __init__(self) -> None:
        self.endpoint = ""
        self.repositories: dict[str, bool] = {}
        self.files: dict[str, bytes] = {}
        self.unknown: list[str] = []


@contextmanager
def upload_hub() -> Iterator[UploadHub]:
    hub = UploadHub()
    with local_server(type("Handler", (_Handler,), {"hub": hub})) as hub.endpoint:
        yield hub


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: UploadHub

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(body)

    def _answer(self, body: bytes) -> None:
        path = unquote(urlsplit(self.path).path)
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/validate-yaml":
            return self._send({"errors": [], "warnings": []})
        if match := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)(?:/(\w+)/main.*|/revision/main)?", path):
            return self._dataset(match[1], match[2], body)
        if self.command != "GET" or "datasets" in path:  # the client also looks up things that are no one's repository
            self.hub.unknown.append(f"{self.command} {self.path}")
        return self._send({"error": "no route"}, 404)

    def _create(self, wanted: dict[str, Any]) -> None:
        name = f"{wanted['organization']}/{wanted['name']}"
        there = name in self.hub.repositories
        private = wanted.get("visibility") == "private" or bool(wanted.get("private"))  # older clients say it so
        self.hub.repositories.setdefault(name, private)
        self._send({"url": f"{self.hub.endpoint}/datasets/{name}"}, 409 if there else 200)

    def _dataset(self, name: str, what: str | None, body: bytes) -> None:
        if what == "preupload":
            asked = json.loads(body)["files"]
            answer = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in asked]
            return self._send({"files": answer})
        if what == "commit":
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.hub.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
                elif line["key"] == "deletedFile":
                    self.hub.files.pop(line["value"]["path"], None)
            url = f"{self.hub.endpoint}/datasets/{name}/commit/{COMMIT}"
            return self._send({"success": True, "commitOid": COMMIT, "commitUrl": url})
        if what == "tree":
            entries = [
                {"type": "file", "path": path, "size": len(data), "oid": COMMIT}
                for path, data in self.hub.files.items()
            ]
            return self._send(entries)
        siblings = [{"rfilename": path} for path in self.hub.files]
        private = self.hub.repositories.get(name, False)
        return self._send({"id": name, "sha": COMMIT, "private": private, "tags": [], "siblings": siblings})

    def _send(self, answer: object, status: int = 200) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
