"""The `medqdeg` command: one module per subcommand, heavy imports inside the functions."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ..base.errors import InputError, one_line
from .analyze import analyze
from .build import build, push
from .degrade import degrade
from .demo import demo
from .export import export
from .grade import grade
from .help_text import for_people
from .import_answers import import_answers
from .lm_eval_path import lm_eval_path
from .people import people
from .phantom import phantom
from .plan import plan
from .reference_model import reference_model
from .report import report
from .store import store
from .subset import subset
from .tasks_path import tasks_path
from .wrap import wrap

RUN, DATA, RESULTS, TOOLS = "Run", "Data", "Results", "Tools"

app = typer.Typer(
    name="medqdeg",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    help="When a medical image gets worse, does a vision-language model know that it knows less?",
)

# In the order in which --help lists them.
app.command(rich_help_panel=RUN)(demo)
app.command(rich_help_panel=RUN)(plan)
app.command(rich_help_panel=RUN, no_args_is_help=True)(subset)
app.command(rich_help_panel=RUN, no_args_is_help=True)(wrap)
app.command(rich_help_panel=DATA, no_args_is_help=True)(build)
app.command(rich_help_panel=DATA, no_args_is_help=True)(push)
app.command(rich_help_panel=DATA, no_args_is_help=True)(phantom)
app.command(rich_help_panel=DATA, no_args_is_help=True)(degrade)
app.command(rich_help_panel=DATA, no_args_is_help=True)(grade)
app.command(rich_help_panel=DATA, no_args_is_help=True)(export)
app.command("import", rich_help_panel=RESULTS, no_args_is_help=True)(import_answers)
app.command(rich_help_panel=RESULTS, no_args_is_help=True)(analyze)
app.command(rich_help_panel=RESULTS, no_args_is_help=True)(report)
app.command(rich_help_panel=TOOLS)(reference_model)
app.command(rich_help_panel=TOOLS)(tasks_path)
app.command(rich_help_panel=TOOLS)(lm_eval_path)
app.add_typer(people, rich_help_panel=DATA)
app.add_typer(store, rich_help_panel=TOOLS)

for group in (app, *(each.typer_instance for each in app.registered_groups)):
    for command in group.registered_commands if group is not None else ():
        if command.callback is not None:
            for_people(command.callback)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"medqdeg {version('medqdeg')}")
        raise typer.Exit


@app.callback()
@for_people
def medqdeg(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """When a medical image gets worse, does a vision-language model know that it knows less?"""


def main() -> None:
    """Run the command line; bad input ends as one line on standard error and exit status 1."""
    try:
        app()
    except InputError as error:
        print(f"medqdeg: {one_line(error, 2000)}", file=sys.stderr)
        raise SystemExit(1) from None
