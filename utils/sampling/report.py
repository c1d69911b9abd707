"""What the wrapper model did, on its way from the model to the results file.

lmms-eval gives an aggregation the items' values and nothing of the model, so the wrapper leaves its report here, in the
process in which lmms-eval aggregates.
"""

from __future__ import annotations

import weakref
from typing import Any

_current: tuple[weakref.ref[object], dict[str, Any]] | None = None


def publish_report(model: object, report: dict[str, Any]) -> None:
    """Make `report` (JSON values) the current one for as long as `model` lives; it replaces the one before."""
    global _current
    _current = (weakref.ref(model), report)


def withdraw_report() -> None:
    """Forget the current report."""
    global _current
    _current = None


def current_report() -> dict[str, Any] | None:
    """Return the report of the wrapper model in use, None without one: a stock integration leaves none."""
    if _current is None or _current[0]() is None:
        return None
    return _current[1]
