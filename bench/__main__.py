"""`python -m bench`: measures the project, with a floor next to each figure."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import errors
from bench import gantt, mesh, policies, program, shift, show, stats, timeline, traced_up, warm
from lab.engines import Engine
from ops.drill import picture as pictures

Report = Callable[[str], None]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class What(StrEnum):
    """A benchmark."""

    PROGRAM = "program"
    POLICIES = "policies"
    MESH = "mesh"
    SHIFT = "shift"
    WARM = "warm"
    TIMELINE = "timeline"
    ALL = "all"

    @property
    def starts_empty(self) -> bool:
        """Whether the benchmark needs the lab's clusters without a mesh."""
        return self in (What.MESH, What.SHIFT, What.ALL)


@app.command()
def main(  # noqa: PLR0913, PLR0917 - the command line's
    what: Annotated[
        What,
        typer.Argument(
            help="program: a preview without engine or lab. policies: the policy pack over 2000 resources. "
            "mesh: from empty clusters of the lab to a verified mesh. "
            "shift: from a changed weight to the last proxy that has it; starts with empty clusters as well. "
            "warm: removes the lab and recreates it up to a verified mesh, which stays. timeline: one `up` with Pulumi "
            "from empty clusters, step by step, with its critical path. all: everything except warm, which removes "
            "the lab, and timeline, which compares nothing."
        ),
    ] = What.ALL,
    clusters: Annotated[
        str, typer.Option(help="The numbers of clusters for `program`, separated by commas.")
    ] = "2,8,16",
    pairs: Annotated[int, typer.Option(min=1, help="The number of pairs of runs, the project's and the floor's.")] = 5,
    engine: Annotated[
        Engine | None, typer.Option(help="For all except program. If unset, pulumi if it is available.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write all samples to this file.")] = None,
    picture: Annotated[
        Path | None,
        typer.Option(
            help=f"For timeline: also draw the steps into this file, which ends with {', '.join(pictures.SUFFIXES)}."
        ),
    ] = None,
    kept: Annotated[
        Path | None,
        typer.Option("--from", help="For timeline: show the run in this file of --json again, and run nothing."),
    ] = None,
) -> None:
    """Measure, and print each figure as a ratio to a floor that is measured in the same run."""
    with errors.reported():
        if picture:
            pictures.check(picture)
        with _kept(json_file) as results:
            if what is What.TIMELINE:
                _timeline(kept, engine, picture, results)
            else:
                _measure(what, clusters, pairs, mesh.chosen_engine(engine), results)


@contextlib.contextmanager
def _kept(json_file: Path | None) -> Iterator[dict[str, object]]:
    """Yield the results, and write to the file at the end what there is of them."""
    results: dict[str, object] = {}
    try:
        yield results
    finally:
        if json_file is not None:
            json_file.write_text(json.dumps(results, indent=2) + "\n")


def _measure(what: What, clusters: str, pairs: int, engine: Engine, results: dict[str, object]) -> None:
    # First, because the program alone takes minutes.
    found = mesh.find_empty_clusters() if what.starts_empty else {}
    with show.errors.status("") as status:
        if what in (What.PROGRAM, What.ALL):
            results["program"] = _program([int(count) for count in clusters.split(",")], pairs, status.update)
        if what in (What.POLICIES, What.ALL):
            results["policies"] = _policies(status.update)
        if what in (What.MESH, What.ALL):
            results |= {"engine": engine, "mesh": _mesh(found, pairs, engine, status.update)}
        if what in (What.SHIFT, What.ALL):
            results |= {"engine": engine, "shift": _shift(found, pairs, engine, status.update)}
        if what is What.WARM:
            results |= {"engine": engine, "warm": _warm(engine, status.update)}


def _program(clusters: list[int], pairs: int, report: Report) -> object:
    sizes = program.measure(clusters, pairs, report)
    rows = [(f"{size.clusters} clusters, {size.resources} resources", size.comparison) for size in sizes]
    show.comparisons("Preview without an engine", "program", "bare program", rows)
    for step in program.grow(sizes):
        show.console.print(
            f"{step.sizes[0]} to {step.sizes[1]} resources: CPU seconds grow as resources ** {step.exponent:.2f}; "
            f"each further one takes {step.ours * 1000:.1f} ms, and {step.floor * 1000:.1f} ms in the bare program"
        )
    show.console.print(f"aim: a ratio of at most {program.MAX_RATIO}, growing no faster than the resources\n")
    return [asdict(size) for size in sizes]


def _policies(report: Report) -> object:
    judged = policies.measure(policies.RESOURCES, report)
    show.console.print(
        f"{judged.resources} resources judged by the policy pack in {judged.seconds:.1f} s (one by one "
        f"{judged.each_seconds:.1f}, as a stack {judged.stack_seconds:.1f}); "
        f"aim: at most {policies.MAX_SECONDS:.0f} s\n"
    )
    return asdict(judged)


def _mesh(found: mesh.Found, pairs: int, engine: Engine, report: Report) -> object:
    both = mesh.measure(found, pairs, engine, report)
    rows = [("to a verified mesh", both.total), ("of which the installation", both.install)]
    show.comparisons(f"From two empty clusters, engine {engine}", "program", "by hand", rows)
    show.console.print(f"aim: a ratio of at most {mesh.MAX_RATIO}\n")
    return asdict(both)


def _shift(found: mesh.Found, pairs: int, engine: Engine, report: Report) -> object:
    shifts = shift.measure(found, pairs, engine, report)
    rows = [("to the last proxy", shifts.total), ("of which the command", shifts.command)]
    show.comparisons(f"A changed weight, engine {engine}", "up", "kubectl apply", rows)
    show.console.print(
        f"after the command's end: {stats.wall(shifts.arrival.ours)} s, and by hand "
        f"{stats.wall(shifts.arrival.floor)} s; aim: at most {shift.MAX_ARRIVAL_SECONDS} s\n"
    )
    return asdict(shifts)


def _warm(engine: Engine, report: Report) -> object:
    parts = warm.measure(engine, report)
    show.console.print(
        f"warm `make up`, engine {engine}: {parts.total:.0f} s (lab {parts.lab:.0f}, deploy {parts.deploy:.0f}, verify "
        f"{parts.verify:.0f}), {parts.memory_mib} MiB in the clusters; aim: {warm.MAX_SECONDS} s, {warm.MAX_MIB} MiB"
    )
    return asdict(parts)


def _timeline(kept: Path | None, requested: Engine | None, picture: Path | None, results: dict[str, object]) -> None:
    if kept:
        engine, found = Engine.PULUMI, timeline.read(kept)
    else:
        engine = mesh.chosen_engine(requested)
        with show.errors.status("") as status:
            found = traced_up.measure(mesh.find_empty_clusters(), engine, status.update)
    results |= {"engine": engine, "timeline": found.as_json()}
    show.timeline(found)
    if picture:
        gantt.draw(found, picture)


if __name__ == "__main__":
    app(prog_name="python -m bench")
