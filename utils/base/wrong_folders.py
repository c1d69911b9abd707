"""What a folder of ours is that was given where another kind belongs, and what to do with it."""

from __future__ import annotations

from pathlib import Path

_KINDS = (
    ("analysis.json", "holds an analysis: give the results folder that it was made from, or look at its tables"),
    ("report.html", "holds a report: give the results folder that it was made from"),
    ("manifest.jsonl", "holds outputs of medqdeg degrade, and no model has been asked about them"),
    (
        "MedQ-Robust-*.tsv",
        "holds a data set, and no model has been asked yet: "
        "MEDQDEG_DATA={folder} python -m lmms_eval --tasks medqdeg --log_samples ...",
    ),
    (
        "data/L0/*.parquet",
        "holds a data set, and no model has been asked yet: "
        "MEDQDEG_DATA={folder} python -m lmms_eval --tasks medqdeg --log_samples ...",
    ),
    ("*_results.json*", "holds results: medqdeg analyze {folder} --out DIR"),
    ("*/*_results.json*", "holds results: medqdeg analyze {folder} --out DIR"),
)
"""What lies in a folder -> what to say about it."""


def what_it_is(folder: Path) -> str | None:
    """Return one line about a folder that some command of ours has written, None for any other."""
    for pattern, says in _KINDS:
        try:
            if next(folder.glob(pattern), None) is not None:
                return f"{folder} {says.format(folder=folder)}"
        except OSError:
            return None
    return None
