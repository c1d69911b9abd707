"""Ask blocks of trials: prepare items, decode as many blocks at once as the run wants and memory allows, store each.

Items wait until enough of them go together: those whose calls have the same settings and, where shapes are fixed (16
bits), whose prompts are filled up to the same length. A batch that stays short at the end is filled up with copies
where shapes are fixed, so that a reply never depends on who else is asked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from .block import BLOCK, Prompt, alike, decode_block, decode_blocks
from .keys import IN_BLOCKS, RequestKey
from .preparing import Prepared
from .remembering import with_one_image
from .shareable import CannotPad, CannotShare, check_padding, checked_config
from .sharing import PADDED_TO, Sharing
from .store import Response, ResponseStore
from .trials import Trial

Answers = list[Response | str]
"""A stored response for each trial, or the text that stands for a failed request."""


class Asker(Protocol):
    """What asking a block needs of the sampler."""

    @property
    def store(self) -> ResponseStore:
        """Where responses are kept."""

    def output(self, trial: Trial) -> Any:
        """Return what the integration makes of a trial; raises what went wrong in it."""

    def response(self, output: Any) -> Response:
        """Return what of an output is stored."""

    def one_by_one(self, trials: Sequence[Trial]) -> Answers:
        """Ask trials without sharing."""

    def failure(self, error: Exception) -> str:
        """Note an error and return the text that stands for the reply."""

    def drawn(self) -> None:
        """Note that replies were drawn from their own seeds."""


@dataclasses.dataclass
class _Item:
    """A prepared request. `alone` says why it is not decoded beside others, if it is not."""

    asked: Trial
    prepared: Prepared
    width: int | None
    kind: tuple[Any, ...]
    alone: str | None = None
    prompt: Prompt | None = None


@dataclasses.dataclass
class _Block:
    """One block of an item, and those of its trials that are wanted."""

    item: _Item
    key: RequestKey
    number: int
    wanted: list[Trial]

    @property
    def trials(self) -> range:
        return range(self.number * BLOCK, (self.number + 1) * BLOCK)


class BlockAsker:
    """Collects items and asks their blocks."""

    def __init__(self, asker: Asker, sharing: Sharing, sampling_seed: int) -> None:
        """Nothing waits yet."""
        self._asker, self._sharing, self._sampling_seed = asker, sharing, sampling_seed
        self._waiting: dict[tuple[Any, ...], list[_Block]] = {}

    def add(self, wanted: Sequence[Trial]) -> Iterator[tuple[Sequence[Trial], Answers]]:
        """Take the wanted trials of an item, and yield whatever is answered by now: trials and their answers."""
        try:
            item = self._prepare(wanted[0])
        except CannotShare as reason:
            yield wanted, self._one_by_one(wanted, reason)
            return
        except Exception as error:
            yield wanted, [self._asker.failure(error)] * len(wanted)
            return
        blocks: dict[int, list[Trial]] = {}
        for trial in wanted:
            blocks.setdefault(trial.trial // BLOCK, []).append(trial)
        waiting = self._waiting.setdefault(item.kind, [])
        waiting += [_Block(item, wanted[0].key, number, trials) for number, trials in blocks.items()]
        yield from self._ask(waiting, least=1 if item.alone else self._sharing.items_at_once)

    def finish(self) -> Iterator[tuple[Sequence[Trial], Answers]]:
        """Ask what still waits."""
        for waiting in self._waiting.values():
            yield from self._ask(waiting, least=1)

    def _prepare(self, trial: Trial) -> _Item:
        request = with_one_image(trial.request, chat=self._sharing.integration.chat)
        trial = dataclasses.replace(trial, request=request)
        prepared = self._sharing.prepare(lambda: self._asker.output(trial))
        kind: tuple[Any, ...] = (alike(prepared.inputs), prepared.autocast)
        width = alone = None
        if self._sharing.items_at_once > 1:
            try:
                check_padding(checked_config(self._sharing.integration.model, prepared.inputs), prepared.inputs)
                if self._sharing.fixed:
                    width = -(-prepared.inputs["input_ids"].shape[1] // PADDED_TO) * PADDED_TO
            except CannotPad as reason:
                alone = str(reason)
        return _Item(trial, prepared, width, (*kind, width, alone), alone)

    # --- Blocks that go together ----------------------------------------------------------------------------

    def _ask(self, waiting: list[_Block], least: int) -> Iterator[tuple[Sequence[Trial], Answers]]:
        """Ask waiting blocks, which go together, for as long as there are so many."""
        while len(waiting) >= least and waiting:
            most = 1 if waiting[0].item.alone else self._sharing.items_at_once
            if not self._sharing.fixed:  # nothing speaks against all blocks of an item at once
                most = max(most, sum(block.item is waiting[0].item for block in waiting))
            batch = waiting[:most]
            del waiting[:most]
            yield from self._ask_batch(batch)

    def _ask_batch(self, batch: Sequence[_Block]) -> Iterator[tuple[Sequence[Trial], Answers]]:
        import torch

        ready: list[_Block] = []
        for block in batch:
            if (answers := self._without_decoding(block)) is not None:
                yield block.wanted, answers
            else:
                ready.append(block)
        if not ready:
            return
        try:
            rows = self._decoded(ready)
        except torch.OutOfMemoryError as error:
            if self._sharing.items_at_once > 1 and not ready[0].item.alone:
                self._sharing.items = self._sharing.items_at_once // 2
                yield from self._ask(ready, least=1)
            else:
                yield from self._failed(ready, error)
            return
        except CannotPad as reason:
            for block in ready:
                block.item.alone = str(reason)
            for block in ready:
                yield from self._ask_batch([block])
            return
        except Exception as error:
            yield from self._failed(ready, error)
            return
        for block, replies in zip(ready, rows, strict=True):
            yield block.wanted, self._stored(block, replies)

    def _without_decoding(self, block: _Block) -> Answers | None:
        """The answers of a block that is stored as it is drawn by now, or None."""
        item = block.item
        drawn = block.key.drawn(IN_BLOCKS if item.alone else self._sharing.drawing)
        if drawn != block.key:  # less is decoded at once than when the key was made
            block.key = drawn
            stored = self._asker.store.responses(drawn)
            if all(trial.trial in stored for trial in block.wanted):
                return [stored[trial.trial] for trial in block.wanted]
        return None

    def _failed(self, blocks: Sequence[_Block], error: Exception) -> Iterator[tuple[Sequence[Trial], Answers]]:
        """What a batch could not do may still work for each of its blocks."""
        if len(blocks) == 1 and isinstance(error, CannotShare):
            yield blocks[0].wanted, self._one_by_one(blocks[0].wanted, error)
        elif len(blocks) == 1:
            yield blocks[0].wanted, [self._asker.failure(error)] * len(blocks[0].wanted)
        else:
            for block in blocks:
                yield from self._ask_batch([block])

    # --- The model ------------------------------------------------------------------------------------------

    def _decoded(self, blocks: Sequence[_Block]) -> list[list[Any]]:
        """The rows of each block."""
        sharing, item = self._sharing, blocks[0].item
        model, generate = sharing.integration.model, item.prepared.generate
        for block in blocks:
            if block.item.prompt is None:
                block.item.prompt = sharing.read(block.item.prepared)
        pairs = [(block.item.prompt, self._seeds(block)) for block in blocks if block.item.prompt is not None]
        at_once = 1 if item.alone else sharing.items_at_once
        of_one_item = all(block.item is item for block in blocks)
        with item.prepared.surroundings():
            if at_once > 1 and (sharing.fixed or not of_one_item):
                filled = [*pairs, *[pairs[-1]] * (at_once - len(pairs))] if sharing.fixed else pairs
                made = decode_blocks(model, generate, filled, width=item.width)
                sharing.together += len(pairs)
                return [one.rows for one in made[: len(pairs)]]
            seeds = [seed for _, block in pairs for seed in block]
            one = decode_block(model, generate, pairs[0][0], seeds, at_once=sharing.most_rows)
        sharing.note_rows(one.at_once, of=len(seeds))
        if item.alone or at_once > 1:
            sharing.alone[item.alone or "no other item was left"] += len(pairs)
        return [one.rows[start : start + BLOCK] for start in range(0, len(seeds), BLOCK)]

    def _seeds(self, block: _Block) -> list[int]:
        return [block.key.seed(trial, self._sampling_seed) for trial in block.trials]

    def _stored(self, block: _Block, rows: Sequence[Any]) -> Answers:
        """Store all of a block, so that more repeats find it, and return what is wanted of it."""
        item = block.item
        try:
            outputs = self._sharing.outputs(lambda: self._asker.output(item.asked), item.prepared, rows)
        except CannotShare as reason:
            return self._one_by_one(block.wanted, reason)
        except Exception as error:
            return [self._asker.failure(error)] * len(block.wanted)
        self._asker.drawn()
        responses = {trial: self._asker.response(out) for trial, out in zip(block.trials, outputs, strict=True)}
        stored = self._asker.store.add_all(block.key, responses)
        return [stored[trial.trial] for trial in block.wanted]

    def _one_by_one(self, wanted: Sequence[Trial], reason: CannotShare) -> Answers:
        self._sharing.fallbacks[str(reason)] += len(wanted)
        return self._asker.one_by_one(wanted)
