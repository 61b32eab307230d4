"""The rules about access: no one gets more rights than needed, and no token lives longer than needed."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
import yaml

from policies.rules import no_cluster_admin, rancher_token_bounds, remote_secret_credential, remote_secret_reader
from tests.support.bad_config import Place, put
from tests.support.leaks import fake_secret
from tests.support.policies import UNKNOWN, WEST, Made, assert_bears_all, judge
from tests.support.recording import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    RANCHER_ROLE,
    RANCHER_TOKEN,
    RANCHER_USER,
    RANCHER_USER_TOKEN,
    SECRET,
    SERVICE_ACCOUNT,
)
from tests.support.stacks import kubeconfig

RBAC = "kubernetes:rbac.authorization.k8s.io/v1"
CLUSTER_BINDING_OF_RANCHER = "rancher2:index/clusterRoleTemplateBinding:ClusterRoleTemplateBinding"
GLOBAL_ROLE = "rancher2:index/globalRole:GlobalRole"
GLOBAL_BINDING_OF_RANCHER = "rancher2:index/globalRoleBinding:GlobalRoleBinding"
READ = ["get", "list", "watch"]
TOKEN = Made(
    type=SECRET,
    name="token",
    inputs={
        "type": "kubernetes.io/service-account-token",
        "metadata": {
            "name": "reader-1",
            "namespace": "istio-system",
            "annotations": {"kubernetes.io/service-account.name": "reader"},
        },
    },
    under="mcsps:index:MeshLink",
)
ROLE = Made(
    type=CLUSTER_ROLE,
    name="role",
    inputs={
        "metadata": {"name": "reader"},
        "rules": [{"apiGroups": [""], "resources": ["services", "pods"], "verbs": READ}],
    },
)
BINDING = Made(
    type=CLUSTER_ROLE_BINDING,
    name="binding",
    inputs={
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": "istio-system"}],
    },
)
NAMESPACED_ROLE = Made(
    type=f"{RBAC}:Role",
    name="namespaced-role",
    inputs={
        "metadata": {"name": "reader", "namespace": "sample"},
        "rules": [{"apiGroups": [""], "resources": ["services"], "verbs": READ}],
    },
)
NAMESPACED_BINDING = Made(
    type=f"{RBAC}:RoleBinding",
    name="namespaced-binding",
    inputs={
        "metadata": {"name": "reader", "namespace": "sample"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": "istio-system"}],
    },
)
RANCHERS = Made(
    type=RANCHER_TOKEN, name="east-peers-token", inputs={"clusterId": "c-f7r9g", "ttl": 2592000, "description": "peers"}
)
USER = Made(type=RANCHER_USER, name="user", inputs={"id": "u-ab1cd", "username": "peers-of-east"})
USER_TOKEN = Made(
    type=RANCHER_USER_TOKEN,
    name="user-token",
    inputs={"username": "peers-of-east", "clusterId": "c-f7r9g", "ttl": 3600},
    under="mcsps:index:RancherCluster",
)
LOGIN = Made(type=GLOBAL_BINDING_OF_RANCHER, inputs={"globalRoleId": "user-base", "userId": "u-ab1cd"})
TEMPLATE = Made(
    type=RANCHER_ROLE,
    name="template",
    inputs={"id": "rt-ab1cd", "rules": [{"apiGroups": [""], "resources": ["services", "pods"], "verbs": READ}]},
)
TEMPLATE_BINDING = Made(
    type=CLUSTER_BINDING_OF_RANCHER,
    name="template-binding",
    inputs={"clusterId": "c-f7r9g", "roleTemplateId": "rt-ab1cd", "userId": "u-ab1cd"},
)
EVERYTHING = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


def changed(made: Made, place: Place, value: object) -> Made:
    """Return the resource with another value at one place."""
    return replace(made, inputs=put(made.inputs, place, value))


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (
            changed(BINDING, ("roleRef", "name"), "cluster-admin"),
            "ClusterRoleBinding reader of cluster east binds cluster-admin",
        ),
        (
            changed(replace(BINDING, type=f"{CLUSTER_ROLE_BINDING}Patch"), ("roleRef", "name"), "cluster-admin"),
            "ClusterRoleBindingPatch reader of cluster east binds cluster-admin",
        ),
        (
            changed(ROLE, ("rules",), [EVERYTHING]),
            "ClusterRole reader of cluster east allows everything, as cluster-admin does",
        ),
        (
            changed(
                changed(NAMESPACED_BINDING, ("roleRef", "kind"), "ClusterRole"), ("roleRef", "name"), "cluster-admin"
            ),
            "RoleBinding sample/reader of cluster east binds cluster-admin",
        ),
        (
            changed(NAMESPACED_ROLE, ("rules",), [EVERYTHING]),
            "Role sample/reader of cluster east allows everything, as cluster-admin does",
        ),
        (
            Made(type=CLUSTER_BINDING_OF_RANCHER, inputs={"roleTemplateId": "cluster-owner"}),
            "ClusterRoleTemplateBinding made binds Rancher's role cluster-owner",
        ),
        (
            Made(type=CLUSTER_BINDING_OF_RANCHER, inputs={"roleTemplateId": "cluster-admin"}),
            "ClusterRoleTemplateBinding made binds Rancher's role cluster-admin",
        ),
        (
            Made(type=GLOBAL_BINDING_OF_RANCHER, inputs={"globalRoleId": "admin"}),
            "GlobalRoleBinding made binds Rancher's role admin",
        ),
        (
            Made(type=GLOBAL_BINDING_OF_RANCHER, inputs={"globalRoleId": "restricted-admin"}),
            "GlobalRoleBinding made binds Rancher's role restricted-admin",
        ),
        (Made(type=RANCHER_ROLE, inputs={"rules": [EVERYTHING]}), "RoleTemplate made allows everything"),
        (
            Made(type=RANCHER_ROLE, inputs={"external": True, "externalRules": [EVERYTHING]}),
            "RoleTemplate made allows everything",
        ),
        (
            Made(type=RANCHER_ROLE, inputs={"roleTemplateIds": ["cluster-owner"]}),
            "RoleTemplate made inherits Rancher's role cluster-owner",
        ),
        (Made(type=GLOBAL_ROLE, inputs={"rules": [EVERYTHING]}), "GlobalRole made allows everything"),
        (
            Made(type=GLOBAL_ROLE, inputs={"inheritedClusterRoles": ["cluster-admin"]}),
            "GlobalRole made inherits Rancher's role cluster-admin",
        ),
    ],
    ids=[
        "by name",
        "by a patch",
        "by its rules",
        "of a namespace by name",
        "of a namespace by its rules",
        "of a cluster in Rancher",
        "of Kubernetes in Rancher",
        "of Rancher",
        "of all of Rancher's clusters",
        "by the rules of a template",
        "by the rules of a template for another's role",
        "by what a template inherits",
        "by the rules of a global role",
        "by what a global role inherits",
    ],
)
def test_nobody_is_made_an_administrator(made: Made, told: str) -> None:
    """An administrator's role is refused for a cluster, for a namespace and for all of Rancher."""
    (found,) = judge(no_cluster_admin.POLICY, made)
    assert told in found.message
    assert "To fix it, bind a dedicated role" in found.message


