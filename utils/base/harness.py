"""Whether lmms-eval is installed, and whether what it reaches into privately is still there.

The installation without extras brings no harness; what needs it says so in one line. A package that lmms-eval imports a
private part of may lose that part in any release; lmms-eval then prints a traceback and exits with status 0.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from .errors import InputError, one_line
from .extras import how_to_install

EXTRA = "lmms-eval"
INSTALL = how_to_install(EXTRA)

PRIVATE_PARTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "filelock": ("filelock._api", ("BaseFileLock", "FileLockMeta")),
    "datasets": ("datasets.utils._filelock", ()),
}
"""Package -> the private module, and the names in it, without which no run of lmms-eval 0.7.3 starts."""


def require_harness(what: str) -> None:
    """Refuse to go on where lmms-eval is not installed or cannot run.

    Args:
        what: what needs it, to begin the message with ("the demo").

    Raises:
        InputError: with the package to install, and its version.
    """
    for module in ("lmms_eval", "torch", "transformers"):
        if importlib.util.find_spec(module) is None:
            raise InputError(f"{what} needs lmms-eval and torch, and {module} is not installed: {INSTALL}")
    if fault := harness_fault():
        raise InputError(fault)


def harness_fault() -> str | None:
    """Return one line on the first installed package that lmms-eval cannot run with, None where there is none."""
    for package, (module, names) in PRIVATE_PARTS.items():
        try:
            found = importlib.import_module(module)
        except Exception as error:  # whatever another version raises when it is imported
            why = f"{type(error).__name__}: {one_line(error, 200)}"
        else:
            missing = [name for name in names if not hasattr(found, name)]
            if not missing:
                continue
            why = f"{module} has no {missing[0]}"
        return (
            f"lmms-eval {_version(EXTRA)} does not run with the installed {package} {_version(package)} ({why}): "
            f"pip install '{_wanted(package)}'"
        )
    return None


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(of unknown version)"


def _wanted(package: str) -> str:
    """The requirement of our extra for the harness, else of the package itself, else the bare name."""
    stated = [Requirement(text) for text in requires("medqdeg") or ()]
    mine = [one for one in stated if one.name == package]
    of_extra = [one for one in mine if one.marker is not None and one.marker.evaluate({"extra": EXTRA})]
    for requirement in (*of_extra, *mine):
        return f"{requirement.name}{requirement.specifier}"
    return package


_OF_A_DEVICE = re.compile(r"\b(?:cuda|nvidia|gpus?|device_map)\b", re.IGNORECASE)


def hint_without_a_gpu(error: object) -> str:
    """Return what to add to a message where a model was sent to a GPU that is not there, else nothing."""
    torch = sys.modules.get("torch")
    if torch is None or not _OF_A_DEVICE.search(str(error)) or torch.cuda.is_available():
        return ""
    return "; there is no GPU here: add device=cpu,device_map=cpu to --model_args"
