"""The choice of each row's next token: temperature and truncation as the call wants them, then the trial's noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .noise import TrialNoise

if TYPE_CHECKING:
    import torch
    from transformers import GenerationConfig, LogitsProcessor


class Drawing:
    """Draws for the rows of one decode, which have the same settings."""

    def __init__(self, config: GenerationConfig, seeds: Sequence[int], device: torch.device, *, noisy: bool) -> None:
        """Start the generators.

        Args:
            config: the call's settings.
            seeds: one per row.
            device: where the scores lie.
            noisy: False takes the most likely token instead of a drawn one.
        """
        import torch

        self._warpers = _warpers(config) if noisy else []
        self._noise = TrialNoise(seeds, device) if noisy else None
        ends = config.eos_token_id
        ends = [] if ends is None else [ends] if isinstance(ends, int) else list(ends)
        self._ends = torch.tensor(ends, dtype=torch.long, device=device)

    def ended(self, tokens: torch.Tensor) -> torch.Tensor:
        """Which of the tokens end a reply; of their shape."""
        import torch

        return torch.isin(tokens.to(self._ends.device), self._ends)

    def tokens(self, ids: torch.Tensor, scores: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
        """Return the next token of some rows, (rows,), from the scores of one position, (vocabulary,).

        Args:
            ids: what stands before it, (1, tokens).
            scores: of the position.
            rows: the rows' numbers.
        """
        every = scores.float().expand(len(rows), -1)
        return self._noised(ids.expand(len(rows), -1), every, rows).argmax(-1)

    def _noised(self, ids: torch.Tensor, scores: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
        """(rows, vocabulary) whose largest entries are the drawn tokens."""
        for warper in self._warpers:
            scores = warper(ids, scores)
        if self._noise is None:
            return scores
        return scores.double() + self._noise.draw(scores.shape[-1], rows).to(scores.device)

    def processor(self, rows: Sequence[int], started: int) -> LogitsProcessor:
        """Return what stands last before the choice of a call of `generate` that goes on with these rows.

        Args:
            rows: the rows' numbers.
            started: tokens in a row when the call begins. A row that has ended by then is ended again at once.
        """
        from transformers import LogitsProcessor

        drawing = self

        class Noised(LogitsProcessor):
            def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
                chosen = drawing._noised(input_ids, scores, rows)
                if input_ids.shape[1] == started and len(drawing._ends):
                    over = drawing.ended(input_ids[:, -1]).to(chosen.device)
                    chosen[over] = float("-inf")
                    chosen[over, drawing._ends[0]] = 0.0
                return chosen

        return Noised()


def _warpers(config: GenerationConfig) -> list[Any]:
    """As transformers orders them; a setting at its neutral value gives none."""
    import transformers

    made: list[Any] = []
    if config.temperature is not None and config.temperature != 1.0:
        made.append(transformers.TemperatureLogitsWarper(config.temperature))
    if config.top_k:
        made.append(transformers.TopKLogitsWarper(config.top_k))
    if config.top_p is not None and config.top_p < 1.0:
        made.append(transformers.TopPLogitsWarper(config.top_p))
    if config.min_p is not None:
        made.append(transformers.MinPLogitsWarper(config.min_p))
    if config.typical_p is not None and config.typical_p < 1.0:
        made.append(transformers.TypicalLogitsWarper(config.typical_p))
    if config.epsilon_cutoff:
        made.append(transformers.EpsilonLogitsWarper(config.epsilon_cutoff))
    if config.eta_cutoff:
        made.append(transformers.EtaLogitsWarper(config.eta_cutoff))
    return made
