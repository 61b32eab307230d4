"""Rights are recognized in any spelling: in several rules, by inheritance, and by rights that grant others."""

from dataclasses import replace
from typing import Any

import pytest

from policies.rules import no_cluster_admin, remote_secret_reader
from tests.support.bad_config import Place, put
from tests.support.policies import EAST, UNKNOWN, WEST, Made, assert_bears_all, judge
from tests.support.recording import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    RANCHER_ROLE,
    RANCHER_USER,
    RANCHER_USER_TOKEN,
    SECRET,
)

RBAC = "rbac.authorization.k8s.io"
ROLE_BINDING = f"kubernetes:{RBAC}/v1:RoleBinding"
CLUSTER_TEMPLATE_BINDING = "rancher2:index/clusterRoleTemplateBinding:ClusterRoleTemplateBinding"
PROJECT_TEMPLATE_BINDING = "rancher2:index/projectRoleTemplateBinding:ProjectRoleTemplateBinding"
GLOBAL_ROLE = "rancher2:index/globalRole:GlobalRole"
GLOBAL_BINDING = "rancher2:index/globalRoleBinding:GlobalRoleBinding"
VERBS = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]
READ = VERBS[:3]
ALL = {"apiGroups": ["*"], "resources": ["*"]}


def rule(group: str, resource: str, *verbs: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON data has no narrower type
    """Return one rule of a role."""
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs), **more}


def role(*rules: object, **more: Any) -> Made:  # noqa: ANN401 - JSON data has no narrower type
    """Return a ClusterRole."""
    return Made(type=CLUSTER_ROLE, name="role", inputs={"metadata": {"name": "reader"}, "rules": list(rules), **more})


def aggregating(*selectors: object) -> Made:
    """Return a ClusterRole to which a controller adds the rules of other roles."""
    return role(aggregationRule={"clusterRoleSelectors": list(selectors)})


def changed(made: Made, place: Place, value: object) -> Made:
    """Return the resource with another value at one place."""
    return replace(made, inputs=put(made.inputs, place, value))


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (role({**ALL, "verbs": VERBS}), "allows everything"),
        (role({**ALL, "verbs": READ}, {**ALL, "verbs": VERBS[3:]}), "allows everything"),
        (aggregating({}), "allows what every other role allows, by its aggregationRule"),
        (aggregating({"matchLabels": {}, "matchExpressions": []}), "allows what every other role allows"),
        (aggregating({"matchLabels": {f"{RBAC}/aggregate-to-admin": "true"}}), "allows what admin allows"),
        (role(rule(RBAC, "clusterroles", "get", "escalate")), "allows the verb escalate for clusterroles, roles"),
        (role(rule(RBAC, "roles", "bind")), "allows the verb bind for clusterroles, roles"),
        (role(rule("*", "*", "bind")), "allows the verb bind"),
        (role(rule("", "groups", "impersonate")), "allows the verb impersonate for groups, users"),
        (role(rule("", "*", "impersonate")), "allows the verb impersonate for groups, users"),
        (role(rule("", "users", "*")), "allows the verb impersonate for groups, users"),
        (role(rule(RBAC, "clusterroles", "bind", resourceNames=["cluster-admin"])), "allows the verb bind"),
        (role(rule("", "groups", "impersonate", resourceNames=["system:masters"])), "allows the verb impersonate"),
        (
            Made(type=ROLE_BINDING, inputs={"roleRef": {"kind": "ClusterRole", "name": "admin"}}),
            "RoleBinding made of cluster east binds admin",
        ),
        (Made(type=PROJECT_TEMPLATE_BINDING, inputs={"roleTemplateId": "project-owner"}), "role project-owner"),
        (Made(type=RANCHER_ROLE, inputs={"roleTemplateIds": ["project-owner"]}), "inherits Rancher's role project-"),
        (Made(type=RANCHER_ROLE, inputs={"rules": [rule(RBAC, "roles", "escalate")]}), "allows the verb escalate"),
        (Made(type=GLOBAL_ROLE, inputs={"rules": [{**ALL, "verbs": VERBS}]}), "allows everything"),
    ],
    ids=[
        "each verb",
        "split over two rules",
        "all other roles",
        "all other roles by an empty selector",
        "what admin allows",
        "escalate",
        "bind",
        "bind for everything",
        "impersonate",
        "impersonate all",
        "everything for users",
        "binding the administrator's role",
        "impersonating administrators",
        "admin of a namespace",
        "a project's owner",
        "inheriting from a project's owner",
        "a template of Rancher",
        "a global role of Rancher",
    ],
)
def test_an_administrator_by_another_spelling_is_one(made: Made, told: str) -> None:
    """A user who can grant itself every right is an administrator."""
    found, *_ = judge(no_cluster_admin.POLICY, made)
    assert told in found.message


