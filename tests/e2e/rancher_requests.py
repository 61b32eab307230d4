"""
The requests to both servers in order: all of this project and the rancher2 provider, and those that must be refused.

The cluster is `local` on both servers. This is the cluster in which every Rancher runs.
"""

from tests.e2e.rancher_comparison import Document, Step

_CLUSTER = "local"
_PROXY = f"/k8s/clusters/{_CLUSTER}"
_CORE = f"{_PROXY}/api/v1"
_NAMESPACES = f"/v3/cluster/{_CLUSTER}/namespaces"
_FIRST, _SECOND, _PLAIN, _OWN = "compare-first", "compare-second", "compare-plain", "compare-istio"
_USERNAME = "compare-reader"
_MARK = "resourcequota.management.cattle.io/default-resource-quota"
_DAY_MILLIS = 24 * 3600 * 1000
_LIMIT = {"limit": {"limitsCpu": "2000m", "limitsMemory": "2000Mi"}}
_HALF = {"limit": {"limitsCpu": "1000m", "limitsMemory": "1000Mi"}}
_MORE = {"limit": {"limitsCpu": "4000m", "limitsMemory": "4000Mi"}}
_CONTAINER = {"limitsCpu": "200m", "limitsMemory": "128Mi", "requestsCpu": "100m", "requestsMemory": "64Mi"}
_LOGIN = "/v3-public/localProviders/local?action=login"
_READ = {"apiGroups": [""], "resources": ["services", "endpoints", "pods"], "verbs": ["get", "list", "watch"]}
_ACTIVE = {"status": 200, "state": "active", "transitioning": "no"}
_TYPES = (
    "cluster",
    "clusterRoleTemplateBinding",
    "globalRoleBinding",
    "project",
    "projectRoleTemplateBinding",
    "roleTemplate",
    "setting",
    "token",
    "user",
)


def _schema(name: str, path: str) -> Step:
    only = ("body.*Methods*", "body.id", "body.pluralName", "body.resourceActions*", "body.resourceFields*type")
    return Step(f"schema {name}", f"GET {path}/schemas/{name}", only=only)


def _project(**fields: object) -> Document:
    own = {"clusterId": _CLUSTER, "name": "compare", "resourceQuota": _LIMIT, "namespaceDefaultResourceQuota": _HALF}
    return own | {"containerDefaultResourceLimit": _CONTAINER, "description": "first"} | fields


def _pod(name: str, **limits: str) -> Document:
    container = {"name": "main", "image": "none", "resources": {"limits": limits, "requests": limits}}
    return {"metadata": {"name": name}, "spec": {"containers": [container]}}


def _limit_range(name: str) -> Document:
    item = {"type": "Container", "default": {"cpu": "300m"}, "defaultRequest": {"cpu": "30m"}}
    return {"metadata": {"name": name, "labels": {_MARK: "true"}}, "spec": {"limits": [item]}}


def _of_namespace(name: str, kind: str) -> str:
    return f"{_CORE}/namespaces/{name}/{kind}"


def _token_may(name: str, who: str) -> tuple[Step, ...]:
    """Request one thing of each kind, so that the comparison covers every refusal."""
    return (
        Step(f"{name} lists clusters", "GET /v3/clusters", who=who, only=("body.code", "body.message", "body.type")),
        Step(f"{name} reads the cluster", f"GET /v3/clusters/{_CLUSTER}", who=who, only=("body.id", "body.message")),
        Step(f"{name} lists projects", "GET /v3/projects", who=who, only=("body.message", "body.type")),
        Step(f"{name} reads a setting", "GET /v3/settings/server-version", who=who),
        Step(f"{name} lists namespaces", f"GET {_NAMESPACES}", who=who, only=("body.message", "body.type")),
        Step(
            f"{name} asks the proxy for services", f"GET {_CORE}/services", who=who, only=("body.kind", "body.message")
        ),
        Step(f"{name} asks the proxy for secrets", f"GET {_CORE}/secrets", who=who, only=("body.kind", "body.message")),
        Step(f"{name} asks the proxy of another cluster", "GET /k8s/clusters/c-none1/api", who=who),
    )


