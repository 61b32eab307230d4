"""The real rancher2 provider and engine against the lab's Rancher. Skipped if one of them is not on the PATH."""

import asyncio
import os
import shutil
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pulumi
import pulumi_rancher2 as rancher2
import pytest
from pulumi import ResourceOptions, automation

from lab.rancher import app, names
from lab.rancher.config import ServerConfig
from lab.rancher.kube import KubeApi
from lab.rancher.store import Kind, Store
from tests.support import live
from tests.support.kube_double import KubeDouble
from tests.support.rancher_double import CLUSTER, OTHER, config

SECONDS = 10.0
ENGINE = ("pulumi", "pulumi-resource-rancher2")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not all(map(shutil.which, ENGINE)), reason=f"the real engine is not on PATH: {', '.join(ENGINE)}"
    ),
]
QUOTA = {"limits_cpu": "12000m", "limits_memory": "12000Mi"}
CONTAINER = {"limits_cpu": "200m", "limits_memory": "128Mi", "requests_cpu": "100m", "requests_memory": "64Mi"}


class Engine:
    """A stack of its own on a running server."""

    def __init__(self, folder: Path, server_config: ServerConfig, store: Store, kube: KubeDouble) -> None:
        self.server_config = server_config
        self.store = store
        self.kube = kube
        self._folder = folder
        self._passphrase = names.generate("test-")

    def stack(self, program: Callable[[rancher2.Provider], None], **changes: Any) -> automation.Stack:  # noqa: ANN401 - as the provider has them
        """Return a stack that runs the given program."""
        token = self.server_config.admin_token_file.read_text()
        reaching = {
            "api_url": self.server_config.url,
            "token_key": token,
            "ca_certs": self.server_config.ca_file.read_text(),
        } | changes

        def inner() -> None:
            program(rancher2.Provider("rancher", **reaching))

        home = self._folder / "home"
        environment = {
            "PATH": os.environ["PATH"],
            "PULUMI_BACKEND_URL": f"file://{self._folder}",
            "PULUMI_CONFIG_PASSPHRASE": self._passphrase,
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        options = automation.LocalWorkspaceOptions(pulumi_home=str(home), env_vars=environment)
        return automation.create_or_select_stack("test", "rancher", program=inner, opts=options)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Start a server on the double of a cluster. Both listen on the network."""
    live.certify(tmp_path)
    kube = KubeDouble()
    kube.events = asyncio.Queue()
    with live.listening() as behind, live.listening() as front, live.served(kube.app, behind):
        inside = f"http://{live.LOOPBACK}:{behind.getsockname()[1]}"
        url = f"https://{live.LOOPBACK}:{front.getsockname()[1]}"
        server_config = config(tmp_path).model_copy(update={"url": url})
        apis = {
            name: KubeApi(
                httpx.AsyncClient(base_url=inside, timeout=httpx.Timeout(SECONDS, read=None), trust_env=False)
            )
            for name in (CLUSTER, OTHER)
        }
        server_config = server_config.model_copy(update={"clusters": server_config.clusters[:1]})
        rancher = app.make(server_config, apis)
        with live.served(app.build(rancher), front, tmp_path):
            yield Engine(tmp_path, server_config, rancher.store, kube)
            kube.say(None)


def project(provider: rancher2.Provider, **changes: Any) -> rancher2.Project:  # noqa: ANN401 - as the provider has them
    """Describe the original installation's project."""
    quota = {"project_limit": QUOTA, "namespace_default_limit": QUOTA}
    fields = {
        "name": "istio",
        "cluster_id": CLUSTER,
        "description": "Istio",
        "container_resource_limit": CONTAINER,
        "resource_quota": quota,
    }
    return rancher2.Project("project", **fields | changes, opts=ResourceOptions(provider=provider))


def is_unchanged(stack: automation.Stack) -> bool:
    """Return whether neither the state nor the server requires a change."""
    summaries = (stack.preview().change_summary, stack.preview(refresh=True).change_summary)
    return all(set(it) <= {automation.OpType.SAME} for it in summaries)


def test_a_project_namespace_and_token_are_made_read_back_updated_and_removed(engine: Engine) -> None:
    """A second preview sees no change, and nothing is left at the end."""

    def program(provider: rancher2.Provider, description: str = "Istio") -> None:
        own = ResourceOptions(provider=provider)
        found = rancher2.get_cluster_output(
            name="east", generate_kube_config=False, opts=pulumi.InvokeOutputOptions(provider=provider)
        )
        place = project(provider, description=description)
        namespace = rancher2.Namespace(
            "namespace",
            name="sample",
            project_id=place.id,
            # Rancher copies it from the project. Without this value, each preview would remove it.
            container_resource_limit=rancher2.NamespaceContainerResourceLimitArgs(**CONTAINER),
            opts=own,
        )
        token = rancher2.Token("token", cluster_id=found.id, description="test", ttl=3600, opts=own)
        pulumi.export("cluster", found.id)
        pulumi.export("namespace", namespace.id)
        pulumi.export("token", token.token)

    stack = engine.stack(program)
    outputs = stack.up().outputs
    assert outputs["cluster"].value == CLUSTER
    assert outputs["namespace"].value == "sample"
    assert outputs["token"].secret
    before = len(list(engine.store.all(Kind.TOKEN)))
    assert is_unchanged(stack)
    assert len(list(engine.store.all(Kind.TOKEN))) == before
    changed = engine.stack(partial(program, description="Istio's")).up()
    assert changed.summary.resource_changes == {"same": 4, "update": 1}
    assert [it["description"] for it in engine.store.all(Kind.PROJECT) if it["name"] == "istio"] == ["Istio's"]
    stack.destroy()
    assert {it["name"] for it in engine.store.all(Kind.PROJECT)} == {"Default", "System"}
    assert "/api/v1/namespaces/sample" not in engine.kube.objects
    assert [it["isDerived"] for it in engine.store.all(Kind.TOKEN)] == [False]


def test_a_user_with_a_role_of_his_own_has_a_token_that_may_no_more(engine: Engine) -> None:
    """The program creates a role template, both kinds of bindings, a user, a global role and the user's own token."""
    password = names.generate_key()

    def program(provider: rancher2.Provider) -> None:
        own = ResourceOptions(provider=provider)
        rule = rancher2.RoleTemplateRuleArgs(
            api_groups=[""], resources=["services", "endpoints"], verbs=["get", "list", "watch"]
        )
        role = rancher2.RoleTemplate("role", name="reader", context="cluster", rules=[rule], opts=own)
        user = rancher2.User("user", username="reader", password=password, opts=own)
        rancher2.GlobalRoleBinding("base", global_role_id="user-base", user_id=user.id, opts=own)
        bound = rancher2.ClusterRoleTemplateBinding(
            "bound", cluster_id=CLUSTER, role_template_id=role.id, user_id=user.id, opts=own
        )
        rancher2.ProjectRoleTemplateBinding(
            "member", project_id=project(provider).id, role_template_id="read-only", user_id=user.id, opts=own
        )
        token = rancher2.CustomUserToken(
            "token",
            username=user.username,
            password=password,
            cluster_id=CLUSTER,
            ttl=3600,
            opts=ResourceOptions(provider=provider, depends_on=[bound]),
        )
        pulumi.export("token", token.token)

    stack = engine.stack(program)
    token = stack.up().outputs["token"].value
    trusted = ssl.create_default_context(cafile=engine.server_config.ca_file)
    with httpx.Client(base_url=engine.server_config.url, verify=trusted, trust_env=False) as client:
        headers = {"Authorization": f"Bearer {token}"}
        assert client.get(f"/k8s/clusters/{CLUSTER}/api/v1/services", headers=headers).status_code == 200
        assert client.get(f"/k8s/clusters/{OTHER}/api/v1/services", headers=headers).status_code == 401
        assert client.get("/v3/projects", headers=headers).status_code == 401
    assert is_unchanged(stack)
    stack.destroy()
    assert [it["username"] for it in engine.store.all(Kind.USER)] == ["admin"]


def test_everything_is_found_by_name(engine: Engine) -> None:
    """The lookups find a cluster, a project, a setting, a role template and a user. The kubeconfig is optional."""

    def program(provider: rancher2.Provider) -> None:
        opts = pulumi.InvokeOutputOptions(provider=provider)
        pulumi.export("kubeconfig", rancher2.get_cluster_output(name="east", opts=opts).kube_config)
        found = rancher2.get_project_output(cluster_id=CLUSTER, name="System", opts=opts)
        pulumi.export("project", found.id)
        pulumi.export("version", rancher2.get_setting_output(name="server-version", opts=opts).value)
        role = rancher2.get_role_template_output(name="Cluster Owner", context="cluster", opts=opts)
        pulumi.export("role", role.id)
        pulumi.export("user", rancher2.get_user_output(username="admin", opts=opts).id)

    outputs = {name: it.value for name, it in engine.stack(program).up().outputs.items()}
    assert f"{engine.server_config.url}/k8s/clusters/{CLUSTER}" in outputs.pop("kubeconfig")
    system = next(it["id"] for it in engine.store.all(Kind.PROJECT) if it["name"] == "System")
    assert outputs == {"project": system, "version": "v2.13.0", "role": "cluster-owner", "user": "user-admin"}


def test_a_token_that_is_revoked_by_hand_is_made_anew(engine: Engine) -> None:
    """A token with a ttl above the server's limit is replaced at each `up`, so config must not request one."""

    def program(provider: rancher2.Provider, ttl: int = 3600) -> None:
        rancher2.Token("token", ttl=ttl, opts=ResourceOptions(provider=provider))

    stack = engine.stack(program)
    stack.up()
    (made,) = (it for it in engine.store.all(Kind.TOKEN) if it["isDerived"])
    engine.store.remove(Kind.TOKEN, made["id"])
    assert stack.preview(refresh=True).change_summary.get(automation.OpType.CREATE) == 1
    stack.up(refresh=True)
    assert is_unchanged(stack)
    too_long = engine.stack(partial(program, ttl=130000 * 60))
    too_long.up()
    assert automation.OpType.REPLACE in too_long.preview().change_summary


@pytest.mark.parametrize(
    ("name", "reaching", "message"),
    [
        ("north", {}, 'cluster with name "north" not found'),
        ("east", {"token_key": "token-none:key"}, "must authenticate"),
        ("east", {"ca_certs": ""}, "certificate signed by unknown authority"),
    ],
)
def test_what_cannot_be_looked_up_is_said_at_preview(
    engine: Engine, name: str, reaching: dict[str, str], message: str
) -> None:
    """The lookups fail for an unknown name, an invalid token and a foreign CA."""

    def program(provider: rancher2.Provider) -> None:
        opts = pulumi.InvokeOutputOptions(provider=provider)
        rancher2.get_cluster_output(name=name, generate_kube_config=False, opts=opts)

    with pytest.raises(automation.CommandError, match=message):
        engine.stack(program, timeout="1s", **reaching).preview()


def test_a_quota_that_is_refused_is_said_in_rancher_s_words(engine: Engine) -> None:
    """The error names the fields that exceed the limit."""
    small = {"limits_cpu": "1000m", "limits_memory": "1000Mi"}
    quota = {"project_limit": small, "namespace_default_limit": QUOTA}

    def program(provider: rancher2.Provider) -> None:
        project(provider, resource_quota=quota)

    with pytest.raises(
        automation.CommandError, match=r"exceeds limits on fields: limits\.cpu=12,limits\.memory=12000Mi"
    ):
        engine.stack(program).up()
