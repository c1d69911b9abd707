"""The gate: which pairs are too weak or too strong to ask about, with a table by which a person overrules it.

The limits lie beyond the images that the paper's authors publish, all of which their radiologists let pass; how many
other real images and phantoms they reject, `benchmarks/quality_gate.py` prints: the gate catches what failed, not what
is hard.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ....degradations import get
from ...base.csv_cells import cell_as_given, safe_cell
from ...base.errors import InputError, one_line
from .degrading import DEGRADED_LEVELS, DegradedPair, MadeImage
from .image_measures import Likeness, compare

KEEP, EXCLUDE = "keep", "exclude"

TOO_WEAK, TOO_STRONG, NOT_MADE = "too weak", "too strong", "not made"

_MEASURES = ("ssim", "visible", "entropy_kept", "contrast_kept", "clipped", "region_contrast_kept")
REVIEW_COLUMNS: tuple[str, ...] = (
    *("item_id", "degradation", "decision", "gate", "reason", "replaces"),
    *(f"{measure}_{level}" for level in DEGRADED_LEVELS for measure in _MEASURES),
)


@dataclass(frozen=True)
class Limits:
    """Where an image is too weak or too strong; the measures are those of `image_measures.Likeness`.

    Attributes:
        most_ssim: above it the image is too weak. The weakest published image (low resolution, L1) has 0.979.
        least_visible: below it, in grey levels, the image is too weak. The weakest published one (low dose, L1): 4.30.
        least_ssim: below it the image is too strong. The published minimum is 0.24 (sparse view, L2). Not asked of
            motion interference, which moves the picture without loss: a turned image has next to no similarity left.
        least_entropy_kept: below it the image is too strong. The published minimum is 0.75.
        least_contrast_kept: below it the image is too strong, in the whole or in the marked region. The published
            minima are 0.30 and 0.30 (reduce contrast, L2).
        most_clipped: above it the image is too strong: that share of what the clean image showed is pure black or
            white. The published maximum is 0.125 (brightness, L2), of white alone 0.043 (ghosting, L2); of the
            published exposure example 0.009 (L2). The limit is twice the maximum. Not asked of motion interference,
            whose black corners are no clipping.
    """

    most_ssim: float = 0.995
    least_visible: float = 3.0
    least_ssim: float = 0.1
    least_entropy_kept: float = 0.3
    least_contrast_kept: float = 0.2
    most_clipped: float = 0.25

    def as_dict(self) -> dict[str, float]:
        """Return the limits by name."""
        return asdict(self)


@dataclass(frozen=True)
class Verdict:
    """The gate's verdict on a pair.

    Attributes:
        kind: None where it passes, else `TOO_WEAK`, `TOO_STRONG` or `NOT_MADE`.
        reason: which image, which measure; empty where it passes.
        measures: level -> the measures of each of its images.
    """

    kind: str | None
    reason: str
    measures: Mapping[str, tuple[Likeness, ...]]

    @property
    def decision(self) -> str:
        """`KEEP` or `EXCLUDE`."""
        return KEEP if self.kind is None else EXCLUDE


def judge(clean: Sequence[MadeImage], pair: DegradedPair, limits: Limits) -> Verdict:
    """Judge a pair: too strong if any image of either level is; too weak if every image of a level is."""
    if pair.failure is not None:
        return Verdict(NOT_MADE, pair.failure, {})
    measures = {
        level: tuple(compare(before.image, after.image) for before, after in zip(clean, images, strict=True))
        for level, images in pair.levels.items()
    }
    for level, found in measures.items():
        strong = [text for each in found if (text := _too_strong(each, pair.name, limits))]
        if strong:
            return Verdict(TOO_STRONG, f"{level}: {strong[0]}", measures)
        weak = [text for each in found if (text := _too_weak(each, limits))]
        if len(weak) == len(found):
            return Verdict(TOO_WEAK, f"{level}: {weak[0]}", measures)
    return Verdict(None, "", measures)


def _too_weak(found: Likeness, limits: Limits) -> str:
    if found.ssim > limits.most_ssim:
        return f"SSIM {found.ssim} is above {limits.most_ssim}"
    if found.visible < limits.least_visible:
        return f"no block differs by more than {found.visible} grey levels"
    return ""


def _too_strong(found: Likeness, name: str, limits: Limits) -> str:
    moved = get(name).category == "motion_interference"
    if found.ssim < limits.least_ssim and not moved:
        return f"SSIM {found.ssim} is below {limits.least_ssim}"
    if found.entropy_kept < limits.least_entropy_kept:
        return f"{found.entropy_kept:.0%} of the entropy is left"
    if found.contrast_kept < limits.least_contrast_kept:
        return f"{found.contrast_kept:.0%} of the contrast is left"
    if found.clipped > limits.most_clipped and not moved:
        return f"{found.clipped:.0%} of what was shown is clipped to black or white"
    if found.region_contrast_kept is not None and found.region_contrast_kept < limits.least_contrast_kept:
        return f"{found.region_contrast_kept:.0%} of the contrast inside the marking is left"
    return ""


def review_row(item_id: str, name: str, verdict: Verdict, decision: str, replaces: str = "") -> dict[str, Any]:
    """Return a pair's row of `review.csv`.

    Of an item with several images it has the least of each measure, of `clipped` the most. `replaces`
    names the pair that the gate rejected and that this one was made for.
    """
    row: dict[str, Any] = {
        "item_id": item_id,
        "degradation": name,
        "decision": decision,
        "gate": verdict.decision,
        "reason": f"{verdict.kind} ({verdict.reason})" if verdict.kind else "",
        "replaces": replaces,
    }
    for level in DEGRADED_LEVELS:
        for measure in _MEASURES:
            values = [
                value for each in verdict.measures.get(level, ()) if (value := getattr(each, measure)) is not None
            ]
            worst = max if measure == "clipped" else min
            row[f"{measure}_{level}"] = worst(values) if values else ""
    return row


def review_table(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return `review.csv`: every pair, those that are out first, then by item."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, REVIEW_COLUMNS, lineterminator="\n")
    writer.writeheader()
    ordered = sorted(rows, key=lambda row: (row["decision"] == KEEP, row["item_id"], row["degradation"]))
    writer.writerows({name: safe_cell(value) for name, value in row.items()} for row in ordered)
    return text.getvalue().encode("utf-8", errors="surrogateescape")


def read_review(path: Path) -> dict[tuple[str, str], str]:
    """Read what a person decided: (item_id, degradation) -> `KEEP` or `EXCLUDE`. Other columns are not looked at.

    Raises:
        InputError: the file cannot be read, lacks a column, or a row decides something else.
    """
    decisions: dict[tuple[str, str], str] = {}
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in REVIEW_COLUMNS[:3] if name not in (reader.fieldnames or ())]
            if missing:
                raise InputError(f"{path} lacks the column {', '.join(missing)}; is it a review.csv?")
            for row in reader:
                decision = (row["decision"] or "").strip().casefold()
                if decision not in (KEEP, EXCLUDE):
                    raise InputError(
                        f"{path}, line {reader.line_num}: the decision {one_line(row['decision'] or '', 40)!r} "
                        f"is neither {KEEP} nor {EXCLUDE}"
                    )
                decisions[cell_as_given(row["item_id"] or ""), row["degradation"] or ""] = decision
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except csv.Error as error:
        raise InputError(f"{path}: not CSV ({one_line(error)})") from None
    return decisions
