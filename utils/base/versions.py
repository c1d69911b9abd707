"""Versions of what a result depends on; lmms-eval's own results do not name its version for a pip install."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES: tuple[str, ...] = (
    "medqdeg",
    "lmms-eval",
    "transformers",
    "torch",
    "datasets",
    "numpy",
    "pillow",
)


def versions(*further: str) -> dict[str, str]:
    """Return package name -> installed version ("absent" where it is not installed), and Python's.

    Args:
        further: packages to look up beside those of `PACKAGES`.
    """
    found = {"python": platform.python_version()}
    for package in (*PACKAGES, *further):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found
