"""Who may use whom: the rooms of the house and the arrows between them, those in strings included."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ALLOWED: dict[str, set[str]] = {
    "degradations": set(),
    "base": set(),
    "images": {"base"},
    "dataset": {"base", "degradations", "images"},
    "degrade_files": {"base", "degradations", "images"},
    "grading": {"base", "degradations"},
    "scoring": {"dataset"},
    "phantoms": {"base", "dataset", "degradations", "images"},
    "building": {"base", "dataset", "degradations", "degrade_files", "images"},
    "sampling": {"base", "scoring"},
    "evidence": {"dataset", "degradations", "phantoms"},
    "models": {"base", "phantoms"},
    "analysis": {"answer_sheets", "base", "dataset", "degradations", "scoring", "wrapping"},
    "wrapping": {"base", "dataset", "degradations", "scoring"},
    "answer_sheets": {"base", "dataset", "images", "scoring"},
    "people": {"analysis", "answer_sheets", "base", "dataset", "degradations", "images", "scoring"},
    "report": {"analysis", "base", "dataset", "phantoms", "scoring"},
    "tasks": {"base", "dataset", "evidence", "phantoms", "sampling", "scoring", "wrapping"},
    # The command is a front to everything, the tasks included; nothing but the door knows it.
    "command_line": {
        *("analysis", "answer_sheets", "base", "building", "dataset", "degradations", "degrade_files", "evidence"),
        *("grading", "images", "models", "people", "phantoms", "report", "sampling", "scoring", "tasks", "wrapping"),
    },
    "front_door": {"analysis", "command_line", "degradations", "report"},
}
"""Room -> the rooms that it may use. A new arrow is a decision: it is made here, and drawn in docs/architecture.md."""


@pytest.fixture(scope="module")
def rooms(repository: Path) -> ModuleType:
    path = repository / ".ci" / "rooms.py"
    if not path.is_file():
        pytest.skip(f"{path} is not here: the rooms are read from a clone")
    spec = importlib.util.spec_from_file_location("rooms", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_arrow_that_is_not_allowed(rooms: ModuleType) -> None:
    found = {room: set(uses) for room, uses in rooms.arrows().items()}
    assert {
        room: uses - ALLOWED.get(room, set()) for room, uses in found.items() if uses - ALLOWED.get(room, set())
    } == {}


def test_no_arrow_is_allowed_that_is_not_there(rooms: ModuleType) -> None:
    found = rooms.arrows()
    unused = {room: uses - set(found.get(room, ())) for room, uses in ALLOWED.items()}
    assert {room: uses for room, uses in unused.items() if uses} == {}


def test_no_room_uses_itself_through_others(rooms: ModuleType) -> None:
    assert rooms.floors(ALLOWED)["base"] == 0  # raises on a circle


def test_strings_are_seen(rooms: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "utils" / "base"
    folder.mkdir(parents=True)
    (folder / "own.py").write_text(
        '"""Not medqdeg.utils.report: prose."""\nPROGRAM = "from medqdeg.utils.analysis import x"\n'
    )
    (tmp_path / "medqdeg_tasks" / "lmms_eval").mkdir(parents=True)
    (tmp_path / "medqdeg_tasks" / "lmms_eval" / "a.yaml").write_text("f: !function medqdeg.utils.wrapping.hooks.f\n")
    (tmp_path / "degradations").mkdir()
    monkeypatch.setattr(rooms, "ROOT", tmp_path)
    assert {room: set(uses) for room, uses in rooms.arrows().items()} == {"base": {"analysis"}, "tasks": {"wrapping"}}


def test_the_picture_is_of_today(rooms: ModuleType, repository: Path) -> None:
    drawn = (repository / "docs" / "rooms.svg").read_text(encoding="utf-8")
    assert drawn == rooms.svg(rooms.arrows()), "draw it again: python .ci/rooms.py --svg docs/rooms.svg"