@pytest.mark.parametrize(
    "rule",
    [
        {**EVERYTHING, "verbs": READ},
        {**EVERYTHING, "apiGroups": [""]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
        EVERYTHING | {"verbs": UNKNOWN},
        "*",
        {"apiGroups": "*", "resources": "*", "verbs": "*"},
    ],
)
def test_a_role_that_is_less_than_an_administrator_s_is_no_matter_of_this_rule(rule: object) -> None:
    """A rule that the API server would refuse, or that is not known yet, passes as well."""
    assert judge(no_cluster_admin.POLICY, changed(ROLE, ("rules",), [rule])) == []
    assert judge(no_cluster_admin.POLICY, changed(TEMPLATE, ("rules",), [rule])) == []


@pytest.mark.parametrize("kind", ["Role", UNKNOWN, None, 5, []])
def test_a_role_of_a_namespace_may_have_the_name_of_another(kind: object) -> None:
    """The rules of a Role define what it allows, not its name."""
    named = changed(NAMESPACED_BINDING, ("roleRef", "name"), "cluster-admin")
    assert judge(no_cluster_admin.POLICY, changed(named, ("roleRef", "kind"), kind)) == []


@pytest.mark.parametrize("role", ["cluster-member", UNKNOWN, 5, None])
def test_other_roles_of_rancher_are_no_matter_of_this_rule(role: object) -> None:
    """A role that is not known yet, or is not a role, passes as well."""
    made = Made(type=CLUSTER_BINDING_OF_RANCHER, inputs={"roleTemplateId": role})
    inherits = Made(type=RANCHER_ROLE, inputs={"roleTemplateIds": [role]})
    assert judge(no_cluster_admin.POLICY, made, inherits) == []


def test_what_is_not_known_yet_makes_nobody_an_administrator() -> None:
    """The rule passes unknown values, and a value of a wrong type does not stop it."""
    assert_bears_all(no_cluster_admin.POLICY, BINDING, ROLE, NAMESPACED_BINDING, NAMESPACED_ROLE, RANCHERS)
    inherits = Made(type=GLOBAL_ROLE, inputs={"inheritedClusterRoles": ["cluster-member"]})
    assert_bears_all(no_cluster_admin.POLICY, TEMPLATE, TEMPLATE_BINDING, LOGIN, inherits)


@pytest.mark.parametrize("ttl", [None, 0, -1, "3600", True, [], {}])
def test_a_rancher_token_without_an_end_is_refused(ttl: Any) -> None:  # noqa: ANN401 - JSON data has no narrower type
    """A ttl that is not a number of seconds is refused as well."""
    (found,) = judge(rancher_token_bounds.POLICY, changed(RANCHERS, ("ttl",), ttl))
    assert "for ttl, so it does not expire" in found.message
    assert "To fix it, set cluster_id to the id of its cluster and ttl to a number of seconds" in found.message


@pytest.mark.parametrize("made", [RANCHERS, USER_TOKEN])
def test_a_rancher_token_of_a_thousand_years_is_refused(made: Made) -> None:
    """The policy config can allow a longer ttl."""
    (found,) = judge(rancher_token_bounds.POLICY, changed(made, ("ttl",), 1000 * 31_536_000))
    assert "has 31536000000 for ttl; allowed is a number of seconds from 1 to 31536000." in found.message
    assert judge(rancher_token_bounds.POLICY, changed(made, ("ttl",), 31_536_000)) == []
    assert judge(rancher_token_bounds.POLICY, changed(made, ("ttl",), 31_536_001), maxTtlSeconds=31_536_001) == []


@pytest.mark.parametrize("cluster", [None, "", 5, [], {}])
def test_a_rancher_token_for_every_cluster_is_refused(cluster: Any) -> None:  # noqa: ANN401 - JSON data has no narrower type
    """A value that is not the id of a cluster is refused as well."""
    (found,) = judge(rancher_token_bounds.POLICY, changed(RANCHERS, ("clusterId",), cluster))
    assert "for clusterId, so it has all rights of its user in every cluster" in found.message


def test_a_token_of_another_user_is_judged_too() -> None:
    """The rule reports both the missing cluster and the missing ttl."""
    made = Made(type="rancher2:index/customUserToken:CustomUserToken", inputs={"username": "reader"})
    assert len(judge(rancher_token_bounds.POLICY, made)) == 2


def test_a_token_of_which_nothing_is_known_yet_is_left_alone() -> None:
    """The rule passes unknown values, and a value of a wrong type does not stop it."""
    assert_bears_all(rancher_token_bounds.POLICY, RANCHERS, TOKEN, refused={"clusterId", "ttl"})


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "create", "patch"]},
            "the verbs 'create', 'patch'",
        ),
        ({"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}, "the verbs '*'"),
        ({"apiGroups": ["*"], "resources": ["pods"], "verbs": READ}, "all apiGroups"),
        ({"apiGroups": [""], "resources": ["*"], "verbs": READ}, "all resources"),
        ({"apiGroups": [""], "resources": ["pods"], "verbs": [5]}, "the verbs 5"),
    ],
)
def test_a_reader_from_outside_that_may_more_is_refused(rule: dict[str, Any], told: str) -> None:
    """The rule applies to a ClusterRole, a Role and a RoleTemplate."""
    (found,) = judge(remote_secret_reader.POLICY, TOKEN, BINDING, changed(ROLE, ("rules", 0), rule))
    assert found.resource == "role"
    assert f"ClusterRole reader of cluster east is the role of a peer's reader and allows {told}." in found.message
    assert "To fix it, bind a dedicated role with the verbs get, list and watch" in found.message
    (found,) = judge(
        remote_secret_reader.POLICY, TOKEN, NAMESPACED_BINDING, changed(NAMESPACED_ROLE, ("rules", 0), rule)
    )
    assert f"Role sample/reader of cluster east is the role of a peer's reader and allows {told}." in found.message
    template = changed(TEMPLATE, ("rules", 0), rule)
    (found,) = judge(remote_secret_reader.POLICY, USER, USER_TOKEN, TEMPLATE_BINDING, template)
    assert found.resource == "template"
    assert f"RoleTemplate template is the role of a peer's reader and allows {told}." in found.message


