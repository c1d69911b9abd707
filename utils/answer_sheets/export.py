"""Items out: a folder to carry to any person or system, in which nothing tells a degraded image from a clean one."""

from __future__ import annotations

import base64
import csv
import io
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from ..base.csv_cells import safe_cell
from ..base.errors import InputError
from ..dataset.image_cells import decode_cell
from ..images import encode_image
from ..scoring.elicitation import VERBALIZED
from .key import Key, codes, described, shuffled, write_key
from .workbook import write_workbook

IMAGES, SHEET, TABLE, REQUESTS, NOTE = "images", "sheet.xlsx", "sheet.csv", "requests.jsonl", "README.txt"
ITEM, TRIAL, ANSWER, CONFIDENCE = "item", "trial", "answer", "confidence"

_NOTE = """\
{items} questions about {pictures} images, each asked {times}: {rows} rows.

Fill in the column "answer" of sheet.xlsx or of sheet.csv: the letter of one option, or the reply word for word.{stated}
Leave a cell empty where there is no answer. Each row stands for itself: begin a new conversation for each, so that no
earlier question or answer is seen. requests.jsonl asks the same in the form of OpenAI's batch files; its answers can be
handed back as they come. Keep "item" and "trial" as they are; the order of the rows is free.

Files are named by their place in a shuffled list. Names, dates, texts and EXIF are not in the image files; but what is
burnt into the pixels of an image (a name, a date, a number) is still in them. Look at the images before they leave.
"""
_STATED = '\nThe column "confidence" takes how likely the letter is to be right, in percent (or as part of the reply).'


@dataclass(frozen=True)
class Exported:
    """What was written: number of items, of rows (items times trials) and of image files."""

    items: int
    rows: int
    images: int


@dataclass(frozen=True)
class Wish:
    """How to export.

    Attributes:
        family: name of the tasks whose items these are; names the run when the answers come back.
        elicitation: "votes" or "verbalized".
        trials: T, rows per item.
        seed: of the shuffling.
        prompt: the template of what is asked.
        inline: put images into requests.jsonl as base64, where it names their paths otherwise.
        model: the model's name in requests.jsonl.
    """

    family: str
    elicitation: str
    trials: int
    seed: int
    prompt: str
    inline: bool = False
    model: str = "MODEL"


def export(
    docs: Iterable[Mapping[str, Any]],
    render: Callable[[Mapping[str, Any]], str],
    folder: Path,
    key_path: Path,
    wish: Wish,
    on_item: Callable[[], None] = lambda: None,
) -> Exported:
    """Write the folder, in one step, and the key beside it.

    The same items and wish give the same bytes (of the Excel file: the same cells).

    Args:
        docs: rows of the data set as `medqdeg.utils.dataset.loading.load_level` gives them, images undecoded; read
            twice where they are a sequence, so they should be one.
        render: item -> the prompt as it is asked.
        folder: to make; must be new or empty.
        key_path: of the key; not inside the folder.
        wish: see `Wish`.
        on_item: called after each item.

    Raises:
        InputError: no items, an item twice, a folder that holds something, a key inside it, a bad image.
    """
    chosen = shuffled(list(docs), wish.seed)
    _check(chosen, folder, key_path)
    named = dict(zip(codes(chosen, wish.seed), chosen, strict=True))
    key = Key(
        family=wish.family,
        elicitation=wish.elicitation,
        trials=wish.trials,
        seed=wish.seed,
        prompt=wish.prompt,
        items={code: described(doc) for code, doc in named.items()},
    )
    with _appearing(folder) as part:
        pictures: dict[str, list[str]] = {}
        (part / IMAGES).mkdir()
        for code, doc in named.items():
            pictures[code] = _write_images(part, code, doc)
            on_item()
        prompts = {code: render(doc) for code, doc in named.items()}
        rows = list(_rows(named, pictures, prompts, wish))
        columns = list(rows[0])
        (part / TABLE).write_bytes(_as_csv(columns, rows))
        write_workbook(part / SHEET, columns, rows)
        with (part / REQUESTS).open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(_requests(part, rows, pictures, prompts, wish))
        number = sum(map(len, pictures.values()))
        (part / NOTE).write_text(
            _NOTE.format(
                items=f"{len(named):,}",
                pictures=f"{number:,}",
                times="once" if wish.trials == 1 else f"{wish.trials} times",
                rows=f"{len(rows):,}",
                stated=_STATED if wish.elicitation == VERBALIZED else "",
            ),
            encoding="utf-8",
        )
        write_key(key_path, key)
    return Exported(len(named), len(rows), number)


