"""Events in a chain of hashes: whoever changes one later has to change all that follow, and the last hash with them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

START = "0" * 64
"""What stands for the hash before the first event."""

KINDS = ("open", "display_check", "shown", "answer", "correct", "pause", "close")
"""What can happen. `open` names the hashes of the plan and of the reader's trials; `correct` replaces an answer."""


@dataclass(frozen=True)
class Event:
    """One line of the chain.

    Attributes:
        seq: from 1, without a gap.
        at: the day, or with the desk's `--times` the moment, in ISO 8601.
        reader: the reader's code.
        session: from 1.
        desk: "review", "calibrate" or "study".
        kind: one of `KINDS`.
        body: what happened, as canonical JSON (`canonical`).
        prev: the hash of the event before, `START` for the first.
        hash: of all of the above.
    """

    seq: int
    at: str
    reader: str
    session: int
    desk: str
    kind: str
    body: str
    prev: str
    hash: str

    def content(self) -> Any:
        """Return the body as JSON gives it."""
        return json.loads(self.body)

    def expected_hash(self) -> str:
        """Return the SHA-256, in hexadecimal, that the event's content gives."""
        fields = [self.seq, self.at, self.reader, self.session, self.desk, self.kind, self.body, self.prev]
        return digest(fields)


def linked(
    seq: int, at: str, reader: str, session: int, desk: str, kind: str, body: Mapping[str, Any], prev: str
) -> Event:
    """Return an event with its hash."""
    if kind not in KINDS:
        raise ValueError(f"no kind of event: {kind!r}")
    bare = Event(seq, at, reader, session, desk, kind, canonical(body), prev, "")
    return Event(seq, at, reader, session, desk, kind, bare.body, prev, bare.expected_hash())


def canonical(value: Any) -> str:
    """Return a value as JSON in the one form that is hashed: sorted keys, no spaces, ASCII.

    Raises:
        ValueError: a number that JSON has not, such as NaN.
    """
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(*parts: Any) -> str:
    """Return the SHA-256, in hexadecimal, of values that JSON can hold."""
    return hashlib.sha256(canonical(list(parts)).encode()).hexdigest()
