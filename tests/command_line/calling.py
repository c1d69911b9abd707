"""The command in this process, where a new one would cost its imports again."""

from __future__ import annotations

import pytest

from medqdeg.utils.command_line import main


def exit_status(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> object:
    """Call `medqdeg` with arguments and return its exit status, 0 where it gives none."""
    monkeypatch.setattr("sys.argv", ["medqdeg", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code or 0