def test_everything_of_the_group_of_roles_includes_both_of_its_verbs() -> None:
    """The rule reports each of them."""
    found = judge(no_cluster_admin.POLICY, role(rule(RBAC, "*", "*")))
    assert [it.message.splitlines()[0].partition(" allows ")[2] for it in found] == [
        "the verb escalate for clusterroles, roles.",
        "the verb bind for clusterroles, roles.",
    ]


@pytest.mark.parametrize(
    "made",
    [
        role({**ALL, "verbs": READ}),
        role({**ALL, "verbs": VERBS, "resourceNames": ["one"]}),
        role(rule("apps", "*", "*"), rule("", "*", *VERBS)),
        role(rule("", "serviceaccounts", "impersonate")),
        role(rule(RBAC, "clusterroles", "bind", resourceNames=["view"])),
        role(rule(RBAC, "clusterroles", "bind", resourceNames=[UNKNOWN])),
        role(rule(RBAC, "clusterroles", *VERBS)),
        role(rule("argoproj.io", "roles", "*")),
        aggregating({"matchLabels": {"example.com/aggregate-to-monitoring": "true"}}),
        aggregating({"matchExpressions": [{"key": "team", "operator": "Exists"}]}),
        aggregating(UNKNOWN),
        Made(type=ROLE_BINDING, inputs={"roleRef": {"kind": "ClusterRole", "name": "edit"}}),
        Made(type=ROLE_BINDING, inputs={"roleRef": {"kind": "Role", "name": "admin"}}),
        Made(type=PROJECT_TEMPLATE_BINDING, inputs={"roleTemplateId": "project-member"}),
    ],
    ids=[
        "a reader of everything",
        "one object",
        "two groups",
        "service accounts",
        "a role by its name",
        "a name not known yet",
        "without escalating",
        "another's roles",
        "another's aggregation",
        "another's aggregation by expressions",
        "a selector not known yet",
        "edit",
        "a role that is called admin",
        "a project's member",
    ],
)
def test_less_than_an_administrator_is_no_matter_of_that_rule(made: Made) -> None:
    """The rule passes any lesser right."""
    assert judge(no_cluster_admin.POLICY, made) == []


def test_no_wrong_type_of_an_aggregation_or_a_project_s_binding_stops_the_rules() -> None:
    """Unknown values pass as well."""
    clean = aggregating({"matchLabels": {"team": "x"}, "matchExpressions": [{"key": "team", "operator": "Exists"}]})
    project = Made(type=PROJECT_TEMPLATE_BINDING, inputs={"roleTemplateId": "project-member"})
    refused = {"clusterRoleSelectors"}
    assert_bears_all(no_cluster_admin.POLICY, clean, project, role(rule(RBAC, "roles", "get")), refused=refused)


TOKEN = Made(
    type=SECRET,
    name="token",
    inputs={
        "metadata": {
            "name": "reader-1",
            "namespace": "istio-system",
            "annotations": {"kubernetes.io/service-account.name": "reader"},
        }
    },
)
REMOTE = Made(
    type=SECRET,
    name="remote",
    inputs={"metadata": {"labels": {"istio/multiCluster": "true"}}},
    needs={"stringData": [TOKEN.urn, "urn:pulumi:test::mcsps::random:index/randomId:RandomId::gone"]},
    provider=WEST,
)
ACCOUNT = {"kind": "ServiceAccount", "name": "reader", "namespace": "istio-system"}


