"""When a medical image gets worse, does a vision-language model know that it knows less?

The door to what most people need; everything is imported when it is first asked for.

>>> import medqdeg
>>> len(medqdeg.list_degradations())
18

`degrade`, `list_degradations` and `Degrade` are the degradation library (`medqdeg.degradations`). `load` reads results
folders of lmms-eval or lm-eval into data frames; `analyze` and `report` write what the commands of the same names
write. The tasks register themselves with lmms-eval (`medqdeg.tasks`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .degradations import degrade, list_degradations
    from .degradations.transforms import Degrade
    from .utils.analysis.results import Results, analyze, load
    from .utils.report.whole_report import report

    __version__: str

_PLACES = {
    "Degrade": ".degradations.transforms",
    "Results": ".utils.analysis.results",
    "analyze": ".utils.analysis.results",
    "degrade": ".degradations",
    "list_degradations": ".degradations",
    "load": ".utils.analysis.results",
    "report": ".utils.report.whole_report",
}
"""Name -> the module that has it."""

__all__ = ["Degrade", "Results", "__version__", "analyze", "degrade", "list_degradations", "load", "report"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("medqdeg")
    elif name in _PLACES:
        value = getattr(import_module(_PLACES[name], __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
