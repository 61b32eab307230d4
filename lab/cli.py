"""The command line of the lab."""

import errno
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

import errors
from errors import ExitCode, UserError
from lab import faults, preflight, teardown
from lab.build import images, toolchain
from lab.clusters import cluster, status
from lab.machine import files, lock, mounts, network
from lab.rancher import service
from lab.spec import (
    CHARTS_DIR,
    DEFAULT_CLUSTERS,
    MAX_CLUSTERS,
    STATE_DIR,
    ClusterSpec,
    clusters,
    existing,
    find,
)

app = typer.Typer(
    name="lab",
    help="Two or more real Kubernetes clusters on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_OUT = Console()
_ERRORS = Console(stderr=True)
# Options after the cluster's name, and "--" itself, are kubectl's.
_PASSED_ON = {"allow_interspersed_args": False, "help_option_names": []}


@app.command()
def up(
    count: Annotated[
        int, typer.Option("--clusters", help=f"How many at least, up to {MAX_CLUSTERS}.")
    ] = DEFAULT_CLUSTERS,
    rancher: Annotated[bool, typer.Option("--rancher", help="Also start the stand-in for a Rancher server.")] = False,  # noqa: FBT002 - typer reads the default from here
    isolation: Annotated[bool, typer.Option("--rancher-isolation", help="With project network isolation.")] = False,  # noqa: FBT002 - typer reads the default from here
) -> None:
    """Ensure that the clusters run: create, complete or repair them. You can run it again at any time."""
    with _reported(), lock.held():
        teardown.finish()
        wanted = clusters(max(count, len(existing())))
        preflight.load_modules()
        preflight.check(wanted)
        _ensure(wanted)
        if rancher or isolation or service.is_wanted():
            service.ensure(wanted, is_isolated=isolation)
        _print_clusters(wanted)


@app.command()
def rebuild(name: Annotated[str, typer.Argument(metavar="CLUSTER")]) -> None:
    """
    Delete one cluster and create a new, empty one with the same name and addresses. The other clusters stay unchanged.

    The next `pulumi up` recognizes the new cluster and creates everything in it again.
    """
    with _reported(), lock.held():
        teardown.finish()
        spec = find(name, existing())
        preflight.load_modules()
        preflight.check((spec,))
        with _OUT.status(f"Removing {name}"):
            # Its process belongs to the first cluster's cgroup, and each cluster's certificate is read at its start.
            service.stop()
            teardown.remove_cluster(spec)
        _ensure((spec,))
        if service.is_wanted():
            service.ensure(existing(), is_isolated=False)
        _print_clusters((spec,))


@app.command("status")
def show_status() -> None:
    """Show the state of every component; the exit code is 1 unless all are well."""
    with _reported():
        known = existing()
        if not known:
            raise UserError("The lab is down", "Run: python -m lab up")
        states = {spec.name: status.of(spec) for spec in known}
        table = Table("component", *states)
        for row in zip(*states.values(), strict=True):
            cells = [f"[{'green' if it.is_well else 'red'}]{it.detail}[/]" for it in row]
            table.add_row(row[0].component, *cells)
        memory = [status.memory_mib(spec) for spec in known]
        table.add_row("memory", *("-" if it is None else f"{it} MiB" for it in memory))
        _OUT.print(table)
        has_rancher = service.is_wanted()
        is_rancher_well = not has_rancher or service.is_ready()
        if has_rancher:
            _OUT.print(f"Rancher's stand-in, {service.URL}: {'well' if is_rancher_well else 'not well'}")
    if not (is_rancher_well and all(state.is_well for column in states.values() for state in column)):
        raise typer.Exit(ExitCode.FAILED)


@app.command()
def logs(
    name: Annotated[str, typer.Argument(metavar="CLUSTER")],
    component: Annotated[str, typer.Argument(help=", ".join(status.COMPONENTS))],
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last.")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it grows.")] = False,  # noqa: FBT002 - typer reads the default from here
) -> None:
    """Show the end of a component's log."""
    with _reported():
        is_rancher = (name, component) == (service.NAME, service.NAME)
        path = service.log() if is_rancher else status.log_of(find(name, existing()), component)
    _become("tail", f"--lines={lines}", *(["--follow=name"] if follow else []), str(path))