def _check(docs: Sequence[Mapping[str, Any]], folder: Path, key_path: Path) -> None:
    if not docs:
        raise InputError("there are no items to export")
    seen = set()
    for doc in docs:
        if (doc["level"], doc["item_id"]) in seen:
            raise InputError(f"item {doc['item_id']} of {doc['level']} occurs twice")
        seen.add((doc["level"], doc["item_id"]))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} holds something already; name a new or an empty folder with --out")
    if key_path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"the key {key_path} would lie in the folder that is given away; name another place")


@contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """Give a neighbour of a folder that takes its place once everything is in it."""
    part = folder.resolve().with_name(f".{folder.resolve().name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        yield part
        if folder.exists():
            folder.rmdir()
        part.rename(folder.resolve())
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror or error})") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write_images(part: Path, code: str, doc: Mapping[str, Any]) -> list[str]:
    names = []
    for number, cell in enumerate(doc["images"], 1):
        name = f"{IMAGES}/{code}.png" if len(doc["images"]) == 1 else f"{IMAGES}/{code}-{number}.png"
        # From the pixels alone: whatever else came with the image, a colour profile included, stays behind.
        pixels = PIL.Image.fromarray(np.asarray(decode_cell(cell)))
        (part / name).write_bytes(encode_image(pixels))
        names.append(name)
    return names


def _rows(
    named: Mapping[str, Mapping[str, Any]],
    pictures: Mapping[str, Sequence[str]],
    prompts: Mapping[str, str],
    wish: Wish,
) -> Iterator[dict[str, Any]]:
    """Yield the rows, each trial in an order of its own, so that no item is asked twice in a row."""
    letters = sorted({letter for doc in named.values() for letter in doc["letters"]})
    back = {(doc["level"], doc["item_id"]): code for code, doc in named.items()}
    for trial in range(1, wish.trials + 1):
        for doc in shuffled(list(named.values()), wish.seed, salt=f"trial {trial}"):
            code = back[doc["level"], doc["item_id"]]
            options = dict(zip(doc["letters"], doc["options"], strict=True))
            yield {
                ITEM: code,
                TRIAL: trial,
                "image": " ".join(pictures[code]),
                "question": doc["question"],
                **{letter: options.get(letter, "") for letter in letters},
                ANSWER: "",
                **({CONFIDENCE: ""} if wish.elicitation == VERBALIZED else {}),
                "prompt": prompts[code],
            }


def _as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([safe_cell(row[column]) for column in columns] for row in rows)
    return text.getvalue().encode("utf-8", "replace")


def _requests(
    part: Path,
    rows: Iterable[Mapping[str, Any]],
    pictures: Mapping[str, Sequence[str]],
    prompts: Mapping[str, str],
    wish: Wish,
) -> Iterator[str]:
    """Yield one request per row in the form of OpenAI's batch files; sampled as the tasks ask for it."""
    for row in rows:
        code = row[ITEM]
        urls = [_data_uri(part / name) if wish.inline else name for name in pictures[code]]
        content = [
            *({"type": "image_url", "image_url": {"url": url}} for url in urls),
            {"type": "text", "text": prompts[code]},
        ]
        body = {
            "model": wish.model,
            "messages": [{"role": "user", "content": content}],
            "temperature": 1.0,
            "top_p": 1.0,
            "max_tokens": 1024,
        }
        request = {
            "custom_id": request_id(code, row[TRIAL]),
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": body,
        }
        yield json.dumps(request, ensure_ascii=False) + "\n"


def request_id(code: str, trial: int) -> str:
    """Return the `custom_id` of one request."""
    return f"{code}-t{trial}"


def _data_uri(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
