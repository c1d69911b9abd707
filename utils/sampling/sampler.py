"""Ask every trial once: from the store where it is there, else from the inner model, and keep what comes."""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from lmms_eval.api.instance import GenerationResult, Instance, TokenCounts, unwrap_generation_output

from ..answers import LetterProbabilities, is_missing_trial, read_probabilities, write_probabilities
from ..answers.probabilities import FAILED_MARKER
from ..elicitation import EXACT, VERBALIZED
from ..errors import one_line
from . import exact
from .integration import Integration
from .keys import RequestKey, request_key
from .neutral import neutral_arguments
from .progress import Progress, without_bars
from .seeding import REQUEST_SEED_BITS, Seeding
from .settings import Settings
from .store import Response, ResponseStore

try:
    from loguru import logger  # lmms-eval's own
except ImportError:
    logger = logging.getLogger("medqdeg")  # type: ignore[assignment]

FAILED_REPLY = "[LMMS_EVAL_REQUEST_FAILED by medqdeg]"
"""Begins the text that stands for a reply that never came; `answers.is_missing_trial` knows it."""

HOPELESS = 10
"""So many errors in a row before the first reply end the run: it is the set-up that is wrong."""


@dataclass(frozen=True)
class _Trial:
    """One reply to get: `places` are the requests that it answers (all T in exact mode, else one)."""

    request: Instance
    key: RequestKey
    trial: int
    places: tuple[int, ...]


