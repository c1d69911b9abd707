"""`--model medqdeg`: what lmms-eval loads. It makes the inner model and puts a `Sampler` before its `generate_until`.

lmms-eval asks a model whether it is simple or chat by an attribute of the instance, so that what we return is the inner
instance itself; everything that the evaluator reads off a model stays true.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lmms_eval.api.instance import GenerationResult, Instance
from lmms_eval.api.model import lmms

from ..base.errors import InputError, one_line
from ..base.harness import hint_without_a_gpu
from ..base.log import logger
from ..base.versions import versions
from ..scoring.elicitation import EXACT
from .fidelity import check_fidelity
from .integration import Integration
from .neutral import neutralise
from .report import publish_report, withdraw_report
from .sampler import Sampler
from .settings import Settings, parse_settings
from .sharing import Sharing, together
from .store import ResponseStore


class _Wrapper(lmms):  # type: ignore[misc]  # lmms-eval ships no types
    """Never instantiated: `create_from_arg_string` returns the inner model's instance."""

    force_simple = False

    @classmethod
    def create_from_arg_string(cls, arg_string: str, additional_config: dict[str, Any] | None = None) -> lmms:
        """Make the inner model, wrapped.

        Args:
            arg_string: "inner=<integration>,store=DIR,…" (`settings.Settings`) and the inner model's own arguments.
            additional_config: what lmms-eval's own flags add (batch_size, device); goes to the inner model.

        Raises:
            SystemExit: with one line, for anything that cannot work; lmms-eval would exit with status 0 on any other
                exception.
        """
        with _one_line_and_status_1():
            return _create(arg_string, additional_config, force_simple=cls.force_simple)

    def loglikelihood(self, requests: list[Instance]) -> list[tuple[float, bool]]:
        """Not used."""
        raise NotImplementedError

    def generate_until(self, requests: list[Instance]) -> list[str]:
        """Not used."""
        raise NotImplementedError

    def generate_until_multi_round(self, requests: list[Instance]) -> list[str]:
        """Not used."""
        raise NotImplementedError


class ChatWrapper(_Wrapper):
    """The inner model's chat form if it has one, else its simple form: as lmms-eval chooses."""

    is_simple = False


class SimpleWrapper(_Wrapper):
    """The inner model's simple form, for `--force_simple`."""

    is_simple = True
    force_simple = True


@contextmanager
def _one_line_and_status_1() -> Iterator[None]:
    """lmms-eval prints a traceback of any exception but SystemExit and exits with status 0, without results."""
    try:
        yield
    except InputError as error:
        raise SystemExit(f"medqdeg: {error}") from None
    except Exception as error:
        logger.debug(traceback.format_exc())
        frame = traceback.extract_tb(error.__traceback__)[-1]
        raise SystemExit(
            f"medqdeg: the run failed with an error that it does not expect ({type(error).__name__}: "
            f"{one_line(error)}; {Path(frame.filename).name}, line {frame.lineno}); what was stored is kept"
        ) from error


def _create(arg_string: str, additional_config: dict[str, Any] | None, *, force_simple: bool) -> lmms:
    from lmms_eval.utils import _smart_comma_split

    withdraw_report()
    settings = parse_settings(_smart_comma_split(arg_string.strip()))
    lm = _inner_model(settings, additional_config, force_simple=force_simple)
    integration = Integration(lm)
    if settings.mode == EXACT and integration.model is None and integration.client is None:
        raise InputError(
            f"mode=exact: {settings.inner} shows neither a transformers model nor an OpenAI-compatible client; "
            "use mode=votes"
        )
    if integration.model is not None and (settings.concurrency or 1) > 1:
        raise InputError("concurrency is for servers; a model in this process answers one request at a time")
    neutral = neutralise(integration.model.generation_config) if integration.model is not None else None
    sharing = Sharing(integration, settings.batch)
    with integration.generate_through(sharing.check):
        fidelity = check_fidelity(integration)
    _settle_sharing(sharing, settings)
    _tell(settings, neutral, fidelity, first=getattr(lm, "rank", 0) == 0)
    if settings.strict and (fidelity["findings"] or fidelity["seen"] is None):
        raise InputError(f"strict=true: {'; '.join(fidelity['findings']) or _unseen(settings, fidelity)}")
    identity = integration.identity(settings, neutral["kept"] if neutral else {})
    sampler = Sampler(integration, settings, identity, sharing)
    report: dict[str, Any] = {
        "inner": settings.inner,
        "arguments": settings.public_arguments(),
        "form": "chat" if integration.chat else "simple",
        "mode": settings.mode,
        "model": {name: part for name, part in identity.items() if name != "arguments"},
        "sampling_seed": settings.sampling_seed,
        "min_letter_mass": settings.min_letter_mass if settings.mode == EXACT else None,
        "generation_config": {"seen": neutral is not None, **(neutral or {"changed": {}, "kept": {}})},
        "images": fidelity,
        "versions": versions(),
    }
    store = sampler.store = ResponseStore(settings.store, report)
    if store.old and getattr(lm, "rank", 0) == 0:
        logger.warning(
            f"medqdeg: {store.old} was written by an older version, whose trials were drawn in another way: it is left "
            f"as it is, none of it is reused, and new responses go to {store.path}"
        )

    def generate_until(requests: list[Instance]) -> list[GenerationResult]:
        with _one_line_and_status_1():
            results = sampler.generate_until(requests)
            over = _over_all_ranks(sampler)
        publish_report(
            lm, {**report, "store": str(store.path), "old_store": str(store.old) if store.old else None, **over}
        )
        return results

    lm.generate_until = generate_until
    return lm


