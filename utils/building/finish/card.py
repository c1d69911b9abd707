"""The data set card: a README with a YAML header, what the set holds by every axis, licences, pictures."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from ...base.markdown_text import as_markdown_text
from ...dataset import taxonomy
from ...dataset.built import DATA
from ...images import encode_image
from ...images.contact_sheet import SheetRow, caption, draw_contact_sheet
from ..layout import IMAGES, MANIFEST, PICTURES, REVIEW, SKIPPED, SPLITS
from ..make.degrading import DEGRADED_LEVELS
from ..writing import read_rows
from .card_items import contradictions, modality_audit, shared_images

_CELL = 224
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_HUB_LICENCES = frozenset(
    {"apache-2.0", "mit", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "odc-by"}
)
_TITLES = {
    "source": "Source",
    "modality": "Modality",
    "capability": "Capability",
    "task": "Task",
    "skill": "Skill",
    "degradation_category": "Degradation category",
    "degradation": "Degradation",
    "answer": "Right letter",
    "options": "Number of options",
    "images": "Number of images",
}


def write_pictures(out: Path, parts: Iterable[Mapping[str, Path]]) -> list[str]:
    """Draw a sheet for each category of degradations: the first pair of each, clean, L1 and L2 side by side.

    Args:
        out: the folder of the set.
        parts: level -> file, part by part.

    Returns:
        The paths that were written, relative to `out`.
    """
    rows: dict[str, SheetRow] = {}
    for files in parts:
        if len(rows) == len(taxonomy.DEGRADATIONS):
            break
        rows.update(_first_pairs(files, set(taxonomy.DEGRADATIONS) - set(rows)))
    written = []
    folder = out / PICTURES
    folder.mkdir(exist_ok=True)
    for category in taxonomy.DEGRADATION_CATEGORIES:
        of_category = [
            rows[name] for name, entry in taxonomy.DEGRADATIONS.items() if entry.category == category and name in rows
        ]
        path = folder / f"{category}.png"
        path.unlink(missing_ok=True)
        if of_category:
            page = draw_contact_sheet(
                of_category, taxonomy.LEVELS, title=category.replace("_", " ").capitalize(), cell=_CELL
            )
            path.write_bytes(encode_image(page))
            written.append(path.relative_to(out).as_posix())
    return written


def _first_pairs(files: Mapping[str, Path], wanted: set[str]) -> dict[str, SheetRow]:
    chosen: dict[str, tuple[str, dict[str, Any]]] = {}
    for row in read_rows([files[DEGRADED_LEVELS[0]]], columns=["clean_id", "degradation", "modality", "parameters"]):
        if row["degradation"] in wanted:
            chosen.setdefault(row["degradation"], (row["clean_id"], row))
    pictures: dict[tuple[str, str, str], tuple[Image.Image, str]] = {}
    keys = {(clean_id, name) for name, (clean_id, _) in chosen.items()}
    for level in taxonomy.LEVELS if chosen else ():
        for row in read_rows([files[level]]):
            names = [name for clean_id, name in keys if clean_id == row["clean_id"]]
            for name in names if level == taxonomy.CLEAN else [name for name in names if name == row["degradation"]]:
                image = Image.open(io.BytesIO(row["images"][0]["bytes"]))
                image.load()
                pictures[row["clean_id"], name, level] = image, row["parameters"]
    found = {}
    for name, (clean_id, first) in chosen.items():
        shown = [pictures[clean_id, name, level] for level in taxonomy.LEVELS]
        captions = [f"{shown[0][0].width} x {shown[0][0].height}"]
        captions += [caption(json.loads(parameters)[0]["parameters"]) for _, parameters in shown[1:]]
        found[name] = SheetRow(name, (first["modality"],), tuple(image for image, _ in shown), tuple(captions))
    return found


def card(manifest: Mapping[str, Any], pictures: Sequence[str], splits: Sequence[str]) -> str:
    """Return the card of a set.

    Args:
        manifest: as `manifest.summarise` returns it.
        pictures: paths of the sheets, relative to the card.
        splits: those that the set has.
    """
    parts = [
        _header(manifest, splits),
        "# " + as_markdown_text(_name(manifest)),
        _introduction(manifest),
        _use(splits),
        "## What it holds",
        *(_axis_table(manifest, axis, title) for axis, title in _TITLES.items()),
        "## Wanted and got",
        _deviation(manifest["selection"]),
        "## Quality gate",
        _gate(manifest["gate"]),
        "## What the text gives away",
        _leakage(manifest["leakage"]),
        "## Images that serve several questions",
        shared_images(manifest["leakage"]["shared_images"]),
        "## Contradictory keys",
        contradictions(manifest["contradictions"]),
        *(["## Modalities of MedXpertQA", modality_audit(words)] if (words := manifest["modality_by_words"]) else []),
        "## Licences",
        _licences(manifest),
        *(["## Pictures"] if pictures else []),
        *(f"![{Path(path).stem.replace('_', ' ')}]({path})" for path in pictures),
        "## How it was made",
        _how(manifest),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def licences_of(manifest: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Return source -> licence ("not stated" where the source says none) -> clean items."""
    found: dict[str, dict[str, int]] = {}
    for text, number in manifest["counts"][taxonomy.CLEAN]["licence"].items():
        source = max(
            (name for name in manifest["counts"][taxonomy.CLEAN]["source"] if text.startswith(f"{name}: ")), key=len
        )
        found.setdefault(source, {})[text.removeprefix(f"{source}: ")] = number
    return found


