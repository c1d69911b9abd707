"""What `--help` says of an option: a word for its kind, its default in words, `--out` wherever something is written."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Annotated, Literal, get_type_hints

import pytest
import typer
from typer.models import OptionInfo
from typer.testing import CliRunner

from medqdeg.utils.command_line import app
from medqdeg.utils.command_line.help_text import for_people

COMMANDS = [
    *(command.callback for command in app.registered_commands),
    *(command.callback for group in app.registered_groups for command in group.typer_instance.registered_commands),
]


def _info(annotation: object) -> OptionInfo:
    def command(value: object = None) -> None:
        """Nothing."""

    command.__annotations__["value"] = annotation
    return get_type_hints(for_people(command), include_extras=True)["value"].__metadata__[0]


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (bool, ""),
        (int, "NUMBER"),
        (float | None, "NUMBER"),
        (list[str] | None, "TEXT"),
        (tuple[float, float], "NUMBER NUMBER"),
        (Literal["a", "b"], "a|b"),
        (Path, "PATH"),
    ],
)
def test_a_word_for_each_kind(kind: object, word: str) -> None:
    assert _info(Annotated[kind, typer.Option(help="Something.")]).metavar == word


def test_a_folder_is_called_one_and_what_is_named_stays() -> None:
    assert _info(Annotated[Path, typer.Option(help="Folder for it.")]).metavar == "FOLDER"
    assert _info(Annotated[Path, typer.Option(metavar="MIX.yaml", help="Folder for it.")]).metavar == "MIX.yaml"


def test_a_default_in_words_is_a_sentence() -> None:
    info = _info(Annotated[int | None, typer.Option(help="Processes.", show_default="one per core")])
    assert (info.help, info.show_default) == ("Processes. Default: one per core.", False)


def test_every_command_says_it_for_people() -> None:
    assert len(COMMANDS) > 12
    for command in COMMANDS:
        assert command is not None
        for name, annotation in get_type_hints(command, include_extras=True).items():
            for info in getattr(annotation, "__metadata__", ()):
                assert info.help, f"{command.__name__}: {name} has no help"
                if isinstance(info, OptionInfo):
                    assert info.metavar is not None, f"{command.__name__}: {name}"


def test_one_name_for_the_output() -> None:
    for command in COMMANDS:
        assert command is not None
        for name in inspect.signature(command).parameters:
            if name in ("out", "output", "into"):
                (info,) = get_type_hints(command, include_extras=True)[name].__metadata__
                # Typer keeps the first name where a default would stand.
                assert (info.default, *info.param_decls)[:2] == ("--out", "-o"), f"{command.__name__}: {name}"


def test_demo_still_takes_output() -> None:
    done = CliRunner().invoke(app, ["demo", "nowhere", "--output", "x"])
    assert re.search("nowhere is not a folder", str(done.exception))
