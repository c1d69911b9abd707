"""The measurements as tables in Markdown."""

from __future__ import annotations

import importlib.metadata
import io
import math
import platform
import statistics

from .packages import ABSENT

AUTHORS = "SciPy", "TorchIO", "NumPy", "scikit-image", "astra", "PIL"
NOT_THEIRS = "RandomGamma", "RandomNoise", "RandomBlur", "RandomAffine"  # of TorchIO; the authors' are NumPy's, SciPy's


def geometric(values: list[float]) -> float:
    return math.exp(statistics.fmean(math.log(value) for value in values)) if values else float("nan")


def summarise(rows: list[dict], mix: dict | None) -> str:
    out = io.StringIO()
    table: dict[tuple, dict[str, dict]] = {}
    for row in rows:
        table.setdefault((row["name"], row["size"]), {})[row["route"]] = row
    authors, fastest, same = [], [], []
    header = ("operator", "px", "ours, ms (MiB)", "authors' library", "ms", "ratio")
    header += ("fastest other route", "ms (MiB)", "our operator, ms", "ratio")
    print("|", " | ".join(header), "|", file=out)
    print("|---|---:|---:|---|---:|---:|---|---:|---:|---:|", file=out)
    for (name, size), found in table.items():
        ours, alone = found.pop("ours"), found.pop("ours, operator")
        if not found:
            print(f"| {name} | {size} | {ours['ms']:.2f} ({ours['MiB']:.1f}) | | | | | | |", file=out)
            continue
        theirs = next(
            (
                r
                for prefix in AUTHORS
                for r in found.values()
                if r["route"].startswith(prefix) and not r["route"].endswith(NOT_THEIRS)
            ),
            None,
        )
        quick = min(found.values(), key=lambda row: row["ms"])
        equal = [row["ms"] for row in found.values() if row["route"].endswith("=")]
        authors.append(theirs["ms"] / ours["ms"])
        fastest.append((quick["ms"] / alone["ms"], name, size, quick["route"]))
        if equal:
            same.append((min(equal) / alone["ms"], name, size))
        print(
            f"| {name} | {size} | {ours['ms']:.2f} ({ours['MiB']:.1f}) | {theirs['route']} |"
            f" {theirs['ms']:.2f} |"
            f" {theirs['ms'] / ours['ms']:.1f} | {quick['route']} | {quick['ms']:.2f} ({quick['MiB']:.1f}) |"
            f" {alone['ms']:.2f} | {quick['ms'] / alone['ms']:.2f} |",
            file=out,
        )
    slower = [
        f"{name} at {size} px ({route}: {1 / ratio:.2f}x)" for ratio, name, size, route in fastest if ratio < 1 / 1.2
    ]
    slower_same = [f"{name} at {size} px ({1 / ratio:.2f}x)" for ratio, name, size in same if ratio < 1 / 1.2]
    print(
        f"\n- Against the authors' libraries, geometric mean of {len(authors)} rows:"
        f" **{geometric(authors):.1f}x faster**."
        f"\n- Slower than 1.2x the fastest other route of any kind: {'; '.join(slower) or 'none'}."
        "\n- Slower than 1.2x the fastest route with the same result (=):"
        f" {'; '.join(slower_same) or 'none'}.",
        file=out,
    )
    if ABSENT:
        named = "; ".join(f"{package} ({why})" for package, why in sorted(ABSENT.items()))
        print(f"- Left out, in all rows or in some, as they failed: {named}.", file=out)
    if mix:
        print(
            f"- The paper's 20,588 images at 512 x 512: **{mix['minutes']:.1f} minutes on two cores,"
            f" {mix['rate']:.0f} images a second**, from the processor time of {mix['images']} images in the"
            " paper's mix on two processes (reading and writing files not included; they took"
            f" {mix['wall']:.0f} s of wall time at a load of {mix['load']:.1f}).",
            file=out,
        )
    return out.getvalue()


def versions() -> str:
    names = "numpy scipy opencv-python-headless pillow scikit-image albumentations torchio torch"
    names += " monai imagecorruptions medmnistc astra-toolbox"
    found = []
    for name in names.split():
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} not installed")
    return f"Python {platform.python_version()}, " + ", ".join(found)
