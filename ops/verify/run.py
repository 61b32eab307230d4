"""Runs `verify`: reads the clusters, sends traffic, reads the sidecars, and concludes."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from config.base import NAMESPACE
from config.schema import Cluster, Settings
from mesh import names
from ops.cluster import connect
from ops.cluster.api import ClusterApi
from ops.cluster.calls import ApiError
from ops.cluster.client_pod import client_pod, remove_leftovers, wait_ready
from ops.cluster.polling import Poller
from ops.cluster.sidecar import see_certificates, see_endpoints
from ops.traffic import audiences, split
from ops.traffic.loops import CLIENT_URL, from_client, through_ingress
from ops.traffic.source import TrafficSource
from ops.traffic.split import Tally
from ops.verify.checks.endpoints import complete
from ops.verify.checks.traffic_ingress import INGRESS
from ops.verify.collect import collect
from ops.verify.diagnosis import conclude
from ops.verify.facts import ClientFacts, ClusterFacts, Inspection, MeshFacts, TrafficFacts
from ops.verify.gateways import GATEWAY
from ops.verify.options import Options
from ops.verify.reach import reach_gateways
from ops.verify.report import Report

POD_READY_SECONDS = 60.0


def verify(settings: Settings, options: Options, progress: Callable[[str], None]) -> Report:
    """
    Verify a stack's mesh without the clusters that are away; `progress` receives one line for each step.

    Raises:
        UserError: There is no client for a cluster's API.
    """
    for note in settings.notes:
        progress(note)
    away = tuple(cluster.name for cluster in settings.clusters if cluster.away)
    settings, whole = settings.without_away, settings
    weights = [audiences.wanted(settings, cluster.name) for cluster in settings.clusters]
    needed, weight = max((split.enough(weight), weight) for weight in weights)
    if options.requests < needed:
        progress(f"sending {needed} requests in each loop, because fewer do not show {weight} % of v2")
        options = replace(options, requests=needed)
    poller = Poller(seconds=options.wait_seconds)
    apis = connect.connect(whole, options.stack, options.root, poller.interrupted, options.rancher_token_file)
    keys = {cluster.name: f"{NAMESPACE}:clusters[{index}]" for index, cluster in enumerate(whole.clusters)}
    run = _Run(settings=settings, options=options, apis=apis, keys=keys, poller=poller, progress=progress)
    # The pods outlive the workers, so an interrupt deletes them without waiting for a request loop.
    with contextlib.ExitStack() as pods, _workers(2 * len(apis), poller) as pool:
        progress(f"reading {', '.join(apis)}")
        clusters = {facts.name: facts for facts in pool.map(run.look, settings.clusters)}
        reached = [name for name, facts in clusters.items() if not facts.error]
        progress(f"starting a client pod in {', '.join(reached) or 'no cluster'}")
        started = {name: run.start(name, pods) for name in reached}
        progress("waiting for the client pods and for the endpoints of their sidecars")
        ready = list(pool.map(lambda client: run.settle(client, clusters), started.values()))
        progress(f"sending {options.requests} requests through each ingress and from each client pod")
        loops = [loop for client in ready for loop in run.loops(client, clusters[client.cluster])]
        traffic = tuple(pool.map(lambda loop: loop(), loops))
        progress("reading what the sidecars did with the requests")
        clients = {client.cluster: client for client in pool.map(lambda client: run.query(client, clusters), ready)}
    facts = MeshFacts(clusters=tuple(clusters.values()), clients=clients, traffic=traffic)
    return conclude(facts, settings, stack=options.stack, requests=options.requests, away=away)


@dataclass(frozen=True, kw_only=True)
class _Run:
    """The steps of one run, each for one cluster."""

    settings: Settings
    options: Options
    apis: Mapping[str, ClusterApi]
    keys: Mapping[str, str]
    poller: Poller
    progress: Callable[[str], None]

    def look(self, cluster: Cluster) -> ClusterFacts:
        peers = tuple(other.name for other in self.settings.clusters if other != cluster)
        api = self.apis[cluster.name]
        key = self.keys[cluster.name]
        return collect(Inspection(cluster=cluster, peers=peers, api=api, poller=self.poller, key=key))

    def start(self, cluster: str, pods: contextlib.ExitStack) -> ClientFacts:
        api = self.apis[cluster]
        try:
            remove_leftovers(api)
            pod = pods.enter_context(client_pod(api, self.settings.verify.client_image, self.progress))
        except ApiError as error:
            return ClientFacts(cluster=cluster, error=f"no client pod: {error}")
        return ClientFacts(cluster=cluster, pod=pod)

    def settle(self, client: ClientFacts, clusters: Mapping[str, ClusterFacts]) -> ClientFacts:
        """Wait for a client pod, its endpoints and its connections: a peer may just have been linked."""
        if client.error:
            return client
        error = wait_ready(self.apis[client.cluster], client.pod, replace(self.poller, seconds=POD_READY_SECONDS))
        if error:
            return replace(client, error=error)
        return self.poller.until(
            lambda seen: bool(seen.error) or (complete(seen, clusters) and not any(seen.gateways.values())),
            lambda: self.query(client, clusters),
        )

    def query(self, client: ClientFacts, clusters: Mapping[str, ClusterFacts]) -> ClientFacts:
        """Query a client pod and its sidecar; again, if they do not answer."""
        if client.error:
            return client
        try:
            return self.poller.retry(lambda: self._query(client, clusters), ApiError)
        except ApiError as error:
            return replace(client, error=str(error))

    def _query(self, client: ClientFacts, clusters: Mapping[str, ClusterFacts]) -> ClientFacts:
        api, pod = self.apis[client.cluster], client.pod
        peers = (cluster for cluster in clusters.values() if cluster.name != client.cluster)
        return replace(
            client,
            endpoints=see_endpoints(api, pod),
            gateways=reach_gateways(api, pod, [address for peer in peers for address in peer.get(GATEWAY).targets]),
            certificates=see_certificates(api, names.APP_NAMESPACE, pod),
        )

    def loops(self, client: ClientFacts, cluster: ClusterFacts) -> Iterator[Callable[[], TrafficFacts]]:
        """Yield every request loop of a cluster; one that cannot run returns why."""
        yield from self._loops_of(audiences.EVERYONE, self.options.requests, client, cluster)
        for audience in audiences.tried(self.settings, client.cluster):
            yield from self._loops_of(audience, audiences.REQUESTS, client, cluster)

    def _loops_of(
        self, audience: str, requests: int, client: ClientFacts, cluster: ClusterFacts
    ) -> Iterator[Callable[[], TrafficFacts]]:
        name, headers, ingress = client.cluster, audiences.headers(self.settings, audience), cluster.get(INGRESS)
        unsent = partial(TrafficFacts, cluster=name, tally=Tally(requests))
        loops: list[Callable[[], TrafficFacts]] = [
            partial(through_ingress, name, address, requests, self.poller.interrupted, headers=headers)
            for address in ingress
        ]
        if not ingress:
            error = cluster.read_errors.get(INGRESS, "the ingress has no address")
            loops.append(partial(unsent, source=TrafficSource.INGRESS, url="", error=error))
        if client.error:
            loops.append(partial(unsent, source=TrafficSource.CLIENT, url=CLIENT_URL, error=client.error))
        else:
            loops.append(partial(from_client, name, self.apis[name], client.pod, requests, headers=headers))
        return (partial(_of, audience, loop) for loop in loops)


def _of(audience: str, loop: Callable[[], TrafficFacts]) -> TrafficFacts:
    return replace(loop(), audience=audience)


@contextlib.contextmanager
def _workers(count: int, poller: Poller) -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    except BaseException:
        poller.interrupted.set()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
