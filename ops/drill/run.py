"""Sets up a drill against live clusters (client pods, loops, routing), and removes all of it."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.schema import Cluster, Settings
from errors import UserError
from mesh import names
from ops import stack as stacks
from ops.cluster import connect
from ops.cluster.api import ClusterApi
from ops.cluster.calls import ApiError
from ops.cluster.client_pod import LIFETIME, client_pod, remove_leftovers, wait_ready
from ops.cluster.polling import Poller
from ops.drill import bound
from ops.drill.absence import Absence, Updates
from ops.drill.loops import CLIENT_MEMORY, ClientLoop, Source, client_command, ingress_loop
from ops.drill.phases import Split
from ops.drill.report import DrillReport
from ops.drill.scenario import Faults, Scenario
from ops.drill.targets import ClusterTarget
from ops.drill.timeline import Conductor
from ops.traffic import audiences
from ops.verify.run import POD_READY_SECONDS


@dataclass(frozen=True, kw_only=True)
class Options:
    """
    The options of a drill.

    Attributes:
        cluster: The cluster to take down; `None` for the first one.
        rate: Requests per second from each source.
        seconds: The shortest length of each phase.
        return_seconds: How long the split may take to return.
    """

    stack: str
    root: Path
    cluster: str | None
    scenarios: Sequence[Scenario]
    rate: float
    seconds: float
    return_seconds: float


def drill(
    settings: Settings,
    options: Options,
    faults: Faults,
    progress: Callable[[str], None],
    updates: Updates | None = None,
) -> DrillReport:
    """
    Run each scenario in turn.

    Args:
        settings: The stack's config.
        options: How to drill.
        faults: What takes a cluster down.
        progress: Receives one line for each step.
        updates: What moves the traffic off the cluster that is down; `None` leaves that to the mesh.

    Raises:
        UserError: The drill cannot start, a cluster fails that is not taken down, or an `up` fails.
    """
    cluster = _find_cluster(settings, options.cluster)
    absence = Absence.of(cluster.name, stacks.read(options.stack, options.root), updates) if updates else None
    apis = connect.connect(settings, options.stack, options.root)
    notes = tuple(_notes(settings, cluster.name, absence))
    for note in notes:
        progress(f"note: {note}")
    try:
        with contextlib.ExitStack() as running:
            progress(f"starting a client pod in {', '.join(apis)}")
            sources = tuple(_sources(settings, options, apis, running, progress))
            conductor = Conductor(
                drill_target=ClusterTarget(cluster=cluster, api=apis[cluster.name], faults=faults, progress=progress),
                sources=sources,
                splits={
                    it.name: Split(v2_weight=audiences.wanted(settings, it.name), rate=options.rate)
                    for it in settings.clusters
                },
                detection=_detection(apis, cluster.name),
                gap_seconds=bound.gap_seconds(settings, options.rate),
                seconds=options.seconds,
                return_seconds=options.return_seconds,
                progress=progress,
                absence=absence,
            )
            _check_time(conductor, options.scenarios)
            progress(f"sending {options.rate:g} requests per second through each ingress and from each client pod")
            conductor.settle()
            scenarios = tuple(conductor.conduct(options.scenarios))
    except ApiError as error:
        raise UserError(
            f"the API of a cluster that is not taken down failed: {error}", f"Run: make verify STACK={options.stack}"
        ) from None
    return DrillReport(
        stack=options.stack,
        mesh=settings.mesh.id,
        cluster=cluster.name,
        v2_weight=settings.v2_weight,
        rate=options.rate,
        detection=conductor.detection,
        notes=notes,
        scenarios=scenarios,
    )


def _find_cluster(settings: Settings, name: str | None) -> Cluster:
    known = {cluster.name: cluster for cluster in settings.clusters}
    wanted = next(iter(known)) if name is None else name
    if wanted not in known:
        raise UserError(f"the stack has no cluster '{wanted}'", f"--cluster is one of: {', '.join(known)}")
    if away := [cluster.name for cluster in settings.clusters if cluster.away]:
        raise UserError(
            f"{', '.join(away)} is away by the stack's config, and a drill needs every cluster",
            "Remove `away` from it, and run `up`",
        )
    if len(known) == 1:
        raise UserError(f"{wanted} is the stack's only cluster, so no other can take over; a drill needs two")
    if not known[wanted].versions:
        raise UserError(
            f"{wanted} runs no version of helloworld, so there is nothing to drill", "Choose another --cluster"
        )
    return known[wanted]


def _notes(settings: Settings, cluster: str, absence: Absence | None) -> Iterator[str]:
    until = "until the `up` moves them" if absence else "while its pods cannot be reached"
    for version, share in bound.alone(settings, cluster).items():
        yield f"{version} runs in {cluster} alone: up to {share} % of the requests from a cluster fail {until}"
    if absence:
        yield from absence.settings.notes


def _sources(
    settings: Settings,
    options: Options,
    apis: Mapping[str, ClusterApi],
    running: contextlib.ExitStack,
    progress: Callable[[str], None],
) -> Iterator[Source]:
    headers = audiences.headers(settings, audiences.EVERYONE)
    command, image = client_command(options.rate, headers=headers), settings.verify.client_image
    pods = {}
    for name, api in apis.items():
        remove_leftovers(api)
        pods[name] = running.enter_context(client_pod(api, image, progress, command, CLIENT_MEMORY))
    for name, api in apis.items():
        if error := wait_ready(api, pods[name], Poller(seconds=POD_READY_SECONDS)):
            raise UserError(f"the client pod of {name}: {error}")
        service = api.service(names.ISTIO_NAMESPACE, names.INGRESS_GATEWAY)
        if service is None or not service.addresses:
            raise UserError(f"the ingress of {name} has no address", f"Run: make verify STACK={options.stack}")
        for address in service.addresses:
            yield running.enter_context(ingress_loop(name, address, options.rate, headers=headers))
        yield ClientLoop(cluster=name, api=api, pod=pods[name])


def _detection(apis: Mapping[str, ClusterApi], drilled: str) -> bound.Detection | None:
    """Read the routing of a cluster that stays up; it is the same in all clusters."""
    staying = next(api for name, api in apis.items() if name != drilled)
    return bound.read_detection(
        staying.istio_spec(names.APP_NAMESPACE, "destinationrules", names.HELLOWORLD),
        [
            staying.istio_spec(names.APP_NAMESPACE, "virtualservices", name)
            for name in (names.HELLOWORLD, names.HELLOWORLD_MESH)
        ],
    )


def _check_time(conductor: Conductor, scenarios: Sequence[Scenario]) -> None:
    longest, lifetime = conductor.longest_seconds(scenarios), LIFETIME.total_seconds()
    if longest > lifetime - POD_READY_SECONDS:
        raise UserError(
            f"the drill may take {longest / 60:.0f} minutes, and its client pods live for {lifetime / 60:.0f}",
            "Choose fewer --target or --failure-mode, or lower --seconds or --return-within",
        )
