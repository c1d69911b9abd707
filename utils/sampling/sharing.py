"""A block of trials through an integration that asks for one reply at a time.

The integration prepares the prompt, calls `generate` and turns ids into text, once per reply. Its first call is
answered with the first row of a whole block; for every further row that differs from those before it is called again,
and gets that row without the model being asked. So the text of a reply is always what the integration makes of it.
Whether that gives what one call per reply gives is tried on the preflight's image before the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..base.errors import one_line
from .block import BLOCK, BlockReplies, CannotShare, generate_block
from .integration import Integration
from .remembering import equal, remembering

if TYPE_CHECKING:
    import torch

_CHECKED_TOKENS = 4
# Largest difference of logits, as a share of their range: other kernels differ by less, wrong positions by more.
_TOLERANCE, _TOLERANCE_IN_16_BITS = 2e-3, 3e-2


class Sharing:
    """How the trials of an item share their prompt.

    Attributes:
        why_not: why they do not, or None. Known after `check` was around a call of the integration.
        at_once: the most rows decoded together so far; fewer than `BLOCK` after memory ran out.
        fallbacks: reason -> trials that were asked one at a time though sharing works in general.
    """

    def __init__(self, integration: Integration) -> None:
        """Nothing is known yet."""
        self.integration = integration
        self.why_not: str | None = "the integration does not answer through the model's generate()"
        self.at_once = BLOCK
        self.fallbacks: Counter[str] = Counter()
        self._asking: _Asking | None = None

    def told(self) -> dict[str, Any]:
        """Return what the results file says of it, as JSON values."""
        shared = self.why_not is None
        return {
            "block": BLOCK if shared else None,
            "why_not": self.why_not,
            "rows_at_once": self.at_once if shared else None,
            "asked_one_by_one": dict(self.fallbacks),
        }

    # --- Before the run -----------------------------------------------------------------------------------

    def check(self, generate: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Stand around `generate`: answer the call, and try whether a block would have given the same."""
        self.why_not = self._difference(generate, args, kwargs)
        return generate(*args, **kwargs)

    def _difference(self, generate: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
        import torch

        if args:
            return "the integration passes the prompt by position"
        model = self.integration.model
        if model is None:
            return "there is no model in this process"
        ours = {**kwargs, "max_new_tokens": _CHECKED_TOKENS, "min_new_tokens": _CHECKED_TOKENS}
        ours.update(do_sample=False, temperature=None, top_k=None, top_p=None)
        try:
            shared = generate_block(model, generate, ours, (0, 1), noisy=False, with_logits=True)
            alone = generate(**{**ours, "return_dict_in_generate": True, "output_logits": True})
        except CannotShare as reason:
            return str(reason)
        except Exception as error:  # anything may be in the way of an architecture that nobody tried
            return f"two rows at once fail ({type(error).__name__}: {one_line(error, 200)})"
        logits = torch.stack([step[0] for step in alone.logits]).float()
        tolerance = _TOLERANCE if model.dtype == torch.float32 else _TOLERANCE_IN_16_BITS
        finite = logits[logits.isfinite()]
        allowed = tolerance * float(finite.max() - finite.min()) if len(finite) else 0.0
        for row in shared.logits or ():
            # From the first token on that differs, which a tie can do, the texts go different ways.
            same = _steps_before_a_difference(alone.sequences[0], shared.rows[0], kwargs["input_ids"].shape[1])
            apart = (row[:same].float() - logits[:same]).nan_to_num().abs().max()
            if float(apart) > allowed:
                return f"a row of several differs from one alone (logits by {float(apart):.3g})"
        return None

    # --- During the run -----------------------------------------------------------------------------------

    def ask(self, call: Callable[[], Any], seeds: Sequence[int]) -> list[Any]:
        """Return what the integration makes of each of a block's replies.

        Args:
            call: asks the integration for one reply.
            seeds: one per trial.

        Raises:
            CannotShare: if this request has to be asked one at a time.
        """
        self._asking = asking = _Asking(seeds)
        try:
            with remembering(self.integration):
                outputs = [asking.call(call, row=0)]
                by_ids = {tuple(asking.replies.rows[0].tolist()): outputs[0]}
                for row, ids in enumerate(asking.replies.rows[1:], start=1):
                    if (known := tuple(ids.tolist())) not in by_ids:
                        by_ids[known] = asking.call(call, row=row)
                    outputs.append(by_ids[known])
        finally:
            self._asking = None
        self.at_once = min(self.at_once, asking.replies.at_once)
        return outputs

    @property
    def asking(self) -> bool:
        """Whether the next call of `generate` belongs to a block."""
        return self._asking is not None

    def around(self, generate: Callable[..., Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        """Stand around `generate` while a block is asked: (1, tokens), the prompt and one row's reply."""
        assert self._asking is not None
        return self._asking.answer(self.integration.model, generate, args, kwargs, self.at_once)


def together(told: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what all ranks told, as one: numbers added, the least rows at once, and the first reason there is."""
    one = dict(told[0])
    one["why_not"] = next((rank["why_not"] for rank in told if rank["why_not"]), None)
    if "items_in_one_request" in one:
        one["items_in_one_request"] = sum(rank["items_in_one_request"] for rank in told)
        return one
    one_by_one: Counter[str] = Counter()
    for rank in told:
        one_by_one.update(rank["asked_one_by_one"])
    one["asked_one_by_one"] = dict(sorted(one_by_one.items()))
    at_once = [rank["rows_at_once"] for rank in told if rank["rows_at_once"] is not None]
    one["rows_at_once"] = min(at_once) if at_once else None
    return one


class _Asking:
    """One block: its replies once the first call has made them, and which row the current call gets."""

    replies: BlockReplies

    def __init__(self, seeds: Sequence[int]) -> None:
        self.seeds = seeds
        self._inputs: dict[str, Any] | None = None
        self._refused: CannotShare | None = None
        self._row = self._calls = 0

    def call(self, call: Callable[[], Any], row: int) -> Any:
        """Have the integration make an output of a row."""
        self._row, self._calls = row, 0
        output = call()
        if self._refused is not None:  # an integration may have swallowed it
            raise self._refused
        return output

    def answer(
        self, model: Any, generate: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], at_once: int
    ) -> torch.Tensor:
        try:
            self._calls += 1
            if args:
                raise CannotShare("the integration passes the prompt by position")
            if self._calls > 1:
                raise CannotShare("the integration asks the model several times per reply")
            if self._inputs is None:
                self.replies = generate_block(model, generate, kwargs, self.seeds, at_once=at_once)
                self._inputs = kwargs
            elif not equal(_tensors(self._inputs), _tensors(kwargs)):
                raise CannotShare("the integration makes another prompt of the same request")
        except CannotShare as reason:
            self._refused = reason
            raise
        return self.replies.rows[self._row][None]


def _steps_before_a_difference(one: torch.Tensor, other: torch.Tensor, prompt: int) -> int:
    """Positions whose logits both rows reached over the same tokens; at least the first."""
    equal = (one[prompt:] == other[prompt:]).long()
    return min(int(equal.cumprod(0).sum()) + 1, len(equal))


def _tensors(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What of a call's arguments is the prompt."""
    import torch

    return {name: value for name, value in inputs.items() if isinstance(value, torch.Tensor)}
