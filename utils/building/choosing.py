"""Which items enter the set, once their images have been looked at: no contradictory keys, no broken images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import InputError, one_line
from ..image_files import decode_image
from .clusters import picture_key
from .images import BAD_IMAGE
from .item import Skipped, SourceItem
from .selection import Chosen, Mix, select

CONTRADICTION = "another answer to the same question about the same image"
"""Why both of two items are left out: nobody can say which of the two keys is right."""


def conflicts_in(duplicates: Any) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Return the names of the items of each conflict that a front's report on duplicates holds."""
    found = duplicates.get("conflicts", ()) if isinstance(duplicates, Mapping) else ()
    return [(tuple(each["first"]), tuple(each["second"])) for each in found]


def without_contradictions(
    items: Sequence[SourceItem], duplicates: Any, *, keep: bool
) -> tuple[Sequence[SourceItem], list[Skipped]]:
    """Leave out both items of every conflict: one of their keys is wrong, and nothing says which."""
    others: dict[tuple[str, str], tuple[str, str]] = {}
    for first, second in () if keep else conflicts_in(duplicates):
        others.setdefault(first, second)
        others.setdefault(second, first)
    kept = [item for item in items if (item.source, item.source_id) not in others]
    skipped = [
        Skipped(*name, CONTRADICTION, f"{': '.join(other)} says otherwise", harmless=True)
        for name, other in sorted(others.items())
    ]
    return kept, skipped


def choose_usable(
    pool: Sequence[SourceItem], mix: Mix, seed: int | str, progress: Callable[[str, int, int | None], None]
) -> tuple[tuple[Chosen, ...], Mapping[str, Any], list[tuple[str, ...]], list[Skipped]]:
    """Choose, look at the chosen images, and choose again without those that cannot be decoded.

    Returns:
        The chosen items, wanted against got, the keys of each item's pictures, and what was left out.
    """
    items = {(item.source, item.source_id): item for item in pool}
    pictures: dict[tuple[str, str], tuple[str, ...]] = {}
    skipped: list[Skipped] = []
    while items:
        selection = select(list(items.values()), mix, seed)
        names = [(each.item.source, each.item.source_id) for each in selection.chosen]
        broken = []
        for done, (name, each) in enumerate(zip(names, selection.chosen, strict=True), start=1):
            if name not in pictures:
                try:
                    pictures[name] = _pictures(each.item)
                except InputError as error:
                    broken.append(name)
                    skipped.append(Skipped(*name, BAD_IMAGE, one_line(error)))
            if done % 50 == 0:
                progress("checking the chosen images", done, len(names))
        if not broken:
            return selection.chosen, selection.deviation, [pictures[name] for name in names], skipped
        for name in broken:
            del items[name]
    return (), {}, [], skipped


def _pictures(item: SourceItem) -> tuple[str, ...]:
    """Return the keys of an item's pictures. Raises `InputError` where one cannot be read or decoded."""
    if not item.images:
        raise InputError("the item has no image")
    keys = []
    for image in item.images:
        try:
            keys.append(picture_key(decode_image(image.read(), name=image.name).image))
        except OSError as error:
            raise InputError(f"{image.name}: {error.strerror or error}") from None
    return tuple(keys)
