"""Questions about image quality: once the image is degraded, another answer is right.

"How is the quality of this image?" has the answer "good" at L0 and no longer at L2. Such items stay in L0 and have no
versions at L1 and L2. That a bowel is well cleansed stays true of a blurred picture: those are degraded as any other.
"""

from __future__ import annotations

import re

from ..item import SourceItem

_SKILL = "Image Quality Grading"

_IMAGE = r"(?:image|picture|scan|photo(?:graph)?|radiograph|x-?ray|film|frame)s?"
_OF_THE_PATIENT = re.compile(
    r"\b(?:bowel|colon|mucosa\w*)\b[^.?!]*\b(?:clean\w*|prepar\w*|residue)|\bboston\b|\bbbps\b|\bcleans(?:ed|ing)\b",
    re.IGNORECASE,
)
_OF_THE_IMAGE = re.compile(
    rf"\b(?:{_IMAGE}|technical|acquisition)\s+quality\b"
    rf"|\bquality\s+of\s+(?:the|this|these)\s+(?:\w+\s+){{0,3}}{_IMAGE}\b"
    rf"|\b(?:which|what|any)\b[^.?!]*\b(?<!no )art[ei]facts?\b"
    rf"|\b{_IMAGE}\b[^.?!]*\b(?:out\s+of\s+focus|blurr(?:y|ed)|over-?exposed|under-?exposed|noisy)\b(?!\s+vision)",
    re.IGNORECASE,
)


def asks_for_image_quality(item: SourceItem) -> bool:
    """Whether the right answer is about the image's own quality, so that degrading the image changes it.

    By the skill; by the question's words where it has another skill or none.
    """
    told = " ".join((item.question, *item.options))
    if _OF_THE_PATIENT.search(told):
        return False
    return item.skill == _SKILL or _OF_THE_IMAGE.search(item.question) is not None
