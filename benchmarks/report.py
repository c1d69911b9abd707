"""Seconds, memory, size and time to open of the report's pages at the benchmark's size.

Writes lmms-eval's files for 4,306 clean items and 10,294 at L1 and at L2, ten votes each, of ten models; a fresh
process reads and analyses them and writes all that `medqdeg report --compare published` writes, and says how long each
step took. Chromium then opens each page
from disk; the time is that from the start of the navigation to the end of the page's own scripts.
Pictures are left out: writing them depends on the data set and happens once.

    python benchmarks/report.py [--clean 4306] [--degraded 10294] [--models 10] [--replicates 1000]
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from analysis_speed import documents, write_run

_STEPS = """
import sys, time
from pathlib import Path
from medqdeg.utils.base.cores import usable_cores
from medqdeg.utils.analysis.analyse import analyse
from medqdeg.utils.report.content import SCOPE, report_frames
from medqdeg.utils.report.figures import write_figures
from medqdeg.utils.report.items import write_items
from medqdeg.utils.report.page import write_page
from medqdeg.utils.report.printed_tables import write_tables
from medqdeg.utils.analysis.runs.reading import read_runs
begin = time.perf_counter()
def step(name):
    global begin
    now = time.perf_counter()
    print(f"{name}: {now - begin:.1f} s")
    begin = now
collection = read_runs([Path(sys.argv[1])])
step("read")
analysis = analyse(collection, int(sys.argv[3]), scope=SCOPE)
step("analyse")
frames = report_frames(analysis, published=True)
step("frames")
out = Path(sys.argv[2])
write_page(analysis, frames, out, item_browser=True)
step("report.html")
write_items(collection.runs, out)
step("items.html")
files = write_tables(frames, out)
step(f"{len(files)} files of tables")
files = write_figures(frames, out, usable_cores())
step(f"{len(files)} files of figures")
"""


def time_to_open(page: Path) -> str:
    """Return the seconds until a page's scripts are done, and until it has been drawn after that."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver is None:
        return "not measured: no chromium with chromedriver on the path"
    from selenium import webdriver
    from selenium.webdriver.support.ui import WebDriverWait

    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu", "window-size=1280,900"):
        options.add_argument(f"--{argument}")
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        browser.execute_cdp_cmd(
            "Page.addScriptToEvaluateOnNewDocument",
            {
                "source": "new MutationObserver(() => {"
                " if (document.documentElement?.dataset.ready && !window.readyAt) {"
                " window.readyAt = performance.now(); requestAnimationFrame(() => requestAnimationFrame(() =>"
                " { window.drawnAt = performance.now(); })); } }).observe(document, {attributes: true, subtree: true});"
            },
        )
        browser.get(page.as_uri())
        WebDriverWait(browser, 120).until(lambda driver: driver.execute_script("return window.drawnAt"))
        ready, drawn = browser.execute_script("return [window.readyAt, window.drawnAt]")
    finally:
        browser.quit()
    return f"scripts done after {ready / 1000:.2f} s, drawn after {drawn / 1000:.2f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clean", type=int, default=4306)
    parser.add_argument("--degraded", type=int, default=10_294)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--keep", type=Path, help="Write the pages to this folder and leave them there.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        results, out = Path(temporary) / "results", arguments.keep or Path(temporary) / "out"
        out.mkdir(parents=True, exist_ok=True)
        docs = documents(arguments.clean, arguments.degraded, seed=0)
        for number in range(arguments.models):
            write_run(results, docs, f"model-{number}", seed=number)
        print(f"{arguments.models} models x {sum(map(len, docs.values())):,} items, {arguments.replicates} replicates")
        command = [sys.executable, "-c", _STEPS, str(results), str(out), str(arguments.replicates)]
        begin = time.perf_counter()
        done = subprocess.run(command, check=False)
        if done.returncode:
            sys.exit(done.returncode)
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"all: {time.perf_counter() - begin:.1f} s, with the start of Python; ", end="")
        print(f"{usage.ru_utime + usage.ru_stime:.1f} s of processor time, ", end="")
        print(f"{usage.ru_maxrss * 1024 / 1e9:.2f} GB at the peak of the largest process")
        for page in ("report.html", "items.html"):
            print(f"{page}: {(out / page).stat().st_size / 1e6:.2f} MB, {time_to_open(out / page)}")


if __name__ == "__main__":
    main()
