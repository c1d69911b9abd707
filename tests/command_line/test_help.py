"""`--help` comes at once: it imports nothing that the subcommand itself needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ..utils.run_files import DATE

HEAVY = {"pandas", "scipy", "numpy", "pyarrow", "matplotlib", "torch", "lmms_eval"}


@pytest.mark.parametrize("subcommand", ["analyze", "report"])
def test_help_imports_nothing_heavy(subcommand: str) -> None:
    code = (
        f"import sys; sys.argv = ['medqdeg', {subcommand!r}, '--help']\n"
        "from medqdeg.utils.command_line import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert DATE not in done.stdout
