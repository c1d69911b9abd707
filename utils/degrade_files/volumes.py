"""Degrade volumes in files, each as one: NIfTI files, and folders that hold one DICOM series.

One input gives `OUT/<degradation>/<level>/<item>.nii.gz`, or a folder of DICOM files of that name, with a line in
`OUT/manifest.jsonl`. A volume's seed is the text `<seed>:<sha256>` of its file, or of its slices' files in their order
along the patient.

As for images (`runs`), a killed run is resumed by the same call: an output is kept when the manifest has its line, the
line's input hash and request are those of this run, and its files have the line's hash.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...degradations.volumes import degrade_volume_with_record
from ..base.atomic_files import write_atomically
from ..base.errors import InputError, one_line
from .manifests import MANIFEST, read_manifest, still_holds, write_manifest
from .requests import DegradeRequest, level_name
from .runs import DegradeSummary
from .volume_files import Volume, item_of, read_volume

ValueRange = tuple[float, float]


def degrade_volumes(
    inputs: Sequence[Path], request: DegradeRequest, out: Path, *, value_range: ValueRange | None = None
) -> DegradeSummary:
    """Degrade volumes into a folder.

    A volume that fails is reported in the summary and the rest goes on. Killed at any point, the same call continues;
    the outputs and the manifest end up byte for byte as those of an uninterrupted run.

    Args:
        inputs: NIfTI files, and folders that each hold one DICOM series.
        request: what to make of each; its window, frames and format are those of images and do not matter.
        out: the output folder; lines of an earlier run stay in its manifest.
        value_range: what counts as black and white, in the file's units; None: its least and greatest value.

    Returns:
        How many outputs were made and kept, and one line for each input or degradation that failed.

    Raises:
        InputError: an input lies in the output folder, two would have one output, the folder cannot be written, or
            another process is writing to it.
    """
    from filelock import FileLock, Timeout

    _refuse_overwriting(inputs, out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with FileLock(out / ".manifest.lock", timeout=0):
            return _degrade_all(inputs, request, out, value_range)
    except Timeout:
        raise InputError(f"{out}: another process is writing to it; wait for it or choose another folder") from None
    except OSError as error:
        where = error.filename or out
        raise InputError(f"{where}: cannot be written ({error.strerror or error})") from None


def _refuse_overwriting(inputs: Sequence[Path], out: Path) -> None:
    by_item: dict[str, set[Path]] = defaultdict(set)
    for path in inputs:
        if path.resolve().is_relative_to(out.resolve()):
            raise InputError(f"{path}: lies in --out {out} and could be overwritten; choose another folder")
        by_item[item_of(path)].add(path.resolve())
    for item, paths in by_item.items():
        if len(paths) > 1:
            named = " and ".join(str(path) for path in sorted(paths))
            raise InputError(f"{named}: would both be written to {item}; degrade them into different folders")


def _degrade_all(
    inputs: Sequence[Path], request: DegradeRequest, out: Path, value_range: ValueRange | None
) -> DegradeSummary:
    manifest = out / MANIFEST
    lines = {line["output"]: line for line in read_manifest(manifest)}
    summary = DegradeSummary(files=len(inputs))
    for path in inputs:
        failed = len(summary.errors)
        try:
            volume = read_volume(path)
            low, high = value_range or (float(volume.values.min()), float(volume.values.max()))
            if not low < high:
                raise InputError(f"{path}: all voxels are alike; there is nothing to degrade")
            for line, is_new in _degrade_one(path, volume, request, out, (low, high), lines, summary.errors):
                if is_new or lines[line["output"]] != line:
                    lines[line["output"]] = line
                    write_manifest(manifest, lines)
                summary.made += is_new
                summary.kept += not is_new
        except InputError as error:
            summary.errors.append(str(error))
        summary.failed_files += len(summary.errors) > failed
    return summary


def _degrade_one(
    path: Path,
    volume: Volume,
    request: DegradeRequest,
    out: Path,
    value_range: ValueRange,
    earlier: Mapping[str, dict[str, Any]],
    errors: list[str],
) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield each output's manifest line and whether it was made now."""
    seed = f"{request.seed}:{volume.sha256}"
    modality = request.modality or volume.modality
    for name in request.names:
        for severity in request.severities:
            folder = f"{name}/{level_name(severity)}"
            targets = [out / folder / each for each in volume.names]
            wanted = {**_settings(request, name, severity, seed, modality), "value_range": list(value_range)}
            line = earlier.get(f"{folder}/{volume.item}")
            if line is not None and still_holds(line, volume.sha256, wanted, targets):
                yield {**line, "input": path.as_posix()}, False
                continue
            try:
                values, record = degrade_volume_with_record(
                    volume.values, name, severity, seed=seed, value_range=value_range, modality=modality,
                    severities=request.table, reference_size=request.reference_size,
                    keep_markings=request.keep_markings, allow_unchanged=request.allow_unchanged,
                )  # fmt: skip
            except ValueError as error:
                errors.append(f"{path}: {name} {level_name(severity)}: {one_line(error)}")
                continue
            record["value_range"] = list(value_range)
            yield _write(path, volume, values, record, wanted, f"{folder}/{volume.item}", targets), True


def _settings(
    request: DegradeRequest, name: str, severity: int | str, seed: str, modality: str | None
) -> dict[str, Any]:
    """Everything but the input that decides a volume's bytes, as JSON."""
    of_images = ("window", "format", "png_level")
    settings = request.settings(name, severity, seed, modality)
    return {key: value for key, value in settings.items() if key not in of_images}


def _write(
    path: Path,
    volume: Volume,
    values: Any,
    record: dict[str, Any],
    wanted: dict[str, Any],
    output: str,
    targets: Sequence[Path],
) -> dict[str, Any]:
    """Write an output's files; its manifest line."""
    description = f"medqdeg {record['version']}: {record['name']} {record['severity']}"
    digest = hashlib.sha256()
    for target, data in zip(
        targets, volume.files(values, description, json.dumps(record, sort_keys=True)), strict=True
    ):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, data)
        digest.update(data)
    return {
        "item": volume.item,
        "input": path.as_posix(),
        "input_sha256": volume.sha256,
        "output": output,
        "output_sha256": digest.hexdigest(),
        "request": wanted,
        "record": record,
    }
