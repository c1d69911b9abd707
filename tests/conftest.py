"""What several tests share: the reference data beside the repository, where it is; what runs without the harness."""

from __future__ import annotations

import gc
import importlib.util
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

HARNESS = ("lmms_eval", "lm_eval", "torch", "torchvision", "transformers", "accelerate", "torchmetrics")
"""What the installation without extras does not bring."""
ABSENT = [name for name in ("lmms_eval", "torch", "transformers") if importlib.util.find_spec(name) is None]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job ignores ctrl-C and its children inherit that; tests of ctrl-C would wait for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


def shared_folder(name: str, what: str) -> Path:
    """A folder of the shared data, which is no part of the repository; without it the test is skipped."""
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"{what} are not at {folder}")
    return folder


@pytest.fixture(scope="session")
def reference() -> Path:
    """The authors' images and the same in the data set's layout."""
    return shared_folder("reference", "the authors' reference images")


@pytest.fixture(scope="session")
def paper() -> Path:
    """The paper's tables as CSV."""
    return shared_folder("paper", "the paper's tables")


@pytest.fixture
def as_svg_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures in one format, for tests that look at something else: fonts make up most of the time of a PDF file."""
    monkeypatch.setattr("medqdeg.utils.report.figures.FORMATS", ("svg",))


class _SkipWhatImportsTheHarness:
    """The last place to look for a module: a test that imports a part of the harness that is absent is skipped.

    Only for imports that stand in the tests themselves. Where the code under test needs the harness, a test without the
    mark `harness` fails: that is how it comes to light if the light half begins to need it.
    """

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> None:
        if name not in HARNESS:
            return
        frame = sys._getframe(1)
        while frame.f_back and frame.f_code.co_filename.startswith("<frozen importlib"):
            frame = frame.f_back
        if Path(frame.f_code.co_filename).is_relative_to(REPOSITORY / "tests"):
            pytest.skip(f"{name} is not installed", allow_module_level=True)


sys.meta_path.append(_SkipWhatImportsTheHarness())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests marked `harness` where it is not installed."""
    if ABSENT:
        for item in items:
            if item.get_closest_marker("harness"):
                item.add_marker(pytest.mark.skip(reason=f"{ABSENT[0]} is not installed"))


def pytest_collection_finish() -> None:
    """Leave what imports and collection made, millions of objects, out of every later garbage collection.

    Each would look at all of them, half a second where torch is imported; lmms-eval asks for four of them per run.
    """
    gc.collect()
    gc.freeze()