def binding(name: str = "reader", subject: object = ACCOUNT, type_: str = CLUSTER_ROLE_BINDING) -> Made:
    """Return a binding of the reader to a ClusterRole."""
    inputs = {"roleRef": {"kind": "ClusterRole", "name": name}, "subjects": [subject]}
    return Made(type=type_, name="binding", inputs={"metadata": {"name": "it", "namespace": "sample"}, **inputs})


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (role(rule("", "pods/exec", "get")), "allows the resources pods/exec, by which get opens a connection."),
        (role(rule("", "nodes/proxy", "get")), "allows the resources nodes/proxy, by which get opens a connection."),
        (role(rule("", "pods/*", "get")), "allows the resources pods/*, by which get opens a connection."),
        (role(rule("", "*/exec", "get")), "allows the resources */exec, by which get opens a connection."),
        (aggregating({"matchLabels": {"team": "x"}}), "allows whatever other roles its aggregationRule selects."),
    ],
)
def test_a_reader_that_writes_by_another_spelling_is_refused(made: Made, told: str) -> None:
    """A remote secret depends on the reader's token."""
    (found,) = judge(remote_secret_reader.POLICY, TOKEN, REMOTE, binding(), made)
    assert found.resource == "role"
    assert told in found.message


@pytest.mark.parametrize("name", ["edit", "system:aggregate-to-edit", "system:controller:job-controller"])
@pytest.mark.parametrize("type_", [CLUSTER_ROLE_BINDING, ROLE_BINDING])
def test_a_reader_has_no_builtin_role_that_writes(name: str, type_: str) -> None:
    """The rule applies to a binding for the cluster and to one for a namespace."""
    (found,) = judge(remote_secret_reader.POLICY, TOKEN, REMOTE, binding(name, type_=type_))
    assert f"gives a peer's reader the role {name}, which can write" in found.message


@pytest.mark.parametrize("name", ["view", "system:basic-user", "system:discovery"])
def test_a_reader_may_have_a_builtin_role_that_reads(name: str) -> None:
    """Kubernetes gives two of these roles to every user."""
    assert judge(remote_secret_reader.POLICY, TOKEN, REMOTE, binding(name)) == []


def test_a_role_with_the_prefix_of_builtin_ones_is_judged_by_its_rules() -> None:
    """A role that the stack contains is not a builtin one."""
    own = changed(role(rule("", "pods", "get")), ("metadata", "name"), "system:reader")
    assert judge(remote_secret_reader.POLICY, TOKEN, REMOTE, binding("system:reader"), own) == []


@pytest.mark.parametrize(
    "resources",
    [
        (TOKEN, binding("edit")),
        (TOKEN, binding(), role({**ALL, "verbs": ["*"]})),
        (TOKEN, changed(REMOTE, ("metadata", "labels"), {}), binding("edit")),
        (TOKEN, replace(REMOTE, needs={}), binding("edit")),
    ],
    ids=["a CI account", "Argo CD's manager", "in another Secret", "not in the remote secret"],
)
def test_an_account_whose_token_no_peer_has_is_no_matter_of_that_rule(resources: tuple[Made, ...]) -> None:
    """The rule passes such an account with any right."""
    assert judge(remote_secret_reader.POLICY, *resources) == []


@pytest.mark.parametrize("group", ["system:authenticated", "system:serviceaccounts"])
@pytest.mark.parametrize(
    ("given", "is_refused"),
    [
        (rule("portal.example", "requests", "create"), False),
        (rule("authorization.k8s.io", "selfsubjectaccessreviews", "create"), False),
        (rule("portal.example", "*", "*"), False),
        (rule("", "configmaps", "create"), True),
        (rule("networking.k8s.io", "ingresses", "create"), True),
        (rule("*", "pods", "get"), True),
    ],
)
def test_a_role_of_everyone_is_a_reader_s_only_for_what_is_kubernetes_own(
    group: str, given: dict[str, Any], *, is_refused: bool
) -> None:
    """A role of another API group that everyone has is not meant for a peer."""
    everyone = binding(subject={"kind": "Group", "name": group})
    found = judge(remote_secret_reader.POLICY, TOKEN, REMOTE, everyone, role(given))
    assert bool(found) is is_refused
    assert len(judge(remote_secret_reader.POLICY, TOKEN, REMOTE, binding(), role(given))) == (
        2 if given["verbs"] == ["*"] else 1
    )


USER = Made(type=RANCHER_USER, name="user", inputs={"id": "u-ab1cd", "username": "peers-of-east"})
USER_TOKEN = Made(
    type=RANCHER_USER_TOKEN, name="user-token", inputs={"username": "peers-of-east"}, under="mcsps:index:RancherCluster"
)


def template(name: str, **inputs: Any) -> Made:  # noqa: ANN401 - JSON data has no narrower type
    """Return a RoleTemplate of Rancher."""
    return Made(type=RANCHER_ROLE, name=name, inputs={"id": name, **inputs})


