"""`medqdeg import`: answers from anywhere in, a run's folder out, which analyze, report and load read."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from ..base.errors import InputError, one_line

_SHOWN = 40


def import_answers(
    answers: Annotated[
        list[Path],
        typer.Argument(metavar="ANSWERS...", help="Excel, CSV, JSONL, OpenAI batch output, VLMEvalKit's, Inspect's."),
    ],
    model: Annotated[str, typer.Option(metavar="NAME", help="The model's name as people write it.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="RESULTS", help="Folder for the run.")],
    items: Annotated[
        Path | None,
        typer.Option(metavar="KEY", help="The key of `medqdeg export`; VLMEvalKit's and Inspect's need none."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLE=NAME", help="Column of item, trial, answer or confidence; repeat it."),
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Of CSV files.", show_default="recognised")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Of CSV files.", show_default="recognised")] = None,
    sheet: Annotated[str | None, typer.Option(help="Of Excel files.", show_default="the first")] = None,
    confidence_scale: Annotated[
        Literal["percent", "share"] | None, typer.Option(help="Of stated confidences.", show_default="recognised")
    ] = None,
    skip_bad_rows: Annotated[
        bool,
        typer.Option("--skip-bad-rows", help="Leave out rows of no item; trials with two answers count as missing."),
    ] = False,
) -> None:
    """Import answers: letters or free text, several trials, an optional confidence.

    The answers are read and scored as the tasks do it. Rows that belong to no item or contradict each other are listed,
    and nothing is written; what lacks is listed and counts as missing. Several files without a column of trials are one
    trial each.

    Example: medqdeg import answers.csv --items sheets.key.json --model "Vendor X" --out results/
    """
    from ..answer_sheets.answers import NAMES, Reading, read_sheet
    from ..answer_sheets.inspect_logs import is_log, read_log_sheets, read_logs
    from ..answer_sheets.key import Key, read_key
    from ..answer_sheets.matching import match, score
    from ..answer_sheets.run_folder import RunInfo, write_run
    from ..answer_sheets.vlmevalkit_files import read_predictions

    named = dict(part.partition("=")[::2] for part in column or ())
    if bad := [role for role, name in named.items() if role not in NAMES or not name]:
        raise InputError(f"--column {bad[0]}: give ROLE=NAME, with a role of {', '.join(NAMES)}")
    if delimiter is not None:
        delimiter = {"tab": "\t", "\\t": "\t"}.get(delimiter, delimiter)
        if len(delimiter) != 1:
            raise InputError(f"--delimiter {delimiter!r}: must be one character, or tab")
    key: Key
    logs = [path for path in answers if is_log(path)]
    if items is not None:
        key, reading = read_key(items), Reading(named, encoding, delimiter, sheet)
        sheets = read_log_sheets(logs) + [read_sheet(path, reading) for path in answers if path not in logs]
    elif logs:
        if len(logs) < len(answers):
            raise InputError("logs of Inspect and other files together need the key of an export: --items KEY")
        key, sheets = read_logs(logs)
    else:
        key, sheets = read_predictions(answers)
    matched = match(sheets, key, confidence_scale)
    _tell(matched.notes)
    _tell(matched.faults)
    if matched.faults and not skip_bad_rows:
        raise InputError(
            f"{len(matched.faults)} rows cannot be used, so nothing is written; mend them, or leave them out with "
            "--skip-bad-rows"
        )
    if all(reply.startswith("[LMMS_EVAL") for replies in matched.replies.values() for reply in replies):
        raise InputError("there is no answer in what was given; nothing is written")
    records = score(matched, key)
    info = RunInfo(model, key.family, key.prompt, ", ".join(path.name for path in answers))
    path = write_run(out, records, info)
    unread = sum(letter == "unread" for record in records for letter in record["letters"])
    print(f"{len(records):,} items, T = {len(records[0]['letters'])}, {unread:,} replies unread: {path.resolve()}")
    print(f"next: medqdeg analyze {out} --out analysis")


def _tell(lines: Sequence[str]) -> None:
    for line in lines[:_SHOWN]:
        print(f"medqdeg: {one_line(line, 2000)}", file=sys.stderr)
    if len(lines) > _SHOWN:
        print(f"medqdeg: and {len(lines) - _SHOWN} more of the kind", file=sys.stderr)
