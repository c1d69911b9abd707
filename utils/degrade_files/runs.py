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

import contextlib
import functools
import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from PIL import Image

from ...degradations import LEVELS, SeverityTable, UnchangedImageError, degrade_with_record, load_severities
from ..base.atomic_files import write_atomically
from ..base.errors import InputError, one_line
from ..base.worker_processes import as_completed
from ..images import OUTPUT_FORMATS, count_frames, decode_image, encode_image, is_dicom, pixels_sha256, read_bytes
from ..images.encoding import PNG_LEVEL
from ..images.folders import Source

MANIFEST = "manifest.jsonl"
FRAME_CHOICES = ("single", "first", "middle", "all")


def level_name(severity: int | str) -> str:
    """Return what a severity is called in paths and messages: "L1", or the label of a series."""
    return severity if isinstance(severity, str) else f"L{severity}"


@dataclass(frozen=True)
class DegradeRequest:
    """What is asked for every image.

    Attributes:
        names: canonical names of degradations.
        severities: 0, 1, 2, or labels of a series such as "S1.50".
        seed: the run's seed.
        modality: for every image; None takes a DICOM file's own, else none.
        table: the severity table.
        reference_size, keep_markings, allow_unchanged: as for `degrade`.
        window: as for `decode_dicom`.
        frames: of a file with several: `single` refuses it, `first`, `middle`, `all`.
        format: of the outputs; see `encode_image`.
        png_level: how hard PNG outputs are compressed, 0 to 9.
    """

    names: tuple[str, ...]
    severities: tuple[int | str, ...] = (1, 2)
    seed: int | str = 0
    modality: str | None = None
    table: SeverityTable = field(default_factory=load_severities)
    reference_size: float | None = None
    keep_markings: bool | None = None
    allow_unchanged: bool = False
    window: tuple[float, float] | str | None = None
    frames: str = "single"
    format: str = "png"
    png_level: int = PNG_LEVEL
    _strengths: dict[tuple[str, int | str, str | None], dict[str, Any]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def degrade(
        self, image: Image.Image, name: str, severity: int | str, seed: str, modality: str | None
    ) -> tuple[Image.Image, dict[str, Any]]:
        """Degrade one image as the request says; as `degrade_with_record`, whose errors it raises."""
        return degrade_with_record(
            image,
            name,
            severity,
            seed=seed,
            modality=modality,
            severities=self.table,
            reference_size=self.reference_size,
            keep_markings=self.keep_markings,
            allow_unchanged=self.allow_unchanged,
        )

    def settings(self, name: str, severity: int | str, seed: str, modality: str | None) -> dict[str, Any]:
        """Everything but the input that decides one output's bytes, as JSON."""
        settings = {
            "name": name,
            "severity": severity,
            "seed": seed,
            "modality": modality,
            "strength": self._strength(name, severity, modality),
            "reference_size": self.reference_size,
            "keep_markings": self.keep_markings,
            "window": list(self.window) if isinstance(self.window, tuple) else self.window,
            "format": self.format,
            "version": _version(),
        }
        # Only where it is not the usual one, so that the manifests of earlier versions still hold.
        if self.format == "png" and self.png_level != PNG_LEVEL:
            settings["png_level"] = self.png_level
        return settings

    def prepare(self) -> None:
        """Look the strengths up that all files share, so that a folder's workers need not."""
        for name in self.names:
            for severity in self.severities:
                self._strength(name, severity, self.modality)

    def _strength(self, name: str, severity: int | str, modality: str | None) -> dict[str, Any]:
        key = (name, severity, modality)
        if key not in self._strengths:
            self._strengths[key] = self._looked_up(*key)
        return self._strengths[key]

    def _looked_up(self, name: str, severity: int | str, modality: str | None) -> dict[str, Any]:
        def row(level: str) -> dict[str, str]:
            return {key: str(value) for key, value in self.table.lookup(name, level, modality).items()}

        if isinstance(severity, int):
            return row(level_name(severity)) if severity else {}
        # A severity of a series follows from both levels.
        interpolate = self.table.course(name, modality).interpolate
        return {**{level: row(level) for level in LEVELS[1:]}, "interpolate": interpolate}


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


def read_manifest(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a manifest; none where it does not exist.

    A line that is not whole (the last one of a killed run) is left out: its output will be made again.

    Raises:
        InputError: the file cannot be read.
    """
    if not path.exists():
        return []
    lines = []
    for raw in read_bytes(path).split(b"\n"):
        with contextlib.suppress(ValueError):  # also stands for bytes that are no UTF-8
            line = json.loads(raw)
            if isinstance(line, dict) and isinstance(line.get("output"), str):
                lines.append(line)
    return lines


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
    _write_manifest(manifest, known)

    request.prepare()
    summary = DegradeSummary(files=len(sources))
    jobs = ((source, request, out, by_item.get(source.item, {})) for source in sources)
    with manifest.open("a", encoding="utf-8", newline="\n") as journal:
        for outcome in as_completed(degrade_file, jobs, min(workers, len(sources))):
            for line in outcome.lines:
                known[line["output"]] = line
                journal.write(_json_line(line))
            journal.flush()
            summary.made += outcome.made
            summary.kept += outcome.kept
            summary.errors += outcome.errors
            summary.failed_files += bool(outcome.errors)
            if on_progress is not None:
                on_progress(outcome)
    _write_manifest(manifest, {output: line for output, line in known.items() if (out / output).exists()})
    return summary


@functools.cache
def _version() -> str:
    return metadata.version("medqdeg")


def image_seed(seed: int | str, sha256: str, frame: int | None) -> str:
    """Return one image's seed from the run's; see the module."""
    return f"{seed}:{sha256}" + ("" if frame is None else f":frame {frame}")


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
            if line is not None and _still_holds(line, sha256, wanted, out / output):
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


def _still_holds(line: Mapping[str, Any], sha256: str, wanted: Mapping[str, Any], path: Path) -> bool:
    if line.get("input_sha256") != sha256 or line.get("request") != wanted:
        return False
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == line.get("output_sha256")
    except OSError:
        return False


def _write_manifest(path: Path, lines: Mapping[str, dict[str, Any]]) -> None:
    """Write lines in the order of their outputs, whatever the order in which they were made."""
    write_atomically(path, "".join(_json_line(lines[output]) for output in sorted(lines)).encode())


def _json_line(line: Mapping[str, Any]) -> str:
    text = json.dumps(line, ensure_ascii=False, allow_nan=False)
    if not text.isprintable():  # a file name that is no UTF-8, or has a line separator in it
        text = json.dumps(line, allow_nan=False)
    return text + "\n"


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
