"""What is written once all parts are made: manifest, card with its pictures, review table, TSV files."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...dataset import taxonomy
from ...dataset.built import part_name
from ...dataset.location import SPLITS, file_name
from ..layout import (
    CARD,
    IMAGES,
    MANIFEST,
    REVIEW,
    SKIPPED,
    WorkFolder,
    read_json,
    remove_leftovers,
    replacing,
    write_json,
    write_whole,
)
from ..make.gate import review_table
from ..writing import read_rows, write_tsv
from .card import card, splits_in, write_pictures
from .manifest import summarise, with_files


def finish(out: Path, plan: Mapping[str, Any], *, tsv: bool) -> dict[str, Any]:
    """Write what comes after the parts, and return the manifest; it is written last: a folder that has one is whole."""
    work = WorkFolder(out)
    (out / MANIFEST).unlink(missing_ok=True)
    names = [part["name"] for part in plan["parts"]]
    reports = [read_json(work.report(name)) for name in names]
    decided = [(row[0], row[1]) for row in read_json(work.review) or ()]
    manifest = summarise(plan, read_json(work.root / "account.json"), reports, decided)

    with replacing(out / IMAGES) as part, part.open("wb") as file:
        for name in names:
            file.write(work.images(name).read_bytes())
    write_whole(out / REVIEW, review_table(pair for report in reports for pair in report["pairs"]))
    write_whole(out / SKIPPED, work.skipped.read_bytes())
    files = [_files(out, name) for name in names]
    pictures = write_pictures(out, files)
    write_whole(out / CARD, card(manifest, pictures, splits_in(names)).encode())
    written = [IMAGES, REVIEW, SKIPPED, CARD, *pictures]
    written += _write_tsvs(out, names, manifest) if tsv else _remove_tsvs(out)
    remove_leftovers(out)
    manifest = with_files(manifest, out, written)
    write_json(out / MANIFEST, manifest)
    return manifest


def _files(out: Path, name: str, levels: Iterable[str] = taxonomy.LEVELS) -> dict[str, Path]:
    split, number, _, of = name.split("-")
    return {level: out / part_name(level, split, int(number), int(of)) for level in levels}


def _write_tsvs(out: Path, names: list[str], manifest: Mapping[str, Any]) -> list[str]:
    letters = max(map(int, manifest["counts"][taxonomy.CLEAN]["options"]), default=2)
    degraded = (*taxonomy.LEVELS[1:], *manifest.get("series", ()))
    more = [*(["severity"] if "series" in manifest else []), *(["degradation_origin"] if "real" in manifest else [])]
    written = []
    for split in splits_in(names):
        every = (taxonomy.CLEAN, *degraded)
        parts = [_files(out, name, every) for name in names if name.startswith(f"{split}-")]
        for levels in ((taxonomy.CLEAN,), degraded):
            name = file_name(split, levels[0])
            rows = itertools.chain.from_iterable(read_rows([part[level] for level in levels]) for part in parts)
            write_tsv(out / name, rows, letters, more)
            written.append(name)
    return written


def _remove_tsvs(out: Path) -> list[str]:
    """Remove the TSV files of an earlier call: they may hold what is out by now."""
    for split in SPLITS:
        for level in taxonomy.LEVELS:
            (out / file_name(split, level)).unlink(missing_ok=True)
    return []
