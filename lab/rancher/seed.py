"""The initial documents of a server: settings, roles, the administrator, and its clusters."""

from lab.machine import files
from lab.rancher import metadata, names, tokens
from lab.rancher.config import ClusterConfig
from lab.rancher.state import Rancher
from lab.rancher.store import Document, Kind

ADMIN = "user-admin"
_READ = ["get", "list", "watch"]
_EVERYTHING: Document = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
# The provider treats a cluster as active by the last of them.
_ACTIVE = ("Ready", "Provisioned", "Connected", "Updated")
_DAYS_90, _DAYS_30, _HOURS_16 = "129600", "43200", "960"
_ROLE_NAMES = {"read-only": "Read-only"}
_MEMBERS = {"project-owner": "admin", "project-member": "edit", "read-only": "view"}
"""The Kubernetes ClusterRole for each role in a project."""


def ensure(rancher: Rancher) -> None:
    """Add missing documents, and update the clusters from the configuration."""
    _ensure_settings(rancher)
    _ensure_roles(rancher)
    for cluster in rancher.config.clusters:
        _ensure_cluster(rancher, cluster)
    if rancher.store.get(Kind.USER, ADMIN) is None or not rancher.config.admin_token_file.exists():
        _make_admin(rancher)


def _put(rancher: Rancher, kind: Kind, name: str, content: Document) -> None:
    document = rancher.store.get(kind, name) or metadata.new(rancher.now(), None) | {"id": name, "name": name}
    labels = document["labels"] | content.pop("labels", {})
    rancher.store.put(kind, document | content | {"labels": labels})


def _ensure_settings(rancher: Rancher) -> None:
    for name, default in (
        (tokens.MAX_TTL, _DAYS_90),
        (tokens.DEFAULT_TTL, _DAYS_90),
        (tokens.KUBECONFIG_MAX_TTL, _DAYS_90),
        (tokens.KUBECONFIG_DEFAULT_TTL, _DAYS_30),
        (tokens.SESSION_TTL, _HOURS_16),
        ("kubeconfig-generate-token", "true"),
        ("k8s-version", ""),
        ("system-namespaces", ",".join(names.SYSTEM_NAMESPACES)),
    ):
        if rancher.store.get(Kind.SETTING, name) is None:
            _put(
                rancher,
                Kind.SETTING,
                name,
                {"default": default, "value": default, "customized": False, "source": "default"},
            )
    config = rancher.config
    for name, value in (("cacerts", config.ca_file.read_text()), ("server-url", config.url)):
        _put(rancher, Kind.SETTING, name, {"default": "", "value": value, "customized": True, "source": "db"})
    version = {"default": "dev", "value": config.version, "customized": False, "source": "env"}
    _put(rancher, Kind.SETTING, "server-version", version)


def _ensure_roles(rancher: Rancher) -> None:
    nodes: Document = {"apiGroups": [""], "resources": ["nodes", "namespaces"], "verbs": _READ}
    rules = {"cluster-owner": [_EVERYTHING, {"nonResourceURLs": ["*"], "verbs": ["*"]}], "cluster-member": [nodes]}
    for name, held in rules.items():
        _put(rancher, Kind.ROLE_TEMPLATE, name, _role("cluster", name) | {"rules": held})
    for name in ("admin", "user", "user-base"):
        _put(rancher, Kind.GLOBAL_ROLE, name, {"builtin": True, "name": name.replace("-", " ").title(), "rules": []})
    for kubernetes in _MEMBERS.values():
        # These exist in Kubernetes; Rancher has them as external templates.
        external = {"external": True, "hidden": True}
        _put(rancher, Kind.ROLE_TEMPLATE, kubernetes, _role("project", f"kubernetes-{kubernetes}") | external)
    for name, kubernetes in _MEMBERS.items():
        _put(rancher, Kind.ROLE_TEMPLATE, name, _role("project", name) | {"roleTemplateIds": [kubernetes]})


def _role(context: str, name: str) -> Document:
    return {
        "administrative": False,
        "builtin": True,
        "context": context,
        "external": False,
        "hidden": False,
        "locked": False,
        "name": _ROLE_NAMES.get(name) or name.replace("-", " ").title(),
        "roleTemplateIds": [],
        "rules": [],
    }


def _ensure_cluster(rancher: Rancher, cluster: ClusterConfig) -> None:
    _put(
        rancher,
        Kind.CLUSTER,
        cluster.id,
        {
            "apiEndpoint": cluster.server,
            "conditions": [{"status": "True", "type": it} for it in _ACTIVE],
            "description": "",
            "driver": "imported",
            "enableNetworkPolicy": cluster.enable_network_policy,
            "internal": False,
            "name": cluster.name,
            "provider": "k8s",
            "state": "active",
            "transitioning": "no",
            "transitioningMessage": "",
        },
    )
    for name in ("default-token", "system"):
        # Clients wait for a registration command, but the lab registers no clusters, so this one does nothing.
        command = "# the lab's clusters are registered already"
        shown = {"clusterId": cluster.id, "command": command, "nodeCommand": command, "name": name, "state": "active"}
        _put(rancher, Kind.REGISTRATION_TOKEN, f"{cluster.id}:{name}", shown)
    known = [it for it in rancher.store.all(Kind.PROJECT) if it["clusterId"] == cluster.id]
    for label, name in ((names.DEFAULT_PROJECT, "Default"), (names.SYSTEM_PROJECT, "System")):
        if not any(label in it["labels"] for it in known):
            own = names.generate("p-")
            shown = project_fields(cluster.id, own) | {"name": name, "labels": {label: "true"}}
            _put(rancher, Kind.PROJECT, f"{cluster.id}:{own}", shown)


def project_fields(cluster: str, name: str) -> Document:
    """Return the fields of every project, without its metadata."""
    return {
        "backingNamespace": f"{cluster}-{name}",
        "clusterId": cluster,
        "conditions": [{"status": "True", "type": it} for it in ("BackingNamespaceCreated", "InitialRolesPopulated")],
        "description": "",
        "state": "active",
        "transitioning": "no",
        "transitioningMessage": "",
    }


def _make_admin(rancher: Rancher) -> None:
    user = {"username": "admin", "name": "Default Admin", "principalIds": [f"local://{ADMIN}"], "enabled": True}
    _put(rancher, Kind.USER, ADMIN, user)
    _put(rancher, Kind.GLOBAL_BINDING, f"globaladmin-{ADMIN}", {"userId": ADMIN, "globalRoleId": "admin"})
    kind = ((names.TOKEN_KIND, "session"),)
    request = tokens.Request(ADMIN, "the lab's administrator", tokens.NEVER, is_derived=False, labels=kind)
    _, value = rancher.tokens.create(request)
    files.write(rancher.config.admin_token_file, value)
