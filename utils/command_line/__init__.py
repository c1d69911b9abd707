"""The `medqdeg` command: one module a subcommand, heavy imports inside the functions."""

from __future__ import annotations

import sys

import typer

from ..base.errors import InputError, one_line
from .analyze import analyze
from .build import build, push
from .degrade import degrade
from .demo import demo
from .grade import grade
from .lm_eval_path import lm_eval_path
from .phantom import phantom
from .reference_model import reference_model
from .report import report
from .store import store
from .tasks_path import tasks_path
from .wrap import wrap

app = typer.Typer(
    name="medqdeg",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="When a medical image gets worse, does a vision-language model know that it knows less?",
)

app.command(no_args_is_help=True)(degrade)
app.command(no_args_is_help=True)(grade)
app.command(no_args_is_help=True)(analyze)
app.command(no_args_is_help=True)(build)
app.command(no_args_is_help=True)(push)
app.command(no_args_is_help=True)(report)
app.command()(demo)
app.command(no_args_is_help=True)(phantom)
app.command()(reference_model)
app.command()(tasks_path)
app.command()(lm_eval_path)
app.command(no_args_is_help=True)(wrap)
app.add_typer(store)


def main() -> None:
    """Run the command line; bad input ends as one line on standard error and exit status 1."""
    try:
        app()
    except InputError as error:
        print(f"medqdeg: {one_line(error, 2000)}", file=sys.stderr)
        raise SystemExit(1) from None
