"""The command that a process was started with, as it may be written down: to be typed again, without its secrets."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from .secrets import STRUCK, is_secret, public_arguments

_OURS = "MEDQDEG_"
_NOT_OF_THE_RESULT = frozenset({"MEDQDEG_CACHE"})
"""Variables of ours that say where things lie on a machine, and change nothing in a result."""


def public_command(arguments: Sequence[str], environment: Mapping[str, str], program: str = "") -> str:
    """Return a command line with the variables of ours that it was given, secrets struck out.

    Args:
        arguments: of the program, as in `sys.argv[1:]`.
        environment: of the process; names that begin with MEDQDEG_ are kept.
        program: what stands in front, such as "python -m lmms_eval".
    """
    given = {name: environment[name] for name in sorted(environment) if name.startswith(_OURS)}
    variables = [
        f"{name}={shlex.quote(STRUCK if is_secret(name) else public_arguments(value))}"
        for name, value in given.items()
        if name not in _NOT_OF_THE_RESULT and value
    ]
    kept: list[str] = []
    for argument in arguments:
        secret = kept and kept[-1].startswith("-") and "=" not in kept[-1] and is_secret(kept[-1].lstrip("-"))
        kept.append(STRUCK if secret else public_arguments(argument))
    return " ".join([*variables, *([program] if program else []), *map(shlex.quote, kept)])
