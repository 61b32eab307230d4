"""The stack: clusters, trust, Istio, links, application, exports; all nodes first, then the edges between them."""

from itertools import permutations

import pulumi
import pulumi_rancher2 as rancher2
from pulumi import ResourceOptions

import wiring
from components import HelloworldApp, IstioInstall, MeshLink, MeshTrust, RancherCluster
from config.loader import load
from mesh import names

settings, secrets = load(pulumi.Config())

rancher = (
    rancher2.Provider(
        "rancher",
        api_url=settings.rancher.url,
        token_key=secrets.rancher_token,
        ca_certs=settings.rancher.ca_certs,
    )
    if settings.rancher
    else None
)

clusters = {
    cluster.name: RancherCluster(cluster.name, wiring.rancher_cluster(settings, secrets, cluster, rancher))
    for cluster in settings.clusters
}

trust = MeshTrust("trust", wiring.mesh_trust(settings, secrets))

istio = {
    cluster.name: IstioInstall(
        f"{cluster.name}-istio",
        wiring.istio_install(settings, cluster, clusters[cluster.name].crd_provider, trust.intermediates[cluster.name]),
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
        wiring.mesh_link(settings, secrets, source, target, clusters),
        ResourceOptions(depends_on=[istio[source.name], istio[target.name]]),
    )

for cluster in settings.clusters:
    HelloworldApp(
        f"{cluster.name}-helloworld",
        wiring.helloworld_app(settings, cluster),
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
