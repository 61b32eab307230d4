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
_ClusterName = Annotated[str, typer.Argument(metavar="CLUSTER", help="The name of a cluster, such as east.")]
_OUT = Console()
_ERRORS = Console(stderr=True)
# Options after the cluster's name, and "--" itself, are kubectl's.
_PASSED_ON = {"allow_interspersed_args": False, "help_option_names": []}


@app.command()
def up(
    count: Annotated[
        int, typer.Option("--clusters", help=f"Number of clusters, up to {MAX_CLUSTERS}. If more exist, they stay.")
    ] = DEFAULT_CLUSTERS,
    *,
    rancher: Annotated[bool, typer.Option("--rancher", help="Also start the test server for Rancher.")] = False,
    isolation: Annotated[
        bool,
        typer.Option("--rancher-isolation", help="Start it with project network isolation; implies --rancher."),
    ] = False,
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
    """Show the state of every component. The exit code is 1 unless all of them are healthy."""
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
            _OUT.print(f"test server for Rancher, {service.URL}: {'healthy' if is_rancher_well else 'not healthy'}")
    if not (is_rancher_well and all(state.is_well for column in states.values() for state in column)):
        raise typer.Exit(ExitCode.FAILED)


@app.command()
def logs(
    name: _ClusterName,
    component: Annotated[str, typer.Argument(help=", ".join(status.COMPONENTS))],
    *,
    lines: Annotated[int, typer.Option("--lines", "-n", help="The number of lines from the end of the log.")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Print new lines until Ctrl-C.")] = False,
) -> None:
    """Show the end of a component's log."""
    with _reported():
        is_rancher = (name, component) == (service.NAME, service.NAME)
        path = service.log() if is_rancher else status.log_of(find(name, existing()), component)
    _become("tail", f"--lines={lines}", *(["--follow=name"] if follow else []), str(path))


@app.command(context_settings=_PASSED_ON)
def kubectl(
    name: _ClusterName,
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
    name: _ClusterName,
    pods: Annotated[
        list[IPv4Address] | None,
        typer.Option(
            "--pod",
            parser=IPv4Address,
            metavar="ADDRESS",
            help="The address of a pod to disconnect, instead of the node. Repeat it for several pods.",
        ),
    ] = None,
    *,
    refusing: Annotated[
        bool, typer.Option("--refusing", help="Reset TCP connections, instead of dropping every packet.")
    ] = False,
) -> None:
    """Disconnect a cluster's node, or pods on it, from the network. `heal` reconnects them."""
    with _reported(), lock.held():
        spec = find(name, existing())
        faults.cut(spec, pods or None, is_silent=not refusing)
        _OUT.print(f"{name} is disconnected. To reconnect it: python -m lab heal {name}")


@app.command()
def heal(name: _ClusterName) -> None:
    """Reconnect the node and the pods of a cluster that `cut` disconnected."""
    with _reported(), lock.held():
        faults.heal(find(name, existing()))
        _OUT.print(f"{name} is connected.")


@app.command()
def down() -> None:
    """Remove the clusters with all of their processes, networks and files. The build cache stays."""
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
            _ERRORS.print("Interrupted. To continue: python -m lab up; to remove the lab: python -m lab down")
            os._exit(ExitCode.INTERRUPTED)


def _print_clusters(shown: Sequence[ClusterSpec]) -> None:
    table = Table("cluster", "API", "load balancers", box=SIMPLE)
    for spec in shown:
        table.add_row(spec.name, spec.server, str(spec.pool))
    _OUT.print(table)
    _OUT.print(f"Run kubectl as the administrator: python -m lab kubectl {shown[0].name} get nodes")
    if service.is_wanted():
        _OUT.print(
            f"Test server for Rancher: {service.URL}; CA and administrator's token are in {service.PLACE.directory}"
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
