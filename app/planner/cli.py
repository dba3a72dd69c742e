"""``holdless plan``: staffing, patience and forecasts on the command line.

What a command computes with is imported when it runs, so that help and wrong usage answer at once.
"""

from __future__ import annotations

import json
import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from app.planner.forecast_cli import backtest_command, forecast_command, intraday_command
from app.planner.patience_cli import patience_command

plan_cli = typer.Typer(no_args_is_help=True, help="Plan staff: how many agents, and how patient callers are.")

plan_cli.command("forecast")(forecast_command)
plan_cli.command("backtest")(backtest_command)
plan_cli.command("intraday")(intraday_command)
plan_cli.command("patience")(patience_command)

JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]


class Model(StrEnum):
    """What callers do who find no agent free."""

    ERLANG_C = "erlang-c"
    ERLANG_A = "erlang-a"
    ERLANG_B = "erlang-b"


@plan_cli.command("staffing")
def staffing(
    model: Annotated[
        Model | None,
        typer.Option(
            help="erlang-c: callers wait; erlang-a: until their patience ends; erlang-b: not at all. "
            "Default: erlang-a with --patience-s, else erlang-c."
        ),
    ] = None,
    calls: Annotated[float | None, typer.Option(help="Calls expected in the interval.")] = None,
    interval_min: Annotated[float, typer.Option(help="Length of the interval in minutes.")] = 30.0,
    aht_s: Annotated[
        float | None, typer.Option(help="Mean handling time in seconds: talk, hold and wrap-up.")
    ] = None,
    target: Annotated[
        float, typer.Option(help="Share of all calls to be answered in time (erlang-b: taken at once).")
    ] = 0.8,
    threshold_s: Annotated[float, typer.Option(help="In time: within so many seconds.")] = 20.0,
    patience_s: Annotated[float | None, typer.Option(help="Mean patience of callers in seconds.")] = None,
    max_occupancy: Annotated[float, typer.Option(help="Agents shall not be busier; a share.")] = 1.0,
    max_abandonment: Annotated[float, typer.Option(help="No larger share shall give up.")] = 1.0,
    shrinkage: Annotated[float, typer.Option(help="Share of scheduled time without calls.")] = 0.0,
    rate_cv: Annotated[
        float, typer.Option(help="How uncertain the calls are: their coefficient of variation.")
    ] = 0.0,
    agents: Annotated[
        float | None, typer.Option(help="Do not search; say what callers meet with so many.")
    ] = None,
    file_in: Annotated[
        Path | None,
        typer.Option(
            "--in", help="Many cases: CSV with calls, interval_s, aht_s and, as you like, target, …"
        ),
    ] = None,
    file_out: Annotated[
        Path | None, typer.Option("--out", help="Where their answers go; default: standard output.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say how many agents an interval needs."""
    patience = _patience_of(model, patience_s, bulk=file_in is not None)
    goals = {
        "target": target,
        "threshold_s": threshold_s,
        "patience_s": patience,
        "max_occupancy": max_occupancy,
        "max_abandonment": max_abandonment,
        "shrinkage": shrinkage,
        "rate_cv": rate_cv,
    }
    if file_in is not None:
        if calls is not None or aht_s is not None or agents is not None or as_json:
            raise typer.BadParameter("--in takes its cases from the file and answers in CSV")
        _many(file_in, file_out, goals)
        return
    if calls is None or aht_s is None:
        raise typer.BadParameter("say --calls and --aht-s, or give many cases by --in")
    _one(model, calls, interval_min * 60.0, aht_s, goals, agents, as_json)


def _patience_of(model: Model | None, patience_s: float | None, *, bulk: bool) -> float:
    """Return the patience to reckon with: inf is Erlang C, 0 is Erlang B."""
    match model:
        case Model.ERLANG_B if patience_s is not None:
            raise typer.BadParameter("erlang-b knows no patience: whoever finds no agent free is gone")
        case Model.ERLANG_B:
            return 0.0
        case Model.ERLANG_C if patience_s is not None:
            raise typer.BadParameter("erlang-c knows no patience: use erlang-a")
        case Model.ERLANG_A if patience_s is None and not bulk:
            raise typer.BadParameter("erlang-a needs --patience-s")
        case _:
            if patience_s is None:
                return math.inf
            return patience_s if patience_s > 0 else -1.0  # the row's note refuses it; 0 would be erlang-b


def _one(
    model: Model | None,
    calls: float,
    interval_s: float,
    aht_s: float,
    goals: dict[str, float],
    agents: float | None,
    as_json: bool,
) -> None:
    from workforce.staffing import outlook, staff
    from workforce.staffing_notes import SENTENCES

    plain = {name: goals[name] for name in ("threshold_s", "patience_s", "shrinkage", "rate_cv")}
    if agents is None:
        caps = {"occupancy_max": goals["max_occupancy"], "abandonment_max": goals["max_abandonment"]}
        plan = staff(calls, interval_s, aht_s, target=goals["target"], **caps, **plain)
    else:
        plan = outlook(agents, calls, interval_s, aht_s, **plain)
    figures, note = plan.figures, plan.notes[0]
    said: dict[str, Any] = {
        "model": (model or (Model.ERLANG_C if math.isinf(goals["patience_s"]) else Model.ERLANG_A)).value,
        "traffic_erl": _finite(plan.traffic_erl[0]),
        "agents": _whole(plan.agents[0]),
        "scheduled": _whole(plan.scheduled[0]),
        "service_level": _finite(plan.service_level[0]),
        "asa_s": _finite(figures.asa_s[0]),
        "p_wait": _finite(figures.p_wait[0]),
        "occupancy": _finite(figures.occupancy[0]),
        "abandonment": _finite(figures.abandonment[0]),
        "wait_s": _finite(figures.wait_s[0]),
        "waiting_count": _finite(figures.waiting_count[0]),
        "note": SENTENCES[note],
        "note_id": str(note),
    }
    if as_json:
        typer.echo(json.dumps(said))
    elif said["agents"] is None:
        typer.echo(f"holdless: {said['note']}", err=True)
    else:
        _tell(said)
    if said["agents"] is None:
        raise typer.Exit(1)


def _tell(said: dict[str, Any]) -> None:
    rows = [
        ("traffic", said["traffic_erl"], "{:.2f} erlangs"),
        ("agents", said["agents"], "{}"),
        ("to schedule", said["scheduled"], "{}"),
        ("service level", said["service_level"], "{:.1%}"),
        ("mean speed of answer", said["asa_s"], "{:.1f} s"),
        ("who wait", said["p_wait"], "{:.1%}"),
        ("occupancy", said["occupancy"], "{:.1%}"),
        ("who give up", said["abandonment"], "{:.2%}"),
    ]
    for name, value, pattern in rows:
        typer.echo(f"{name:<22}{'' if value is None else pattern.format(value)}".rstrip())
    if said["note"]:
        typer.echo(said["note"])


def _many(file_in: Path, file_out: Path | None, goals: dict[str, float]) -> None:
    from app.planner.csv_files import read_table, write_table
    from app.planner.staffing_cases import REQUIRED, answer_cases

    answers = answer_cases(read_table(file_in, required=REQUIRED), goals)
    write_table(file_out, answers.columns, answers.rows)
    planned_count = len(answers.rows) - answers.refused_count
    typer.echo(f"{len(answers.rows)} rows, {planned_count} with an answer", err=True)
    if answers.refused_count:
        typer.echo(f"{answers.refused_count} without one: their note says why", err=True)
    if answers.rows and not planned_count:
        raise typer.Exit(1)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _whole(value: float) -> int | float | None:
    if math.isnan(value):
        return None
    return int(value) if value == int(value) else float(value)
