"""All physical names, label keys and ports that Istio, Kubernetes or a peer reads."""

ISTIO_NAMESPACE = "istio-system"
APP_NAMESPACE = "sample"

NETWORK_LABEL = "topology.istio.io/network"
CLUSTER_LABEL = "topology.istio.io/cluster"
LOCALITY_LABEL = "topology.istio.io/locality"
INJECTION_LABEL = "istio-injection"
MULTICLUSTER_LABEL = "istio/multiCluster"
CLUSTER_ANNOTATION = "networking.istio.io/cluster"
NODE_SELECTOR_ANNOTATION = "scheduler.alpha.kubernetes.io/node-selector"
RANCHER_PROJECT_ID = "field.cattle.io/projectId"
RANCHER_CONTAINER_LIMIT = "field.cattle.io/containerDefaultResourceLimit"
RANCHER_RESOURCE_QUOTA = "field.cattle.io/resourceQuota"
RANCHER_DEFAULT_QUOTA_LABEL = "resourcequota.management.cattle.io/default-resource-quota"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "mcsps"

SKIP_AWAIT = "pulumi.com/skipAwait"
TIMEOUT_SECONDS = "pulumi.com/timeoutSeconds"
WAIT_FOR = "pulumi.com/waitFor"
DELETION_PROPAGATION = "pulumi.com/deletionPropagationPolicy"

CACERTS = "cacerts"
LIMIT_RANGE = "istio-limitrange"
INGRESS_GATEWAY = "istio-ingressgateway"
EGRESS_GATEWAY = "istio-egressgateway"
EASTWEST_GATEWAY = "istio-eastwestgateway"
CROSS_NETWORK_GATEWAY = "cross-network-gateway"
CONTROL_PLANE = "control-plane"
EASTWEST = "eastwest"
ISTIOD_EXTENSIONS_READER = "mcsps-istiod-extensions-reader"
ISTIOD_HOST = f"istiod.{ISTIO_NAMESPACE}.svc"

HELLOWORLD = "helloworld"
HELLOWORLD_GATEWAY = "helloworld-gateway"
HELLOWORLD_MESH = "helloworld-mesh"
HELLOWORLD_HOST = f"{HELLOWORLD}.{APP_NAMESPACE}.svc.cluster.local"
HELLOWORLD_PATH = "/hello"
HELLOWORLD_PORT = 5000

NETWORKING_API = "networking.istio.io/v1"
NETWORKING_API_BEFORE_1_22 = "networking.istio.io/v1beta1"

HTTP_PORT = 80
HTTPS_PORT = 443
STATUS_PORT = 15021
CROSS_NETWORK_PORT = 15443

X509_COMMON_NAME_MAX = 64
_INTERMEDIATE_CN = "Intermediate CA "
CLUSTER_NAME_MAX = X509_COMMON_NAME_MAX - len(_INTERMEDIATE_CN)
"""The longest cluster name: the intermediate CA's common name, at most 64 characters in X.509, contains it."""


def intermediate_common_name(cluster: str) -> str:
    """The common name of a cluster's intermediate CA."""
    return f"{_INTERMEDIATE_CN}{cluster}"


def remote_secret(source: str) -> str:
    """The name of the Secret in a peer through which the peer's istiod reads `source`."""
    return f"istio-remote-secret-{source}"


def reader(target: str) -> str:
    """The name of the service account in a source cluster as which `target`'s istiod reads that cluster."""
    return f"istio-reader-for-{target}"


def peers_user(mesh_id: str, cluster: str) -> str:
    """The name of the Rancher user as which the peers' istiods read `cluster`."""
    return f"{mesh_id}-{cluster}-reader"


def peers_role_description(cluster: str) -> str:
    """The description of the Rancher role of the peers of `cluster`; the roles of two stacks differ in it."""
    return f"Reads in {cluster} what the istiod of its peers needs"


def project(cluster: str) -> str:
    """The logical name of the Rancher project of istio-system."""
    return f"{cluster}-project"


def app_project(cluster: str) -> str:
    """The logical name of the Rancher project of the application."""
    return f"{cluster}-app-project"


def version_deployment(version: str) -> str:
    """The name of the Deployment of one version of helloworld."""
    return f"{HELLOWORLD}-{version}"
