"""Recognise a DICOM file by its bytes, whatever it is called."""

from __future__ import annotations

import re

HEAD_BYTES = 132
"""How many bytes of a file `is_dicom` needs."""

# The first element of a file without preamble: of group 0002 (file meta) or 0008 (identification), with a value
# representation of PS3.5 table 6.2-1, or (implicit VR) with a length of four bytes that is no longer than a text.
_EXPLICIT = re.compile(
    rb"(?:[\x02\x08]\x00[\x00-\x60]\x00|\x00[\x02\x08]\x00[\x00-\x60])(?:CS|UI|UL|SH|LO|DA|TM|DT|OB|AE|ST|SQ|PN|IS|US)",
    re.DOTALL,
)
_IMPLICIT = re.compile(
    rb"\x08\x00(?:[\x00\x01]\x00\x04\x00\x00\x00|[\x05-\x60]\x00[\x02-\x80]\x00\x00\x00[0-9A-Za-z])", re.DOTALL
)


def is_dicom(data: bytes) -> bool:
    """Whether the bytes begin as a DICOM file does: 128 of any kind, then `DICM`; or at once with a data element.

    The second is what some archives and early scanners wrote; PS3.10 asks for the preamble.
    """
    return has_preamble(data) or bool(_EXPLICIT.match(data) or _IMPLICIT.match(data))


def has_preamble(data: bytes) -> bool:
    """Whether the file begins with DICOM's preamble of 128 bytes and the prefix `DICM` (PS3.10 section 7.1)."""
    return data[128:132] == b"DICM"