@pytest.mark.parametrize("role", ["admin", "cluster-admin", "edit"])
def test_a_reader_from_outside_has_no_writer_s_role_of_the_cluster(role: str) -> None:
    """The stack need not contain this role."""
    (found,) = judge(remote_secret_reader.POLICY, TOKEN, changed(BINDING, ("roleRef", "name"), role))
    assert found.resource == "binding"
    assert f"gives a peer's reader the role {role}, which can write" in found.message
    in_a_namespace = put(NAMESPACED_BINDING.inputs, ("roleRef",), {"kind": "ClusterRole", "name": role})
    (found,) = judge(remote_secret_reader.POLICY, TOKEN, replace(NAMESPACED_BINDING, inputs=in_a_namespace))
    assert f"RoleBinding sample/reader of cluster east gives a peer's reader the role {role}, which" in found.message


@pytest.mark.parametrize("role", ["admin", "cluster-admin", "cluster-member", "cluster-owner", "edit"])
def test_a_user_for_peers_has_no_writer_s_role_of_rancher(role: str) -> None:
    """The stack need not contain this role."""
    binding = changed(TEMPLATE_BINDING, ("roleTemplateId",), role)
    (found,) = judge(remote_secret_reader.POLICY, USER, USER_TOKEN, binding)
    assert found.resource == "template-binding"
    assert f"gives a peer's reader the role {role}, which can write" in found.message


