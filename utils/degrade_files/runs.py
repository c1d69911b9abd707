"""Degrade many image files: which files, which outputs, in parallel, resumed after a kill, with a manifest.

One input gives `OUT/<degradation>/<level>/<item>.png` for each degradation and severity, where the level is `L1`, or
`S1.50` in a series, and the item
is the input's path below its folder, without suffix. `OUT/manifest.jsonl` holds one line per output.

Each image's seed is the text `<seed>:<sha256 of the input file>` (and `:frame <n>` for one of several
frames). It depends on what the file holds and on nothing else, so the order of the files, the number of
workers, a resumed run, a moved or renamed folder and a sub-folder degraded on its own all give the same
bytes. Two copies of one file get the same draw.

An output is kept, not made again, when the manifest has its line, the line's input hash and request
(degradation, strength, seed, library version and all other settings) are those of this run, and the file has
the line's hash.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...degradations import UnchangedImageError
from ..base.atomic_files import write_atomically
from ..base.errors import InputError, one_line
from ..base.worker_processes import as_completed
from ..images import OUTPUT_FORMATS, count_frames, decode_image, encode_image, is_dicom, pixels_sha256, read_bytes
from ..images.folders import Source
from .manifests import MANIFEST, json_line, read_manifest, still_holds, write_manifest
from .requests import DegradeRequest, image_seed, level_name


@dataclass(frozen=True)
class Outcome:
    """The outcome of one input file: manifest lines, how many outputs were made or kept, what went wrong."""

    source: Source
    lines: tuple[dict[str, Any], ...]
    made: int
    kept: int
    errors: tuple[str, ...]


@dataclass
class DegradeSummary:
    """The outcome of a run. `errors` are lines that each name a file."""

    files: int = 0
    made: int = 0
    kept: int = 0
    errors: list[str] = field(default_factory=list)
    failed_files: int = 0


def degrade_files(
    sources: Sequence[Source],
    request: DegradeRequest,
    out: Path,
    *,
    workers: int = 1,
    on_progress: Callable[[Outcome], None] | None = None,
) -> DegradeSummary:
    """Degrade files into a folder and write its manifest.

    A file that fails is reported in the summary and the rest goes on. Killed at any point, the same call
    continues; the outputs and the manifest end up byte for byte as those of an uninterrupted run.

    Args:
        sources: from `find_sources`.
        request: what to make of each.
        out: the output folder; made where absent. Lines of earlier runs stay in its manifest.
        workers: processes; with 1, all is done in this one.
        on_progress: called after each input file.

    Raises:
        InputError: an output would overwrite an input, the folder cannot be written, another process is at
            work in it, or a worker process died.
    """
    from filelock import FileLock, Timeout

    _refuse_overwriting(sources, request, out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with FileLock(out / ".manifest.lock", timeout=0):
            return _run(sources, request, out, workers, on_progress)
    except Timeout:
        raise InputError(f"{out}: another process is writing to it; wait for it or choose another folder") from None
    except OSError as error:
        where = error.filename or out
        raise InputError(f"{where}: cannot be written ({error.strerror or error})") from None
    except BrokenProcessPool:
        raise InputError(
            "a worker died (often: out of memory); what is done is kept: run again with fewer --workers"
        ) from None


def degrade_file(source: Source, request: DegradeRequest, out: Path, earlier: Mapping[str, dict[str, Any]]) -> Outcome:
    """Degrade one file into `out`; `earlier` maps outputs to manifest lines. Never raises for a bad file."""
    lines: list[dict[str, Any]] = []
    errors: list[str] = []
    unchanged: list[str] = []
    made = kept = 0
    try:
        data = read_bytes(source.path)
        sha256 = hashlib.sha256(data).hexdigest()
        for frame in choose_frames(data, source, request.frames):
            for line, is_new in _degrade_frame(data, sha256, frame, source, request, out, earlier, errors, unchanged):
                lines.append(line)
                made, kept = made + is_new, kept + (not is_new)
    except InputError as error:
        errors.append(str(error))
    except Exception as error:  # a bug or a lack of memory on one file must not stop the others
        errors.append(f"{source.path}: {type(error).__name__}: {one_line(error)}")
    if unchanged:
        errors.append(left_as_it_is(source, unchanged))
    return Outcome(source, tuple(lines), made, kept, tuple(errors))


def left_as_it_is(source: Source, degradations: Sequence[str]) -> str:
    """Return one line for all degradations that have no effect on a file, such as blurs of a constant picture."""
    return (
        f"{source.path}: constant or too small, so that {len(degradations)} degradations leave it as it is; leave the "
        f"file out, or give --allow-unchanged ({', '.join(degradations)})"
    )


def _run(
    sources: Sequence[Source],
    request: DegradeRequest,
    out: Path,
    workers: int,
    on_progress: Callable[[Outcome], None] | None,
) -> DegradeSummary:
    manifest = out / MANIFEST
    known = {line["output"]: line for line in read_manifest(manifest)}
    if any(source.neutral for source in sources):
        _refuse_names(known.values(), out)
    by_item: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for output, line in known.items():
        by_item[str(line.get("item"))][output] = line
    # Rewritten before anything is appended, so that no new line continues a torn one.
    write_manifest(manifest, known)

    request.prepare()
    summary = DegradeSummary(files=len(sources))
    jobs = ((source, request, out, by_item.get(source.item, {})) for source in sources)
    with manifest.open("a", encoding="utf-8", newline="\n") as journal:
        for outcome in as_completed(degrade_file, jobs, min(workers, len(sources))):
            for line in outcome.lines:
                known[line["output"]] = line
                journal.write(json_line(line))
            journal.flush()
            summary.made += outcome.made
            summary.kept += outcome.kept
            summary.errors += outcome.errors
            summary.failed_files += bool(outcome.errors)
            if on_progress is not None:
                on_progress(outcome)
    write_manifest(manifest, {output: line for output, line in known.items() if (out / output).exists()})
    return summary


def choose_frames(data: bytes, source: Source, choice: str) -> list[int | None]:
    """Return which frames of a file to degrade; `[None]` is the only one.

    Raises:
        InputError: the header cannot be read.
    """
    if choice == "single":
        return [None]
    frames = count_frames(data, name=str(source.path))
    if frames == 1:
        return [None]
    chosen: dict[str, list[int | None]] = {"first": [0], "middle": [frames // 2], "all": [*range(frames)]}
    return chosen[choice]


def _degrade_frame(
    data: bytes,
    sha256: str,
    frame: int | None,
    source: Source,
    request: DegradeRequest,
    out: Path,
    earlier: Mapping[str, dict[str, Any]],
    errors: list[str],
    unchanged: list[str],
) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield each output's manifest line and whether it was made now; the image is decoded at most once."""
    seed = image_seed(request.seed, sha256, frame)
    item = source.item if frame is None or request.frames != "all" else f"{source.item}_frame{frame:04d}"
    picture = None
    modality = request.modality
    if modality is None and is_dicom(data):
        from ..images.dicom import dicom_modality

        modality = dicom_modality(data, name=str(source.path))
    for name in request.names:
        for severity in request.severities:
            output = f"{name}/{level_name(severity)}/{item}{OUTPUT_FORMATS[request.format]}"
            wanted = {**request.settings(name, severity, seed, modality), "frame": frame}
            line = earlier.get(output)
            if line is not None and still_holds(line, sha256, wanted, [out / output]):
                yield {**line, "input": source.written_name}, False
                continue
            if picture is None:
                picture = decode_image(data, name=str(source.path), frame=frame, window=request.window)
            try:
                image, record = request.degrade(picture.image, name, severity, seed, modality)
                encoded = encode_image(image, request.format, request.png_level)
            except UnchangedImageError:
                unchanged.append(f"{name} {level_name(severity)}")
                continue
            except Exception as error:  # one degradation that refuses this image, or fails, must not stop the others
                kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
                errors.append(f"{source.path}: {name} {level_name(severity)}: {kind}{one_line(error)}")
                continue
            target = out / output
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, encoded)
            yield (
                {
                    "item": source.item,
                    "input": source.written_name,
                    "input_sha256": sha256,
                    "output": output,
                    "output_sha256": hashlib.sha256(encoded).hexdigest(),
                    "output_pixels_sha256": pixels_sha256(image),
                    "rendering": picture.rendering,
                    "request": wanted,
                    "record": record,
                },
                True,
            )


def _refuse_names(lines: Iterable[Mapping[str, Any]], out: Path) -> None:
    """A folder of neutral names may not hold outputs of an earlier run that bear the names of their files."""
    if any(line.get("input") != line.get("item") for line in lines):
        raise InputError(f"{out}: holds outputs named after their files; choose another folder for neutral names")


def _refuse_overwriting(sources: Iterable[Source], request: DegradeRequest, out: Path) -> None:
    folders = {
        (out / name / level_name(severity)).resolve(): (name, severity)
        for name in request.names
        for severity in request.severities
    }
    for source in sources:
        for parent in Path(os.path.realpath(source.path)).parents:
            if parent in folders:
                raise InputError(f"{source.path}: --out {out} could overwrite this input; choose another folder")
