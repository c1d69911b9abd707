"""Pages of the site that are made while it is built: every command with its options, from the commands themselves."""

from __future__ import annotations

import os
import subprocess
import sys

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add `commands.md`, called by MkDocs."""
    program = [sys.executable, "-m", "typer", "medqdeg.utils.command_line", "utils", "docs", "--name", "medqdeg"]
    plain = {**os.environ, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "120"}
    if sources := os.environ.get("MEDQDEG_SOURCES"):
        # The commands of these sources, as the API's pages are, whatever is installed.
        plain["PYTHONPATH"] = os.pathsep.join(filter(None, [sources, os.environ.get("PYTHONPATH")]))
    text = subprocess.run(program, capture_output=True, text=True, check=True, env=plain, encoding="utf-8").stdout
    files.append(File.generated(config, "commands.md", content=text))
    return files