@pytest.mark.parametrize(
    "subject",
    [
        {"kind": "Group", "name": "system:authenticated"},
        {"kind": "Group", "name": "system:serviceaccounts"},
        {"kind": "Group", "name": "system:serviceaccounts:istio-system"},
        {"kind": "User", "name": "system:serviceaccount:istio-system:reader"},
    ],
    ids=lambda subject: subject["name"],
)
def test_a_reader_from_outside_is_bound_by_its_groups_too(subject: dict[str, str]) -> None:
    """A binding to the user name of the service account counts as well."""
    for binding, role in ((BINDING, ROLE), (NAMESPACED_BINDING, NAMESPACED_ROLE)):
        bound = changed(binding, ("subjects",), [{"kind": "User", "name": "somebody"}, subject])
        (found,) = judge(remote_secret_reader.POLICY, TOKEN, bound, changed(role, ("rules", 0, "verbs"), ["*"]))
        assert found.resource == role.name


WRITER = changed(ROLE, ("rules", 0, "verbs"), ["*"])
NAMESPACED_WRITER = changed(NAMESPACED_ROLE, ("rules", 0, "verbs"), ["*"])
WRITING_TEMPLATE = changed(TEMPLATE, ("rules", 0, "verbs"), ["*"])


@pytest.mark.parametrize(
    "resources",
    [
        (TOKEN, WRITER),
        (BINDING, WRITER),
        (TOKEN, BINDING),
        (TOKEN, BINDING, replace(WRITER, provider=WEST)),
        (replace(TOKEN, provider=WEST), BINDING, WRITER),
        (TOKEN, changed(BINDING, ("subjects", 0, "namespace"), "other"), WRITER),
        (TOKEN, changed(BINDING, ("subjects", 0, "kind"), "User"), WRITER),
        (TOKEN, changed(BINDING, ("subjects",), [{"kind": "Group", "name": "system:serviceaccounts:other"}]), WRITER),
        (TOKEN, changed(BINDING, ("subjects",), [{"kind": "Group", "name": UNKNOWN}]), WRITER),
        (TOKEN, changed(BINDING, ("roleRef", "name"), UNKNOWN), WRITER),
        (replace(TOKEN, type=SERVICE_ACCOUNT), BINDING, WRITER),
        (replace(TOKEN, provider=None), replace(BINDING, provider=None), replace(WRITER, provider=None)),
        (changed(TOKEN, ("metadata", "annotations"), "reader"), BINDING, WRITER),
        (TOKEN, changed(BINDING, ("subjects",), "reader"), WRITER),
        (TOKEN, NAMESPACED_BINDING, changed(NAMESPACED_WRITER, ("metadata", "namespace"), "other")),
        (TOKEN, NAMESPACED_BINDING, changed(NAMESPACED_WRITER, ("metadata", "namespace"), UNKNOWN)),
        (
            TOKEN,
            changed(NAMESPACED_BINDING, ("metadata", "namespace"), UNKNOWN),
            changed(NAMESPACED_WRITER, ("metadata", "namespace"), UNKNOWN),
        ),
        (
            changed(TOKEN, ("metadata", "namespace"), UNKNOWN),
            changed(BINDING, ("subjects",), [{"kind": "Group", "name": "system:authenticated"}]),
            WRITER,
        ),
        (TOKEN, NAMESPACED_BINDING, WRITER),
        (TOKEN, BINDING, NAMESPACED_WRITER),
        (TOKEN, changed(NAMESPACED_BINDING, ("roleRef", "kind"), UNKNOWN), NAMESPACED_WRITER),
        (TOKEN, changed(NAMESPACED_BINDING, ("roleRef", "name"), "edit")),
    ],
    ids=[
        "no binding",
        "no token",
        "a role that the stack does not make",
        "a role in another cluster",
        "a token of another cluster",
        "another namespace",
        "a user",
        "the accounts of another namespace",
        "a group not known yet",
        "a role not known yet",
        "no Secret",
        "a cluster not known yet",
        "annotations that are none",
        "subjects that are none",
        "a role in another namespace",
        "a role in a namespace not known yet",
        "a binding and a role in namespaces not known yet",
        "a token in a namespace not known yet",
        "a role of the whole cluster of that name",
        "a role in a namespace of that name",
        "a role of a kind not known yet",
        "a role in a namespace that is called as a writer's",
    ],
)
def test_who_is_not_read_from_outside_is_no_matter_of_this_rule(resources: tuple[Made, ...]) -> None:
    """The rule passes each of them with every right."""
    assert judge(remote_secret_reader.POLICY, *resources) == []