def bound(name: str, type_: str = CLUSTER_TEMPLATE_BINDING, **who: str) -> Made:
    """Return a binding of Rancher."""
    key = "globalRoleId" if type_ == GLOBAL_BINDING else "roleTemplateId"
    return Made(type=type_, name="bound", inputs={key: name, **(who or {"userId": "u-ab1cd"})})


@pytest.mark.parametrize(
    ("resources", "told"),
    [
        ((bound("rt-a"), template("rt-a", roleTemplateIds=["edit"])), "inherits the role edit, which can write"),
        (
            (
                bound("rt-a"),
                template("rt-a", roleTemplateIds=["rt-b"]),
                template("rt-b", roleTemplateIds=["nodes-manage"]),
            ),
            "RoleTemplate rt-b is the role of a peer's reader and inherits the role nodes-manage",
        ),
        (
            (
                bound("rt-a"),
                template("rt-a", roleTemplateIds=["rt-b", "rt-a", UNKNOWN]),
                template("rt-b", rules=[rule("", "pods", "create")], roleTemplateIds=["rt-a"]),
            ),
            "RoleTemplate rt-b is the role of a peer's reader and allows the verbs 'create'",
        ),
        ((bound("cluster-owner", userPrincipalId="local://u-ab1cd"),), "the role cluster-owner, which can write"),
        ((bound("project-member", PROJECT_TEMPLATE_BINDING),), "the role project-member, which can write"),
        ((bound("workloads-manage", PROJECT_TEMPLATE_BINDING),), "the role workloads-manage, which can write"),
        ((bound("user", GLOBAL_BINDING),), "the role user, which can write"),
        (
            (
                bound("gr-a", GLOBAL_BINDING),
                Made(type=GLOBAL_ROLE, name="gr", inputs={"id": "gr-a", "inheritedClusterRoles": ["cluster-member"]}),
            ),
            "GlobalRole gr is the role of a peer's reader and inherits the role cluster-member, which can write",
        ),
        (
            (
                bound("gr-a", GLOBAL_BINDING),
                Made(type=GLOBAL_ROLE, name="gr", inputs={"id": "gr-a", "rules": [rule("", "pods", "create")]}),
            ),
            "GlobalRole gr is the role of a peer's reader and allows the verbs 'create'",
        ),
    ],
    ids=[
        "by inheritance",
        "by inheritance twice",
        "by inheritance in a circle",
        "by principal",
        "of a project",
        "of a project for workloads",
        "of all of Rancher",
        "by a global role's inheritance",
        "by a global role's rules",
    ],
)
def test_a_user_for_peers_that_writes_by_another_spelling_is_refused(resources: tuple[Made, ...], told: str) -> None:
    """The rule follows every kind of binding."""
    (found,) = judge(remote_secret_reader.POLICY, USER, USER_TOKEN, *resources)
    assert told in found.message


@pytest.mark.parametrize(
    "made",
    [
        bound("user-base", GLOBAL_BINDING),
        bound("read-only", PROJECT_TEMPLATE_BINDING),
        bound("cluster-owner", userPrincipalId="local://u-other"),
        bound("cluster-owner", groupPrincipalId="github_team://1"),
    ],
    ids=["to log in", "to read a project", "another user", "a group"],
)
def test_a_user_for_peers_may_log_in_and_read(made: Made) -> None:
    """Other users and groups may have more rights."""
    assert judge(remote_secret_reader.POLICY, USER, USER_TOKEN, made) == []
    assert judge(remote_secret_reader.POLICY, USER, replace(USER_TOKEN, under=""), bound("edit")) == []


def test_what_is_not_known_yet_about_a_reader_is_left_alone() -> None:
    """The rule passes unknown values, and a value of a wrong type does not stop it."""
    token = replace(TOKEN, under="mcsps:index:MeshLink", provider=EAST)
    reads = role(rule("", "pods", "get"))
    assert_bears_all(remote_secret_reader.POLICY, token, binding(), reads, refused={"verbs"})
    inherits = template("rt-a", roleTemplateIds=["rt-b"], rules=[rule("", "pods", "get")])
    principal = bound("rt-a", userPrincipalId="local://u-ab1cd")
    project = bound("read-only", PROJECT_TEMPLATE_BINDING)
    assert_bears_all(remote_secret_reader.POLICY, USER, USER_TOKEN, principal, project, inherits, refused={"verbs"})
