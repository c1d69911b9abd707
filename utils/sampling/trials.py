"""Which trials a run consists of: each with its key, what the store has of it, and with which others it is asked."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..scoring.elicitation import EXACT, VERBALIZED
from .choices import MOST_CHOICES, why_no_choices
from .integration import Integration
from .keys import ONE_BY_ONE, RequestKey, request_key
from .settings import Settings
from .sharing import Sharing
from .store import Response, ResponseStore

if TYPE_CHECKING:
    from lmms_eval.api.instance import Instance

_TO_AN_ENGINE = 1024
"""Trials of an item that an engine in this process gets in one call; it makes batches of its own."""


@dataclass(frozen=True)
class Trial:
    """One reply to get.

    `places` are the requests that it answers (all T in exact mode, else one); trials of the same `group` are asked
    together.
    """

    request: Instance
    key: RequestKey
    trial: int
    places: tuple[int, ...]
    group: tuple[str, int] | None = None


class TrialFinder:
    """Turns the harness's requests into trials.

    Attributes:
        warnings: what the requests themselves give reason to say.
    """

    def __init__(self, integration: Integration, settings: Settings, model: str, sharing: Sharing) -> None:
        """Look at nothing yet.

        Args:
            integration: the inner model.
            settings: the wrapper's arguments.
            model: digest of what tells the inner model from another one.
            sharing: whether the trials of an item share one prefill.
        """
        self.integration, self.settings, self.model, self.sharing = integration, settings, model, sharing
        self.warnings: list[str] = []
        self._together = 1
        if why_no_choices(integration, settings) is None:
            self._together = MOST_CHOICES
        elif integration.engine is not None and integration.chat and settings.share:
            self._together = _TO_AN_ENGINE

    def trials(
        self, requests: Sequence[Instance], store: ResponseStore
    ) -> Iterator[tuple[Trial | None, Response | None]]:
        """Yield each trial with its stored response, in order; None for a request that only fills up a rank."""
        seen: Counter[str] = Counter()
        for _, group in itertools.groupby(enumerate(requests), key=lambda entry: id(entry[1])):
            entries = list(group)
            request, places = entries[0][1], [place for place, _ in entries]
            if request.metadata.get("__padding_only__"):
                yield from [(None, None)] * len(places)
                continue
            key = self._key(request, trials=len(places))
            stored = store.responses(key)
            if self.settings.mode == EXACT:
                trials = [(0, tuple(places))]
            else:
                trials = [(trial, (place,)) for trial, place in enumerate(places, start=seen[key.digest])]
                seen[key.digest] += len(places)
            for trial, where in trials:
                yield Trial(request, key, trial, where, self._group(request, key, trial)), stored.get(trial)

    def _group(self, request: Instance, key: RequestKey, trial: int) -> tuple[str, int] | None:
        if key.in_blocks:
            return key.digest, 0
        if self._together > 1 and self.integration.arguments_of(request).get("temperature"):
            return key.digest, trial // self._together
        return None

    def _key(self, request: Instance, trials: int) -> RequestKey:
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
            drawing=self._drawing(arguments, trials),
        )

    def _drawing(self, arguments: Mapping[str, Any], trials: int) -> str:
        """A single reply, and one that is not drawn, take the way that a model takes without us."""
        shared = self.sharing.why_not is None and trials > 1 and arguments.get("temperature")
        return self.sharing.drawing if shared else ONE_BY_ONE

    def _check_exact(self, request: Instance, doc: Any) -> None:
        task = request.metadata["task"]
        if request.metadata.get("elicitation") == VERBALIZED:
            raise SystemExit(
                f"medqdeg: {task} asks for a stated confidence, which mode=exact cannot read; use mode=votes"
            )
        if not doc.get("letters"):
            raise SystemExit(f"medqdeg: mode=exact needs items with option letters, and those of {task} have none")