_ADMINISTRATOR = Step("who is the administrator", "GET /v3/users?username=admin", keep={"administrator": "data.0.id"})
_OPEN = (
    Step("ping", "GET /ping", who=""),
    Step("healthz", "GET /healthz", who=""),
    Step("the CA's certificates", "GET /v3/settings/cacerts", who="", only=("headers*", "body.[!vl]*", "body.links*")),
    Step("an unauthenticated request for the index", "GET /v3/", who=""),
    Step("an unauthenticated request for clusters", "GET /v3/clusters", who=""),
    Step("an unauthenticated request to the proxy", f"GET {_CORE}/namespaces", who=""),
    Step("a token that is none", "GET /v3/clusters", who="none"),
    Step("a token that is none, through the proxy", f"GET {_PROXY}/version", who="none"),
    Step("a wrong password", f"POST {_LOGIN}", {"username": "admin", "password": "wrong"}, who=""),
    Step(
        "the other way to log in",
        "POST /v1-public/login",
        {"type": "localProvider", "username": "admin", "password": "wrong"},
        who="",
    ),
)
_READING = (
    _ADMINISTRATOR,
    Step("the index", "GET /v3/", only=("headers*", "body.type", "body.apiVersion*", "body.links*")),
    Step("the index of a cluster", f"GET /v3/clusters/{_CLUSTER}"),
    *(_schema(it, "/v3") for it in _TYPES),
    _schema("namespace", f"/v3/cluster/{_CLUSTER}"),
    Step("a type that there is not", "GET /v3/nothings"),
    Step("a schema that there is not", "GET /v3/schemas/nothing"),
    *(
        Step(f"setting {it}", f"GET /v3/settings/{it}")
        for it in (
            "server-version",
            "server-url",
            "auth-token-max-ttl-minutes",
            "kubeconfig-generate-token",
            "kubeconfig-default-token-ttl-minutes",
            "k8s-version",
        )
    ),
    Step("a setting that there is not", "GET /v3/settings/nothing"),
    Step("a setting that cannot be changed", "PUT /v3/settings/server-version", {"value": "v0"}),
    Step("a setting is changed", "PUT /v3/settings/kubeconfig-default-token-ttl-minutes", {"value": "60"}),
    Step("and changed back", "PUT /v3/settings/kubeconfig-default-token-ttl-minutes", {"value": ""}),
    Step("clusters by name", f"GET /v3/clusters?name={_CLUSTER}"),
    Step("clusters by a name that there is not", "GET /v3/clusters?name=nothing"),
    Step("a cluster that there is not", "GET /v3/clusters/c-none1"),
    Step("namespaces of a cluster that there is not", "GET /v3/cluster/c-none1/namespaces"),
    Step("registration tokens", f"GET /v3/clusterregistrationtokens?clusterId={_CLUSTER}"),
    Step("a kubeconfig", f"POST /v3/clusters/{_CLUSTER}?action=generateKubeconfig"),
    Step("an action that there is not", f"POST /v3/clusters/{_CLUSTER}?action=nothing"),
    Step("a body that is none", "POST /v3/projects", {"clusterId": 5}),
)
_PROJECTS = (
    Step("a project without a cluster", "POST /v3/projects", {"name": "compare"}),
    Step("a project without a name", "POST /v3/projects", {"clusterId": _CLUSTER}),
    Step("a project of a cluster that there is not", "POST /v3/projects", {"name": "compare", "clusterId": "c-none1"}),
    Step("a project's quota without a namespace's", "POST /v3/projects", _project(namespaceDefaultResourceQuota=None)),
    Step("a namespace's quota without a project's", "POST /v3/projects", _project(resourceQuota=None)),
    Step(
        "a namespace's quota beyond the project's", "POST /v3/projects", _project(namespaceDefaultResourceQuota=_MORE)
    ),
    Step(
        "a namespace's quota for something else",
        "POST /v3/projects",
        _project(namespaceDefaultResourceQuota={"limit": {"limitsCpu": "1", "pods": "5"}}),
    ),
    Step(
        "a namespace's quota for less than all",
        "POST /v3/projects",
        _project(namespaceDefaultResourceQuota={"limit": {"limitsCpu": "1"}}),
    ),
    Step(
        "a quota below zero",
        "POST /v3/projects",
        _project(namespaceDefaultResourceQuota={"limit": {"limitsCpu": "-1", "limitsMemory": "1Mi"}}),
    ),
    Step(
        "a quota that is no quantity",
        "POST /v3/projects",
        _project(namespaceDefaultResourceQuota={"limit": {"limitsCpu": "much", "limitsMemory": "1Mi"}}),
    ),
    Step("a project is made", "POST /v3/projects", _project(), keep={"project": "id"}),
    Step("a project is read", "GET /v3/projects/{project}", until=_ACTIVE),
    Step(
        "another project is made", "POST /v3/projects", {"clusterId": _CLUSTER, "name": "other"}, keep={"other": "id"}
    ),
    Step("another project is read", "GET /v3/projects/{other}", until=_ACTIVE),
    Step("projects by name", f"GET /v3/projects?clusterId={_CLUSTER}&name=compare"),
    Step("projects by a name that there is not", f"GET /v3/projects?clusterId={_CLUSTER}&name=nothing"),
    Step("a project that there is not", f"GET /v3/projects/{_CLUSTER}:p-none1"),
    Step("a project's id without a cluster", "GET /v3/projects/p-none1"),
    Step("a project is updated", "PUT /v3/projects/{project}", {"description": "second"}),
    Step("a project's cluster is changed", "PUT /v3/projects/{other}", {"clusterId": "c-none1"}),
)
_NAMESPACE = (
    Step("a namespace without a name", f"POST {_NAMESPACES}", {"description": "first"}, keep={"nameless": "id"}),
    Step("a namespace with a bad name", f"POST {_NAMESPACES}", {"projectId": "{project}", "name": "A_b"}),
    Step(
        "a namespace of a project that there is not",
        f"POST {_NAMESPACES}",
        {"projectId": f"{_CLUSTER}:p-none1", "name": "compare-none"},
    ),
    Step(
        "a namespace is made", f"POST {_NAMESPACES}", {"projectId": "{project}", "name": _FIRST, "description": "first"}
    ),
    Step("a namespace is read", f"GET {_NAMESPACES}/{_FIRST}", until=_ACTIVE, after_seconds=4),
    Step("a namespace that there is already", f"POST {_NAMESPACES}", {"name": _FIRST}),
    Step(
        "a namespace's quota beyond what is left",
        f"POST {_NAMESPACES}",
        {
            "projectId": "{project}",
            "name": "compare-much",
            "resourceQuota": {"limit": {"limitsCpu": "1500m", "limitsMemory": "500Mi"}},
        },
        after_seconds=3,
    ),
    Step(
        "a namespace's quota that lacks a field",
        f"POST {_NAMESPACES}",
        {"projectId": "{project}", "name": "compare-less", "resourceQuota": {"limit": {"limitsCpu": "500m"}}},
    ),
    Step(
        "a namespace with a quota of its own",
        f"POST {_NAMESPACES}",
        {
            "projectId": "{project}",
            "name": _SECOND,
            "resourceQuota": {"limit": {"limitsCpu": "500m", "limitsMemory": "500Mi"}},
            "containerDefaultResourceLimit": {"limitsCpu": "150m"},
        },
    ),
    Step("a namespace with a quota of its own is read", f"GET {_NAMESPACES}/{_SECOND}", until=_ACTIVE, after_seconds=4),
    Step(
        "a namespace beyond the project's last",
        f"POST {_NAMESPACES}",
        {"projectId": "{project}", "name": "compare-last"},
    ),
    Step("a namespace of no project", f"POST {_NAMESPACES}", {"name": _PLAIN}),
    Step("a namespace of no project is read", f"GET {_NAMESPACES}/{_PLAIN}", until=_ACTIVE, after_seconds=4),
    Step("a namespace in Kubernetes", f"GET {_CORE}/namespaces/{_FIRST}", after_seconds=5),
    Step(
        "its quota in Kubernetes",
        f"GET {_of_namespace(_FIRST, 'resourcequotas')}",
        until={"items.1": None, "items.0.kind": None},
    ),
    Step("its defaults in Kubernetes", f"GET {_of_namespace(_FIRST, 'limitranges')}"),
    Step("a namespace with a quota of its own in Kubernetes", f"GET {_CORE}/namespaces/{_SECOND}"),
    Step("its own quota in Kubernetes", f"GET {_of_namespace(_SECOND, 'resourcequotas')}"),
    Step("its own defaults in Kubernetes", f"GET {_of_namespace(_SECOND, 'limitranges')}"),
    Step("a namespace of no project in Kubernetes", f"GET {_CORE}/namespaces/{_PLAIN}"),
    Step("bindings in a namespace", f"GET {_PROXY}/apis/rbac.authorization.k8s.io/v1/namespaces/{_FIRST}/rolebindings"),
    Step(
        "the project's use",
        "GET /v3/projects/{project}",
        until={"resourceQuota.usedLimit.limitsCpu": "1500m"},
        only=("body.resourceQuota*",),
    ),
    Step("a pod beyond the quota", f"POST {_of_namespace(_FIRST, 'pods')}", _pod("much", cpu="3", memory="10Mi")),
    Step(
        "a namespace is updated",
        f"PUT {_NAMESPACES}/{_FIRST}",
        {"description": "second", "labels": {"own": "yes"}, "annotations": {}},
    ),
    Step("an updated namespace in Kubernetes", f"GET {_CORE}/namespaces/{_FIRST}", after_seconds=3),
    Step(
        "a namespace is moved to a project with a quota",
        f"POST {_NAMESPACES}/{_PLAIN}?action=move",
        {"projectId": "{project}"},
    ),
    Step(
        "a namespace is moved to a project that there is not",
        f"POST {_NAMESPACES}/{_PLAIN}?action=move",
        {"projectId": f"{_CLUSTER}:p-none1"},
    ),
    Step("a namespace is moved", f"POST {_NAMESPACES}/{_PLAIN}?action=move", {"projectId": "{other}"}),
    Step("a moved namespace", f"GET {_CORE}/namespaces/{_PLAIN}", after_seconds=3),
    Step("a namespace is moved out", f"POST {_NAMESPACES}/{_PLAIN}?action=move", {"projectId": None}),
    Step("a namespace that was moved out", f"GET {_CORE}/namespaces/{_PLAIN}", after_seconds=3),
    Step("a namespace that there is not", f"GET {_NAMESPACES}/compare-none"),
    Step(
        "the project's quota goes below its use",
        "PUT /v3/projects/{project}",
        {
            "resourceQuota": _HALF,
            "namespaceDefaultResourceQuota": {"limit": {"limitsCpu": "1m", "limitsMemory": "1Mi"}},
        },
    ),
    Step(
        "a namespace's default does not go into the project's",
        "PUT /v3/projects/{project}",
        {
            "resourceQuota": {"limit": {**_LIMIT["limit"], "pods": "5"}},
            "namespaceDefaultResourceQuota": {"limit": {**_HALF["limit"], "pods": "5"}},
        },
    ),
)
_OWN_CONTAINER = '{"requestsCpu":"10m","requestsMemory":"40Mi","limitsCpu":"2000m","limitsMemory":"1024Mi"}'
_OWN_ANNOTATIONS = {
    "field.cattle.io/projectId": "{project}",
    "field.cattle.io/resourceQuota": '{"limit":{"limitsCpu":"100m","limitsMemory":"100Mi"}}',
    "field.cattle.io/containerDefaultResourceLimit": _OWN_CONTAINER,
}
_MARKED = (
    Step(
        "a LimitRange with Rancher's label, where nothing is to be",
        f"POST {_of_namespace(_PLAIN, 'limitranges')}",
        _limit_range("foreign"),
    ),
    Step("a change of its namespace", f"PUT {_NAMESPACES}/{_PLAIN}", {"description": "other"}),
    Step("what became of it", f"GET {_of_namespace(_PLAIN, 'limitranges')}", after_seconds=12),
    Step(
        "a namespace as the program makes it",
        f"POST {_CORE}/namespaces",
        {"metadata": {"name": _OWN, "annotations": _OWN_ANNOTATIONS}},
    ),
    Step("its LimitRange", f"POST {_of_namespace(_OWN, 'limitranges')}", _limit_range("istio-limitrange")),
    Step("the program's namespace later", f"GET {_CORE}/namespaces/{_OWN}", after_seconds=12),
    Step("what became of the program's LimitRange", f"GET {_of_namespace(_OWN, 'limitranges')}"),
    Step("the quota of the program's namespace", f"GET {_of_namespace(_OWN, 'resourcequotas')}"),
    Step("a change of the program's namespace", f"PUT {_NAMESPACES}/{_OWN}", {"description": "other"}),
    Step(
        "what became of the program's LimitRange then",
        f"GET {_of_namespace(_OWN, 'limitranges')}",
        after_seconds=5,
    ),
    Step(
        "a namespace made by Kubernetes",
        f"POST {_CORE}/namespaces",
        {"metadata": {"name": "compare-own", "annotations": {"field.cattle.io/projectId": "{other}"}}},
    ),
    Step("a namespace made by Kubernetes later", f"GET {_CORE}/namespaces/compare-own", after_seconds=5),
)
_TOKENS = (
    Step(
        "a token is made",
        "POST /v3/tokens",
        {"description": "compare", "ttl": 3600000},
        keep={"plain": "token", "plain_id": "id"},
    ),
    Step("a token is read", "GET /v3/tokens/{plain_id}", after_seconds=2),
    Step("a token beyond the most", "POST /v3/tokens", {"ttl": 365 * _DAY_MILLIS}, keep={"long_id": "id"}),
    Step("a token beyond the most is read", "GET /v3/tokens/{long_id}", after_seconds=2),
    Step("a token with ttl 0", "POST /v3/tokens", {"ttl": 0}, keep={"zero_id": "id"}),
    Step("a token with ttl 0 is read", "GET /v3/tokens/{zero_id}", after_seconds=2),
    Step("a token without ttl", "POST /v3/tokens", {}, keep={"unset_id": "id"}),
    Step("a token with a ttl below zero", "POST /v3/tokens", {"ttl": -1}, keep={"negative_id": "id"}),
    Step("a token with a ttl that is no number", "POST /v3/tokens", {"ttl": "much"}),
    Step(
        "a token of a cluster",
        "POST /v3/tokens",
        {"ttl": 3600000, "clusterId": _CLUSTER},
        keep={"scoped": "token", "scoped_id": "id"},
    ),
    Step(
        "a token of a cluster that there is not",
        "POST /v3/tokens",
        {"ttl": 3600000, "clusterId": "c-none1"},
        keep={"foreign": "token"},
    ),
    Step("a token of a second", "POST /v3/tokens", {"ttl": 1000}, keep={"short": "token", "short_id": "id"}),
    *_token_may("a token", "plain"),
    *_token_may("a token of a cluster", "scoped"),
    *_token_may("a token of another cluster", "foreign"),
    Step("an expired token", "GET /v3/clusters", who="short", after_seconds=3),
    Step("an expired token, through the proxy", f"GET {_PROXY}/version", who="short"),
    Step("an expired token is read", "GET /v3/tokens/{short_id}"),
    Step("a token is changed", "PUT /v3/tokens/{plain_id}", {"description": "other"}),
    Step("a token that there is not", "GET /v3/tokens/token-none1"),
    Step("a token is revoked", "DELETE /v3/tokens/{plain_id}"),
    Step("a revoked token", "GET /v3/clusters", who="plain"),
    Step("a revoked token is read", "GET /v3/tokens/{plain_id}"),
    *(
        Step(f"the token {it} is revoked", f"DELETE /v3/tokens/{{{it}}}")
        for it in ("long_id", "zero_id", "unset_id", "negative_id", "short_id")
    ),
)
_THROUGH_THE_PROXY = (
    Step("the proxy's version", f"GET {_PROXY}/version"),
    Step("the proxy's root", f"GET {_PROXY}", only=("headers*",)),
    Step("a path that there is not", f"GET {_PROXY}/nothing"),
    Step("an object that there is not", f"GET {_of_namespace('default', 'configmaps/nothing')}"),
    Step("a cluster that there is not, through the proxy", "GET /k8s/clusters/c-none1/version"),
    Step(
        "an object that the cluster refuses",
        f"POST {_of_namespace('default', 'configmaps')}",
        {"metadata": {"name": "A_b"}},
    ),
    Step(
        "a watch",
        f"GET {_CORE}/namespaces?watch=true&fieldSelector=metadata.name=default&timeoutSeconds=5",
        is_watch=True,
        only=("body.type", "body.object.kind", "body.object.metadata.name"),
    ),
    Step(
        "who the cluster sees",
        f"POST {_PROXY}/apis/authentication.k8s.io/v1/selfsubjectreviews",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
    ),
    Step(
        "who the cluster sees by a token of it",
        f"POST {_PROXY}/apis/authentication.k8s.io/v1/selfsubjectreviews",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
        who="scoped",
    ),
)
_USERS = (
    Step("a user without a name", "POST /v3/users", {"password": "{password}"}),
    Step("a user with a short password", "POST /v3/users", {"username": "compare-short", "password": "short"}),
    Step(
        "a user is made",
        "POST /v3/users",
        {"username": _USERNAME, "name": "Reader", "password": "{password}", "mustChangePassword": False},
        keep={"reader": "id"},
    ),
    Step("a user is read", "GET /v3/users/{reader}"),
    Step("a user that there is already", "POST /v3/users", {"username": _USERNAME, "password": "{password}"}),
    Step("a global role", "GET /v3/globalroles/user-base", only=("body.id", "body.name", "body.builtin", "body.type")),
    Step(
        "a global role is bound",
        "POST /v3/globalrolebindings",
        {"globalRoleId": "user-base", "userId": "{reader}"},
        keep={"global": "id"},
    ),
    Step(
        "a global role that there is not is bound",
        "POST /v3/globalrolebindings",
        {"globalRoleId": "nothing", "userId": "{reader}"},
    ),
    Step("a role template without a name", "POST /v3/roletemplates", {"context": "cluster"}),
    Step(
        "a role template is made",
        "POST /v3/roletemplates",
        {"name": "compare", "context": "cluster", "rules": [_READ]},
        keep={"role": "id"},
    ),
    Step("a role template is read", "GET /v3/roletemplates/{role}"),
    Step(
        "role templates by name",
        "GET /v3/roletemplates?name=Cluster%20Owner&context=cluster",
        only=("body.data*id", "body.data*name", "body.data*context", "body.data*builtin"),
    ),
    Step(
        "a builtin role template",
        "GET /v3/roletemplates/read-only",
        only=("body.[!rl]*", "body.locked", "body.roleTemplateIds*"),
    ),
    Step(
        "a binding without a user",
        "POST /v3/clusterroletemplatebindings",
        {"clusterId": _CLUSTER, "roleTemplateId": "{role}"},
    ),
    Step("a binding of no role", "POST /v3/clusterroletemplatebindings", {"clusterId": _CLUSTER, "userId": "{reader}"}),
    Step(
        "a binding in no cluster",
        "POST /v3/clusterroletemplatebindings",
        {"roleTemplateId": "{role}", "userId": "{reader}"},
    ),
    Step(
        "a role is bound in the cluster",
        "POST /v3/clusterroletemplatebindings",
        {"clusterId": _CLUSTER, "roleTemplateId": "{role}", "userId": "{reader}", "name": "compare"},
        keep={"bound": "id"},
    ),
    Step("a binding in the cluster is read", "GET /v3/clusterroletemplatebindings/{bound}"),
    Step(
        "a role is bound in the project",
        "POST /v3/projectroletemplatebindings",
        {"projectId": "{project}", "roleTemplateId": "read-only", "userId": "{reader}", "name": "compare"},
        keep={"member": "id"},
    ),
    Step("a binding in the project is read", "GET /v3/projectroletemplatebindings/{member}"),
    Step(
        "the user logs in",
        f"POST {_LOGIN}",
        {
            "username": _USERNAME,
            "password": "{password}",
            "ttl": 3600000,
            "description": "compare",
            "responseType": "json",
        },
        who="",
        keep={"session": "token"},
    ),
    Step(
        "the user logs in the other way",
        "POST /v1-public/login",
        {
            "type": "localProvider",
            "username": _USERNAME,
            "password": "{password}",
            "ttl": 3600000,
            "responseType": "json",
        },
        who="",
    ),
    Step(
        "the user makes a token of the cluster",
        "POST /v3/tokens",
        {"description": "compare", "ttl": 3600000, "clusterId": _CLUSTER},
        who="session",
        keep={"reading": "token", "reading_id": "id"},
    ),
    Step(
        "the user's session is at work in the cluster",
        f"GET {_CORE}/services",
        who="session",
        until={"status": 200},
        only=("body.kind",),
    ),
    *_token_may("the user's session", "session"),
    *_token_may("the user's token of the cluster", "reading"),
    Step(
        "the user reads a namespace of the own project",
        f"GET {_of_namespace(_FIRST, 'configmaps')}",
        who="reading",
        only=("body.kind", "body.message"),
    ),
    Step(
        "the user writes into it",
        f"POST {_of_namespace(_FIRST, 'configmaps')}",
        {"metadata": {"name": "own"}},
        who="reading",
    ),
    Step(
        "the user watches pods",
        f"GET {_CORE}/pods?watch=true&timeoutSeconds=1&allowWatchBookmarks=true",
        who="reading",
        only=("headers*",),
    ),
    Step(
        "who the cluster sees by the user's token",
        f"POST {_PROXY}/apis/authentication.k8s.io/v1/selfsubjectreviews",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
        who="reading",
    ),
    Step("the user makes a project", "POST /v3/projects", {"clusterId": _CLUSTER, "name": "own"}, who="session"),
    Step("the user reads another's token", "GET /v3/tokens/{scoped_id}", who="session"),
    Step("the user reads a project of another user", "GET /v3/projects/{other}", who="session"),
    Step(
        "the user makes a user", "POST /v3/users", {"username": "compare-own", "password": "{password}"}, who="session"
    ),
    Step(
        "the user changes a setting",
        "PUT /v3/settings/kubeconfig-default-token-ttl-minutes",
        {"value": "60"},
        who="session",
    ),
    Step("the user asks for a kubeconfig", f"POST /v3/clusters/{_CLUSTER}?action=generateKubeconfig", who="session"),
    Step("the user logs out", "POST /v3/tokens?action=logout", who="session"),
    Step("a session that was ended", "GET /v3/clusters", who="session"),
)
CLEANING = (
    Step("a role that is bound is removed", "DELETE /v3/roletemplates/{role}"),
    Step("the binding in the project is removed", "DELETE /v3/projectroletemplatebindings/{member}"),
    Step("the binding in the cluster is removed", "DELETE /v3/clusterroletemplatebindings/{bound}"),
    Step("the global binding is removed", "DELETE /v3/globalrolebindings/{global}"),
    Step("the role is removed", "DELETE /v3/roletemplates/{role}"),
    Step("the user is removed", "DELETE /v3/users/{reader}"),
    Step("a removed user's token", f"GET {_CORE}/services", who="reading", after_seconds=3),
    Step("a namespace is removed", f"DELETE {_NAMESPACES}/{_SECOND}"),
    Step("a removed namespace", f"GET {_NAMESPACES}/{_SECOND}", until={"status": 404}),
    Step("the namespace without a name is removed", f"DELETE {_NAMESPACES}/{{nameless}}", only=()),
    Step("the plain namespace is removed", f"DELETE {_NAMESPACES}/{_PLAIN}", only=()),
    Step("a project that has namespaces is removed", "DELETE /v3/projects/{project}"),
    Step("another project that has namespaces is removed", "DELETE /v3/projects/{other}"),
    Step("a removed project", "GET /v3/projects/{project}", until={"status": 404}),
    Step("a namespace that its project took with it", f"GET {_CORE}/namespaces/{_FIRST}", until={"status": 404}),
    Step("a namespace that its project let go of", f"GET {_CORE}/namespaces/compare-own"),
    Step("the program's namespace when its project is gone", f"GET {_CORE}/namespaces/{_OWN}"),
    Step("the program's namespace is removed", f"DELETE {_CORE}/namespaces/{_OWN}", only=("body.kind",)),
    Step("that namespace is removed", f"DELETE {_CORE}/namespaces/compare-own", only=("body.kind",)),
    Step("the token of the cluster is revoked", "DELETE /v3/tokens/{scoped_id}"),
)
STEPS = (*_OPEN, *_READING, *_PROJECTS, *_NAMESPACE, *_MARKED, *_TOKENS, *_THROUGH_THE_PROXY, *_USERS, *CLEANING)

ISOLATING = (
    Step("isolation is switched on", f"PUT /v3/clusters/{_CLUSTER}", {"name": _CLUSTER, "enableNetworkPolicy": True}),
)
UNISOLATING = (
    Step("isolation is switched off", f"PUT /v3/clusters/{_CLUSTER}", {"name": _CLUSTER, "enableNetworkPolicy": False}),
)
_POLICIES = f"{_PROXY}/apis/networking.k8s.io/v1/namespaces"
ISOLATED = (
    _ADMINISTRATOR,
    Step("a project is made", "POST /v3/projects", {"clusterId": _CLUSTER, "name": "compare"}, keep={"project": "id"}),
    Step(
        "system projects", f"GET /v3/projects?clusterId={_CLUSTER}&name=System", keep={"system": "data.0.id"}, only=()
    ),
    Step("a namespace is made", f"POST {_NAMESPACES}", {"projectId": "{project}", "name": _FIRST}),
    Step("its policies", f"GET {_POLICIES}/{_FIRST}/networkpolicies", until={"items.0.kind": None}, after_seconds=15),
    Step("a system namespace's policies", f"GET {_POLICIES}/kube-public/networkpolicies"),
    Step("the project is removed", "DELETE /v3/projects/{project}"),
)
