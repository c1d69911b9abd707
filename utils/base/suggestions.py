"""What a misspelt name was meant to be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches


def did_you_mean(name: object, known: Iterable[str], *, most: int = 1, cutoff: float = 0.6) -> str:
    """Return the question "did you mean 'x'?" with a blank behind it, or "" where no known name is near.

    Args:
        name: what was given.
        known: the names; of a mapping, the keys are compared and the values named.
        most: how many names to offer.
        cutoff: the least similarity, 0 to 1, as in `difflib.get_close_matches`.
    """
    meaning: Mapping[str, str] = known if isinstance(known, Mapping) else {each: each for each in known}
    lower = {each.casefold(): each for each in meaning}
    close = get_close_matches(str(name).casefold(), lower, n=most, cutoff=cutoff)
    near = list(dict.fromkeys(repr(meaning[lower[each]]) for each in close))
    if not near:
        return ""
    return f"did you mean {' or '.join([', '.join(near[:-1]), near[-1]] if near[1:] else near)}? "
