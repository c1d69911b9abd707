"""A linear observer that knows what it looks for: can the true scene still be told from its rivals?

Drawings of the true scene and of each rival, degraded alike, are seen as means of 4 x 4 pixels through an eye that
adds noise. Half of the drawings make templates, the other half is judged; then the halves change places. The true scene
is seen where it beats every rival (where it is level with some, the observer guesses among them). Evidence is how much
more often that happens in drawings of the true scene than in those of the rivals:

    e = P(seen | true scene) - mean over rivals of P(seen | rival),

1 for an observer that is always right, 0 for one that sees nothing. With K scenes that are told apart equally well it
is (accuracy - 1/K) / (1 - 1/K); but a scene between two rivals (three lesions, not two or four) is seen less often than
one at an end by an observer that sees nothing, and this is taken out.

Three kinds of template look at once, and the best one counts, so that what is called gone is gone for all of them: the
difference of the degraded drawings' means; that of the clean drawings' where it is clear, which stays sharp under
noise, where twelve noisy drawings make a poor template; and the first one of coarse blocks, which have few numbers to
learn. Each block is weighted by its variance, as in the matched filter of white noise (H. H. Barrett and K. J. Myers,
Foundations of Image Science, 2004, ch. 13).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DRAWINGS = 24
"""Drawings of each scene: one half makes templates, the other is judged."""

BLOCK = 4
"""Side of a block in pixels."""

COARSE = 4
"""Blocks in a row that make one coarse block."""

_EYE_BLOCK = 8
"""Pixels of the side of the block whose mean the eye's noise is stated of."""

_GLANCES = 64
"""Draws of the eye's noise for each drawing that is judged."""

_CLEAR = 4.0
"""Standard errors from which on a clean block's difference is clear."""


@dataclass(frozen=True)
class Scenes:
    """Drawings of scenes that are to be told apart, as blocks.

    Attributes:
        blocks: (K, n, rows, columns, channels) means of blocks in grey levels; the true scene comes first.
    """

    blocks: NDArray[np.float32]

    @classmethod
    def of(cls, images: Sequence[Sequence[np.ndarray]]) -> Scenes:
        """Return the blocks of K scenes' images, uint8 (H, W) or (H, W, 3), sides that `BLOCK` divides."""
        return cls(np.stack([np.stack([block_means(image) for image in drawn]) for drawn in images]))


def block_means(image: np.ndarray) -> NDArray[np.float32]:
    """Return the means of 4 x 4 pixels: (H / 4, W / 4, channels), float32."""
    height, width = image.shape[:2]
    rows = image.reshape(height // BLOCK, BLOCK, -1).sum(axis=1, dtype=np.uint16)
    sums = rows.reshape(height // BLOCK, width // BLOCK, BLOCK, -1).sum(axis=2, dtype=np.uint16)
    means: NDArray[np.float32] = sums.astype(np.float32) / BLOCK**2
    return means


def evidence(degraded: Scenes, clean: Scenes, sigma: float, seed: int = 0) -> float:
    """Return how much of the answer the degraded drawings still show.

    Args:
        degraded: drawings of the true scene and of K - 1 rivals, an even number of each, degraded alike.
        clean: the same drawings before.
        sigma: of the eye's noise, grey levels of the mean of 8 x 8 pixels, all channels alike.
        seed: of the eye's noise.

    Returns:
        e of the best of the templates; at most 1, by chance also below 0.
    """
    coarse = _coarse(degraded.blocks)
    return max(
        _seen_more_often(degraded.blocks, degraded.blocks, BLOCK, sigma, seed, clear=False),
        _seen_more_often(degraded.blocks, clean.blocks, BLOCK, sigma, seed, clear=True),
        _seen_more_often(coarse, coarse, BLOCK * COARSE, sigma, seed, clear=False),
    )


def _coarse(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    k, n, rows, columns, channels = blocks.shape
    parts = blocks.reshape(k, n, rows // COARSE, COARSE, columns // COARSE, COARSE, channels)
    means: NDArray[np.float32] = parts.mean(axis=(3, 5))
    return means


def _seen_more_often(
    seen: NDArray[np.float32], taught: NDArray[np.float32], side: int, sigma: float, seed: int, *, clear: bool
) -> float:
    """Return e of one kind of template.

    Args:
        seen: (K, n, ...) what is judged, in blocks of `side` pixels; the true scene comes first.
        taught: (K, n, ...) what the templates' differences are made of.
        side: of a block.
        sigma: of the eye.
        seed: of its noise.
        clear: take only blocks whose difference is clear.
    """
    scenes, number, channels = len(seen), seen.shape[1], seen.shape[-1]
    seen = seen.reshape(*seen.shape[:2], -1).astype(np.float64)
    taught = taught.reshape(*taught.shape[:2], -1).astype(np.float64)
    # Of a change that all channels share, the eye sees as much in a colour image as in a grey one.
    eye = sigma * _EYE_BLOCK / side * channels**0.5
    # Each drawing has glances of its own, the same for every scene.
    glances = np.random.default_rng([seed, side]).standard_normal((number, _GLANCES, scenes - 1))
    first = np.arange(number) % 2 == 0
    found = []
    for half in (first, ~first):
        templates, thresholds = _templates(seen[:, half], taught[:, half], eye, clear=clear)
        wins = [_wins(images, templates, thresholds, eye, glances[~half]) for images in seen[:, ~half]]
        found.append(wins[0] - np.mean(wins[1:]))
    return float(np.mean(found))


def _templates(seen: Array, taught: Array, eye: float, *, clear: bool) -> tuple[Array, Array]:
    """Return a template for each rival, (K - 1, features), and what an image of the true scene should exceed by it."""
    variance = (seen[:1].var(axis=1, ddof=1) + seen[1:].var(axis=1, ddof=1)) / 2
    means = taught.mean(axis=1)
    difference: Array = means[:1] - means[1:]
    if clear:
        spread = taught.var(axis=1, ddof=1) / taught.shape[1]
        difference = np.where(np.abs(difference) > _CLEAR * np.sqrt(spread[:1] + spread[1:]), difference, 0.0)
    weight = variance + eye**2
    template: Array = np.divide(difference, weight, out=np.zeros_like(difference), where=weight > 0)
    middle = (seen[0].mean(axis=0) + seen[1:].mean(axis=1)) / 2
    return template, (template * middle).sum(axis=1)


def _wins(images: Array, templates: Array, thresholds: Array, eye: float, glances: Array) -> float:
    """Return how often the true scene beats every rival in some images, ties shared, over the eye's noise."""
    margins = images @ templates.T - thresholds
    own, axes = np.linalg.eigh(templates @ templates.T)
    noise = eye * glances @ (axes * np.sqrt(np.maximum(own, 0.0))).T
    seen = margins[:, None, :] + noise
    level = (seen == 0).sum(axis=2)
    return float(np.where((seen >= 0).all(axis=2), 1.0 / (1 + level), 0.0).mean())
