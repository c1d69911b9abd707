"""The same question about the same image, within a source and across sources: found, merged, reported.

Two items are the same if their question reads the same after normalisation, their right answers do too, and each image
of one is near the image in the same place of the other: at most `NEAR` of the 256 bits of their perceptual hashes
differ. Two items that agree in question and images but not in the answer are not merged; they are reported as
conflicts, and a build leaves both out. Of several that are the same, the one with a known skill, then the one with most
pixels, then the one of the source that comes first is kept, so the result does not depend on the order in which sources
are given.

Why `NEAR` is 10: `benchmarks/duplicates.py` measures both errors on phantoms. docs/building.md has its figures.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ...dataset.taxonomy import SOURCES, UNLABELLED
from ..item import SourceItem
from .described_images import ImageFacts, facts_digest

NEAR = 10
"""Images with at most this many differing bits of 256 count as the same."""


@dataclass(frozen=True)
class Merge:
    """An item that was dropped for one that says the same.

    Attributes:
        kept: (source, source_id).
        dropped: (source, source_id).
        distance: differing bits of 256, the most over the item's images.
        same_files: whether the image files are the same bytes.
        same_options: whether both offer the same options, in whatever order.
    """

    kept: tuple[str, str]
    dropped: tuple[str, str]
    distance: int
    same_files: bool
    same_options: bool


@dataclass(frozen=True)
class Conflict:
    """Two items with the same question and near images, whose answers differ: at least one of the keys is wrong.

    Both are among `Merged.kept`, and stand for those that were merged into them. An item that is merged into one and is
    near another makes a conflict of these two.

    Attributes:
        first, second: (source, source_id).
        distance: as in `Merge`.
        answers: the right answer of each.
    """

    first: tuple[str, str]
    second: tuple[str, str]
    distance: int
    answers: tuple[str, str]


@dataclass(frozen=True)
class Merged:
    """The outcome of `merge_duplicates`.

    Attributes:
        kept: places in the given sequence, ordered by source and id, whatever the order given.
        merges: ordered by what was dropped.
        conflicts: ordered by the first.
    """

    kept: tuple[int, ...]
    merges: tuple[Merge, ...]
    conflicts: tuple[Conflict, ...]


def merge_duplicates(items: Sequence[SourceItem], facts: Sequence[tuple[ImageFacts, ...]], near: int = NEAR) -> Merged:
    """Merge items that are the same.

    Every dropped item is near the one that is kept for it; matching is not transitive.

    Time: items are compared only where question and number of images agree and the hashes share one of `near` + 1
    bands, in which any two hashes with at most `near` differing bits must agree (pigeonhole). No pair is missed.

    Args:
        items: N items, from any sources in any order.
        facts: N entries, of `images.describe`.
        near: 0 to 63 bits.

    Raises:
        ValueError: lengths differ, or `near` is out of range.
    """
    if len(items) != len(facts):
        raise ValueError(f"{len(items)} items and {len(facts)} entries of facts")
    if not 0 <= near < 64:
        raise ValueError(f"near must be 0 to 63 bits, not {near}")
    blocks: dict[tuple[str, int], list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        blocks[normalised(item.question), len(item.images)].append(place)
    kept: list[int] = []
    merges: list[Merge] = []
    found: dict[frozenset[int], int] = {}
    for block in blocks.values():
        _merge_block(items, facts, near, block, kept, merges, found)
    kept.sort(key=lambda place: canonical_order(items[place]))
    merges.sort(key=lambda merge: (merge.dropped, merge.kept))
    conflicts = [_conflict(items, *pair, distance) for pair, distance in found.items()]
    conflicts.sort(key=lambda conflict: (conflict.first, conflict.second))
    return Merged(tuple(kept), tuple(merges), tuple(conflicts))


def normalised(text: str) -> str:
    """Return what counts of a question or answer: letters and digits in lower case, single spaces between words.

    Compatibility forms are unified (NFKC), so "ﬁ" is "fi". A text without letters and digits stays as it is; a minus
    before and a point within a number stay too, since they change what it says.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = re.findall(r"(?<![\w.])[-−]?(?:\d+(?:\.\d+)?|\.\d+)|\w+|[+<>=%]", folded)
    return " ".join(words).replace("−", "-") or folded.strip()


def canonical_order(item: SourceItem) -> tuple[int, str, tuple[str, ...]]:
    """Return a sort key: the benchmarks in their order, then other sources by name; within one, ids as people sort."""
    ranks = {name: place for place, name in enumerate(SOURCES)}
    return ranks.get(item.source, len(ranks)), item.source, _natural(item.source_id)