def _header(manifest: Mapping[str, Any], splits: Sequence[str]) -> str:
    total = sum(manifest["items"].values())
    licences = {licence for by in licences_of(manifest).values() for licence in by}
    known = {licence.casefold() for licence in licences}
    only = next(iter(known)) if len(known) == 1 and known <= _HUB_LICENCES else None
    header = {
        "pretty_name": _name(manifest),
        "license": only or "other",
        **({} if only else {"license_name": "those-of-the-sources", "license_link": "#licences"}),
        "task_categories": ["visual-question-answering", "multiple-choice"],
        "language": manifest.get("languages", ["en"]),
        "tags": ["medical", "robustness", "calibration", "medqdeg"],
        "size_categories": [next((name for limit, name in _SIZES if total < limit), "1M<n<10M")],
        "configs": [
            {
                "config_name": level,
                "data_files": [{"split": split, "path": f"{DATA}/{level}/{split}-*.parquet"} for split in splits],
            }
            for level in (*taxonomy.LEVELS, *manifest.get("series", ()))
        ],
    }
    return "---\n" + yaml.safe_dump(header, sort_keys=False, allow_unicode=True) + "---"


def _name(manifest: Mapping[str, Any]) -> str:
    return "MedQ-Deg items of " + ", ".join(manifest["counts"][taxonomy.CLEAN]["source"])


def _introduction(manifest: Mapping[str, Any]) -> str:
    clean, weak, strong = (manifest["items"][level] for level in taxonomy.LEVELS)
    return (
        f"{clean:,} multiple-choice questions about clean medical images (L0), {weak:,} about mildly degraded "
        f"ones (L1) and {strong:,} about severely degraded ones (L2). Each clean question comes back in one to three "
        "ways of degrading its image, each at both levels, so that one can ask of a model: when the image gets "
        "worse, does it know that it knows less?\n\n"
        f"{_series(manifest)}{_real(manifest)}"
        f"Built with medqdeg {manifest['versions']['medqdeg']}, seed {manifest['request']['seed']}, in the manner of "
        "MedQ-Deg (arXiv:2603.07769)."
    )


def _series(manifest: Mapping[str, Any]) -> str:
    series = manifest.get("series")
    if not series:
        return ""
    listed = ", ".join(f"{label} ({items:,})" for label, items in series.items())
    return (
        f"Beside these, the same pairs along a series of severities (items in brackets): {listed}. One image's series "
        "is one draw, that of L1; at severity 2 it is as strong as L2 and another image. The quality gate looks at L1 "
        "and L2. Of a degradation that ends earlier, the later severities are missing. `--tasks medqdeg_curve` runs "
        "them all.\n\n"
    )


def _real(manifest: Mapping[str, Any]) -> str:
    real = manifest.get("real")
    if not real:
        return ""
    listed = ", ".join(f"{items:,} at {level}" for level, items in real.items())
    return (
        f"Of these, {listed} are about images that were already bad when they were taken, beside the simulated ones: "
        "their `degradation_origin` is not null. Where nothing says how bad they are, they stand at L1.\n\n"
    )


def _use(splits: Sequence[str]) -> str:
    return (
        "```python\nfrom datasets import load_dataset\n\n"
        f'items = load_dataset("PATH_OR_REPOSITORY", "L1", split="{splits[0]}")\n```\n\n'
        "```sh\nMEDQDEG_DATA=PATH_OR_REPOSITORY python -m lmms_eval --tasks medqdeg ...\n```"
    )


def _axis_table(manifest: Mapping[str, Any], axis: str, title: str) -> str:
    counts = [manifest["counts"][level][axis] for level in taxonomy.LEVELS]
    names = sorted(set().union(*counts), key=lambda name: (-max(count.get(name, 0) for count in counts), name))
    rows = [(name, *(f"{count.get(name, 0):,}" for count in counts)) for name in names]
    return _table((title, *taxonomy.LEVELS), rows)