class Sampler:
    """Stands in for an integration's `generate_until`."""

    store: ResponseStore
    """Where responses are kept; to be set before the first request."""

    def __init__(self, integration: Integration, settings: Settings, identity: Mapping[str, Any]) -> None:
        """Prepare; nothing is asked yet.

        Args:
            integration: the inner model, whose `generate_until` is still its own.
            settings: the wrapper's arguments.
            identity: what tells the inner model from another one; JSON values.
        """
        self.integration, self.settings = integration, settings
        self.model = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        self.workers = settings.concurrency or integration.own_concurrency
        self._arguments_at = 2 if integration.chat else 1
        self.seeding = Seeding(integration, settings, self.workers)
        self.generate: Callable[[list[Instance]], list[Any]] = integration.lm.generate_until
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.warnings: list[str] = []
        self._first_token = exact.FirstToken()
        self._error: Exception | None = None
        self._errors_before_reply: int | None = 0

    # --- What lmms-eval calls -----------------------------------------------------------------------------

    def generate_until(self, requests: list[Instance]) -> list[GenerationResult]:
        """Return one result a request, in order. A request that failed gives a text that is no vote.

        Raises:
            SystemExit: with one line, if nothing can come of the run.
        """
        self.counts, self.warnings = defaultdict(Counter), []
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
        if failed:
            self.warnings.append(
                f"{len(failed)} requests failed for good: their trials are missing; a rerun asks them again"
            )
        if self.seeding.seen()[0] is False and self.integration.client is None:
            self.warnings.append(f"not seeded: {self.seeding.seen()[1]}; another run would draw other replies")
        for warning in self.warnings:
            logger.warning(f"medqdeg: {warning}")
        return [result if result is not None else GenerationResult(text="") for result in results]

    # --- Which trials are there, which are asked ----------------------------------------------------------

    def _missing_trials(
        self, requests: Sequence[Instance], results: list[GenerationResult | None], progress: Progress
    ) -> Iterator[_Trial]:
        """Fill in what the store has and yield the rest, in order, each as soon as it is known."""
        seen: Counter[str] = Counter()
        for _, group in itertools.groupby(enumerate(requests), key=lambda entry: id(entry[1])):
            entries = list(group)
            request, places = entries[0][1], [place for place, _ in entries]
            task = request.metadata["task"]
            if request.metadata.get("__padding_only__"):
                progress.reuse(len(places))  # lmms-eval throws these replies away
                continue
            key = self._key(request)
            self.counts[task]["requested"] += len(places)
            stored = self.store.responses(key)
            if self.settings.mode == EXACT:
                trials = [(0, tuple(places))]
            else:
                first = seen[key.digest]
                trials = [(trial, (place,)) for trial, place in enumerate(places, start=first)]
                seen[key.digest] += len(places)
            for trial, where in trials:
                if trial in stored:
                    self._fill(results, where, self._result(stored[trial]))
                    self.counts[task]["reused"] += len(where)
                    progress.reuse(len(where))
                else:
                    yield _Trial(request, key, trial, where)

    def _key(self, request: Instance) -> RequestKey:
        task, split, doc_id = request.metadata["task"], request.args[-1], request.doc_id
        doc = self.integration.lm.task_dict[task][split][doc_id]
        if self.integration.chat:
            _, doc_to_messages, arguments, *_ = request.args
            prompt = doc_to_messages(doc)
        else:
            text, arguments, doc_to_visual, *_ = request.args
            prompt = [text, doc_to_visual(doc)]
        if self.settings.mode == EXACT:
            self._check_exact(request, doc)
            arguments = {}  # the distribution of the first token does not depend on how one would sample
        elif not arguments.get("temperature"):
            warning = f"{task} asks at temperature 0: all trials of an item are the same reply"
            if warning not in self.warnings:
                self.warnings.append(warning)
        return request_key(
            task=task,
            item=str(doc.get("item_id", doc_id)),
            prompt=prompt,
            arguments=arguments,
            model=self.model,
            mode=self.settings.mode,
        )

    def _check_exact(self, request: Instance, doc: Any) -> None:
        task = request.metadata["task"]
        if request.metadata.get("elicitation") == VERBALIZED:
            raise SystemExit(
                f"medqdeg: {task} asks for a stated confidence, which mode=exact cannot read; use mode=votes"
            )
        if not doc.get("letters"):
            raise SystemExit(f"medqdeg: mode=exact needs items with option letters, and those of {task} have none")

    # --- Asking -------------------------------------------------------------------------------------------

    def _run(
        self, trials: Iterator[_Trial], results: list[GenerationResult | None], progress: Progress
    ) -> list[_Trial]:
        """Ask the trials and return those that failed."""
        failed: list[_Trial] = []

        def finish(chunk: Sequence[_Trial], answers: Sequence[Response | str]) -> None:
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

        chunks = iter(lambda: list(itertools.islice(trials, self.settings.chunk)), [])
        if self.workers == 1:
            for chunk in chunks:
                finish(chunk, self._ask(chunk))
            return failed
        with ThreadPoolExecutor(self.workers, thread_name_prefix="medqdeg") as pool:
            pending: dict[Future[list[Response | str]], list[_Trial]] = {}
            try:
                for chunk in chunks:
                    pending[pool.submit(self._ask, chunk)] = chunk
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

    def _ask(self, chunk: Sequence[_Trial]) -> list[Response | str]:
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
        answers: list[Response | str] = []
        for trial, output in zip(chunk, outputs, strict=True):
            text, counts = unwrap_generation_output(output)
            text = text or ""
            if is_missing_trial(text):
                answers.append(self._failure(one_line(text, 300)))
                continue
            if self.settings.mode == EXACT:
                text = self._probabilities(trial, text)
            tokens = counts.output_tokens if counts else None
            answers.append(self.store.add(trial.key, trial.trial, Response(text, tokens)))
        return answers

    def _call(self, chunk: Sequence[_Trial]) -> list[Any]:
        drawing = bool(self._arguments(chunk[0].request).get("temperature"))
        with self.seeding.around(chunk[0].key.seed(chunk[0].trial, self.settings.sampling_seed), drawing=drawing):
            return self.generate([self._copied(trial) for trial in chunk])

    def _arguments(self, request: Instance) -> Any:
        return request.args[self._arguments_at]

    def _copied(self, trial: _Trial) -> Instance:
        """The request with generation arguments of its own: some integrations change them as they go."""
        request = copy.copy(trial.request)
        place = self._arguments_at
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
            stack.enter_context(self.integration.generate_through(self._around_generate))
            stack.enter_context(self.integration.engine_through(self.seeding.watching))
            yield

    def _around_generate(self, generate: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            if self.settings.mode == EXACT:
                return self._first_token(generate, *args, **kwargs)
            return generate(*args, **neutral_arguments(kwargs))
        except Exception as error:
            self._error = error  # some integrations go on with an empty reply
            raise

    def _probabilities(self, trial: _Trial, text: str) -> str:
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

    def _count(self, trials: Sequence[_Trial], what: str, sign: int) -> None:
        for trial in trials:
            self.counts[trial.key.task][what] += sign * len(trial.places)
