"""The gallery of the documentation: every degradation at increasing severity, on phantoms."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from ...degradations import degrade, get, largest_severity, list_degradations
from ..images.contact_sheet import SheetRow, draw_contact_sheet
from . import GENERATORS
from .planning import PlannedItem, plan_suite
from .suite import draw_phantom

SEVERITIES = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
_PUBLISHED = {0.0: "clean", 1.0: "s = 1 (L1)", 2.0: "s = 2 (L2's strength)"}
QUALITY = 80
_CELL = 160
_LABEL_WIDTH = 8
_HEAD = """# Gallery: the 18 degradations at increasing severity

Made by the library itself, on [phantoms](phantoms.md): `medqdeg phantom --sheets docs` writes this page and its
pictures. Each strip is one *series*: one random draw at every severity s, which begins at 0 (clean), passes the
strength of L1 at 1 and of L2 at 2, and goes on to 3 or as far as the type reaches. The published L2 draws anew where
the type is random. [Any severity](degradations.md#any-severity) says how, and
[the catalogue](degradations.md#what-there-is) which strengths each modality has. Severities do not compare between
types: s = 1 of one may hide more than s = 2 of another.
"""


def write_gallery(folder: Path, seed: int = 0) -> list[Path]:
    """Write `gallery.md` and a picture `gallery/NAME.jpg` of each degradation, and return their paths.

    Args:
        folder: made with its parents.
        seed: of the phantoms and of the degradations' draws.
    """
    (folder / "gallery").mkdir(parents=True, exist_ok=True)
    shown = one_of_each_modality(seed)
    written = []
    for name, modality in modalities_shown().items():
        written.append(folder / "gallery" / f"{name}.jpg")
        draw_series(name, shown[modality], seed).save(written[-1], quality=QUALITY)
    page = folder / "gallery.md"
    page.write_text(gallery_page(), encoding="utf-8")
    return [page, *written]


def gallery_page() -> str:
    """Return the page as Markdown; its pictures lie in `gallery/` beside it."""
    parts = [_HEAD]
    for name, modality in modalities_shown().items():
        what = get(name).physics.partition("\n")[0]
        picture = f"![{name} of a drawn {modality} image, from clean to severe](gallery/{name}.jpg)"
        parts.append(f"## {name}\n\n{what}\n\n{picture}\n")
    return "\n".join(parts)


def modalities_shown() -> dict[str, str]:
    """Return the modality on which each degradation is shown; types for several take turns, so that all are seen."""
    shown, turn = {}, 0
    for name in list_degradations():
        modalities = get(name).modalities
        shown[name] = modalities[turn % len(modalities)]
        turn += len(modalities) > 1
    return shown


def draw_series(name: str, item: PlannedItem, seed: int) -> Image.Image:
    """Return one item's image under one degradation, side by side at each of `SEVERITIES` that the type reaches."""
    image = draw_phantom(item, seed).image
    reached = [s for s in SEVERITIES if s <= largest_severity(name, item.modality)]
    images = tuple(
        Image.fromarray(
            degrade(
                image, name, s, seed=f"gallery {seed} {name}", modality=item.modality, series=True, allow_unchanged=True
            )
        )
        for s in reached
    )
    columns = [_PUBLISHED.get(s, f"s = {s:g}") for s in reached]
    row = SheetRow("", (), images, ("",) * len(images))
    return draw_contact_sheet([row], columns, title=f"{name}, {item.modality}", cell=_CELL, label_width=_LABEL_WIDTH)


def one_of_each_modality(seed: int) -> dict[str, PlannedItem]:
    """Return the first item of each modality in the suite of a seed."""
    plan = plan_suite(len(GENERATORS) * 24, seed)
    return {modality: next(item for item in plan if item.modality == modality) for modality in GENERATORS}