@app.command(context_settings=_PASSED_ON)
def kubectl(
    name: Annotated[str, typer.Argument(metavar="CLUSTER")],
    arguments: Annotated[list[str] | None, typer.Argument(metavar="ARGS...")] = None,
) -> None:
    """Run kubectl as the administrator of a cluster."""
    with _reported():
        spec = find(name, existing())
        with _progress() as progress:
            program = toolchain.ensure_program("kubectl", progress)
    _become(str(program), f"--kubeconfig={spec.kubeconfig}", *(arguments or ()))


@app.command()
def cut(
    name: Annotated[str, typer.Argument(metavar="CLUSTER")],
    pods: Annotated[
        list[IPv4Address] | None,
        typer.Option("--pod", parser=IPv4Address, metavar="ADDRESS", help="This pod alone; may be given again."),
    ] = None,
    refusing: Annotated[bool, typer.Option("--refusing", help="Answer TCP with resets, and not with silence.")] = False,  # noqa: FBT002 - typer reads the default from here
) -> None:
    """Take a cluster's node, or pods on it, off the network; `heal` gives it back."""
    with _reported(), lock.held():
        spec = find(name, existing())
        faults.cut(spec, pods or None, is_silent=not refusing)
        _OUT.print(f"{name} is cut off. To give it back: python -m lab heal {name}")


@app.command()
def heal(name: Annotated[str, typer.Argument(metavar="CLUSTER")]) -> None:
    """Take back every cut of a cluster."""
    with _reported(), lock.held():
        faults.heal(find(name, existing()))
        _OUT.print(f"{name} is on the network.")


@app.command()
def down() -> None:
    """Remove the clusters and all that belongs to them; what was built stays in its cache."""
    with _reported(), lock.held():
        with _OUT.status("Removing the lab"):
            teardown.remove_all()
        _OUT.print("The lab is down.")


def _ensure(wanted: Sequence[ClusterSpec]) -> None:
    with _progress() as progress:
        tools = toolchain.ensure(progress)
        archives = images.ensure(tools, progress)
        _publish(tools)
        mounts.ensure_namespaces_dir()
        network.ensure_fabric()
        for spec in wanted:
            network.ensure_node(spec)
        _ensure_clusters(wanted, tools, archives, progress)


def _publish(tools: toolchain.Toolchain) -> None:
    """Copy the charts to the folder that the stack files name."""
    files.make_folder(STATE_DIR)
    shutil.rmtree(CHARTS_DIR, ignore_errors=True)
    shutil.copytree(tools.charts, CHARTS_DIR)


def _ensure_clusters(
    wanted: Sequence[ClusterSpec],
    tools: toolchain.Toolchain,
    archives: Sequence[Path],
    progress: Progress,
) -> None:
    def ensure(spec: ClusterSpec) -> None:
        task = progress.add_task(f"Start {spec.name}", total=cluster.STEPS)

        def report(step: str) -> None:
            progress.update(task, advance=1, description=f"Start {spec.name}: {step}")

        cluster.ensure(spec, tools, archives, report)

    with ThreadPoolExecutor(max_workers=len(wanted)) as pool:
        try:
            for result in [pool.submit(ensure, spec) for spec in wanted]:
                result.result()
        except KeyboardInterrupt:
            # The threads may wait for minutes, and whatever they are at is safe to be cut off.
            progress.stop()
            _ERRORS.print("Interrupted. To go on: python -m lab up; to remove: python -m lab down")
            os._exit(ExitCode.INTERRUPTED)


def _print_clusters(shown: Sequence[ClusterSpec]) -> None:
    table = Table("cluster", "API", "load balancers", box=SIMPLE)
    for spec in shown:
        table.add_row(spec.name, spec.server, str(spec.pool))
    _OUT.print(table)
    _OUT.print(f"As administrator: python -m lab kubectl {shown[0].name} get nodes")
    if service.is_wanted():
        _OUT.print(
            f"Rancher's stand-in: {service.URL}, with the CA and the administrator's token in {service.PLACE.directory}"
        )


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=_ERRORS,
        # Packages differ in size, so a few say little about the time that the others take.
        speed_estimate_period=300,
    )


def _become(program: str, *arguments: str) -> None:
    sys.stdout.flush()
    os.execvp(program, (program, *arguments))  # noqa: S606 - no shell is wanted


@contextmanager
def _reported() -> Iterator[None]:
    """Require root, treat every ending signal as Ctrl-C, and show errors as `errors.reported` does."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    with errors.reported():
        preflight.require_root()
        try:
            yield
        except OSError as error:
            full = error.errno in {errno.ENOSPC, errno.EDQUOT}
            remedy = "Free some disk space" if full else "Try again, or run: python -m lab down"
            raise UserError(str(error), remedy) from error
