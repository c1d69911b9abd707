"""Answer every trial once: from the store where it has the reply, else by the inner model, whose reply is stored."""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from typing import Any

from lmms_eval.api.instance import GenerationResult, Instance, TokenCounts, unwrap_generation_output

from ..base.errors import one_line
from ..base.log import logger
from ..scoring.answers import LetterProbabilities, is_missing_trial, read_probabilities, write_probabilities
from ..scoring.answers.probabilities import FAILED_MARKER
from ..scoring.elicitation import EXACT
from . import exact
from .asking_blocks import BlockAsker
from .choices import Choices, why_no_choices
from .integration import Integration
from .neutral import neutral_arguments
from .progress import Progress, without_bars
from .seeding import REQUEST_SEED_BITS, Seeding
from .settings import Settings
from .shareable import CannotShare
from .sharing import Sharing
from .store import Response, ResponseStore
from .trials import Trial, TrialFinder

FAILED_REPLY = "[LMMS_EVAL_REQUEST_FAILED by medqdeg]"
"""Begins the text that stands for a reply that never came; `answers.is_missing_trial` knows it."""

HOPELESS = 10
"""So many errors in a row before the first reply end the run: it is the set-up that is wrong."""


class Sampler:
    """Stands in for an integration's `generate_until`."""

    store: ResponseStore
    """Where responses are kept; to be set before the first request."""

    def __init__(
        self, integration: Integration, settings: Settings, identity: Mapping[str, Any], sharing: Sharing
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            integration: the inner model, whose `generate_until` is still its own.
            settings: the wrapper's arguments.
            identity: what tells the inner model from another one; JSON values.
            sharing: whether the trials of an item share one prefill, found out before.
        """
        self.sharing = sharing
        self.choices = Choices(why_no_choices(integration, settings))
        self.integration, self.settings = integration, settings
        model = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        self.finder = TrialFinder(integration, settings, model, sharing)
        self.workers = settings.concurrency or integration.own_concurrency
        self.seeding = Seeding(integration, settings, self.workers)
        self.generate: Callable[[list[Instance]], list[Any]] = integration.lm.generate_until
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.warnings: list[str] = []
        self._first_token = exact.FirstToken()
        self._error: Exception | None = None
        self._errors_before_reply: int | None = 0

    # --- What lmms-eval calls -----------------------------------------------------------------------------

    def generate_until(self, requests: list[Instance]) -> list[GenerationResult]:
        """Return one result per request, in order. A request that failed gives a text that is no vote.

        Raises:
            SystemExit: with one line, if nothing can come of the run.
        """
        self.counts, self.warnings = defaultdict(Counter), []
        self.finder.warnings.clear()
        results: list[GenerationResult | None] = [None] * len(requests)
        lm = self.integration.lm
        progress = Progress(len(requests), shown=getattr(lm, "rank", 0) == 0)
        with ExitStack() as stack:
            stack.callback(progress.close)
            stack.enter_context(without_bars(self.generate))
            stack.enter_context(self._intercepted())
            failed = self._run(self._missing_trials(requests, results, progress), results, progress)
            for _ in range(self.settings.retries):
                if failed:
                    logger.warning(f"medqdeg: {len(failed)} requests failed and are asked again")
                    progress.retry(sum(len(trial.places) for trial in failed))
                    self._count(failed, "failed", -1)
                    failed = self._run(iter(failed), results, progress)
        self.warnings += self.finder.warnings
        if failed:
            self.warnings.append(
                f"{len(failed)} requests failed for good: their trials are missing; a rerun asks them again"
            )
        if self.seeding.seen()[0] is False and self.integration.client is None:
            self.warnings.append(f"not seeded: {self.seeding.seen()[1]}; another run would draw other replies")
        if self.sharing.fallbacks:
            reasons = "; ".join(sorted(self.sharing.fallbacks))
            self.warnings.append(f"{sum(self.sharing.fallbacks.values())} trials were asked one by one: {reasons}")
        if self.choices.refused:
            self.warnings.append(f"one request per trial: {self.choices.why_not}")
        for warning in self.warnings:
            logger.warning(f"medqdeg: {warning}")
        return [result if result is not None else GenerationResult(text="") for result in results]

    # --- Which trials are there, which are asked ----------------------------------------------------------

    def _missing_trials(
        self, requests: Sequence[Instance], results: list[GenerationResult | None], progress: Progress
    ) -> Iterator[Trial]:
        """Fill in what the store has and yield the rest, in order, each as soon as it is known."""
        for trial, stored in self.finder.trials(requests, self.store):
            if trial is None:
                progress.reuse(1)  # lmms-eval throws these replies away
                continue
            self._count([trial], "requested", 1)
            if stored is None:
                yield trial
            else:
                self._fill(results, trial.places, self._result(stored))
                self._count([trial], "reused", 1)
                progress.reuse(len(trial.places))

    # --- Asking -------------------------------------------------------------------------------------------

    def _run(self, trials: Iterator[Trial], results: list[GenerationResult | None], progress: Progress) -> list[Trial]:
        """Ask the trials and return those that failed."""
        failed: list[Trial] = []

        def finish(chunk: Sequence[Trial], answers: Sequence[Response | str]) -> None:
            for trial, answer in zip(chunk, answers, strict=True):
                if isinstance(answer, str):
                    failed.append(trial)
                    self._fill(results, trial.places, GenerationResult(text=answer))
                    self._count([trial], "failed", 1)
                    for _ in trial.places:
                        progress.fail()
                else:
                    self._fill(results, trial.places, self._result(answer))
                    self._count([trial], "asked", 1)
                    for _ in trial.places:
                        progress.answer()

        chunks = self._chunks(trials)
        if self.workers == 1:
            blocks = BlockAsker(self, self.sharing, self.settings.sampling_seed)
            for chunk in chunks:
                if chunk[0].key.in_blocks:
                    for answered in blocks.add(chunk):
                        finish(*answered)
                else:
                    finish(chunk, self._ask_group(chunk))
            for answered in blocks.finish():
                finish(*answered)
            return failed
        while not self.choices.decided and (chunk := next(chunks, [])):
            finish(chunk, self._ask_group(chunk))
        with ThreadPoolExecutor(self.workers, thread_name_prefix="medqdeg") as pool:
            pending: dict[Future[list[Response | str]], list[Trial]] = {}
            try:
                for chunk in chunks:
                    pending[pool.submit(self._ask_group, chunk)] = chunk
                    if len(pending) >= 2 * self.workers:
                        for future in wait(pending, return_when=FIRST_COMPLETED).done:
                            finish(pending.pop(future), future.result())
                while pending:
                    for future in wait(pending, return_when=FIRST_COMPLETED).done:
                        finish(pending.pop(future), future.result())
            finally:
                for future in pending:
                    future.cancel()
        return failed

    def _chunks(self, trials: Iterator[Trial]) -> Iterator[list[Trial]]:
        """Trials that are asked together: those of one group, or `chunk` others."""
        for group, members in itertools.groupby(trials, key=lambda trial: trial.group):
            if group is not None:
                yield list(members)
            else:
                while chunk := list(itertools.islice(members, self.settings.chunk)):
                    yield chunk

    def _ask_group(self, chunk: Sequence[Trial]) -> list[Response | str]:
        if len(chunk) > 1 and chunk[0].group is not None and self.integration.client is not None:
            return self._ask_choices(chunk)
        return self._ask(chunk)

    def _ask_choices(self, wanted: Sequence[Trial]) -> list[Response | str]:
        """The same for trials of one item on a server that may give several choices at once."""
        if self.choices.why_not is not None:
            return [answer for trial in wanted for answer in self._ask([trial])]
        first, decided = wanted[0], self.choices.decided
        seed = first.key.seed(first.trial, self.settings.sampling_seed, REQUEST_SEED_BITS)
        try:
            outputs = self.choices.ask(lambda: self._call([first])[0], seed, len(wanted))
        except Exception as error:
            self._note_error(error)
            return [self._failure(one_line(error, 200))] * len(wanted)
        texts = [_response(output).reply for output in outputs]
        copies = not decided and self.choices.why_not is None and len(set(texts)) == 1 and len(wanted) > 1
        if copies and not is_missing_trial(texts[0]):
            outputs = outputs[:1]  # perhaps copies: the others are asked singly
        elif len(set(texts)) > 1:
            self.choices.accept()
        answers = self._kept(wanted[: len(outputs)], outputs)
        if is_missing_trial(texts[0]):
            return answers * len(wanted)
        rest = [answer for trial in wanted[len(outputs) :] for answer in self._ask([trial])]
        if copies and len(outputs) == 1:
            self.choices.weigh(texts[0], [answer.reply for answer in rest if isinstance(answer, Response)])
        return [*answers, *rest]

    # --- What blocks of trials need -------------------------------------------------------------------------

    def output(self, trial: Trial) -> Any:
        """Return what the integration makes of a trial of a block; raises what went wrong in it."""
        self._error = None
        (output,) = self._call([trial], drawing=False)
        if self._error is not None:
            raise self._error
        return output

    def response(self, output: Any) -> Response:
        """Return what of an output is stored."""
        return _response(output)

    def one_by_one(self, trials: Sequence[Trial]) -> list[Response | str]:
        """Ask trials without sharing."""
        return [answer for trial in trials for answer in self._ask([trial])]

    def failure(self, error: Exception) -> str:
        """Note an error and return the text that stands for the reply."""
        self._note_error(error)
        return self._failure(one_line(error, 200))

    def drawn(self) -> None:
        """Note that replies were drawn from their own seeds."""
        self._errors_before_reply = None
        self.seeding.note(arrived=True)

    # --- One request at a time ------------------------------------------------------------------------------

    def _ask(self, chunk: Sequence[Trial]) -> list[Response | str]:
        """Return a stored response for each trial, or the text that stands for a failed request."""
        self._error = self._first_token.logits = None
        try:
            outputs = self._call(chunk)
            if len(outputs) != len(chunk):
                raise RuntimeError(f"{len(outputs)} replies came to {len(chunk)} requests")
            error = self._error  # raised inside, and swallowed by the integration
        except Exception as raised:
            outputs, error = [], raised
        if error is not None:
            self._note_error(error)
            return [self._failure(one_line(error, 200))] * len(chunk)
        self._errors_before_reply = None
        return self._kept(chunk, outputs)

    def _kept(self, chunk: Sequence[Trial], outputs: Sequence[Any]) -> list[Response | str]:
        """Store what is a reply; return it, or the text that stands for a failed request."""
        answers: list[Response | str] = []
        for trial, output in zip(chunk, outputs, strict=True):
            response = _response(output)
            if is_missing_trial(response.reply):
                answers.append(self._failure(one_line(response.reply, 300)))
                continue
            if self.settings.mode == EXACT:
                response = Response(self._probabilities(trial, response.reply), response.output_tokens)
            answers.append(self.store.add(trial.key, trial.trial, response))
        return answers

    def _call(self, chunk: Sequence[Trial], *, drawing: bool | None = None) -> list[Any]:
        if drawing is None:
            drawing = bool(self.integration.arguments_of(chunk[0].request).get("temperature"))
        seed = chunk[0].key.seed(chunk[0].trial, self.settings.sampling_seed)
        # An engine is handed a group as one: it reads once what is equal in it.
        with self.seeding.around(seed, drawing=drawing), self.integration.batches_of(len(chunk)):
            return self.generate([self._copied(trial) for trial in chunk])

    def _copied(self, trial: Trial) -> Instance:
        """The request with generation arguments of its own: some integrations change them as they go."""
        request = copy.copy(trial.request)
        place = self.integration.arguments_at
        parts = list(request.args)
        parts[place] = copy.deepcopy(parts[place])
        if self.seeding.with_request:
            parts[place]["seed"] = trial.key.seed(trial.trial, self.settings.sampling_seed, REQUEST_SEED_BITS)
        request.arguments = tuple(parts)
        return request

    @contextmanager
    def _intercepted(self) -> Iterator[None]:
        with ExitStack() as stack:
            if self.settings.mode == EXACT and self.integration.model is None:
                create = exact.asking_for_logprobs(self.integration.client.chat.completions.create)  # type: ignore[union-attr]
                stack.enter_context(self.integration.client_through(create))
            elif self.integration.client is not None:
                create = self.choices.through(self.integration.client.chat.completions.create)
                stack.enter_context(self.integration.client_through(create))
            stack.enter_context(self.integration.generate_through(self._around_generate))
            stack.enter_context(self.integration.engine_through(self.seeding.watching))
            yield

    def _around_generate(self, generate: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            if self.settings.mode == EXACT:
                return self._first_token(generate, *args, **kwargs)
            if self.sharing.asking:
                return self.sharing.around(generate, *args, **neutral_arguments(kwargs))
            return generate(*args, **neutral_arguments(kwargs))
        except CannotShare:
            raise
        except Exception as error:
            self._error = error  # some integrations go on with an empty reply
            raise

    def _probabilities(self, trial: Trial, text: str) -> str:
        request = trial.request
        letters = self.integration.lm.task_dict[trial.key.task][request.args[-1]][request.doc_id]["letters"]
        if self.integration.model is not None:
            if self._first_token.logits is None:
                raise SystemExit("medqdeg: mode=exact: this integration does not answer through the model's generate()")
            masses = exact.masses_from_logits(self._first_token.logits, letters, self.integration.tokenizer)
        else:
            try:
                masses = exact.masses_from_reply(text, letters)
            except exact.NoLogprobs as error:
                raise SystemExit(f"medqdeg: {error}") from None
        return write_probabilities(LetterProbabilities(masses, 0.0))

    # --- Results ------------------------------------------------------------------------------------------

    def _result(self, response: Response) -> GenerationResult:
        text = response.reply
        if self.settings.mode == EXACT and (found := read_probabilities(text)) is not None:
            # The stored line does not know the mass that this run demands.
            text = write_probabilities(LetterProbabilities(found.masses, self.settings.min_letter_mass))
        counts = None if response.output_tokens is None else TokenCounts(output_tokens=response.output_tokens)
        return GenerationResult(text=text, token_counts=counts)

    def _failure(self, reason: str) -> str:
        return f"{FAILED_MARKER if self.settings.mode == EXACT else FAILED_REPLY} {reason}"

    def _note_error(self, error: Exception) -> None:
        logger.warning(f"medqdeg: a request failed ({type(error).__name__}: {one_line(error, 200)})")
        if self._errors_before_reply is None:
            return
        self._errors_before_reply += 1
        if self._errors_before_reply >= HOPELESS:
            raise SystemExit(
                f"medqdeg: the first {HOPELESS} requests all raised an error, the last {type(error).__name__}: "
                f"{one_line(error, 300)}"
            )

    def _fill(self, results: list[GenerationResult | None], places: Sequence[int], result: GenerationResult) -> None:
        for place in places:
            results[place] = result

    def _count(self, trials: Sequence[Trial], what: str, sign: int) -> None:
        for trial in trials:
            self.counts[trial.key.task][what] += sign * len(trial.places)


def _response(output: Any) -> Response:
    text, counts = unwrap_generation_output(output)
    return Response(text or "", counts.output_tokens if counts else None)
