"""The types of the API: their names and methods, and the schemas that clients read first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lab.rancher.store import Document

_MAP, _STRING, _BOOLEAN, _INTEGER = "map[string]", "string", "boolean", "int"
_READ = ("GET",)
_ALL = ("GET", "PUT", "DELETE")
_CREATE = ("GET", "POST")
_COMMON = {
    "annotations": _MAP,
    "created": "date",
    "creatorId": "reference[/v3/schemas/user]",
    "labels": _MAP,
    "name": _STRING,
    "uuid": _STRING,
}
_STATE = {"state": _STRING, "transitioning": "enum", "transitioningMessage": _STRING}
_ROLE_FLAGS = (
    "administrative",
    "builtin",
    "clusterCreatorDefault",
    "external",
    "hidden",
    "locked",
    "projectCreatorDefault",
)
_SUBJECT = {
    "groupId": "reference[group]",
    "groupPrincipalId": "reference[principal]",
    "roleTemplateId": "reference[roleTemplate]",
    "userId": "reference[user]",
    "userPrincipalId": "reference[principal]",
}


class Context(StrEnum):
    """The API of a type; the value is its path."""

    MANAGEMENT = "/v3"
    CLUSTER = "/v3/cluster"


@dataclass(frozen=True)
class Type:
    """One type of resource."""

    name: str
    plural: str
    fields: Mapping[str, str]
    context: Context = Context.MANAGEMENT
    collection_methods: tuple[str, ...] = _CREATE
    resource_methods: tuple[str, ...] = _ALL
    actions: Mapping[str, Document] = field(default_factory=dict)
    defaults: Mapping[str, object] = field(default_factory=dict)
    """The default values of fields."""
    is_fixed: tuple[str, ...] = ()
    """Fields that an update cannot change."""

    def updatable(self) -> frozenset[str]:
        """Return the fields that an update may set."""
        own = set(self.fields) - {"created", "creatorId", "uuid", *_STATE}
        return frozenset(own - set(self.is_fixed))


CLUSTER = Type(
    "cluster",
    "clusters",
    _COMMON
    | _STATE
    | {
        "apiEndpoint": _STRING,
        "caCert": _STRING,
        "conditions": "array[clusterCondition]",
        "description": _STRING,
        "driver": _STRING,
        "enableNetworkPolicy": _BOOLEAN,
        "internal": _BOOLEAN,
        "provider": _STRING,
        "version": "info",
    },
    collection_methods=_READ,
    resource_methods=_READ,
    actions={"generateKubeconfig": {"output": "generateKubeConfigOutput"}},
)
PROJECT = Type(
    "project",
    "projects",
    _COMMON
    | _STATE
    | {
        "backingNamespace": _STRING,
        "clusterId": "reference[cluster]",
        "conditions": "array[projectCondition]",
        "containerDefaultResourceLimit": "containerResourceLimit",
        "description": _STRING,
        "namespaceDefaultResourceQuota": "namespaceResourceQuota",
        "resourceQuota": "projectResourceQuota",
    },
    is_fixed=("backingNamespace", "clusterId", "conditions"),
)
NAMESPACE = Type(
    "namespace",
    "namespaces",
    _COMMON
    | _STATE
    | {
        "containerDefaultResourceLimit": "containerResourceLimit",
        "description": _STRING,
        "projectId": "reference[/v3/schemas/project]",
        "resourceQuota": "namespaceResourceQuota",
    },
    context=Context.CLUSTER,
    actions={"move": {"input": "namespaceMove"}},
    is_fixed=("name", "projectId"),
)
TOKEN = Type(
    "token",
    "tokens",
    _COMMON
    | {
        "authProvider": _STRING,
        "clusterId": "reference[cluster]",
        "current": _BOOLEAN,
        "description": _STRING,
        "enabled": _BOOLEAN,
        "expired": _BOOLEAN,
        "expiresAt": _STRING,
        "isDerived": _BOOLEAN,
        "lastUsedAt": "date",
        "token": _STRING,
        "ttl": _INTEGER,
        "userId": "reference[user]",
        "userPrincipal": _STRING,
    },
    resource_methods=("GET", "DELETE"),
    defaults={"enabled": True},
)
SETTING = Type(
    "setting",
    "settings",
    _COMMON | {"customized": _BOOLEAN, "default": _STRING, "source": _STRING, "value": _STRING},
    collection_methods=_READ,
    resource_methods=("GET", "PUT"),
    is_fixed=("customized", "default", "name", "source"),
)
USER = Type(
    "user",
    "users",
    _COMMON
    | {
        "description": _STRING,
        "enabled": _BOOLEAN,
        "me": _BOOLEAN,
        "mustChangePassword": _BOOLEAN,
        "password": "password",
        "principalIds": "array[reference[principal]]",
        "username": _STRING,
    },
    actions={"setpassword": {"input": "setPasswordInput", "output": "user"}},
    defaults={"enabled": True},
    is_fixed=("principalIds", "username", "me"),
)
ROLE_TEMPLATE = Type(
    "roleTemplate",
    "roleTemplates",
    _COMMON
    | {
        "administrative": _BOOLEAN,
        "builtin": _BOOLEAN,
        "clusterCreatorDefault": _BOOLEAN,
        "context": _STRING,
        "description": _STRING,
        "external": _BOOLEAN,
        "externalRules": "array[policyRule]",
        "hidden": _BOOLEAN,
        "locked": _BOOLEAN,
        "projectCreatorDefault": _BOOLEAN,
        "roleTemplateIds": "array[reference[roleTemplate]]",
        "rules": "array[policyRule]",
    },
    defaults=dict.fromkeys(_ROLE_FLAGS, False),
    is_fixed=("builtin",),
)
GLOBAL_ROLE = Type(
    "globalRole",
    "globalRoles",
    _COMMON | {"builtin": _BOOLEAN, "description": _STRING, "newUserDefault": _BOOLEAN, "rules": "array[policyRule]"},
    collection_methods=_READ,
    resource_methods=_READ,
)
GLOBAL_BINDING = Type(
    "globalRoleBinding",
    "globalRoleBindings",
    _COMMON | {"globalRoleId": "reference[globalRole]", "userId": "reference[user]"},
    is_fixed=("globalRoleId", "name", "userId"),
)
CLUSTER_BINDING = Type(
    "clusterRoleTemplateBinding",
    "clusterRoleTemplateBindings",
    _COMMON | _SUBJECT | {"clusterId": "reference[cluster]"},
    is_fixed=("clusterId", "name"),
)
PROJECT_BINDING = Type(
    "projectRoleTemplateBinding",
    "projectRoleTemplateBindings",
    _COMMON | _SUBJECT | {"projectId": "reference[project]", "serviceAccount": _STRING},
    is_fixed=("name", "projectId"),
)
REGISTRATION_TOKEN = Type(
    "clusterRegistrationToken",
    "clusterRegistrationTokens",
    _COMMON | _STATE | {"clusterId": "reference[cluster]", "command": _STRING, "nodeCommand": _STRING},
    resource_methods=("GET", "DELETE"),
)
TYPES = (
    CLUSTER,
    CLUSTER_BINDING,
    GLOBAL_BINDING,
    GLOBAL_ROLE,
    NAMESPACE,
    PROJECT,
    PROJECT_BINDING,
    REGISTRATION_TOKEN,
    ROLE_TEMPLATE,
    SETTING,
    TOKEN,
    USER,
)


def find(context: Context, name: str) -> Type | None:
    """Return the type with that name or plural, case-insensitively; None if the API has none."""
    wanted = name.lower()
    for it in TYPES:
        if it.context is context and wanted in {it.name.lower(), it.plural.lower()}:
            return it
    return None


def of_context(context: Context) -> Iterable[Type]:
    """Return the types of one API."""
    return (it for it in TYPES if it.context is context)


def render(it: Type, root: str, *, may_create: bool) -> Document:
    """Return the schema of a type for a user who may or may not create one; `root` is the API's URL."""
    group = "cluster.cattle.io" if it.context is Context.CLUSTER else "management.cattle.io"
    updatable = it.updatable()
    return {
        "actions": {},
        "baseType": "schema",
        "collectionMethods": [method for method in it.collection_methods if may_create or method != "POST"],
        "id": it.name,
        "links": {
            "collection": f"{root}/{it.plural.lower()}",
            "schemas": f"{root}/schemas",
            "self": f"{root}/schemas/{it.name}",
        },
        "pluralName": it.plural,
        "resourceActions": dict(it.actions),
        "resourceFields": {
            name: {"create": True, "type": kind, "update": name in updatable}
            for name, kind in sorted(it.fields.items())
        },
        "resourceMethods": list(it.resource_methods),
        "type": "schema",
        "version": {"group": group, "path": it.context.value, "version": "v3"},
    }
