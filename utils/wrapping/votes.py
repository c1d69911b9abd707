"""From the replies to one item of any task to votes, K and confidence.

Where the prompt offers options by letter, or the answer is yes or no, K is the number of options and the paper's
confidence applies as it is. Where the answer is a short text, votes are the normalised texts; K is then what the
caller says, or else the number of distinct answers that the item's own trials gave, so that two confidences are not on
one scale. The record says which.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..answers import is_missing_trial, read_answer
from ..confidence import MISSING, UNREAD, normalised_entropy_confidence

BY_LETTER, YES_NO, GIVEN, SEEN = "letters in the prompt", "yes or no", "given", "distinct answers seen"
"""Where K comes from."""

_OPTION = re.compile(r"^\s*\(?([A-Z])\s*[).:]\)?[^\S\n]+(\S.*?)\s*$", re.MULTILINE)
_ARTICLES = re.compile(r"^(?:a|an|the)\s+")


@dataclass(frozen=True)
class Votes:
    """The votes of one item.

    Attributes:
        votes: one entry a trial: an option, a normalised answer, "unread" or "missing".
        options: the options, or the distinct answers seen.
        k: the number of options that confidence is relative to; 0 where nothing was answered.
        k_rule: where K comes from, one of `BY_LETTER`, `YES_NO`, `GIVEN` and `SEEN`.
    """

    votes: tuple[str, ...]
    options: tuple[str, ...]
    k: int
    k_rule: str

    def confidence(self) -> float | None:
        """Return 1 - H / log K, or None if every trial is missing; an unread vote is spread evenly over the K."""
        counts = Counter(self.votes)
        unread, trials = counts.pop(UNREAD, 0), len(self.votes) - counts.pop(MISSING, 0)
        if trials == 0:
            return None
        if self.k < 2:
            return 1.0 - unread / trials
        masses = [counts.get(option, 0) for option in self.options] + [0] * (self.k - len(self.options))
        return normalised_entropy_confidence([(mass + unread / self.k) / trials for mass in masses])


def count_votes(replies: Sequence[str], prompt: Any, target: Any, k: int | None = None) -> Votes:
    """Read the replies to one item.

    Args:
        replies: one a trial, as the task's own scoring gets them.
        prompt: the text of the request; options are read from its last run of lettered lines.
        target: the right answer; a yes or a no means that both are the options.
        k: for short texts: how many different answers are possible; None counts those seen.
    """
    if options := options_in_prompt(str(prompt)):
        votes = [MISSING if is_missing_trial(reply) else read_answer(reply, options) or UNREAD for reply in replies]
        return Votes(tuple(votes), tuple(options), len(options), BY_LETTER)
    if isinstance(target, str) and normalise(target) in ("yes", "no"):
        votes = [MISSING if is_missing_trial(reply) else _yes_or_no(reply) for reply in replies]
        return Votes(tuple(votes), ("yes", "no"), 2, YES_NO)
    votes = [MISSING if is_missing_trial(reply) else normalise(reply) or UNREAD for reply in replies]
    seen = tuple(sorted(set(votes) - {MISSING, UNREAD}))
    return Votes(tuple(votes), seen, max(k or 0, len(seen)), GIVEN if k and k >= len(seen) else SEEN)


def options_in_prompt(prompt: str) -> dict[str, str]:
    """Return the last run of lines "A. ...", "(B) ...", "C) ..." that begins at A, as letter -> text; {} for none."""
    run: dict[str, str] = {}
    best: dict[str, str] = {}
    for letter, text in _OPTION.findall(prompt):
        if letter == "A":
            run = {"A": text}
        elif run and ord(letter) == ord(max(run)) + 1:
            run[letter] = text
        else:
            run = {}
        if len(run) >= 2:
            best = dict(run)
    return best


def normalise(text: str) -> str:
    """Return a short answer in lower case, blanks collapsed, without outer punctuation and a leading article."""
    folded = " ".join(text.casefold().split()).strip(string.punctuation + string.whitespace + "。，！？")
    return _ARTICLES.sub("", folded)


def _yes_or_no(reply: str) -> str:
    words = re.findall(r"\w+", reply.casefold())
    found = {"yes", "no"} & set(words[:1]) or {"yes", "no"} & set(words)
    return found.pop() if len(found) == 1 else UNREAD


def record_fields(votes: Votes, correct: Mapping[str, float], replies: Sequence[str]) -> dict[str, Any]:
    """Return the fields of a record that the votes decide.

    Args:
        votes: of the item.
        correct: reply -> the task's own score of it, in [0, 1], for every reply that is not missing.
        replies: one a trial.
    """
    answered = [reply for reply, vote in zip(replies, votes.votes, strict=True) if vote != MISSING]
    scores = [correct[reply] for reply in answered]
    accuracy = sum(scores) / len(scores) if scores else None
    confidence = votes.confidence()
    return {
        "k": votes.k,
        "k_rule": votes.k_rule,
        "options": list(votes.options),
        "votes": list(votes.votes),
        "correct": scores,
        "trials": len(answered),
        "distinct_replies": len(set(answered)),
        "accuracy": accuracy,
        "confidence": confidence,
        "calibration_shift": None if accuracy is None or confidence is None else confidence - accuracy,
        "unread_rate": sum(vote == UNREAD for vote in votes.votes) / len(answered) if answered else None,
        "missing_rate": (len(replies) - len(answered)) / len(replies) if replies else None,
    }
