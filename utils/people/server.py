"""The desk's server: a few routes, none of which takes a path, in front of a `Sitting`."""

from __future__ import annotations

import contextlib
import html
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ..base.errors import InputError, one_line
from ..base.extras import how_to_install
from . import display_check
from .desks import RATINGS
from .guard import Guard
from .pictures import PictureBook, png
from .sitting import Sitting, StaleError
from .verdicts import VERDICTS

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

MISSING = f"the desks need Starlette and uvicorn: {how_to_install('people')}"

_TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
SCRIPTS = tuple(f"{name}.js" for name in ("desk", "parts", "picture", "check", "review", "study", "calibrate"))
_AHEAD = 4
"""Steps whose pictures the page may fetch beforehand."""
_TRIES = 2
"""Of the display check, before it counts as failed."""


class Screens:
    """What the page is told: the state of a sitting as JSON.

    Args:
        sitting: the reader's.
        book: which hands the pictures out.
    """

    def __init__(self, sitting: Sitting, book: PictureBook) -> None:
        self.sitting, self.book = sitting, book
        self.ended: str | None = None
        self.on_end: Callable[[], None] = lambda: None
        self._tries = 0

    def current(self, *, fresh: bool = True) -> dict[str, Any]:
        """Return the screen that lies on the desk.

        Args:
            fresh: the page asks anew; false where the answer before it has recorded the screen as shown.
        """
        sitting = self.sitting
        common = {
            "desk": sitting.plan.desk,
            "reader": sitting.reader,
            "session": sitting.session,
            "done": sitting.done,
            "of": len(sitting.trials),
            "prefetch": self._prefetch(),
        }
        if self.ended is not None:
            return {**common, "screen": "ended", "head": self.ended, "prefetch": []}
        if sitting.step is None:
            return {**common, "screen": "done", "head": sitting.store.head()[1]}
        if sitting.display is None:
            return {**common, "screen": "check", "image": self._check(), "tries": self._tries}
        if sitting.paused:
            return {**common, "screen": "paused"}
        step = sitting.show() if fresh else sitting.step
        assert step is not None
        trial = sitting.trials[step[0]]
        earlier = sitting.answers.get(step)
        content = sitting.desk.content(trial, step[1])
        if earlier is not None:
            content["earlier"] = {
                name: value for name, value in earlier.body.items() if name not in ("position", "phase", "view")
            }
        return {**common, "screen": "trial", "position": step[0], "phase": step[1], **content}

    def answer(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Record an answer and return the next screen."""
        position, phase = body.get("position"), body.get("phase")
        if isinstance(position, bool) or not isinstance(position, int) or not isinstance(phase, str):
            raise InputError("an answer names its position and phase")
        if not 0 <= position < len(self.sitting.trials):
            raise InputError(f"there is no trial {position}")
        self.sitting.answer(position, phase, body)
        return self.current(fresh=False)

    def undo(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Open the last answer again and return it, or say that there is none."""
        if not self.sitting.undo():
            return {**self.current(fresh=False), "told": "nothing to undo: only the last answer can be changed"}
        return self.current(fresh=False)

    def pause(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Begin or end a pause."""
        self.sitting.pause(body.get("on") is True)
        return self.current()

    def reveal(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the key of the pair on the desk."""
        return {"key": self.sitting.reveal(int(body.get("position", -1)), str(body.get("phase")))}

    def check(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Judge the digits that were typed at the display check; a second failure is recorded and let through."""
        typed = str(body.get("typed", ""))[:40]
        if self.sitting.display is not None:
            return self.current()
        wanted = self._digits()
        self._tries += 1
        right = display_check.passed(wanted, typed)
        if right or self._tries >= _TRIES:
            seen = {"wanted": "".join(wanted), "typed": one_line(typed, 40), "tries": self._tries}
            self.sitting.record_display(right, {**seen, **_screen(body)})
            told = {} if right else {"told": "The display check failed; the session is marked, and goes on."}
            return {**self.current(), **told}
        return {**self.current(), "told": "Not all of it. Look again, closer and in less light."}

    def close(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """End the sitting."""
        if self.ended is None:
            self.ended = self.sitting.close()
            self.on_end()
        return self.current()

    def _digits(self) -> tuple[str, str]:
        sitting = self.sitting
        return display_check.digits(sitting.plan.seed, sitting.reader, sitting.session, sitting.number, self._tries)

    def _check(self) -> str:
        return self.book.put(png(display_check.picture(*self._digits())))

    def _prefetch(self) -> list[str]:
        sitting = self.sitting
        steps = [step for step in (sitting.step, *sitting.upcoming(_AHEAD)) if step is not None]
        names: dict[str, None] = {}
        for step in steps:
            names.update(dict.fromkeys(sitting.desk.shown(sitting.trials[step[0]], step[1])))
        return list(names)


def _screen(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the size of the window and of its pixels, which an evaluation may want; no more about the machine."""
    found = body.get("display")
    if not isinstance(found, Mapping):
        return {}
    kept = {name: found[name] for name in ("width", "height", "ratio") if isinstance(found.get(name), int | float)}
    return {"display": {name: round(float(value), 3) for name, value in kept.items() if 0 < value < 1e5}}


def application(screens: Screens, book: PictureBook, page_token: Callable[[], str]) -> Starlette:
    """Return the application behind the `Guard`.

    Raises:
        InputError: the extra `people` is not installed.
    """
    try:
        from starlette.applications import Starlette
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import JSONResponse, Response
        from starlette.routing import Route
    except ModuleNotFoundError as error:
        raise InputError(f"{MISSING} ({one_line(error, 80)})") from None

    page = files(__package__).joinpath("page")
    texts = {name: page.joinpath(name).read_bytes() for name in ("desk.html", "desk.css", *SCRIPTS)}

    async def index(request: Request) -> Response:
        by_key = sorted(VERDICTS.items(), key=lambda pair: (pair[0] == 0, pair[0]))
        told = {"ratings": RATINGS, "verdicts": by_key, "desk": screens.sitting.plan.desk}
        text = texts["desk.html"].decode()
        text = text.replace("{{token}}", html.escape(page_token())).replace("{{told}}", html.escape(json.dumps(told)))
        return Response(text, media_type="text/html; charset=utf-8")

    def of_file(name: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return Response(texts[name], media_type=_TYPES[name.rpartition(".")[2]])

        return answer

    async def picture(request: Request) -> Response:
        try:
            data = await run_in_threadpool(book.png, request.path_params["name"])
        except InputError as error:
            return JSONResponse({"error": one_line(error, 200)}, 500)
        if data is None:
            return Response("there is no such picture", 404)
        return Response(data, media_type="image/png")

    async def state(request: Request) -> Response:
        return JSONResponse(screens.current())

    def of_post(act: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                body = json.loads(await request.body())
                if not isinstance(body, dict):
                    raise ValueError
            except (ValueError, RecursionError):
                return JSONResponse({"error": "no JSON object"}, 400)
            if screens.ended is not None:
                return JSONResponse(screens.current(), 409)
            try:
                return JSONResponse(act(body))
            except StaleError as error:
                return JSONResponse({**screens.current(), "told": str(error)}, 409)
            except InputError as error:
                return JSONResponse({"error": one_line(error, 200)}, 422)

        return answer

    posts = {name: getattr(screens, name) for name in ("answer", "undo", "pause", "reveal", "check", "close")}
    routes = [
        Route("/", index),
        Route("/state", state),
        Route("/picture/{name}", picture),
        *(Route(f"/{name}", of_file(name)) for name in texts if name != "desk.html"),
        *(Route(f"/{name}", of_post(act), methods=["POST"]) for name, act in posts.items()),
    ]
    return Starlette(routes=routes)


class Server:
    """A desk that listens on 127.0.0.1.

    Args:
        screens: what it shows.
        book: its pictures.
        port: 0 takes a free one.

    Raises:
        InputError: the extra `people` is not installed, or the port is taken.
    """

    def __init__(self, screens: Screens, book: PictureBook, port: int = 0) -> None:
        app = application(screens, book, lambda: self.guard.page_token)
        try:
            import uvicorn
        except ModuleNotFoundError as error:
            raise InputError(f"{MISSING} ({one_line(error, 80)})") from None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("127.0.0.1", port))
        except OSError as error:
            self._socket.close()
            raise InputError(f"--port {port}: cannot be used ({error.strerror or error})") from None
        self.guard = Guard(app, self._socket.getsockname()[1])
        config = uvicorn.Config(
            self.guard, log_level="warning", access_log=False, server_header=False, date_header=False, ws="none"
        )
        self._server = uvicorn.Server(config)
        screens.on_end = self.stop

    def run(self) -> None:
        """Serve until the session is ended or ctrl-C, which is how a desk closes and no fault.

        uvicorn passes SIGTERM on once it has shut down: whoever calls this says what it does.
        """
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again once it has shut down
            self._server.run(sockets=[self._socket])

    def start(self) -> threading.Thread:
        """Serve in a thread, for tests and programs; `stop` ends it."""
        thread = threading.Thread(target=self.run, daemon=True)
        thread.start()
        while not self._server.started and thread.is_alive():
            thread.join(0.01)
        return thread

    def stop(self) -> None:
        """Have `run` return."""
        self._server.should_exit = True
