"""The arguments of `--model medqdeg`, and which of them are the inner model's own."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path

from ..base.errors import InputError
from ..base.secrets import public_argument
from ..scoring.elicitation import EXACT, VOTES


@dataclass(frozen=True)
class Settings:
    """The wrapper's settings.

    Attributes:
        inner: name of the lmms-eval integration that answers.
        store: folder of the responses; None keeps nothing beyond the run.
        mode: "votes" samples T replies, "exact" reads the letters' probabilities once an item.
        strict: whether an image that does not arrive as it is ends the run.
        min_letter_mass: exact: an item whose letters have less mass, in [0, 1], is invalid.
        concurrency: requests in flight; None takes the integration's own `num_concurrent`, or 1.
        chunk: requests handed to the inner model in one call; only 1 is reproducible.
        batch: items whose blocks of trials are decoded together by a model in this process.
        share: whether the trials of an item share one prefill where that is possible.
        retries: further rounds, at the end, for requests that failed.
        identity: name of the model in the store, instead of what tells it apart by itself.
        sampling_seed: another one gives other samples.
        inner_arguments: the inner model's own arguments, as given.
    """

    inner: str
    store: Path | None = None
    mode: str = VOTES
    strict: bool = False
    min_letter_mass: float = 0.9
    concurrency: int | None = None
    chunk: int = 1
    batch: int = 1
    share: bool = True
    retries: int = 1
    identity: str | None = None
    sampling_seed: int = 0
    inner_arguments: tuple[str, ...] = ()

    def public_arguments(self) -> str:
        """The inner model's arguments with secrets struck out."""
        pairs = (argument.partition("=") for argument in self.inner_arguments)
        return ",".join(public_argument(name, value) for name, _, value in pairs)


def parse_settings(pairs: list[str]) -> Settings:
    """Return the settings from the parts "name=value" of a `--model_args` string.

    Raises:
        InputError: without `inner`, or for a value that cannot be.
    """
    own: dict[str, str] = {}
    rest = []
    names = {field.name for field in fields(Settings)} - {"inner_arguments"}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"model argument {pair!r} is not of the form name=value")
        if name.strip() in names:
            own[name.strip()] = value.strip()
        else:
            rest.append(pair)
    if not own.get("inner"):
        raise InputError("name the integration that answers: --model_args inner=<integration>,store=DIR,...")
    if own["inner"] == "medqdeg":
        raise InputError("inner=medqdeg would wrap the wrapper; name the integration that answers")
    mode = own.get("mode", VOTES)
    if mode not in (VOTES, EXACT):
        raise InputError(f"mode={mode} is unknown; it is {VOTES} or {EXACT}")
    chunk = _whole("chunk", own, 1, at_least=1) or 1
    if mode == EXACT and chunk > 1:
        raise InputError("mode=exact asks one item at a time; leave chunk out")
    mass = _number("min_letter_mass", own, 0.9)
    if not 0.0 <= mass <= 1.0:
        raise InputError(f"min_letter_mass={mass} is not in 0 to 1")
    return Settings(
        inner=own["inner"],
        store=Path(own["store"]).expanduser().resolve() if own.get("store") else None,
        mode=mode,
        strict=_flag("strict", own),
        min_letter_mass=mass,
        concurrency=_whole("concurrency", own, None, at_least=1),
        chunk=chunk,
        batch=_whole("batch", own, 1, at_least=1) or 1,
        share=_flag("share", own, default=True),
        retries=_whole("retries", own, 1, at_least=0) or 0,
        identity=own.get("identity"),
        sampling_seed=_whole("sampling_seed", own, 0, at_least=0) or 0,
        inner_arguments=tuple(rest),
    )


def _flag(name: str, values: dict[str, str], *, default: bool = False) -> bool:
    value = values.get(name, str(default)).lower()
    if value not in ("true", "false"):
        raise InputError(f"{name}={value} is neither true nor false")
    return value == "true"


def _whole(name: str, values: dict[str, str], default: int | None, *, at_least: int) -> int | None:
    if name not in values:
        return default
    if not values[name].isdecimal() or int(values[name]) < at_least:
        raise InputError(f"{name}={values[name]} is not a whole number of at least {at_least}")
    return int(values[name])


def _number(name: str, values: dict[str, str], default: float) -> float:
    try:
        number = float(values.get(name, default))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{name}={values[name]} is not a number")
    return number
