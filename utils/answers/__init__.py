"""From a model's free text to the letter that it answers, or to the finding that it gives none."""

from .reading import is_missing_trial, read_answer

__all__ = ["is_missing_trial", "read_answer"]
