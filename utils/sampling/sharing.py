"""Whether the trials of an item share its prompt, and several items one decode: found out, used and told.

The integration prepares a request (`preparing`), the model reads it and decodes a block of ten replies or those of
several items (`block`), and the integration's own way of reading ids gives the texts: by its decoding, or where it does
more with a text than decode it, by a further call of the integration per row that differs (a replay). Whether that
gives what one call per reply gives is tried on the preflight's image before the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..base.errors import one_line
from .block import BLOCK, Prompt, decode_blocks, read_prompt
from .integration import Integration
from .keys import in_blocks
from .preparing import Preparation, Prepared
from .remembering import equal, remembering
from .shareable import CannotPad, CannotShare

if TYPE_CHECKING:
    import torch

PADDED_TO = 64
"""In 16 bits prompts are filled up to a multiple of so many tokens, so that who else is decoded changes no shape."""

_ROWS_OF_AN_ITEM = 10 * BLOCK
"""In float32, where other numbers of rows move logits by rounding alone."""

_CHECKED_TOKENS, _LONGER = 4, 5
# Largest difference of logits, as a share of their range: other kernels differ by less, wrong positions by more.
_TOLERANCE, _TOLERANCE_IN_16_BITS = 2e-3, 3e-2


class Sharing:
    """How the trials of an item share their prompt, and how many items are decoded at once.

    Attributes:
        why_not: why trials do not share, or None. Known after `check` was around a call of the integration.
        why_alone: why each item is decoded by itself, or None.
        items: how many are decoded at once; halved where memory ran out.
        most_rows: of one item to decode at once: a block where shapes are fixed, else several; halved where memory
            ran out.
        fallbacks: reason -> trials that were asked one at a time though sharing works in general.
        together: blocks that were decoded beside others; in 16 bits beside copies of themselves, to fill up.
        alone: reason -> blocks that were decoded by themselves though several items at once work in general.
    """

    def __init__(self, integration: Integration, batch: int = 1) -> None:
        """Nothing is known yet.

        Args:
            integration: the inner model.
            batch: items to decode at once.
        """
        self.integration = integration
        self.why_not: str | None = "the integration does not answer through the model's generate()"
        self.why_alone: str | None = "batch=1" if batch == 1 else None
        self.asked_for = self.items = batch
        self.most_rows = BLOCK if self.fixed else _ROWS_OF_AN_ITEM
        self.fallbacks: Counter[str] = Counter()
        self.together = 0
        self.alone: Counter[str] = Counter()
        self._hook: Preparation | _Replay | None = None

    @property
    def fixed(self) -> bool:
        """Whether shapes are fixed, since another one would move logits by more than rounding does in float32."""
        import torch

        model = self.integration.model
        return model is not None and model.dtype not in (torch.float32, torch.float64)

    @property
    def items_at_once(self) -> int:
        """How many items are decoded at once from now on."""
        return 1 if self.why_alone else self.items

    @property
    def drawing(self) -> str:
        """How blocks are drawn from now on, as their keys say it."""
        return in_blocks(self.items_at_once if self.fixed else 1, PADDED_TO)

    def note_rows(self, at_once: int, *, of: int) -> None:
        """Note how many rows of one item were decoded at once, of how many that were asked."""
        if at_once < min(of, self.most_rows):
            self.most_rows = at_once

    def told(self) -> dict[str, Any]:
        """Return what the results file says of it, as JSON values."""
        shared = self.why_not is None
        batch = {
            "asked_for": self.asked_for,
            "items_at_once": self.items_at_once if shared else 1,
            "why_not": self.why_not or self.why_alone,
            "blocks_together": self.together,
            "blocks_alone": dict(self.alone),
        }
        return {
            "block": BLOCK if shared else None,
            "why_not": self.why_not,
            "rows_at_once": min(BLOCK, self.most_rows) if shared else None,
            "asked_one_by_one": dict(self.fallbacks),
            "batch": batch if self.asked_for > 1 else None,
        }

    # --- Before the run -----------------------------------------------------------------------------------

    def check(self, generate: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Stand around `generate`: answer the call, and try whether a block would have given the same."""
        self.why_not = self._tried(generate, args, kwargs)
        return generate(*args, **kwargs)

    def _tried(self, generate: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
        if self.integration.model is None:
            return "there is no model in this process"
        if args:
            return "the integration passes the prompt by position"
        ours = {**kwargs, "max_new_tokens": _CHECKED_TOKENS, "min_new_tokens": _CHECKED_TOKENS}
        ours.update(do_sample=False, temperature=None, top_k=None, top_p=None)
        try:
            if difference := self._difference(generate, [ours], "a row of several"):
                return difference
        except CannotShare as reason:
            return str(reason)
        except Exception as error:  # anything may be in the way of an architecture that nobody tried
            return f"two rows at once fail ({_named(error)})"
        if self.why_alone is None:
            try:
                self.why_alone = self._difference(generate, [ours, _longer(ours)], "a row beside a longer one")
            except Exception as error:
                why = str(error) if isinstance(error, CannotPad) else f"two items at once fail ({_named(error)})"
                self.why_alone = why
        return None

    def _difference(self, generate: Callable[..., Any], calls: Sequence[dict[str, Any]], what: str) -> str | None:
        """How two rows of each of some calls, decoded together, differ from the calls by themselves, or None."""
        import torch

        model = self.integration.model
        assert model is not None
        prompts = [read_prompt(model, generate, call, with_logits=True) for call in calls]
        blocks = decode_blocks(model, generate, [(prompt, (0, 1)) for prompt in prompts], noisy=False, with_logits=True)
        tolerance = _TOLERANCE_IN_16_BITS if self.fixed else _TOLERANCE
        for call, block in zip(calls, blocks, strict=True):
            alone = generate(**{**call, "return_dict_in_generate": True, "output_logits": True})
            logits = torch.stack([step[0] for step in alone.logits]).float()
            finite = logits[logits.isfinite()]
            allowed = tolerance * float(finite.max() - finite.min()) if len(finite) else 0.0
            for row, ids in zip(block.logits or (), block.rows, strict=True):
                # From the first token on that differs, which a tie can do, the texts go different ways.
                same = _steps_before_a_difference(alone.sequences[0], ids, call["input_ids"].shape[1])
                apart = (row[:same].float() - logits[:same]).nan_to_num().abs().max()
                if float(apart) > allowed:
                    return f"{what} differs from one alone (logits by {float(apart):.3g})"
        return None

    # --- During the run -----------------------------------------------------------------------------------

    @property
    def asking(self) -> bool:
        """Whether the next call of `generate` belongs to a block."""
        return self._hook is not None

    def around(self, generate: Callable[..., Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        """Stand around `generate` while a block is asked: (1, tokens), the prompt and a reply or its stand-in."""
        assert self._hook is not None
        return self._hook.answer(generate, args, kwargs)

    def prepare(self, call: Callable[[], Any]) -> Prepared:
        """Have the integration prepare a request.

        Args:
            call: asks the integration for one reply.

        Raises:
            CannotShare: if this request has to be asked one at a time.
        """
        self._hook = preparation = Preparation(self.integration)
        try:
            return preparation.run(call)
        finally:
            self._hook = None

    def read(self, prepared: Prepared) -> Prompt:
        """Have the model read a prepared request.

        Raises:
            CannotShare: if this request has to be asked one at a time.
        """
        with prepared.surroundings():
            return read_prompt(self.integration.model, prepared.generate, prepared.inputs)

    def outputs(self, call: Callable[[], Any], prepared: Prepared, rows: Sequence[torch.Tensor]) -> list[Any]:
        """Return what the integration makes of each reply.

        Args:
            call: asks the integration for one reply; called only where it has to be.
            prepared: the request.
            rows: prompt and reply, (tokens,), of each trial.

        Raises:
            CannotShare: if this request has to be asked one at a time.
        """
        start = prepared.inputs["input_ids"].shape[1]
        made: dict[tuple[int, ...], Any] = {}
        if prepared.read is not None:
            for row in rows:
                if (known := tuple(row.tolist())) not in made:
                    made[known] = prepared.read(row[start:])
        else:
            self._hook = replay = _Replay(prepared)
            try:
                with remembering(self.integration):
                    for row in rows:
                        if (known := tuple(row.tolist())) not in made:
                            made[known] = replay.call(call, row)
            finally:
                self._hook = None
        return [made[tuple(row.tolist())] for row in rows]


def together(told: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what all ranks told, as one: numbers added, the least rows at once, and the first reason there is."""
    one = dict(told[0])
    one["why_not"] = _first_reason(told)
    if "items_in_one_request" in one:
        one["items_in_one_request"] = sum(rank["items_in_one_request"] for rank in told)
        return one
    one["asked_one_by_one"] = _added(rank["asked_one_by_one"] for rank in told)
    at_once = [rank["rows_at_once"] for rank in told if rank["rows_at_once"] is not None]
    one["rows_at_once"] = min(at_once) if at_once else None
    if one["batch"] is not None:
        batches = [rank["batch"] for rank in told]
        one["batch"] = {
            **one["batch"],
            "items_at_once": min(batch["items_at_once"] for batch in batches),
            "why_not": _first_reason(batches),
            "blocks_together": sum(batch["blocks_together"] for batch in batches),
            "blocks_alone": _added(batch["blocks_alone"] for batch in batches),
        }
    return one


def _first_reason(told: Sequence[dict[str, Any]]) -> str | None:
    return next((one["why_not"] for one in told if one["why_not"]), None)


def _added(counts: Any) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))


class _Replay:
    """Answers an integration's call with a reply that is already there."""

    def __init__(self, prepared: Prepared) -> None:
        self._inputs = prepared.inputs
        self._refused: CannotShare | None = None
        self._row: torch.Tensor | None = None

    def call(self, call: Callable[[], Any], row: torch.Tensor) -> Any:
        """Have the integration make an output of a row."""
        self._row = row
        output = call()
        if self._refused is not None:  # an integration may have swallowed it
            raise self._refused
        return output

    def answer(self, generate: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> torch.Tensor:
        try:
            if self._row is None:
                raise CannotShare("the integration asks the model several times per reply")
            if args or not equal(_tensors(self._inputs), _tensors(kwargs)):
                raise CannotShare("the integration makes another prompt of the same request")
        except CannotShare as reason:
            self._refused = reason
            raise
        row, self._row = self._row, None
        return row[None]


def _longer(call: dict[str, Any]) -> dict[str, Any]:
    """The same call with a prompt whose last token stands there a few times more."""
    import torch

    shape = call["input_ids"].shape
    longer = dict(call)
    for name, value in call.items():
        if isinstance(value, torch.Tensor) and value.shape == shape:
            longer[name] = torch.cat([value, *[value[:, -1:]] * _LONGER], dim=1)
    return longer


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {one_line(error, 200)}"


def _steps_before_a_difference(one: torch.Tensor, other: torch.Tensor, prompt: int) -> int:
    """Positions whose logits both rows reached over the same tokens; at least the first."""
    same = (one[prompt:] == other[prompt:]).long()
    return min(int(same.cumprod(0).sum()) + 1, len(same))


def _tensors(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What of a call's arguments is the prompt."""
    import torch

    return {name: value for name, value in inputs.items() if isinstance(value, torch.Tensor)}
