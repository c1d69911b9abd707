"""How the hooks of EleutherAI's lm-eval (0.4.13) differ from lmms-eval's.

The items, the prompt, the scores and the records are those of `hooks`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from ..utils.base.versions import versions
from ..utils.dataset.image_cells import decode_cell
from ..utils.scoring.aggregations import NotInTable
from ..utils.scoring.records import ItemRecord
from . import hooks

if TYPE_CHECKING:
    import datasets
    import PIL.Image

IMAGE_PLACEHOLDER = "<image>"
"""What lm-eval replaces by an image, in order."""


def load_items(split: str, level: str, **_: Any) -> dict[str, datasets.Dataset]:
    """Return the items of one level under the split `items`, each with `place`, by which `doc_to_image` finds it.

    The items come without their images: lm-eval writes every document into its samples file.
    """
    items = _items(split, level).remove_columns("images")
    return {"items": items.add_column("place", [f"{split}/{level}/{row}" for row in range(len(items))])}


_items = functools.cache(hooks.load_items)


class ImagesOf(Sequence["PIL.Image.Image"]):
    """The images of one item as 8-bit RGB, decoded each time that they are asked for.

    lm-eval asks for the images of all items before the first request; decoded, the benchmark's would take some 8 GB.
    """

    def __init__(self, place: str) -> None:
        self.place = place

    def _cells(self) -> list[Any]:
        split, level, row = self.place.split("/")
        return list(_items(split, level)[int(row)]["images"])

    def __len__(self) -> int:
        return len(self._cells())

    def __iter__(self) -> Iterator[PIL.Image.Image]:
        return map(decode_cell, self._cells())

    @overload
    def __getitem__(self, index: int) -> PIL.Image.Image: ...
    @overload
    def __getitem__(self, index: slice) -> list[PIL.Image.Image]: ...
    def __getitem__(self, index: int | slice) -> PIL.Image.Image | list[PIL.Image.Image]:
        return list(self)[index]

    def __repr__(self) -> str:  # goes into the samples file
        return f"images of {self.place}"


def doc_to_image(doc: Mapping[str, Any]) -> ImagesOf:
    """Return the item's images."""
    return ImagesOf(doc["place"])


def doc_to_text(doc: Mapping[str, Any]) -> str:
    """Return a placeholder for each image and the prompt, as lmms-eval puts them together for chat models."""
    return _with_placeholders(doc, hooks.doc_to_text(doc))


def doc_to_text_verbalized(doc: Mapping[str, Any]) -> str:
    """Return what `doc_to_text` returns, with the prompt that also asks for a percentage."""
    return _with_placeholders(doc, hooks.doc_to_text_verbalized(doc))


def doc_to_text_flag(doc: Mapping[str, Any]) -> str:
    """Return what `doc_to_text` returns, with the prompt that also asks whether the image is sufficient."""
    return _with_placeholders(doc, hooks.doc_to_text_flag(doc))


def doc_to_text_abstain(doc: Mapping[str, Any]) -> str:
    """Return what `doc_to_text` returns, with the prompt that offers N where the image does not allow an answer."""
    return _with_placeholders(doc, hooks.doc_to_text_abstain(doc))


def _with_placeholders(doc: Mapping[str, Any], prompt: str) -> str:
    # A placeholder of lm-eval in a question would be taken for an image.
    return IMAGE_PLACEHOLDER * len(doc_to_image(doc)) + prompt.replace(IMAGE_PLACEHOLDER, "< image >")


def process_results(doc: Mapping[str, Any], results: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Score the T replies of one item, which lm-eval nests and leaves unstripped."""
    return hooks.process_results(doc, _replies(results))


def process_results_verbalized(doc: Mapping[str, Any], results: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Score replies as `process_results` does, where each states a letter and a confidence."""
    return hooks.process_results_verbalized(doc, _replies(results))


def process_results_flag(doc: Mapping[str, Any], results: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Score replies as `process_results` does, where each also says whether the image is sufficient."""
    return hooks.process_results_flag(doc, _replies(results))


def process_results_abstain(doc: Mapping[str, Any], results: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Score replies as `process_results` does, where N says that the image does not allow an answer."""
    return hooks.process_results_abstain(doc, _replies(results))


def _replies(results: Sequence[Sequence[str]]) -> list[str]:
    (replies,) = results
    return [reply.strip() for reply in replies]


class _PointerInTable(NotInTable):
    """A dictionary in whose place lm-eval's table says where to find it.

    The table has a row for every metric and prints a copy of a dictionary, made by its keys; the results file takes the
    items.
    """

    _SHOWN = {"see": "the results file"}  # noqa: RUF012

    def keys(self) -> Any:
        return self._SHOWN.keys()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._SHOWN)

    def __getitem__(self, key: Any) -> Any:
        return self._SHOWN[key] if key in self._SHOWN else super().__getitem__(key)


def summarise_level(records: Sequence[ItemRecord]) -> NotInTable:
    """Return what `hooks.summarise_level` returns, with lm-eval's version."""
    return _PointerInTable({**hooks.summarise_level(records), "versions": versions("lm-eval")})


def summarise_flag_level(records: Sequence[ItemRecord]) -> NotInTable:
    """Return what `hooks.summarise_flag_level` returns, with lm-eval's version."""
    return _PointerInTable({**hooks.summarise_flag_level(records), "versions": versions("lm-eval")})


def summarise_abstain_level(records: Sequence[ItemRecord]) -> NotInTable:
    """Return what `hooks.summarise_abstain_level` returns, with lm-eval's version."""
    return _PointerInTable({**hooks.summarise_abstain_level(records), "versions": versions("lm-eval")})
