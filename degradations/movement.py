"""How masks, boxes and points follow an image whose contents a degradation moves.

Operators that move what an image shows have a function ``source_matrix``, from a pixel of the output to the place in
the input that it shows. All others leave every structure where it was, but for what they blur: the line that
``motion_blur`` draws on X-rays lies half a pixel up and to the left of its centre, as in the authors' images.

Places are (row, column) with whole numbers at pixel centres. Boxes have their edges between the pixels, so that a box
around the pixel at (0, 0) reaches from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arguments import arguments, pixel_scale
from .registry import resolve
from .severity import load_severities
from .vocabulary import check_modality, read_severity

_SLACK = 1e-9  # object_rotation's, in pixels outside the grid that still count as inside


@dataclass(frozen=True)
class Movement:
    """One rigid movement of an image's contents.

    Attributes:
        source: (2, 3) float64; ``source @ (row, column, 1)`` is the place in the input that an output pixel shows.
        mirrored: whether what lies outside the input is its mirror image; else it is empty.
        shape: (height, width) of the image.
    """

    source: np.ndarray
    mirrored: bool
    shape: tuple[int, int]

    def of_mask(self, mask: np.ndarray, fill: Any = 0) -> np.ndarray:
        """Move a mask: each pixel takes the label nearest to its source.

        Args:
            mask: (height, width) or (height, width, ...), any dtype.
            fill: label of what comes in from outside, where the image turns black.

        Raises:
            ValueError: a mask of another height or width than the image.
        """
        if mask.shape[:2] != self.shape:
            raise ValueError(f"the mask is {mask.shape[:2]} and its image {self.shape} (height, width)")
        (height, width), source = self.shape, self.source
        down, along = np.arange(height)[:, None], np.arange(width)
        rows, columns = (line[0] * down + line[1] * along + line[2] for line in source)
        if self.mirrored:
            return mask[_mirrored(np.rint(rows), height), _mirrored(np.rint(columns), width)]
        inside = (rows >= -_SLACK) & (rows <= height - 1 + _SLACK) & (columns >= -_SLACK)
        inside &= columns <= width - 1 + _SLACK
        moved = np.full_like(mask, fill)
        moved[inside] = mask[np.rint(rows[inside]).astype(np.intp), np.rint(columns[inside]).astype(np.intp)]
        return moved

    def of_points(self, points: np.ndarray) -> np.ndarray:
        """Move points, (N, 2) as (x, y) with whole numbers at pixel centres; float64. They may leave the image."""
        turn, shift = self.source[:, :2], self.source[:, 2]
        places = np.asarray(points, np.float64).reshape(-1, 2)[:, ::-1]
        return np.linalg.solve(turn, (places - shift).T).T[:, ::-1].reshape(np.shape(points))

    def of_boxes(self, boxes: np.ndarray) -> np.ndarray:
        """The upright boxes around moved ones, cut at the image's border.

        Args:
            boxes: (N, 4) as (x_min, y_min, x_max, y_max), edges between the pixels.

        Returns:
            (N, 4) float64. A box that has left the image has no area.
        """
        edges = np.asarray(boxes, np.float64).reshape(-1, 4)
        corners = edges[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2) - 0.5
        moved = self.of_points(corners).reshape(-1, 4, 2) + 0.5
        found = np.concatenate([moved.min(axis=1), moved.max(axis=1)], axis=1)
        height, width = self.shape
        return np.clip(found, 0, [width, height, width, height]).reshape(np.shape(boxes))


def movement_of(record: Mapping[str, Any]) -> Movement | None:
    """What a degradation moved, from its record; None where everything stays in place.

    Of a severity that mixes several results, the movement of the largest share. ``object_movement`` is composed of
    several positions and has no single map: it is that of the band with ky = 0, which holds the image's coarse
    structure; what the other bands add are edges and ghosts.
    """
    entry, _ = resolve(record["name"])
    if entry.source_matrix is None or not record["parameters"]:
        return None
    height, width = record["size"][-2:]
    source = entry.source_matrix((height, width), **record["parameters"])
    return Movement(source, entry.mirrors_border, (height, width))


def movement_at(
    name: str,
    severity: float | str,
    shape: tuple[int, int],
    *,
    seed: int | str,
    series: bool = False,
    modality: str | None = None,
    severities: Any = None,
    reference_size: float | None = None,
    **overrides: Any,
) -> Movement | None:
    """What `degrade` with these arguments moves in an image of a shape (height, width), without degrading one."""
    entry, implied = resolve(name)
    level = read_severity(severity, series)
    if not entry.moves or level.value == 0:
        return None
    table, scale = load_severities(severities), pixel_scale(reference_size, shape)
    parts = arguments(entry, level, shape, seed, check_modality(modality) or implied, table, scale, overrides)
    largest = max(((share, own) for share, own in parts if own is not None), key=lambda part: part[0])[1]
    return movement_of({"name": entry.name, "size": shape, "parameters": largest})


def _mirrored(places: np.ndarray, side: int) -> np.ndarray:
    """Indices into an axis that is continued by its mirror image, the border pixel twice."""
    index = places.astype(np.intp) % (2 * side)
    return np.minimum(index, 2 * side - 1 - index)
