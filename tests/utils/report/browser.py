"""Chromium for tests that look at a page as a reader does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def chromium(downloads: Path, *, width: int = 1280, height: int = 900, ratio: float = 1) -> Iterator[Any]:
    """A headless Chromium driven by selenium; the test is skipped where either is missing.

    `ratio` is how many pixels of the device one of CSS has.
    """
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("no chromium with chromedriver on the path")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu"):
        options.add_argument(f"--{argument}")
    options.add_argument(f"--window-size={width},{height}")
    options.add_argument(f"--force-device-scale-factor={ratio}")
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield browser
    finally:
        browser.quit()


def open_page(browser: Any, path: Path) -> None:
    """Open a page from disk and wait until its scripts are done."""
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get(path.as_uri())
    WebDriverWait(browser, 20).until(
        lambda driver: driver.execute_script("return document.documentElement.dataset.ready") == "yes"
    )


def complaints(browser: Any) -> list[str]:
    """What the console says that is an error, a refused script among them."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
