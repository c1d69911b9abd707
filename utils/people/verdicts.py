"""What a reviewer can say of a pair."""

from __future__ import annotations

from collections.abc import Mapping

VERDICTS: Mapping[int, str] = {
    **{0: "clean image unusable", 1: "keep", 2: "too weak", 3: "too strong"},
    **{4: "wrong degradation", 5: "tool artefact", 6: "no longer answerable"},
}
"""Key that a reader presses -> verdict. All but one mean that the pair is out."""

KEEP = 1
