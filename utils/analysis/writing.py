"""Writing an analysis: each table as Parquet and CSV, and one JSON document."""

from __future__ import annotations

import io
import json
from pathlib import Path

import filelock

from ..base.atomic_files import write_atomically
from ..base.csv_cells import safe_csv
from ..base.errors import InputError, one_line
from .analyse import Analysis
from .json_document import document

DOCUMENT = "analysis.json"


def write_analysis(analysis: Analysis, folder: Path) -> list[Path]:
    """Write `analysis.json` and NAME.parquet, NAME.csv of every table into a folder, which is made if absent.

    Every file is whole or absent, and those of an earlier analysis are replaced. The document comes last.

    Returns:
        The files written.

    Raises:
        InputError: the folder cannot be written, or another process writes into it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / ".medqdeg-analyze.lock", timeout=0):
            written = []
            for name, frame in analysis.tables.items():
                buffer = io.BytesIO()
                frame.to_parquet(buffer, index=False)
                for suffix, data in ((".parquet", buffer.getvalue()), (".csv", safe_csv(frame).encode())):
                    written.append(folder / f"{name}{suffix}")
                    write_atomically(written[-1], data)
            text = json.dumps(document(analysis), ensure_ascii=False, allow_nan=False)
            write_atomically(folder / DOCUMENT, text.encode())
            return [folder / DOCUMENT, *written]
    except filelock.Timeout:
        raise InputError(f"{folder}: another process is writing an analysis there") from None
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {one_line(error)}") from None