def _deviation(selection: Mapping[str, Mapping[str, Mapping[str, int]]]) -> str:
    columns = ("wanted", "planned", "got")
    rows = [
        (f"{axis}: {name}" if axis != "size" else name, *(f"{numbers[column]:,}" for column in columns))
        for axis in ("size", "skill", "modality", "degradation")
        for name, numbers in selection[axis].items()
        if axis == "skill" or any(numbers.values())
    ]
    absent = [name for name in taxonomy.SKILLS if not selection["skill"][name]["got"]]
    missing = (
        f"{len(absent)} of the {len(taxonomy.SKILLS)} skills have no item: {', '.join(absent)}. " if absent else ""
    )
    short = [
        f"{size['wanted'] - size['got']:,} {name}"
        for name, size in selection["size"].items()
        if size["got"] < size["wanted"]
    ]
    said = f"The set falls short of the wanted mix by {' and '.join(short)}. " if short else ""
    return (
        f"{said}{missing}Wanted is what the mix asks for, planned what the sources allow, got what passed the quality "
        "gate. Pairs and degradations are counted once for L1 and L2.\n\n" + _table(("", *columns), rows)
    )


def _gate(gate: Mapping[str, Any]) -> str:
    columns = ("pairs", "too weak", "too strong", "not made", "decided by a person", "excluded", "replacements")
    rows = [
        (name, *(str(counts.get(column, 0)) for column in columns)) for name, counts in gate["by_degradation"].items()
    ]
    limits = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in gate["limits"].items())
    return (
        f"{gate['excluded']:,} of {gate['pairs']:,} pairs are left out; {gate['replacements']:,} in the set take the "
        "place of one that the gate rejected, with another degradation of the same item. "
        f"Limits: {limits}. `{REVIEW}` lists every pair with its measures.\n\n"
        + _table(("Degradation", *columns), rows)
    )


def _leakage(leakage: Mapping[str, Any] | None) -> str:
    """Say what `leakage.letter_balance` and `leakage.text_probe` found; None or nothing where no one looked."""
    if not leakage or not leakage.get("letter_balance"):
        return "Not looked at."
    return "\n\n".join(
        ("Of the planned clean items, before the quality gate.", *_letters(leakage), *_probes(leakage["text_probe"]))
    )


def _letters(leakage: Mapping[str, Any]) -> tuple[str, str]:
    balance = leakage["letter_balance"]
    rows = [
        (str(each["k"]), " / ".join(f"{count:,}" for count in each["counts"]), f"{each['p']:.3g}") for each in balance
    ]
    uneven = [str(each["k"]) for each in balance if each["p"] < 0.05 / len(balance)]
    found = f"uneven with {', '.join(uneven)} options" if uneven else "none is uneven"
    return (
        "How often each letter is right, and the probability of counts at least as uneven if all letters were equally "
        f"likely (chi-square): {found} at 5% after Bonferroni's correction.",
        _table(("Options", "A / B / C / ...", "p"), rows),
    )


def _probes(probes: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    if not probes:
        return ("Too few items for a model of the text alone.",)
    names = {"items": "other items of the same question seen", "questions": "question not seen"}
    rows = [
        (
            names[each["split"]],
            *(f"{each[share]:.1%}" for share in ("accuracy", "chance")),
            f"{each['low']:+.1%} to {each['high']:+.1%}",
        )
        for each in probes
    ]
    above = any(each["low"] > 0 for each in probes)
    found = "**the text alone beats chance** (by accident in one set of twenty)" if above else "it does not beat chance"
    return (
        "What a logistic regression on the text of question and options gets right without an image, on items that it "
        f"was not trained on; the interval is of the difference to chance: {found}.",
        _table(("Trained with", "right", "chance", "difference (95%)"), rows),
    )


def _licences(manifest: Mapping[str, Any]) -> str:
    rows = [
        (source, licence, f"{number:,}")
        for source, by in licences_of(manifest).items()
        for licence, number in by.items()
    ]
    return "The images and questions stay under the licences of their sources.\n\n" + _table(
        ("Source", "Licence", "clean items"), rows
    )


def _how(manifest: Mapping[str, Any]) -> str:
    skipped = sum(sum(by.values()) for by in manifest["skipped"].values())
    read, merged = (sum(manifest[key].values()) for key in ("read", "after_merging"))
    return (
        f"{read:,} items were read, {skipped:,} rows of the sources gave none (`{SKIPPED}` says why), {merged:,} "
        f"stayed after duplicates were merged. `{MANIFEST}` holds versions, seeds, the mix, duplicates, leakage "
        f"checks, the hashes of the sources' files and of every file of the set; `{IMAGES}` has one line per image: "
        "the hashes of the source's image file and of ours, and "
        "the parameters from which `medqdeg.degradations.reproduce` makes it again."
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" + "---:|" * (len(header) - 1)]
    lines += ["| " + " | ".join(as_markdown_text(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def splits_in(names: Iterable[str]) -> list[str]:
    """Return the splits that parts of these names are of, in the usual order."""
    found = {name.partition("-")[0] for name in names}
    return [split for split in SPLITS if split in found]
