"""Integrations that answer at random from torch's generator, as real ones do, and keep what they were asked."""

from __future__ import annotations

from typing import Any

import torch
from lmms_eval.api.model import lmms

ASKED: list[tuple[str, int]] = []
"""(task, doc_id) of every request that reached an inner model; tests clear it."""

FAIL: set[tuple[str, int]] = set()
"""Requests that fail, once each unless `fail_always`."""


class ScriptedSimple(lmms):
    """Takes `flavour` (part of its identity), `fail_always`, `raising` (raises instead of the failure marker)."""

    is_simple = True

    def __init__(self, flavour: str = "", fail_always: bool = False, raising: bool = False, **kwargs: Any) -> None:
        super().__init__()
        self.fail_always, self.raising = fail_always, raising

    def generate_until(self, requests: list[Any]) -> list[str]:
        replies = []
        for request in requests:
            task, doc_id = request.metadata["task"], request.doc_id
            ASKED.append((task, doc_id))
            request.args[2 if not self.is_simple else 1].clear()  # some integrations do worse
            if (task, doc_id) in FAIL:
                if not self.fail_always:
                    FAIL.discard((task, doc_id))
                if self.raising:
                    raise RuntimeError("out of memory")
                replies.append("[LMMS_EVAL_REQUEST_FAILED after 5 retries] timeout")
                continue
            letters = self.task_dict[task][request.args[-1]][doc_id]["letters"]
            replies.append(letters[int(torch.randint(len(letters), ()))])
        return replies

    def loglikelihood(self, requests: list[Any]) -> list[Any]:
        raise NotImplementedError

    def generate_until_multi_round(self, requests: list[Any]) -> list[str]:
        raise NotImplementedError


class ScriptedChat(ScriptedSimple):
    is_simple = False