@pytest.mark.parametrize(
    "resources",
    [
        (USER, TEMPLATE_BINDING),
        (USER_TOKEN, TEMPLATE_BINDING),
        (USER, USER_TOKEN),
        (USER, changed(USER_TOKEN, ("username",), "somebody"), TEMPLATE_BINDING),
        (USER, USER_TOKEN, changed(TEMPLATE_BINDING, ("userId",), "u-other")),
        (USER, USER_TOKEN, changed(TEMPLATE_BINDING, ("roleTemplateId",), "rt-other")),
        (changed(USER, ("username",), UNKNOWN), changed(USER_TOKEN, ("username",), UNKNOWN), TEMPLATE_BINDING),
        (changed(USER, ("id",), UNKNOWN), USER_TOKEN, changed(TEMPLATE_BINDING, ("userId",), UNKNOWN)),
        (USER, USER_TOKEN, replace(TEMPLATE_BINDING, type=GLOBAL_BINDING_OF_RANCHER)),
    ],
    ids=[
        "no token",
        "no user",
        "no binding",
        "another user's token",
        "a binding of another user",
        "a template that the stack does not make",
        "names not known yet",
        "ids not known yet",
        "a binding of Rancher's own",
    ],
)
def test_what_a_user_without_a_token_may_is_no_matter_of_this_rule(resources: tuple[Made, ...]) -> None:
    """The rule passes a user of any rights."""
    assert judge(remote_secret_reader.POLICY, WRITING_TEMPLATE, *resources) == []


