"""Text from elsewhere in Markdown, printed as it is."""

from __future__ import annotations

import re

from .errors import one_line

# An underscore inside a word is only itself.
_MARKUP = re.compile(r"([\\`*{}\[\]<>|~#&!$]|(?<!\w)_|_(?!\w))")


def as_markdown_text(text: str) -> str:
    """Return text on one line that Markdown (and the HTML in it) prints as it is, also as a cell of a table."""
    escaped = _MARKUP.sub(r"\\\1", one_line(text))
    return escaped.replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\&", "&amp;")
