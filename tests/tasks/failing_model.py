"""lmms-eval's command line with a model that fails: `python failing_model.py WHERE --model failing --tasks …`.

WHERE is create, generate, sampler (of the wrapper model, in code of ours) or never.
"""

from __future__ import annotations

import sys
from typing import Any

from lmms_eval.api.model import lmms
from lmms_eval.cli.dispatch import main
from lmms_eval.models import MODEL_REGISTRY_V2
from lmms_eval.models.registry_v2 import ModelManifest


class Failing(lmms):
    is_simple = False
    where = "never"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        if self.where == "create":
            raise RuntimeError("no such checkpoint")

    def generate_until(self, requests: list[Any]) -> list[str]:
        if self.where == "generate":
            raise RuntimeError("out of memory")
        return ["A"] * len(requests)

    def loglikelihood(self, requests: list[Any]) -> list[Any]:
        raise NotImplementedError

    def generate_until_multi_round(self, requests: list[Any]) -> list[str]:
        raise NotImplementedError


def _fail(*_: object) -> None:
    raise AttributeError("a fault of ours")


if __name__ == "__main__":
    Failing.where = sys.argv.pop(1)
    if Failing.where == "sampler":
        from medqdeg.utils.sampling.sampler import Sampler

        Sampler.generate_until = _fail  # type: ignore[method-assign, assignment]
    MODEL_REGISTRY_V2.register_manifest(ModelManifest("failing", chat_class_path="__main__.Failing"))
    main()