def test_a_template_not_known_yet_may_be_a_reader_s() -> None:
    """Ids are known only after the first update has created the templates."""
    (template, binding) = (
        changed(WRITING_TEMPLATE, ("id",), UNKNOWN),
        changed(TEMPLATE_BINDING, ("roleTemplateId",), UNKNOWN),
    )
    assert judge(remote_secret_reader.POLICY, USER, USER_TOKEN, template, binding) == []


def test_a_reader_of_which_nothing_is_known_yet_is_left_alone() -> None:
    """The rule passes unknown values, and a value of a wrong type does not stop it."""
    assert_bears_all(
        remote_secret_reader.POLICY, TOKEN, BINDING, ROLE, NAMESPACED_BINDING, NAMESPACED_ROLE, refused={"verbs"}
    )
    assert_bears_all(remote_secret_reader.POLICY, USER, USER_TOKEN, TEMPLATE_BINDING, TEMPLATE, refused={"verbs"})


CREDENTIAL = fake_secret("a peer's credential")
NO_TOKENS = {
    "a client certificate": {"client-certificate-data": CREDENTIAL, "client-key-data": CREDENTIAL},
    "a password": {"username": "admin", "password": CREDENTIAL},
    "a command": {"exec": {"command": "aws", "env": [{"name": "KEY", "value": CREDENTIAL}]}},
    "a file": {"tokenFile": "/var/run/token"},
    "more than a token": {"token": CREDENTIAL, "client-key-data": CREDENTIAL},
    "nothing": {},
    "no mapping": CREDENTIAL,
}


def remote_secret(text: object, *, part: str = "stringData") -> Made:
    """Return a remote secret with one kubeconfig."""
    return Made(
        type=SECRET,
        inputs={
            "metadata": {
                "name": "istio-remote-secret-west",
                "namespace": "istio-system",
                "labels": {"istio/multiCluster": "true"},
            },
            part: {"west": text},
        },
    )


def with_user(user: object) -> str:
    """Return a kubeconfig whose only user has the given value."""
    return yaml.safe_dump(put(yaml.safe_load(kubeconfig("west")), ("users", 0, "user"), user))


def encoded(text: str) -> str:
    """Return Base64, as in a Secret's data."""
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("user", NO_TOKENS.values(), ids=NO_TOKENS.keys())
def test_a_remote_secret_with_other_than_a_token_is_refused(user: object) -> None:
    """The rule reads plain and encoded kubeconfigs, and its message does not quote the credential."""
    text = with_user(user)
    for made, place in (
        (remote_secret(text), "stringData.west"),
        (remote_secret(json.dumps(yaml.safe_load(text))), "stringData.west"),
        (remote_secret(encoded(text), part="data"), "data.west"),
        (replace(remote_secret(text), type=f"{SECRET}Patch"), "stringData.west"),
    ):
        (found,) = judge(remote_secret_credential.POLICY, made)
        told = f"secret-west of cluster east has at {place} a kubeconfig whose users[0] has more or less than a token."
        assert told in found.message
        assert "To fix it, give each user of the kubeconfig only the token of an account" in found.message
        assert CREDENTIAL not in found.message


def with_cluster(**cluster: object) -> str:
    """Return a kubeconfig whose only cluster has other values."""
    document = yaml.safe_load(kubeconfig("west"))
    document["clusters"][0]["cluster"].update(cluster)
    return yaml.safe_dump(document)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (with_cluster(**{"insecure-skip-tls-verify": True}), "whose clusters[0] has insecure-skip-tls-verify"),
        (with_cluster(server="http://west.example"), "whose clusters[0] has a server without https://"),
        (with_cluster(server=None), "whose clusters[0] has a server without https://"),
        (with_cluster(server=f"https://me:{CREDENTIAL}@west.example"), "has a credential in its server"),
        (with_cluster(**{"proxy-url": f"http://me:{CREDENTIAL}@proxy"}), "has a credential in its proxy-url"),
        (with_cluster(**{"proxy-url": f"http://[me:{CREDENTIAL}@proxy"}), "has a credential in its proxy-url"),
        (with_user({"token": ""}), "whose users[0] has an empty token"),
        (with_user({"token": " "}), "whose users[0] has an empty token"),
        (with_user({"token": None}), "whose users[0] has an empty token"),
        (yaml.safe_dump({**yaml.safe_load(kubeconfig("west")), "users": []}), "a kubeconfig without users"),
    ],
)
def test_a_remote_secret_whose_token_others_can_read_or_that_has_none_is_refused(text: str, told: str) -> None:
    """The message does not quote the credential."""
    (found,) = judge(remote_secret_credential.POLICY, remote_secret(text))
    assert told in found.message
    assert CREDENTIAL not in found.message


