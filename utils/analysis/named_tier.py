"""What a run's scores owe to the last tier of reading: options named in a sentence (`scoring.answers.named`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..scoring.answers.reading import OPTION_NAMED
from ..scoring.confidence import VoteScores, score_votes
from ..scoring.elicitation import VERBALIZED, score_stated
from ..scoring.level_summary import mean
from ..scoring.records import letters_without_named
from .runs.run import Run


@dataclass(frozen=True)
class NamedTier:
    """One level's scores with the tier and without, where its replies are unread.

    Attributes:
        level: "L0", "L1" or "L2".
        trials: replies that the tier reads.
        of: answered trials of the level.
        accuracy: with and without, in [0, 1].
        shift: Calibration Shift with and without, in [-1, 1]; None where no item has one (verbalized, and no reply with
            a statement can be read).
    """

    level: str
    trials: int
    of: int
    accuracy: tuple[float, float]
    shift: tuple[float | None, float | None]


def named_tier(run: Run) -> Iterator[NamedTier]:
    """Yield the levels of a run in which the tier reads a reply; records of schema 1 and 2 have none."""
    for level in run.levels:
        records = [record for record in run.records if record["level"] == level and record["accuracy"] is not None]
        trials = sum((record.get("read_as") or []).count(OPTION_NAMED) for record in records)
        if not trials:
            continue
        without = [scores for record in records if (scores := _scores_without(record))]
        yield NamedTier(
            level,
            trials,
            sum(record["trials"] for record in records),
            (mean(record["accuracy"] for record in records) or 0.0, mean(scores.accuracy for scores in without) or 0.0),
            (
                mean(record["calibration_shift"] for record in records),
                mean(scores.calibration_shift for scores in without),
            ),
        )


def lines(run: Run) -> Iterator[str]:
    """Yield one line per level in which the scores differ without the tier."""
    for found in named_tier(run):
        if found.accuracy[0] != found.accuracy[1] or found.shift[0] != found.shift[1]:
            yield (
                f"{run.name}, {found.level}: {found.trials} of {found.of} replies name an option in a sentence; with "
                f"them read accuracy {found.accuracy[0]:.3f}, shift {_signed(found.shift[0])}; unread "
                f"{found.accuracy[1]:.3f}, {_signed(found.shift[1])}"
            )


def _scores_without(record: Mapping[str, Any]) -> VoteScores | None:
    letters = letters_without_named(record)
    if record.get("elicitation") == VERBALIZED:
        return score_stated(letters, record["stated"], record["options"], record["answer"])
    return score_votes(letters, record["options"], record["answer"])


def _signed(shift: float | None) -> str:
    return "none" if shift is None else f"{shift:+.3f}"
