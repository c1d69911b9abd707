"""What in arguments is a secret, and how it is struck out: one place for everything that writes arguments down.

When in doubt it strikes out: a value struck out in vain costs a reader one detail, a secret written down may cost an
account.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

STRUCK = "***"
"""What stands in the place of a secret."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS = frozenset(
    {
        *("apikey", "apikeys", "secret", "secrets", "password", "passwords", "passwd", "passphrase", "pwd", "pw"),
        *("auth", "authorization", "authorisation", "bearer", "credential", "credentials", "cookie", "cookies"),
        *("header", "headers", "signature", "sig", "jwt"),
    }
)
_SECRET_ENDS = ("key", "keys", "token")
# A tokenizer's tokens, numbers of tokens and columns named "key" are no secrets, and some change what a model answers.
_HARMLESS_BEFORE_TOKEN = frozenset(
    {
        *(
            "bos",
            "eos",
            "pad",
            "unk",
            "sep",
            "cls",
            "mask",
            "image",
            "img",
            "video",
            "audio",
            "special",
            "start",
            "end",
        ),
        *(
            "stop",
            "think",
            "prefix",
            "suffix",
            "patch",
            "per",
            "max",
            "min",
            "new",
            "use",
            "latent",
            "vision",
            "answer",
        ),
    }
)
_HARMLESS_BEFORE_KEY = frozenset({"cluster", "sort", "question", "image", "answer", "doc", "target", "cache", "metric"})
_JOINED = re.compile(r"(api|access|auth|secret|private|openai|azure|hf|hub|github|service)(key|token)s?$")

_USER_IN_URL = re.compile(r"\b([a-z][a-z0-9+.-]*://)[^/\s?#]*@", re.IGNORECASE)
_SCHEME = re.compile(r"\b(bearer|basic|digest|negotiate)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE)
_KNOWN_SHAPES = re.compile(
    r"\b(?:(?:sk|rk|pk)-[A-Za-z0-9_-]{8,}|hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}"
    r"|xox[a-z]-[A-Za-z0-9-]{8,}|AKIA[A-Z0-9]{12,}|AIza[A-Za-z0-9_-]{20,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)"
)
_NAME = re.compile(r"""(?P<quote>\\{0,3}["']?)(?P<name>[A-Za-z_][\w.-]*)(?P=quote)\s*[=:]\s*""")
_VALUE = re.compile(
    r"""(?P<escaped>\\{1,3}["']).*?(?P=escaped)|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
    r"""|[^\s,;&{}\[\]"']+(?:[ ][^\s,;&{}\[\]"'=:]+)*"""
)
_DEEPEST = 50
"""Levels of nesting that are looked into; what lies deeper is struck out whole."""


def is_secret(name: str) -> bool:
    """Whether a value of this name must not be written down: a key, token, password, header, cookie or the like.

    "api_key", "apikey", "API-Key", "openaiApiKey", "hf_token", "authorization" and "default_headers" are;
    "max_new_tokens", "tokenizer" and "eos_token" are not.
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words:
        return False
    if _SECRET_WORDS & set(words) or any(_JOINED.match(word) for word in words):
        return True
    if words[-1] not in _SECRET_ENDS:
        return False
    before = words[-2] if len(words) > 1 else ""
    return before not in (_HARMLESS_BEFORE_TOKEN if words[-1] == "token" else _HARMLESS_BEFORE_KEY)


def without_secrets(value: Any) -> Any:
    """Return a JSON value with every secret in it struck out.

    Struck out are values whose name `is_secret`, at any depth of dictionaries, lists, JSON in a text and
    "name=value" or "name: value" in a text; what follows "Bearer" or "Basic"; user and password in an address; and
    texts of the shape of well-known keys.
    """
    return _without_secrets(value, 0)


def _without_secrets(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _text_without_secrets(value, depth)
    if not isinstance(value, Mapping | list | tuple):
        return value
    if depth == _DEEPEST:
        return STRUCK
    if isinstance(value, Mapping):
        return {
            name: STRUCK if is_secret(str(name)) and inner not in (None, "") else _without_secrets(inner, depth + 1)
            for name, inner in value.items()
        }
    return type(value)([_without_secrets(inner, depth + 1) for inner in value])


def public_argument(name: str, value: str) -> str:
    """Return one argument as "name=value", with what is secret in it struck out."""
    return f"{name}={STRUCK if is_secret(name) else without_secrets(value)}"


def arguments_by_name(text: str) -> dict[str, str]:
    """Return the arguments of "name=value,name=value" by name; commas in brackets or quotes divide nothing."""
    return {name.strip(): value for name, sign, value in (part.partition("=") for part in _split(text)) if sign}


def public_arguments(text: str) -> str:
    """Return "name=value,name=value" with what is secret in it struck out.

    Commas in brackets or quotes divide nothing.
    """
    pairs = (part.partition("=") for part in _split(text))
    return ",".join(public_argument(name, value) if sign else without_secrets(name) for name, sign, value in pairs)


def _text_without_secrets(text: str, depth: int) -> str:
    stripped = text.strip()
    if stripped[:1] in ("{", "[") and depth < _DEEPEST:
        try:
            return json.dumps(_without_secrets(json.loads(stripped), depth + 1), ensure_ascii=False)
        except (ValueError, RecursionError):
            pass  # looked like JSON; read as a text
    text = _USER_IN_URL.sub(rf"\1{STRUCK}@", text)
    text = _SCHEME.sub(rf"\1 {STRUCK}", text)
    text = _KNOWN_SHAPES.sub(STRUCK, text)
    parts, start = [], 0
    while match := _NAME.search(text, start):
        parts.append(text[start : match.end()])
        start = match.end()
        if is_secret(match["name"]) and (value := _VALUE.match(text, start)):
            parts.append(STRUCK)
            start = value.end()
    return "".join([*parts, text[start:]])


def _split(text: str) -> list[str]:
    parts, depth, quote, start = [], 0, "", 0
    for place, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and text[place - 1 : place] in ("", "=", ",", " ", ":", "[", "{", "("):
            quote = character if character in text[place + 1 :] else ""
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth = max(0, depth - 1)
        elif character == "," and not depth:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]