@pytest.mark.parametrize(
    "text",
    [
        with_cluster(**{"insecure-skip-tls-verify": False}),
        with_cluster(server="HTTPS://west.example"),
        with_cluster(**{"proxy-url": "http://proxy.example:3128"}),
        with_cluster(**{"proxy-url": 5}),
    ],
)
def test_a_remote_secret_may_use_a_proxy(text: str) -> None:
    """The proxy must not need a password."""
    assert judge(remote_secret_credential.POLICY, remote_secret(text)) == []


def test_each_user_and_each_kubeconfig_of_a_remote_secret_is_judged() -> None:
    """Istiod reads every entry."""
    document = yaml.safe_load(kubeconfig("west"))
    document["users"].append({"name": "admin", "user": NO_TOKENS["a client certificate"]})
    made = changed(remote_secret(kubeconfig("west")), ("stringData", "north"), yaml.safe_dump(document))
    (found,) = judge(remote_secret_credential.POLICY, made)
    assert "has at stringData.north a kubeconfig whose users[1]" in found.message


def test_the_first_document_of_a_remote_secret_is_the_kubeconfig() -> None:
    """Go reads the first document only."""
    texts = [kubeconfig("west"), with_user(NO_TOKENS["a client certificate"])]
    assert judge(remote_secret_credential.POLICY, remote_secret("---\n".join(texts))) == []
    (found,) = judge(remote_secret_credential.POLICY, remote_secret("---\n".join(reversed(texts))))
    assert "more or less than a token" in found.message


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("users: [", "stringData"),
        ("users: " + "[" * 5000, "stringData"),
        ("users: 2026-13-45", "stringData"),
        ("a text", "stringData"),
        ("users: {}", "stringData"),
        (5, "stringData"),
        (None, "stringData"),
        ("abcde", "data"),
        ("/w==", "data"),
        ([], "data"),
    ],
)
def test_what_cannot_be_read_in_a_remote_secret_is_refused(value: object, part: str) -> None:
    """The rule cannot know what such a value gives access to."""
    (found,) = judge(remote_secret_credential.POLICY, remote_secret(value, part=part))
    assert f"has no kubeconfig at {part}.west." in found.message


REMOTE = remote_secret(with_user(NO_TOKENS["a client certificate"]))


@pytest.mark.parametrize(
    "made",
    [
        remote_secret(kubeconfig("west")),
        remote_secret(encoded(kubeconfig("west")), part="data"),
        changed(REMOTE, ("metadata", "labels"), {}),
        changed(REMOTE, ("metadata", "labels", "istio/multiCluster"), "false"),
        changed(REMOTE, ("metadata", "labels"), UNKNOWN),
        replace(REMOTE, type=SERVICE_ACCOUNT),
        changed(REMOTE, ("stringData",), "a text"),
    ],
    ids=["a token", "a token, encoded", "no label", "another label", "labels not known yet", "no Secret", "no entries"],
)
def test_a_token_is_what_a_remote_secret_is_for(made: Made) -> None:
    """Other Secrets may hold anything."""
    assert judge(remote_secret_credential.POLICY, made) == []


def test_a_remote_secret_not_known_yet_may_hold_a_token() -> None:
    """The rule passes unknown values, and a value of a wrong type does not stop it."""
    known = remote_secret(kubeconfig("west"))
    in_data = remote_secret(encoded(kubeconfig("west")), part="data")
    assert_bears_all(remote_secret_credential.POLICY, known, in_data, refused={"stringData", "data", "west"})
