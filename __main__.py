"""The stack: clusters, trust and Istio first, then the links between clusters, the application and the exports."""

from datetime import UTC, datetime
from itertools import permutations

import pulumi
import pulumi_rancher2 as rancher2
from pulumi import ResourceOptions

from components import HelloworldApp, IstioInstall, MeshLink, MeshTrust, RancherCluster
from config import preflight
from config.loader import load
from config.preflight import rancher as rancher_preflight
from errors import UserError
from mesh import names
from wiring import Wiring


def compose(now: datetime, look_up: preflight.LookUp = rancher_preflight.look_up) -> None:
    """
    Register the whole stack.

    Args:
        now: The time, in UTC; it determines the rotation of tokens.
        look_up: Queries the Rancher server.

    Raises:
        pulumi.RunError: The config is invalid; nothing is registered.
    """
    try:
        settings, secrets = load(pulumi.Config())
        wire = Wiring(settings=settings, secrets=secrets, found=preflight.run(settings, secrets, now, look_up))
    except UserError as error:
        # Pulumi shows a RunError without a traceback.
        raise pulumi.RunError(str(error)) from None

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

    istio = {
        cluster.name: IstioInstall(
            f"{cluster.name}-istio",
            wire.istio_install(cluster, clusters[cluster.name].crd_provider, trust.intermediates[cluster.name]),
            ResourceOptions(
                provider=clusters[cluster.name].provider,
                depends_on=[clusters[cluster.name].istio_namespace, clusters[cluster.name].limit_range],
            ),
        )
        for cluster in settings.clusters
    }

    for source, target in permutations(settings.clusters, 2):
        MeshLink(
            f"{source.name}-to-{target.name}",
            wire.mesh_link(source, target, clusters),
            ResourceOptions(depends_on=[istio[source.name], istio[target.name]]),
        )

    for cluster in settings.clusters:
        HelloworldApp(
            f"{cluster.name}-helloworld",
            wire.helloworld_app(cluster),
            ResourceOptions(
                provider=clusters[cluster.name].provider,
                depends_on=[clusters[cluster.name].app_namespace, istio[cluster.name]],
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
        pulumi.Output.concat("http://", istio[settings.clusters[0].name].ingress_address, names.HELLOWORLD_PATH),
    )


if __name__ == "__main__":
    compose(datetime.now(UTC))
