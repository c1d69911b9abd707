"""All trials of an item in one request to a server: `n` choices, which read the prompt once.

lmms-eval's integrations refuse `n`, so it goes in below them, where the request leaves: the first call of an item asks
for n choices and is answered with the first; further calls for the same item get the next, so that each reply is what
the integration makes of it. Not every server takes n: some refuse it, some ignore it, and some send n copies of one
reply. The last kind is told apart from a sure model by asking for single replies beside it until choices differ.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from ..base.errors import one_line
from ..scoring.elicitation import EXACT
from .integration import Integration
from .settings import Settings

MOST_CHOICES = 128
"""In one request: as many as OpenAI's interface allows."""

_UNDECIDED_ITEMS = 10
"""After so many items without two different replies of any kind the model is sure of itself, whatever the server."""
_EVIDENCE = 10
"""Single replies that differ, where no choice did. If the two were drawn alike, each of them would have been among the
choices as likely as among the singles: 1 in 1,000."""


def why_no_choices(integration: Integration, settings: Settings) -> str | None:
    """Return why requests are not to ask for several choices, None if they are."""
    if integration.client is None:
        return "no server is asked"
    if settings.mode == EXACT:
        return "nothing is drawn in mode=exact"
    if not settings.share:
        return "share=false"
    return f"chunk={settings.chunk}" if settings.chunk > 1 else None


class Choices:
    """Whether a server takes `n`, and the requests that use it.

    Attributes:
        why_not: why no request uses it (any more), or None.
        decided: whether the server was seen to give choices that differ, or not to give them.
        items: how many items were asked in one request.
        refused: whether the reason was found during the run.
    """

    def __init__(self, why_not: str | None) -> None:
        """Begin with a reason not to use it, or None."""
        self.why_not = why_not
        self.decided = why_not is not None
        self.items, self.refused = 0, False
        self._undecided = self._singles_that_differ = 0
        self._asking: dict[int, _Request] = {}
        self._lock = threading.Lock()

    def told(self) -> dict[str, Any]:
        """Return what the results file says of it, as JSON values."""
        return {"items_in_one_request": self.items, "why_not": self.why_not}

    def through(self, create: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a client's `chat.completions.create`; a request is known by its seed."""

        def create_choices(**payload: Any) -> Any:
            request = self._asking.get(payload.get("seed", -1))
            return create(**payload) if request is None else request.answer(self, create, payload)

        return create_choices

    def ask(self, call: Callable[[], Any], seed: int, n: int) -> list[Any]:
        """Return what the integration makes of the choices of one request: at least one, and at most n.

        Args:
            call: has the integration ask once, with that seed.
            seed: of the request.
            n: choices to ask for.
        """
        self._asking[seed] = request = _Request(n)
        try:
            outputs = [call()]
            by_text = {request.text(0): outputs[0]}
            for place in range(1, request.received):
                request.place = place
                if (text := request.text(place)) not in by_text:
                    by_text[text] = call()
                outputs.append(request.with_tokens(by_text[text], place))
        finally:
            del self._asking[seed]
        if not request.known and self.why_not is None:
            self.refuse("the integration does not pass the seed on, by which its request would be known")
        with self._lock:
            self.items += request.received > 1
        return outputs

    def refuse(self, why_not: str) -> None:
        """Ask for single replies from now on."""
        with self._lock:
            self.why_not, self.decided, self.refused = why_not, True, True

    def accept(self) -> None:
        """The choices of a request differed: the server draws each."""
        with self._lock:
            self.decided = True

    def weigh(self, choice: str, singles: Sequence[str]) -> None:
        """Judge a server all of whose choices for an item were `choice`, by single replies to the same item."""
        self._undecided += 1
        self._singles_that_differ += sum(single != choice for single in singles)
        if self._singles_that_differ >= _EVIDENCE:
            self.refuse(
                f"the server sends copies: in {self._undecided} items no choice differed from the others, and "
                f"{self._singles_that_differ} single replies did"
            )
        elif self._undecided >= _UNDECIDED_ITEMS:
            self.accept()


class _Request:
    """One request for n choices.

    `place` is the choice that the integration gets from its next call; `known` whether a call was seen to be its.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.place = self.received = 0
        self.known = False
        self._response: Any = None
        self._tokens: list[int | None] = []

    def answer(self, choices: Choices, create: Callable[..., Any], payload: dict[str, Any]) -> Any:
        self.known = True
        if self._response is None:
            self._receive(choices, create, payload)
        response = self._response
        alone = {"choices": [response.choices[self.place]]}
        if (usage := getattr(response, "usage", None)) is not None:
            alone["usage"] = usage.model_copy(update={"completion_tokens": self._tokens[self.place]})
        return response.model_copy(update=alone)

    def _receive(self, choices: Choices, create: Callable[..., Any], payload: dict[str, Any]) -> None:
        try:
            self._response = create(**payload, n=self.n)
        except Exception as error:
            if choices.decided or getattr(error, "status_code", 0) not in (400, 404, 422, 501):
                raise
            self._response = create(**payload)  # if this fails too, it was not n
            choices.refuse(f"the server refuses n={self.n} ({one_line(error, 200)})")
        self.received = min(len(self._response.choices), self.n)
        if self.received < self.n and choices.why_not is None:
            choices.refuse(f"the server answers n={self.n} with {self.received} choices")
        total = getattr(getattr(self._response, "usage", None), "completion_tokens", None)
        self._tokens = split_tokens(total, [len(self.text(place)) for place in range(self.received)])

    def text(self, place: int) -> str:
        if self._response is None:
            return ""
        return self._response.choices[place].message.content or ""

    def with_tokens(self, output: Any, place: int) -> Any:
        """The output of an equal text with this choice's own share of the tokens."""
        from lmms_eval.api.instance import GenerationResult, TokenCounts, unwrap_generation_output

        text, counts = unwrap_generation_output(output)
        return GenerationResult(text=text, token_counts=counts and TokenCounts(output_tokens=self._tokens[place]))


def split_tokens(total: int | None, lengths: Sequence[int]) -> list[int | None]:
    """Split a number of tokens among replies in proportion to their characters (and one more each, for their end).

    Servers count all choices together. The parts are whole numbers that add up to the total.
    """
    if total is None:
        return [None] * len(lengths)
    weights = [length + 1 for length in lengths]
    reached, parts, before = 0, [], 0
    for weight in weights:
        reached += weight
        upto = round(total * reached / sum(weights))
        parts.append(upto - before)
        before = upto
    return parts  # type: ignore[return-value]
