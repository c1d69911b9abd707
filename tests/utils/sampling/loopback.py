"""A server on this machine that speaks OpenAI's chat completions, as far as these tests need."""

from __future__ import annotations

import base64
import io
import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import PIL.Image

from ...local_server import local_server


class Server:
    """What it was asked, and how it answers.

    Attributes:
        requests: payloads in the order of arrival.
        images: the images of each request, decoded.
        most_at_once: the largest number of requests in work at the same time.
        refuses: called with a payload; True answers with status 400, which the `openai` client does not retry.
        logprobs: token -> natural logarithm of its probability, or None: the server knows none.
        pause: seconds that an answer takes.
        choices: what becomes of `n`: "ignored", "refused", "drawn" one by one, "copied", or "equal" (drawn by a model
            that is sure, as its single replies are).
    """

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.images: list[list[PIL.Image.Image]] = []
        self.most_at_once = self._at_once = 0
        self.refuses: Callable[[dict[str, Any]], bool] = lambda payload: False
        self.logprobs: dict[str, float] | None = {"B": math.log(0.6), " A": math.log(0.3), "A": math.log(0.05)}
        self.pause = 0.0
        self.choices = "ignored"
        self.lock = threading.Lock()
        self.url = ""

    def answer(self, payload: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        with self.lock:
            self.requests.append(payload)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            content = payload["messages"][0]["content"]
            urls = [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
            self.images.append([PIL.Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))) for url in urls])
            refused = self.refuses(payload) or (self.choices == "refused" and payload.get("n", 1) > 1)
        time.sleep(self.pause)
        with self.lock:
            self._at_once -= 1
        if refused:
            return 400, {"error": {"message": "no", "type": "invalid_request_error"}}
        asked = payload.get("n", 1) if self.choices != "ignored" else 1
        choices = [self._choice(payload, number) for number in range(asked)]
        usage = {"prompt_tokens": 5, "completion_tokens": asked, "total_tokens": 5 + asked}
        return 200, {
            **{"id": "x", "object": "chat.completion", "created": 0, "model": payload["model"]},
            **{"choices": choices, "usage": usage},
        }

    def _choice(self, payload: dict[str, Any], number: int) -> dict[str, Any]:
        """A letter that the seed decides; vLLM adds the choice's number to the request's seed."""
        seed = payload.get("seed", 0) + (number if self.choices == "drawn" else 0)
        letter = "A" if self.choices == "equal" else "AB"[seed % 2]
        choice: dict[str, Any] = {"index": number, "finish_reason": "stop"}
        choice["message"] = {"role": "assistant", "content": letter}
        if payload.get("logprobs") and self.logprobs is not None:
            top = [{"token": token, "logprob": value, "bytes": None} for token, value in self.logprobs.items()]
            choice["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
        return choice


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = server.answer(payload)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            pass

    with local_server(Handler) as address:
        server.url = f"{address}/v1"
        yield server
