"""`medqdeg export`: the items as a folder for any person or system. The key stays at home."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..base.errors import InputError

if TYPE_CHECKING:
    from ..answer_sheets.export import Exported

FAMILIES = {
    "test": "medqdeg",
    "dev": "medqdeg_dev",
    "phantom": "medqdeg_phantom",
    "phantom_small": "medqdeg_phantom_small",
}


def export(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to make and to carry away.")],
    key: Annotated[
        Path | None, typer.Option(help="File of the key.", show_default="OUT.key.json, beside the folder")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of a data set.", show_default="as the tasks find it")
    ] = None,
    split: Annotated[
        Literal["test", "dev", "phantom", "phantom_small"], typer.Option(help="Which set of items.")
    ] = "test",
    levels: Annotated[
        str, typer.Option(help="Of l0, l1 and l2, separated by commas; or curve, of a series.")
    ] = "l0,l1,l2",
    trials: Annotated[int, typer.Option(min=1, help="T, how often each item is asked.")] = 10,
    limit: Annotated[
        int | None, typer.Option(min=1, help="So many source questions, with all their levels.", show_default="all")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another order and other file names.")] = 0,
    confidence: Annotated[
        bool, typer.Option("--confidence", help="Also ask how likely the answer is to be right.")
    ] = False,
    images: Annotated[Literal["path", "base64"], typer.Option(help="How requests.jsonl holds the images.")] = "path",
    model: Annotated[str, typer.Option(help="The model's name in requests.jsonl.")] = "MODEL",
    format: Annotated[
        Literal["sheets", "vlmevalkit"], typer.Option(help="sheets, or the TSV file that VLMEvalKit reads.")
    ] = "sheets",
) -> None:
    """Export items: images, a sheet (Excel, CSV) and requests (OpenAI batch) with one row per item and trial.

    Names and order tell nothing about which image is degraded. The key, with the answers, is written beside the folder:
    keep it. What is burnt into the pixels stays visible. `medqdeg import` takes the answers back.

    Example: medqdeg export --split phantom_small --trials 1 --out sheets/
    """
    docs = _documents(split, data, levels, limit, seed)
    if format == "vlmevalkit":
        from ..answer_sheets.vlmevalkit_files import write_tsv

        written = write_tsv(docs, out)
        print(f"{len(docs):,} items in {written.resolve()}")
        print("afterwards: medqdeg import PREDICTIONS --model NAME --out RESULTS")
        return
    place = key or out.with_name(f"{out.resolve().name}.key.json")
    done = _sheets(docs, out, place, FAMILIES[split], trials, seed, confidence, images == "base64", model)
    print(
        f"{done.items:,} items, {done.images:,} images, {done.rows:,} rows in {out.resolve()}; the key, to be kept, is "
        f"{place.resolve()}"
    )
    print("look at the images before they leave: what is burnt into the pixels (a name, a date) is still there")
    print(f"afterwards: medqdeg import {out / 'sheet.xlsx'} --items {place} --model NAME --out RESULTS")


def _sheets(
    docs: list[Mapping[str, Any]],
    out: Path,
    key: Path,
    family: str,
    trials: int,
    seed: int,
    confidence: bool,
    inline: bool,
    model: str,
) -> Exported:
    from ...tasks.hooks import doc_to_text, doc_to_text_verbalized
    from ...tasks.prompts import template_text
    from ..answer_sheets.export import Wish
    from ..answer_sheets.export import export as write
    from ..scoring.elicitation import VERBALIZED, VOTES

    elicitation = VERBALIZED if confidence else VOTES
    render: Callable[[Mapping[str, Any]], str] = doc_to_text_verbalized if confidence else doc_to_text
    wish = Wish(
        family=family,
        elicitation=elicitation,
        trials=trials,
        seed=seed,
        prompt=template_text(elicitation),
        inline=inline,
        model=model,
    )
    return write(docs, render, out, key, wish)


def _documents(split: str, data: Path | None, levels: str, limit: int | None, seed: int) -> list[Mapping[str, Any]]:
    from ..dataset.loading import load_level, load_series, without_decoding
    from ..dataset.location import LocalFolder
    from ..dataset.taxonomy import LEVELS
    from ..phantoms.cache import load_default_series, load_default_suite

    wanted = [part.strip().upper() for part in levels.split(",") if part.strip()]
    series = wanted == ["CURVE"]
    if not wanted or (not series and not set(wanted) <= set(LEVELS)):
        raise InputError(f"--levels {levels}: must be of l0, l1 and l2, or curve")
    location = None if data is None else LocalFolder(data)
    phantoms = split.startswith("phantom")
    if phantoms and data is not None:
        raise InputError(f"--split {split} is made here; with --data, take --split test or dev")
    if series:
        parts = [load_default_series() if phantoms else load_series(split, location)]
    elif phantoms:
        parts = [load_default_suite(level, small_only=split == "phantom_small") for level in LEVELS if level in wanted]
    else:
        parts = [load_level(split, level, location) for level in LEVELS if level in wanted]
    docs = [doc for part in parts for doc in _Undecoded(without_decoding(part))]
    if limit is None:
        return docs
    from ..answer_sheets.key import first_questions

    kept = first_questions([doc["source_question_id"] for doc in docs], limit, seed)
    return [doc for doc in docs if doc["source_question_id"] in kept]


class _Undecoded:
    """Rows of a data set whose images are read only when they are asked for: all of them would fill the memory."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows

    def __iter__(self) -> Any:
        texts = self.rows.remove_columns("images")
        for place, doc in enumerate(texts):
            yield _Row(doc, self.rows, place)


class _Row(dict):  # type: ignore[type-arg]
    """One row; `images` comes from the data set each time."""

    def __init__(self, doc: Mapping[str, Any], rows: Any, place: int) -> None:
        super().__init__(doc)
        self._rows, self._place = rows, place

    def __missing__(self, name: str) -> Any:
        if name != "images":
            raise KeyError(name)
        return self._rows[self._place]["images"]
