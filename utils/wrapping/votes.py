"""From the replies to one item of any task to votes, K and confidence.

Where the prompt offers options by letter, or the answer is yes or no, K is the number of options and the paper's
confidence applies as it is. Where the answer is a short text, votes are the different answers, told apart by the task's
own scoring (`same_answer`), and K is what the caller says. Nobody knows how many answers are possible otherwise; the
number of those seen would make confidence rise where the answers scatter more, so the entropy is then taken relative to
log T, its largest value in T trials, the same for all items. The record says which.

In all three, replies that the task scores fully right are one answer.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..scoring.answers import is_missing_trial, read_answer
from ..scoring.confidence import MISSING, UNREAD, normalised_entropy_confidence
from .same_answer import ByTheTasksScoring, merged

RECORD = "medqdeg_wrapped"
"""The key of a sample that holds the item's record."""

BY_LETTER, YES_NO, GIVEN, OPEN = "letters in the prompt", "yes or no", "given", "open"
"""Where K comes from; with an open number of answers, T stands for it."""

LOG_K, LOG_T = "log K", "log T"
"""What the entropy of the votes is relative to: the numbers of options, or of trials."""

_OPTION = re.compile(r"^\s*\(?([A-Z])\s*[).:]\)?[^\S\n]+(\S.*?)\s*$", re.MULTILINE)
_ARTICLES = re.compile(r"^(?:a|an|the)\s+")


@dataclass(frozen=True)
class Votes:
    """The votes of one item.

    Attributes:
        votes: one entry per trial: an option, a normalised answer, "unread" or "missing".
        options: the options, or the different answers seen.
        k: the number of options that confidence is relative to; T, missing trials included, where it is open.
        k_rule: where K comes from, one of `BY_LETTER`, `YES_NO`, `GIVEN` and `OPEN`.
        right: the right one of the options, or None: not known, or not among them.
    """

    votes: tuple[str, ...]
    options: tuple[str, ...]
    k: int
    k_rule: str
    right: str | None = None

    @property
    def scale(self) -> str:
        """What the entropy is relative to, `LOG_K` or `LOG_T`."""
        return LOG_T if self.k_rule == OPEN else LOG_K

    def confidence(self) -> float | None:
        """Return 1 - H / log K, at least 0, or None if every trial is missing.

        An unread vote is spread evenly over the K. More answers than a given K leave K as it is: confidence is never
        higher for votes that scatter more.
        """
        counts = Counter(self.votes)
        unread, trials = counts.pop(UNREAD, 0), len(self.votes) - counts.pop(MISSING, 0)
        if trials == 0:
            return None
        if self.k < 2:
            return 1.0 - unread / trials
        masses = [counts.get(option, 0) for option in self.options] + [0] * (self.k - len(self.options))
        shares = [(mass + unread / len(masses)) / trials for mass in masses]
        return normalised_entropy_confidence(shares, self.k)


def count_votes(
    replies: Sequence[str],
    prompt: Any,
    target: Any,
    k: int | None = None,
    correct: Mapping[str, float] | None = None,
    scoring: ByTheTasksScoring | None = None,
) -> Votes:
    """Read the replies to one item.

    Args:
        replies: one a trial, as the task's own scoring gets them.
        prompt: the text of the request; options are read from its last run of lettered lines.
        target: the right answer; a yes or a no means that both are the options.
        k: for short texts: how many different answers are possible; None leaves that open.
        correct: reply -> the task's score of it in [0, 1]; those with 1 are one answer, the right one.
        scoring: for short texts: which other replies are one answer; None compares normalised texts.
    """
    if options := options_in_prompt(str(prompt)):
        read = [read_answer(reply, options) or UNREAD for reply in replies]
        return _among_options(replies, read, tuple(options), BY_LETTER, _letter_of(target, options), correct or {})
    if isinstance(target, str) and normalise(target) in ("yes", "no"):
        read = [_yes_or_no(reply) for reply in replies]
        return _among_options(replies, read, ("yes", "no"), YES_NO, normalise(target), correct or {})
    return _short_texts(replies, target, k, correct or {}, scoring)


def _among_options(
    replies: Sequence[str],
    read: Sequence[str],
    options: tuple[str, ...],
    rule: str,
    right: str | None,
    correct: Mapping[str, float],
) -> Votes:
    fully_right = [vote for reply, vote in zip(replies, read, strict=True) if correct.get(reply) == 1.0]
    if right is None and (known := Counter(vote for vote in fully_right if vote != UNREAD)):
        right = known.most_common(1)[0][0]
    votes = tuple(
        MISSING if is_missing_trial(reply) else right if right and correct.get(reply) == 1.0 else vote
        for reply, vote in zip(replies, read, strict=True)
    )
    return Votes(votes, options, len(options), rule, right)


def _short_texts(
    replies: Sequence[str],
    target: Any,
    k: int | None,
    correct: Mapping[str, float],
    scoring: ByTheTasksScoring | None,
) -> Votes:
    answered = [reply for reply in replies if not is_missing_trial(reply)]
    right = normalise(str(target)) if isinstance(target, str | int | float) else None
    fully_right = [reply for reply in answered if correct.get(reply) == 1.0]
    if fully_right and not right:
        right = normalise(fully_right[0]) or fully_right[0].strip() or None
    labels = merged([reply for reply in answered if reply not in fully_right], normalise, scoring)
    if right:
        labels.update(dict.fromkeys(fully_right, right))
    votes = tuple(MISSING if is_missing_trial(reply) else labels.get(reply) or UNREAD for reply in replies)
    seen = tuple(sorted(set(votes) - {MISSING, UNREAD}))
    return Votes(votes, seen, k or len(replies), GIVEN if k else OPEN, right)


def _letter_of(target: Any, options: Mapping[str, str]) -> str | None:
    """The option that a task's target names: by its letter, or by its text."""
    if not isinstance(target, str):
        return None
    letter = target.strip(" ().").upper()
    if letter in options:
        return letter
    named = [letter for letter, text in options.items() if normalise(text) == normalise(target)]
    return named[0] if len(named) == 1 else None


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
        "confidence_scale": votes.scale,
        "options": list(votes.options),
        "right_vote": votes.right,
        "right_votes_scored_0": sum(
            vote == votes.right and correct[reply] == 0.0
            for reply, vote in zip(replies, votes.votes, strict=True)
            if vote != MISSING
        ),
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
