"""The stack: clusters, trust and Istio first, then the links between clusters, the application and the exports."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import permutations

import pulumi
import pulumi_rancher2 as rancher2
from pulumi import ResourceOptions
from pulumi.runtime.settings import get_root_resource

from components import HelloworldApp, IstioInstall, MeshLink, MeshTrust, RancherCluster, cluster_objects, helm_template
from config import preflight
from config.loader import load
from config.preflight import charts as chart_preflight
from config.preflight import clusters as cluster_preflight
from config.preflight import rancher as rancher_preflight
from config.schema import Istio
from errors import UserError
from mesh import names
from wiring import Wiring


async def compose(
    now: datetime,
    look_up: preflight.LookUp = rancher_preflight.look_up,
    ask: cluster_preflight.Ask = cluster_preflight.ask,
    find_charts: Callable[[Istio], None] = chart_preflight.check,
) -> None:
    """
    Register the whole stack.

    Args:
        now: The time, in UTC; it determines the rotation of tokens.
        look_up: Queries the Rancher server.
        ask: Queries the clusters.
        find_charts: Looks for the folder of the charts.

    Raises:
        pulumi.RunError: The config is invalid, or a cluster does not answer; nothing is registered.
    """
    try:
        settings, secrets = load(pulumi.Config())
        find_charts(settings.istio)
        found = preflight.run(settings, secrets, now, look_up, ask)
        wire = Wiring(settings=settings, secrets=secrets, found=found)
    except UserError as error:
        _keep_outputs()
        # Pulumi shows a RunError without a traceback.
        raise pulumi.RunError(str(error)) from None
    for note in (*settings.notes, *found.notes):
        pulumi.log.warn(note)

    rancher = (
        rancher2.Provider(
            "rancher",
            api_url=settings.rancher.url,
            token_key=pulumi.Output.secret(secrets.rancher_token),
            ca_certs=settings.rancher.ca_certs,
        )
        if settings.rancher
        else None
    )

    clusters = {
        cluster.name: RancherCluster(cluster.name, wire.rancher_cluster(cluster, rancher))
        for cluster in settings.clusters
    }

    trust = MeshTrust("trust", wire.mesh_trust())
    releases = wire.releases
    charts = await helm_template.render(helm_template.make_renderer(), releases) if releases else {}

    istio = {
        cluster.name: IstioInstall(
            f"{cluster.name}-istio",
            wire.istio_install(
                cluster,
                clusters[cluster.name].crd_provider,
                trust.intermediates[cluster.name],
                charts.get(cluster.name),
            ),
            ResourceOptions.merge(
                clusters[cluster.name].options,
                ResourceOptions(
                    depends_on=[clusters[cluster.name].istio_namespace, clusters[cluster.name].limit_range]
                ),
            ),
        )
        for cluster in settings.clusters
    }

    for source, target in permutations(settings.clusters, 2):
        MeshLink(
            f"{source.name}-to-{target.name}",
            wire.mesh_link(source, target, clusters, istio[target.name].readiness.injects),
            ResourceOptions(
                depends_on=[clusters[source.name].istio_namespace],
                transformations=[
                    cluster_objects.with_options(
                        {it.provider: it.object_options for it in (clusters[source.name], clusters[target.name])}
                    )
                ],
            ),
        )

    for cluster in settings.clusters:
        HelloworldApp(
            f"{cluster.name}-helloworld",
            wire.helloworld_app(cluster, istio[cluster.name].readiness),
            ResourceOptions.merge(
                clusters[cluster.name].options, ResourceOptions(depends_on=[clusters[cluster.name].app_namespace])
            ),
        )

    pulumi.export(
        "clusters",
        {
            cluster.name: {
                "ingressAddress": istio[cluster.name].ingress_address,
                "eastwestAddress": istio[cluster.name].eastwest_address,
                "network": cluster.network,
                "caExpiry": trust.intermediates[cluster.name].expiry,
                **clusters[cluster.name].token_expiry,
            }
            for cluster in settings.clusters
        },
    )
    pulumi.export("rootExpiry", trust.root_expiry)
    pulumi.export(
        "url",
        istio[settings.present[0].name].ingress_address.apply(
            lambda address: f"http://{address}{names.HELLOWORLD_PATH}" if address else None
        ),
    )


def _keep_outputs() -> None:
    # After a failure as well, the SDK registers the outputs that the program has set so far: none, at this point.
    vars(get_root_resource())["register_outputs"] = lambda _: None


if __name__ == "__main__":
    pulumi.run(partial(compose, datetime.now(UTC)))