def _settle_sharing(sharing: Sharing, settings: Settings) -> None:
    if sharing.integration.model is None:
        sharing.why_not = "no transformers model answers in this process"
    if settings.mode == EXACT:
        sharing.why_not = "nothing is drawn in mode=exact"
    if settings.chunk > 1:
        sharing.why_not = f"chunk={settings.chunk}"
    if not settings.share:
        sharing.why_not = "share=false"


def _inner_model(settings: Settings, additional_config: dict[str, Any] | None, *, force_simple: bool) -> lmms:
    from lmms_eval.models import MODEL_REGISTRY_V2

    if settings.inner not in MODEL_REGISTRY_V2.list_model_names():
        raise InputError(f"inner={settings.inner} is no model that this lmms-eval knows")
    try:
        model_class = MODEL_REGISTRY_V2.get_model_class(settings.inner, force_simple=force_simple)
        return model_class.create_from_arg_string(",".join(settings.inner_arguments), additional_config)
    except Exception as error:
        reason = f"{type(error).__name__}: {one_line(error)}"
        hint = hint_without_a_gpu(error)
        raise InputError(f"the inner model {settings.inner} could not be made ({reason}){hint}") from error


def _tell(settings: Settings, neutral: dict[str, Any] | None, fidelity: dict[str, Any], *, first: bool) -> None:
    if not first:
        return
    if neutral is None:
        logger.warning(
            f"medqdeg: {settings.inner} shows no transformers model; what stands between its distribution and the "
            "samples (a server's default top_k or repetition penalty) cannot be seen from here"
        )
    elif neutral["changed"]:
        changed = ", ".join(f"{name} {was} -> {now}" for name, (was, now) in neutral["changed"].items())
        logger.warning(f"medqdeg: generation_config made neutral: {changed}")
    for finding in fidelity["findings"]:
        logger.warning(f"medqdeg: {finding}; a degradation is then not what the file holds")
    if fidelity["seen"] is None:
        logger.warning(f"medqdeg: {_unseen(settings, fidelity)}")


def _unseen(settings: Settings, fidelity: dict[str, Any]) -> str:
    return f"whether {settings.inner} passes images on as they are cannot be seen ({fidelity['why']})"


def _over_all_ranks(sampler: Sampler) -> dict[str, Any]:
    """The counts of all processes; each calls this once, as lmms-eval's own collectives do."""
    import torch.distributed

    counted = {task: dict(counts) for task, counts in sampler.counts.items()}
    shared = sampler.sharing.told() if sampler.integration.client is None else sampler.choices.told()
    mine = (counted, sampler.warnings, sampler.seeding.seen(), shared)
    everyone = [mine]
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        everyone = [mine] * torch.distributed.get_world_size()
        torch.distributed.all_gather_object(everyone, mine)
    tasks: dict[str, dict[str, int]] = {}
    for counts, *_ in everyone:
        for task, numbers in counts.items():
            into = tasks.setdefault(task, dict.fromkeys(("requested", "asked", "reused", "failed"), 0))
            for name, number in numbers.items():
                into[name] += number
    totals = {name: sum(one[name] for one in tasks.values()) for name in ("requested", "asked", "reused", "failed")}
    warnings = list(dict.fromkeys(warning for _, entries, *_ in everyone for warning in entries))
    # One rank that draws without a seed is enough; one that asked nothing says nothing.
    seeded, seeding = min((seen for _, _, seen, _ in everyone), key=lambda seen: (False, True, None).index(seen[0]))
    return {
        "sharing": together([sharing for *_, sharing in everyone]),
        **{"seeded": seeded, "seeding": seeding, "trials": totals, "tasks": dict(sorted(tasks.items()))},
        "warnings": warnings,
    }
