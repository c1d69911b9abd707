"""How to install one of the package's extras: said here alone, since it changes once the package is on an index."""

from __future__ import annotations


def how_to_install(extra: str) -> str:
    """Return the command that brings an extra of pyproject.toml, as the last words of a message."""
    return f"pip install '.[{extra}]' in a clone of medqdeg"
