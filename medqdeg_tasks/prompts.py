"""The prompts: one Jinja file per way to ask."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from ..utils.scoring.elicitation import ABSTAIN, EXACT, FLAG, VERBALIZED, VOTES

PROMPT_FILE = Path(__file__).with_name("prompt.jinja")

_FILES = {
    VOTES: PROMPT_FILE,
    EXACT: PROMPT_FILE,  # what is asked is the same, only the reply is read off the model instead of sampled
    VERBALIZED: PROMPT_FILE.with_name("prompt_verbalized.jinja"),
    FLAG: PROMPT_FILE.with_name("prompt_flag.jinja"),
    ABSTAIN: PROMPT_FILE.with_name("prompt_abstain.jinja"),
}


def prompt(doc: Mapping[str, Any], elicitation: str = VOTES) -> str:
    """Return the text of one item: question, options by letter, instruction.

    Args:
        doc: an item, with `question`, `letters` and `options`.
        elicitation: how the model is asked; a key of `medqdeg.utils.scoring.elicitation`.
    """
    return _template(elicitation).render(question=doc["question"], letters=doc["letters"], options=doc["options"])


def template_text(elicitation: str) -> str:
    """Return the Jinja text that a run records."""
    return _FILES[elicitation].read_text(encoding="utf-8")


@functools.cache
def _template(elicitation: str) -> jinja2.Template:
    return jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(template_text(elicitation))
