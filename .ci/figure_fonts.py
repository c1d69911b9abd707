"""Make the fonts of the figures anew: DejaVu Sans as Matplotlib ships it, with fewer glyphs."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from fontTools import subset

FONTS = ("DejaVuSans", "DejaVuSans-Bold")
KEPT = (
    *range(0x20, 0x7F),
    *range(0xA0, 0x180),  # Latin
    *range(0x391, 0x3CA),  # Greek
    *range(0x2010, 0x2045),  # punctuation
    *range(0x2070, 0x20A0),  # raised and lowered
    *range(0x2190, 0x219A),  # arrows
    *(0x20AC, 0x2122, 0x2212, 0x221E, 0x2248, 0x2260, 0x2264, 0x2265, 0x2298),
    *range(0x25A0, 0x2600),  # triangles, circles
    *(0x2605, 0x2606, 0x2713, 0x2714, 0x2717, 0x2718, 0xFFFD),
)


def main() -> None:
    source = Path(mpl.get_data_path()) / "fonts" / "ttf"
    out = Path(__file__).parents[1] / "utils" / "report" / "vendor"
    options = subset.Options(
        hinting=False,  # figures are drawn without
        glyph_names=True,
        notdef_outline=True,
        layout_features=["kern", "liga"],
        layout_scripts=["DFLT", "latn", "grek"],
        recalc_timestamp=False,
    )
    options.drop_tables += ["FFTM", "MATH"]
    for name in FONTS:
        font = subset.load_font(str(source / f"{name}.ttf"), options)
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=KEPT)
        subsetter.subset(font)
        font.save(out / f"{name}.ttf")


if __name__ == "__main__":
    main()
