"""Clusters of items that show the same image: they are not independent, and stay in one split.

Two clean items are connected if an image of one has the pixels of an image of the other, whatever files hold them and
in whatever place of the item they stand; a cluster is what such links connect, directly or through other items. With
every clean item come its degraded versions, so a cluster is closed under "same source question" too.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from PIL import Image
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ...images import pixels_sha256
from ..item import SourceItem


def picture_key(image: Image.Image) -> str:
    """Return what two images have in common if every pixel of theirs looks the same.

    A colour image of three equal channels counts as a grey one, and a channel of full opacity as none.

    Args:
        image: of a mode that `decode_image` gives: L, LA, RGB, RGBA or I;16.
    """
    if image.mode in ("LA", "RGBA") and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("L" if image.mode == "LA" else "RGB")
    if image.mode == "RGB":
        pixels = np.asarray(image)
        if np.array_equal(pixels[..., 0], pixels[..., 1]) and np.array_equal(pixels[..., 0], pixels[..., 2]):
            image = image.getchannel("R")
    return pixels_sha256(image)


def connected(pictures: Sequence[Sequence[str]]) -> list[int]:
    """Return the number of each item's cluster, from 0, in the order of their first items.

    Args:
        pictures: the keys of each item's images.
    """
    if not pictures:
        return []
    number: dict[str, int] = {}
    links = [(item, number.setdefault(key, len(number))) for item, keys in enumerate(pictures) for key in keys]
    ends = np.array(links, dtype=np.int64).reshape(-1, 2)
    size = len(pictures) + len(number)
    graph = coo_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1] + len(pictures))), (size, size))
    _, labels = connected_components(graph, directed=False)
    first: dict[int, int] = {}
    return [first.setdefault(int(label), len(first)) for label in labels[: len(pictures)]]


def dev_items(items: Sequence[SourceItem], clusters: Sequence[int], share: float, seed: int | str) -> set[int]:
    """Return the places of the items of the dev split: whole clusters, in an order that follows from a hash.

    A cluster that is larger than what is missing yet is passed over, so dev never gets more than its share.

    Args:
        items: the chosen items.
        clusters: the number of each item's cluster.
        share: of the items, 0 to 1.
        seed: decides the order.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for place, cluster in enumerate(clusters):
        members[cluster].append(place)
    wanted, dev = round(share * len(items)), set[int]()
    for group in sorted(members.values(), key=lambda group: min(rank(items[place], seed, "dev") for place in group)):
        if len(dev) + len(group) <= wanted:
            dev.update(group)
    return dev


def rank(item: SourceItem, seed: int | str, purpose: str) -> tuple[bytes, str, str]:
    """Return where an item stands in an order that follows from a hash of the seed, its source and its id."""
    key = "\x1f".join((purpose, str(seed), item.source, item.source_id))
    return hashlib.sha256(key.encode(errors="surrogateescape")).digest(), item.source, item.source_id


def account_of(pictures: Sequence[Sequence[str]], clusters: Sequence[int]) -> dict[str, int]:
    """Return how many images serve several items, and which items are connected by them.

    Returns:
        `items`, `clusters`; `shared_images`, and `items_with_shared_images`; `largest_cluster`, in items.
    """
    uses = Counter(key for keys in pictures for key in set(keys))
    return {
        "items": len(pictures),
        "clusters": len(set(clusters)),
        "shared_images": sum(count > 1 for count in uses.values()),
        "items_with_shared_images": sum(any(uses[key] > 1 for key in keys) for keys in pictures),
        "largest_cluster": max(Counter(clusters).values(), default=0),
    }


def cluster_names(names: Sequence[str], clusters: Sequence[int]) -> list[str]:
    """Return the id of each item's cluster: the first, in alphabetical order, of its items' ids.

    Args:
        names: the items' ids.
        clusters: the number of each item's cluster.
    """
    first: dict[int, str] = {}
    for name, cluster in zip(names, clusters, strict=True):
        first[cluster] = min(name, first.get(cluster, name))
    return [first[cluster] for cluster in clusters]
