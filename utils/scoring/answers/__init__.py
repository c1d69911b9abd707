"""From a model's free text to the letter that it answers, or to the finding that it gives none."""

from .flags import FLAG_LETTER, AnswerWithFlag, read_answer_and_flag, read_answer_or_flag
from .probabilities import LetterProbabilities, is_failed_probabilities, read_probabilities, write_probabilities
from .reading import TIERS, Reading, is_missing_trial, read_answer, read_reply
from .stated import AnswerWithConfidence, read_answer_and_confidence

__all__ = [
    "FLAG_LETTER",
    "TIERS",
    "AnswerWithConfidence",
    "AnswerWithFlag",
    "LetterProbabilities",
    "Reading",
    "is_failed_probabilities",
    "is_missing_trial",
    "read_answer",
    "read_answer_and_confidence",
    "read_answer_and_flag",
    "read_answer_or_flag",
    "read_probabilities",
    "read_reply",
    "write_probabilities",
]
