"""Types and defaults in `--help`, in words for people."""

from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from typer.models import OptionInfo

Command = TypeVar("Command", bound=Callable[..., Any])

_WORDS = {bool: "", int: "NUMBER", float: "NUMBER", str: "TEXT", Path: "PATH"}


def for_people(command: Command) -> Command:
    """Return a command whose options say NUMBER, TEXT, PATH, FOLDER or their choices, and nothing where they are flags.

    What an option names by itself (`metavar`) stays. A default that is told in words stands in the help's own
    sentence, not in brackets.
    """
    hints = get_type_hints(command, include_extras=True)
    for annotation in hints.values():
        for info in getattr(annotation, "__metadata__", ()):
            help_text = info.help or ""
            if info.metavar is None and isinstance(info, OptionInfo):
                info.metavar = _word(get_args(annotation)[0], help_text)
            if isinstance(info.show_default, str):
                info.help, info.show_default = f"{help_text} Default: {info.show_default}.".strip(), False
    command.__annotations__ = hints
    return command


def _word(kind: Any, help_text: str) -> str | None:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _word(next(each for each in inner if each is not type(None)), help_text)
    if origin is list:
        return _word(inner[0], help_text)
    if origin is tuple:
        return " ".join(_word(each, help_text) or "" for each in inner)
    if origin is Literal:
        return "|".join(map(str, inner))
    if kind is Path and help_text.startswith("Folder"):
        return "FOLDER"
    return _WORDS.get(kind)