def _merge_block(
    items: Sequence[SourceItem],
    facts: Sequence[tuple[ImageFacts, ...]],
    near: int,
    block: list[int],
    kept: list[int],
    merges: list[Merge],
    conflicts: dict[frozenset[int], int],
) -> None:
    if len(block) == 1:
        kept += block
        return
    answers = {place: normalised(items[place].options[items[place].answer]) for place in block}
    order = sorted(block, key=lambda place: _preference(items[place], facts[place]))
    # Items with the very same hashes and answer share a row: thousands of copies of one image make one row.
    rows: dict[tuple[tuple[bytes, ...], str], list[int]] = defaultdict(list)
    for place in order:
        rows[tuple(each.perceptual for each in facts[place]), answers[place]].append(place)
    members = list(rows.values())
    hashes = np.array([[np.frombuffer(each, np.uint8) for each in key] for key, _ in rows])
    neighbours: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for first, second, distance in _near_pairs(hashes, near):
        neighbours[second].append((distance, first))
    leaders: set[int] = set()
    for row, places in enumerate(members):
        answer = answers[places[0]]
        close = [(distance, other) for distance, other in sorted(neighbours[row]) if other in leaders]
        same = [(distance, other) for distance, other in close if answers[members[other][0]] == answer]
        against = [(distance, other) for distance, other in close if answers[members[other][0]] != answer]
        if same:
            distance, leader = same[0]
        else:
            distance, leader = 0, row
            leaders.add(row)
            kept.append(places[0])
        keeper = members[leader][0]
        for far, other in against:
            conflicts.setdefault(frozenset((members[other][0], keeper)), far)
        for place in places:
            if place != keeper:
                merges.append(_merge(items, facts, keeper, place, distance))


def _near_pairs(hashes: np.ndarray, near: int) -> Iterator[tuple[int, int, int]]:
    """Yield (i, j, distance), i < j, each pair once: all of at most `near` differing bits in every image.

    Args:
        hashes: uint8, (rows, images, 32).
    """
    first_images = np.unpackbits(hashes[:, 0], axis=1)
    seen: set[tuple[int, int]] = set()
    for band in range(near + 1):
        # Every (near + 1)th bit: a band of neighbouring low frequencies would be shared by most chest X-rays.
        keys = np.packbits(first_images[:, band :: near + 1], axis=1)
        _, group_of = np.unique(keys, axis=0, return_inverse=True)
        order = np.argsort(group_of.ravel(), kind="stable")
        bounds = np.flatnonzero(np.diff(group_of.ravel()[order], prepend=-1, append=-1))
        for start, stop in pairwise(bounds):
            group = order[start:stop]
            for at in range(len(group) - 1):
                distances = _distances(hashes[group[at]], hashes[group[at + 1 :]])
                for step in np.flatnonzero(distances <= near):
                    pair = (int(group[at]), int(group[at + 1 + step]))
                    if pair not in seen:
                        seen.add(pair)
                        yield *pair, int(distances[step])


_ONES = np.array([value.bit_count() for value in range(256)], dtype=np.uint16)


def _distances(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the differing bits, the most over the images, of one row (images, 32) and others (n, images, 32)."""
    return _ONES[one ^ others].sum(axis=-1).max(axis=-1)


def _preference(item: SourceItem, facts: tuple[ImageFacts, ...]) -> tuple[object, ...]:
    pixels = sum(each.width * each.height for each in facts)
    return item.skill == UNLABELLED, -pixels, canonical_order(item), facts_digest(facts)


def _merge(
    items: Sequence[SourceItem], facts: Sequence[tuple[ImageFacts, ...]], kept: int, dropped: int, distance: int
) -> Merge:
    return Merge(
        _name(items[kept]),
        _name(items[dropped]),
        distance,
        [each.sha256 for each in facts[kept]] == [each.sha256 for each in facts[dropped]],
        {normalised(text) for text in items[kept].options} == {normalised(text) for text in items[dropped].options},
    )


def _conflict(items: Sequence[SourceItem], one: int, other: int, distance: int) -> Conflict:
    first, second = sorted((one, other), key=lambda place: canonical_order(items[place]))
    answers = tuple(items[place].options[items[place].answer] for place in (first, second))
    return Conflict(_name(items[first]), _name(items[second]), distance, answers)  # type: ignore[arg-type]


def _name(item: SourceItem) -> tuple[str, str]:
    return item.source, item.source_id


def _natural(text: str) -> tuple[str, ...]:
    """Return a sort key by which "item 9" comes before "item 10"."""
    return (re.sub(r"\d+", lambda number: f"{len(number[0].lstrip('0')):03d}{number[0].lstrip('0')}", text), text)
