"""`medqdeg plan`: how many questions and trials a study needs, from assumptions or from a pilot."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..base.console import output_console
from ..base.errors import InputError, one_line
from ..base.suggestions import did_you_mean
from ..base.wrong_folders import what_it_is

if TYPE_CHECKING:
    from ..analysis.pilot import Pilot
    from ..analysis.statistics.planning import Unit

_TRIALS = (1, 2, 3, 5, 10)
_FIGURES = {"accuracy": "accuracy", "gap": "agreement gap"}


def plan(
    pilot: Annotated[
        Path | None, typer.Option(help="analysis.json (or its folder) of a run to plan from.", show_default=False)
    ] = None,
    run: Annotated[
        str | None, typer.Option(help="Which run of the pilot's analysis.", show_default="the first")
    ] = None,
    accuracy: Annotated[tuple[float, float], typer.Option(help="Assumed accuracy at L0 and at L2.")] = (0.65, 0.55),
    gap: Annotated[tuple[float, float], typer.Option(help="Assumed agreement gap at L0 and at L2.")] = (0.05, 0.10),
    rho: Annotated[
        float, typer.Option(min=0, max=1, help="What the versions of a question share of the model's noise.")
    ] = 0.8,
    options: Annotated[int, typer.Option(min=2, max=26, help="Options K of a question.")] = 4,
    degradations: Annotated[float, typer.Option(min=1, max=3, help="Degradations per source question.")] = 2.39,
    questions: Annotated[int, typer.Option(min=2, help="Source questions; the published benchmark has 4,306.")] = 4306,
    effect: Annotated[float | None, typer.Option(help="A change to be found, e.g. 0.03.", show_default=False)] = None,
    cost: Annotated[
        Literal["requests", "prefills+tokens"] | None,
        typer.Option(
            help="What a trial costs: a request each, or one prefill for all and its own tokens.",
            show_default="as in the pilot, else requests",
        ),
    ] = None,
    prompt_tokens: Annotated[int, typer.Option(min=0, help="Tokens of a prompt with its image.")] = 1500,
    reply_tokens: Annotated[int, typer.Option(min=0, help="Tokens of a reply.")] = 20,
    price: Annotated[
        tuple[float, float] | None,
        typer.Option(help="Price of a million prompt tokens and of a million reply tokens.", show_default=False),
    ] = None,
) -> None:
    """Print which change from L0 to L2 a study finds in 80% of cases, for one model and for two, and its cost.

    Examples: medqdeg plan --accuracy 0.7 0.6 --effect 0.03; medqdeg plan --pilot analysis/ --questions 600
    """
    if pilot is not None:
        found, conditions = _read(pilot, run)
        one, two, mean = found.unit, None, found.unit.degradations if found.unit else degradations
        _describe(found)
    else:
        one, two = _assumed(accuracy, gap, rho, options, degradations)
        mean = one.degradations
        found, conditions = None, None
    if cost is None:
        cost, why = default_cost(conditions)
        print(f"Cost: {why}.")
    rows = [trials for trials in _TRIALS if one is not None or (found is not None and trials == found.trials)]
    _table(rows, one, two, found, questions, mean, (prompt_tokens, reply_tokens), cost, price)
    if one is None:
        print("One vote per item: its noise is not known, so nothing is said of the gap or of other numbers of trials.")
        return
    if effect:
        for figure, spoken in _FIGURES.items():
            for trials in (3, 10) if not math.isnan(one.at(figure, 10)) else ():
                _needed(figure, spoken, one, effect, trials, mean)
    if math.isnan(one.at("gap", 10)):
        print("The pilot has no agreement gap of votes, so nothing is said of it.")
        return
    best = best_trials(one, cost, prompt_tokens, reply_tokens)
    print(f"T = {best} shows the smallest change of the gap for its cost ({_why(cost)}); more where questions run out")


def best_trials(unit: Unit, cost: str, prompt_tokens: int, reply_tokens: int) -> int:
    """Return the T at which the gap's change is known best for a given cost.

    Args:
        unit: of the change.
        cost: "requests", where each trial costs the same, or "prefills+tokens", where one prefill serves all.
        prompt_tokens, reply_tokens: of an item; a reply token counts as one of the prompt.
    """

    def spent(trials: int) -> float:
        return trials if cost == "requests" else prompt_tokens + trials * reply_tokens

    return min((2, 3, 5, 10), key=lambda trials: unit.at("gap", trials) ** 2 * spent(trials))


def default_cost(conditions: Mapping[str, Any] | None) -> tuple[Literal["requests", "prefills+tokens"], str]:
    """Return what a trial costs as far as a pilot's results say, and the reason in words.

    Args:
        conditions: of the pilot's run; None without a pilot.
    """
    from ..analysis.runs.conditions import SHARED_PREFILL

    if conditions is None:
        return "requests", (
            f"{_why('requests')} (assumed; --cost prefills+tokens where one prefill serves all, as --model medqdeg "
            "does with most transformers models)"
        )
    shared = conditions.get(SHARED_PREFILL)
    if shared is None and conditions.get("through_wrapper") is not False:
        return "requests", f"{_why('requests')} (assumed: the pilot's results do not say how its trials were asked)"
    cost: Literal["requests", "prefills+tokens"] = "prefills+tokens" if shared else "requests"
    return cost, f"{_why(cost)}, as in the pilot"


def _why(cost: str) -> str:
    return "each trial is a request" if cost == "requests" else "one prefill serves all trials"


def _read(path: Path, run: str | None) -> tuple[Pilot, Mapping[str, Any]]:
    from ..analysis.pilot import Pilot

    file = path / "analysis.json" if path.is_dir() else path
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        runs = {own["name"]: own["planning"] for own in document["runs"]}
        conditions = {own["name"]: own["conditions"] for own in document["runs"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        other = what_it_is(path) if path.is_dir() and not file.exists() else None
        raise InputError(other or f"{file} is no analysis.json with a plan in it ({one_line(error, 80)})") from None
    name = run if run is not None else next(iter(runs), None)
    if name not in runs:
        raise InputError(f"{file} has no run {name!r}; {did_you_mean(name, runs)}it has {', '.join(runs) or 'none'}")
    if runs[name] is None:
        raise InputError(f"{file}: {name} has no L0 with a degraded level beside it, so there is nothing to plan from")
    return Pilot.from_json(runs[name]), conditions[name]


def _describe(pilot: Pilot) -> None:
    trials = "exact probabilities" if pilot.trials is None else f"T = {pilot.trials}"
    print(f"From a pilot of {pilot.questions} source questions, L0 to {pilot.level}, {trials}.")


def _assumed(
    accuracy: tuple[float, float], gap: tuple[float, float], rho: float, options: int, degradations: float
) -> tuple[Unit, Unit]:
    from ..analysis.statistics.planning import world_unit
    from ..analysis.statistics.signal_world import Assumptions, signal_world

    low = math.floor(degradations)
    mix = {low: low + 1 - degradations, low + 1: degradations - low} if degradations < 3 else {3: 1.0}
    assumed = Assumptions(accuracy, gap, rho, {options: 1.0}, {d: share for d, share in mix.items() if share > 0})
    try:
        one, two = world_unit(signal_world(assumed, models=2))
    except ValueError as error:
        raise InputError(f"{error}; change --accuracy or --gap") from None
    assert two is not None
    print(
        f"Assumed: accuracy {accuracy[0]:g} at L0 and {accuracy[1]:g} at L2, agreement gap {gap[0]:g} and {gap[1]:g}, "
        f"K = {options}, {degradations:g} degradations per question, rho = {rho:g}."
    )
    return one, two


def _table(
    rows: Sequence[int],
    one: Unit | None,
    two: Unit | None,
    pilot: Pilot | None,
    questions: int,
    degradations: float,
    tokens: tuple[int, int],
    cost: str,
    price: tuple[float, float] | None,
) -> None:
    from rich import box
    from rich.table import Table

    from ..analysis.statistics.planning import calls, detectable

    table = Table(box=box.SIMPLE, title=f"Change found in 80% of studies of {questions:,} source questions")
    heads = ["T", "accuracy", "gap", *(["accuracy, two models", "gap, two models"] if two is not None else [])]
    for head in [*heads, "calls", "million tokens", *(["cost"] if price else [])]:
        table.add_column(head, justify="right", min_width=max(map(len, head.split())))
    for trials in rows:
        cells = []
        for unit in (one, two):
            for figure in _FIGURES:
                if unit is not None:
                    value = detectable(unit.at(figure, trials), questions)
                elif unit is one and pilot is not None:
                    value = detectable(pilot.measured.get(figure, math.nan), questions)
                else:
                    continue
                cells.append("-" if math.isnan(value) else f"{value:.4f}")
        made = calls(questions, degradations, trials)
        prompts = made if cost == "requests" else calls(questions, degradations, 1)
        spent = prompts * tokens[0] / 1e6, made * tokens[1] / 1e6
        money = [f"{spent[0] * price[0] + spent[1] * price[1]:,.2f}"] if price else []
        table.add_row(str(trials), *cells, f"{made:,}", f"{sum(spent):,.1f}", *money)
    output_console().print(table)


def _needed(figure: str, spoken: str, unit: Unit, effect: float, trials: int, degradations: float) -> None:
    from ..analysis.statistics.planning import calls, questions_needed
    from ..dataset.composition import PAPER_CLEAN_ITEMS

    value = unit.at(figure, trials)
    needed = questions_needed(value, effect)
    if needed > PAPER_CLEAN_ITEMS:
        says = f"not detectable with this benchmark: {needed:,} source questions, it has {PAPER_CLEAN_ITEMS:,}"
    else:
        says = f"{needed:,} source questions, {calls(needed, degradations, trials):,} calls"
    print(f"A change of {effect:g} in the {spoken} at T = {trials}: {says}")
