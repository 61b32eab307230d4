"""Rancher's resources in the stand-in, on the lab's Rancher over TLS, and the resources that need its tokens."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

import httpx
import pytest
import yaml
from rich.console import Console

from errors import UserError
from lab.rancher import app
from lab.rancher.store import Kind
from lab.standin import awaits, clusters, rancher_server
from lab.standin.cluster import ObjectIdentity
from lab.standin.display import Display
from lab.standin.plan import Step
from lab.standin.providers import rancher2
from lab.standin.rancher_server import RancherServer
from lab.standin.run import begin
from lab.standin.stack import Stack
from lab.standin.state import Entry, State
from tests.support import live
from tests.support.fake_cluster import FakeCluster
from tests.support.rancher_double import CLUSTER, OTHER, RancherDouble

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.rancher.store import Document
    from recorder.values import Properties

HEAD = f"""
import pulumi
import pulumi_kubernetes as k8s
import pulumi_random as random
import pulumi_rancher2 as rancher2
config = pulumi.Config("mcsps")
opts = pulumi.ResourceOptions
EAST, WEST = "{CLUSTER}", "{OTHER}"
server = rancher2.Provider(
    "rancher", api_url=config.require("url"), token_key=config.require_secret("rancherToken"),
    ca_certs=config.require("ca"),
)
o = opts(provider=server)
generation = random.RandomId("generation", byte_length=4, keepers={{"generation": config.get("generation") or "1"}})
recreate = opts(provider=server, replacement_trigger=generation.hex)
"""
PROJECT = """
limit = {"limits_cpu": "12000m", "limits_memory": "12000Mi"}
project = rancher2.Project(
    "project", name="istio", cluster_id=EAST, description="Istio",
    container_resource_limit={"limits_cpu": "200m", "requests_cpu": "100m"},
    resource_quota={"project_limit": limit, "namespace_default_limit": limit}, opts=o,
)
"""
ADMINS = """
token = rancher2.Token(
    "token", cluster_id=EAST, description=generation.hex.apply(lambda it: f"provider {it}"), ttl=3600, opts=recreate
)
pulumi.export("token", token.token)
"""
ROLE = """
role = rancher2.RoleTemplate(
    "role", name="reader", context="cluster", description="reads",
    rules=[{"api_groups": [""], "resources": ["services"], "verbs": ["get", "list"]},
           {"non_resource_urls": ["/version"], "verbs": ["get"]}], opts=o,
)
"""
USER = """
password = random.RandomPassword("password", length=24, special=False, keepers={"at": config.get("password") or "1"})
user = rancher2.User("user", username="reader", name="Reader", password=password.result, opts=o)
"""
BINDINGS = """
base = rancher2.GlobalRoleBinding("base", global_role_id="user-base", user_id=user.id, opts=o)
bound = rancher2.ClusterRoleTemplateBinding(
    "bound", name="reader", cluster_id=EAST, role_template_id=role.id, user_id=user.id, opts=o
)
"""
OWN = """
own = rancher2.CustomUserToken(
    "own", username=user.username, password=password.result, cluster_id=EAST, ttl=3600,
    description=generation.hex.apply(lambda it: f"peers {it}"), opts=recreate,
)
pulumi.export("own", own.token)
"""
ALL = PROJECT + ADMINS + ROLE + USER + BINDINGS + OWN
MADE = ("project", "token", "role", "password", "user", "base", "bound", "own")
REMOTE = """
def kubeconfig(name, token):
    user = {"name": "c", "user": {"token": token}}
    cluster = {"name": "c", "cluster": {"server": f"https://127.0.0.1/k8s/clusters/{name}"}}
    return pulumi.runtime.to_json({"clusters": [cluster], "users": [user]})
east = k8s.Provider("east", kubeconfig=token.token.apply(lambda it: kubeconfig(EAST, it)), cluster_identifier="east")
k = opts(provider=east)
ns = k8s.core.v1.Namespace("ns", metadata={"name": "sample"}, opts=k)
remote = k8s.core.v1.Secret(
    "remote", metadata={"name": "remote", "namespace": "sample"}, string_data={"token": own.token}, opts=k
)
"""


@dataclass
class Lab:
    """A Rancher server, and runs of programs that use it."""

    double: RancherDouble
    folder: Path
    url: str
    ca: str
    printed: str = ""
    config: dict[str, str] = field(default_factory=dict)

    def run(self, text: str, verb: str, **config: str) -> tuple[bool, dict[str, Step]]:
        """Return whether it succeeded, and the last step of each changed resource by logical name."""
        (self.folder / "__main__.py").write_text(HEAD + text)
        output = io.StringIO()
        display = Display(Console(file=output, width=500), as_json=False)
        plain = {"url": self.url, "ca": self.ca} | self.config | config
        stack = Stack(
            "mcsps",
            "lab",
            {f"mcsps:{name}": value for name, value in plain.items()},
            {"mcsps:rancherToken": self.double.admin},
        )
        with begin(stack, self.folder, self.folder / "state", display) as run:
            is_well = run.destroy(unprotect=False) if verb == "destroy" else getattr(run, verb)()
        self.printed = output.getvalue()
        return is_well, {it.name: it.step for it in display.changes if it.step is not Step.SAME}

    @property
    def state(self) -> State:
        """Return the entries of the state by URN."""
        return State.load("lab", self.folder / "state")

    @property
    def entries(self) -> dict[str, Entry]:
        """Return the entries of the state by logical name."""
        return {urn.split("::", 3)[3]: entry for urn, entry in self.state.entries().items()}

    def all(self, kind: Kind) -> list[Document]:
        """Return the server's documents of a kind, without the initial ones."""
        return [it for it in self.double.rancher.store.all(kind) if it["id"] not in self.started]

    started: set[str] = field(default_factory=set)

    def tokens(self) -> list[str]:
        """Return the descriptions of the tokens."""
        return sorted(it["description"].split()[0] for it in self.all(Kind.TOKEN))


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a CA and a certificate for loopback; all tests share them, because this takes longer than most tests."""
    folder = tmp_path_factory.mktemp("tls")
    live.certify(folder)
    return folder


@pytest.fixture(scope="module")
def listening(certified: Path) -> Iterator[tuple[str, live.Stage]]:
    """Yield the URL of one server for all tests, and its stage."""
    stage = live.Stage()
    with live.listening() as sock, live.served(stage, sock, certified):
        yield f"https://127.0.0.1:{sock.getsockname()[1]}", stage


@pytest.fixture
def lab(tmp_path: Path, certified: Path, listening: tuple[str, live.Stage], monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Return a new server, with the loopback network as the lab's network."""
    monkeypatch.setattr("lab.standin.lab_network.FABRIC_NETWORK", IPv4Network("127.0.0.0/8"))
    monkeypatch.setattr(rancher2, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(awaits, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(rancher_server, "RETRY_SECONDS", 0.3)
    double = RancherDouble(tmp_path)
    worked = tmp_path / "worked"
    worked.mkdir()
    url, stage = listening
    stage.app = app.build(double.rancher, with_controllers=False)
    made = Lab(double, worked, url, (certified / "ca.crt").read_text())
    made.started = {it["id"] for kind in Kind for it in double.rancher.store.all(kind)}
    return made


def test_everything_is_made_read_back_and_removed(lab: Lab) -> None:
    """A preview changes nothing, `up` does what it showed, and the next preview shows no change."""
    is_well, steps = lab.run(ALL, "preview")
    assert is_well, lab.printed
    assert steps == dict.fromkeys(("rancher", "generation", *MADE), Step.CREATE)
    assert lab.all(Kind.PROJECT) == lab.all(Kind.TOKEN) == []
    assert lab.run(ALL, "up") == (True, steps), lab.printed
    assert lab.run(ALL, "preview") == (True, {}), lab.printed
    assert lab.run(ALL, "up") == (True, {}), lab.printed
    (project,) = lab.all(Kind.PROJECT)
    assert project["containerDefaultResourceLimit"] == {"limitsCpu": "200m", "requestsCpu": "100m"}
    limit = {"limit": {"limitsCpu": "12000m", "limitsMemory": "12000Mi"}}
    assert project["resourceQuota"] == project["namespaceDefaultResourceQuota"] == limit
    (role,) = lab.all(Kind.ROLE_TEMPLATE)
    assert role["rules"][1] == {"nonResourceURLs": ["/version"], "verbs": ["get"]}
    (user,) = lab.all(Kind.USER)
    (bound,) = lab.all(Kind.CLUSTER_BINDING)
    assert (bound["roleTemplateId"], bound["userId"]) == (role["id"], user["id"])
    owners = {it["description"].split()[0]: (it["userId"], it["ttl"], it["clusterId"]) for it in lab.all(Kind.TOKEN)}
    assert owners == {"provider": ("user-admin", 3600_000, CLUSTER), "peers": (user["id"], 3600_000, CLUSTER)}
    assert lab.run("", "destroy")[0], lab.printed
    assert lab.entries == {}
    assert all(lab.all(kind) == [] for kind in Kind if kind is not Kind.PROJECT_BINDING)


def test_secrets_are_marked_and_never_printed(lab: Lab) -> None:
    """No line of any run contains a token or a password, or the administrator's token."""
    printed = ""
    for verb in ("preview", "up", "preview"):
        lab.run(ALL, verb)
        printed += lab.printed
    lab.run(ALL, "preview", generation="2", password="2")  # noqa: S106 - a keeper
    printed += lab.printed
    secrets = [
        lab.double.admin,
        *(lab.entries[name].outputs[it].value for name in ("token", "own") for it in ("token", "secretKey")),
        lab.entries["password"].outputs["result"].value,
        lab.entries["user"].outputs["password"].value,
    ]
    assert "token: [secret]" in printed
    assert not any(secret in printed for secret in secrets)


@pytest.mark.parametrize(
    ("text", "change", "name", "shown"),
    [
        (
            PROJECT,
            ('"12000Mi"', '"13000Mi"'),
            "project",
            'resourceQuota.projectLimit.limitsMemory: "12000Mi" => "13000Mi"',
        ),
        (PROJECT, ('name="istio"', 'name="mesh"'), "project", 'name: "istio" => "mesh"'),
        (PROJECT, ('description="Istio",', ""), "project", 'description: "Istio" => (none)'),
        (ROLE, ('"list"', '"watch"'), "role", 'rules[0].verbs[1]: "list" => "watch"'),
        (USER, ('name="Reader"', 'name="Istiod", enabled=False'), "user", "enabled: true => false"),
    ],
)
def test_what_the_provider_changes_in_place_is_changed_in_place(
    lab: Lab, text: str, change: tuple[str, str], name: str, shown: str
) -> None:
    """The preview names the field, the id stays, and the server has the new value."""
    lab.run(text, "up")
    before = lab.entries[name].id
    changed = text.replace(*change)
    assert lab.run(changed, "preview") == (True, {name: Step.UPDATE})
    assert shown in lab.printed
    assert lab.run(changed, "up") == (True, {name: Step.UPDATE}), lab.printed
    assert lab.entries[name].id == before
    assert lab.run(changed, "preview") == (True, {}), lab.printed


def test_an_update_of_a_project_keeps_what_rancher_noted_there(lab: Lab) -> None:
    """They stay although the project is replaced as a whole."""
    lab.run(PROJECT, "up")
    (before,) = lab.all(Kind.PROJECT)
    lab.run(PROJECT.replace('"Istio"', '"Mesh"'), "up")
    (after,) = lab.all(Kind.PROJECT)
    assert (after["annotations"], after["labels"]) == (before["annotations"], before["labels"])
    assert after["description"] == "Mesh"


def test_a_new_password_lets_the_user_in_and_takes_his_old_token_away(lab: Lab) -> None:
    """The stand-in deletes the user's old token when the password changes, because it is no longer valid."""
    lab.run(ALL, "up")
    old = lab.entries["own"].id
    is_well, steps = lab.run(ALL, "up", password="2")  # noqa: S106 - a keeper
    assert is_well, lab.printed
    assert steps == {
        "password": Step.REPLACE,
        "user": Step.UPDATE,
        "own": Step.REPLACE,
        f"own::{old}": Step.DELETE,
    }
    assert lab.tokens() == ["peers", "provider"]
    assert lab.run(ALL, "preview", password="2") == (True, {})  # noqa: S106 - a keeper


@pytest.mark.parametrize(
    ("name", "kind", "change"),
    [
        ("project", Kind.PROJECT, {"description": "another text"}),
        ("project", Kind.PROJECT, {"resourceQuota": None, "namespaceDefaultResourceQuota": None}),
        ("role", Kind.ROLE_TEMPLATE, {"rules": []}),
        ("user", Kind.USER, {"enabled": False}),
    ],
)
def test_what_somebody_changed_is_seen_and_put_right(
    lab: Lab, name: str, kind: Kind, change: dict[str, object]
) -> None:
    """A preview shows it as well."""
    text = PROJECT + ROLE + USER
    lab.run(text, "up")
    (document,) = lab.all(kind)
    lab.double.rancher.store.put(kind, document | change)
    assert lab.run(text, "preview") == (True, {name: Step.UPDATE}), lab.printed
    assert lab.run(text, "up") == (True, {name: Step.UPDATE}), lab.printed
    (after,) = lab.all(kind)
    assert all(after[field] == document[field] for field in change)


def test_what_somebody_removed_is_made_anew(lab: Lab) -> None:
    """This covers all kinds except users, whose tokens are deleted as well; the old ids are not reported."""
    lab.run(ALL, "up")
    kinds = {
        "project": Kind.PROJECT,
        "token": Kind.TOKEN,
        "role": Kind.ROLE_TEMPLATE,
        "base": Kind.GLOBAL_BINDING,
        "own": Kind.TOKEN,
    }
    old = {name: lab.entries[name].id for name in kinds}
    for name, kind in kinds.items():
        lab.double.rancher.store.remove(kind, old[name])
    # For another role than the recreated one.
    expected = dict.fromkeys(kinds, Step.CREATE) | {"bound": Step.REPLACE}
    assert lab.run(ALL, "preview") == (True, expected), lab.printed
    assert lab.printed.count("it does not exist in Rancher any more, and is recreated") == len(kinds)
    assert lab.run(ALL, "up") == (True, expected), lab.printed
    assert not {lab.entries[name].id for name in kinds} & set(old.values())
    assert lab.run(ALL, "preview") == (True, {})


def test_a_user_who_was_removed_comes_back_with_all_that_is_his(lab: Lab) -> None:
    """Rancher deleted the user's token with the user."""
    lab.run(ALL, "up")
    (user,) = lab.all(Kind.USER)
    assert lab.double.ask("DELETE", f"/v3/users/{user['id']}").status_code == 200
    assert lab.tokens() == ["provider"]
    _, steps = lab.run(ALL, "preview")
    assert (steps["user"], steps["own"]) == (Step.CREATE, Step.CREATE)
    assert lab.run(ALL, "up")[0], lab.printed
    assert lab.tokens() == ["peers", "provider"]
    assert lab.run(ALL, "preview") == (True, {})


def test_a_token_whose_time_is_over_is_made_anew(lab: Lab) -> None:
    """The provider does the same."""
    lab.run(ADMINS, "up")
    old = lab.entries["token"].id
    lab.double.advance(hours=2)
    assert lab.run(ADMINS, "preview") == (True, {"token": Step.REPLACE})
    assert "it has expired, or was disabled" in lab.printed
    assert lab.run(ADMINS, "up") == (True, {"token": Step.REPLACE, f"token::{old}": Step.DELETE})


@pytest.mark.parametrize(
    ("text", "old", "new", "name"),
    [
        (ADMINS, "EAST", "WEST", "token"),
        (ADMINS, "ttl=3600", "ttl=7200", "token"),
        (USER + OWN, "ttl=3600", "ttl=7200", "own"),
        (USER + ROLE + BINDINGS, "user-base", "user", "base"),
    ],
)
def test_what_the_provider_replaces_is_made_before_the_old_one_goes(
    lab: Lab, text: str, old: str, new: str, name: str
) -> None:
    """The old one is deleted at the end, as a separate step."""
    lab.run(text, "up")
    before = lab.entries[name].id
    changed = text.replace(old, new)
    assert lab.run(changed, "preview") == (True, {name: Step.REPLACE})
    is_well, steps = lab.run(changed, "up")
    assert is_well, lab.printed
    assert steps == {name: Step.REPLACE, f"{name}::{before}": Step.DELETE}
    assert lab.run(changed, "preview") == (True, {})


def test_what_keeps_a_name_that_there_can_be_once_is_deleted_first(lab: Lab) -> None:
    """The provider does the same for names that it has not generated."""
    text = USER + ROLE + BINDINGS
    lab.run(text, "up")
    changed = text.replace("role.id", '"cluster-member"')
    assert lab.run(changed, "up") == (True, {"bound": Step.REPLACE}), lab.printed
    (bound,) = lab.all(Kind.CLUSTER_BINDING)
    assert bound["roleTemplateId"] == "cluster-member"


class Guarded(FakeCluster):
    """A cluster behind Rancher, which every request needs a valid token to reach."""

    def __init__(
        self, lab: Lab, objects: dict[ObjectIdentity, Properties], seen: list[list[str]], kubeconfig: str
    ) -> None:
        """Use the same objects as all other connections to the cluster."""
        super().__init__()
        self.objects = objects
        self.server = "https://127.0.0.1"
        self._lab = lab
        self._seen = seen
        self._token: str = yaml.safe_load(kubeconfig)["users"][0]["user"]["token"]

    def answers(self) -> bool:
        """Return whether the token is valid."""
        path = f"/k8s/clusters/{CLUSTER}/version"
        return self._lab.double.rancher.tokens.authenticate(self._token, path) is not None

    def get(self, identity: ObjectIdentity) -> Properties | None:
        """Return an object, if the token is valid."""
        self._enter()
        return super().get(identity)

    def apply(self, manifest: Properties) -> Properties:
        """Apply an object, and record the existing tokens."""
        self._enter()
        self._seen.append(self._lab.tokens())
        return super().apply(manifest)

    def delete(self, identity: ObjectIdentity) -> None:
        """Delete an object, if the token is valid."""
        self._enter()
        super().delete(identity)

    def _enter(self) -> None:
        if not self.answers():
            raise UserError("the API server refuses: Unauthorized")


@dataclass
class Behind:
    """The objects on the cluster, and the tokens that existed at each write to it."""

    objects: dict[ObjectIdentity, Properties] = field(default_factory=dict)
    seen: list[list[str]] = field(default_factory=list)

    @property
    def remote(self) -> str:
        """Return the token in the remote secret."""
        sent: str = self.objects[ObjectIdentity("v1", "Secret", "sample", "remote")]["data"]["token"]
        return sent


@pytest.fixture
def behind(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Behind:
    """Return a cluster that only Rancher's tokens can reach."""
    made = Behind()

    def connect(_name: str, kubeconfig: str, **_options: bool) -> Guarded:
        return Guarded(lab, made.objects, made.seen, kubeconfig)

    monkeypatch.setattr(clusters, "ClusterApi", connect)
    return made


MESH = ADMINS + USER + OWN + REMOTE


def test_a_first_preview_asks_no_cluster(lab: Lab, behind: Behind) -> None:
    """The token for the cluster does not exist yet, so the preview shows only creations, and `up` performs them."""
    created = ("rancher", "generation", "token", "password", "user", "own", "east", "ns", "remote")
    assert lab.run(MESH, "preview") == (True, dict.fromkeys(created, Step.CREATE)), lab.printed
    assert behind.objects == {}
    assert lab.run(MESH, "up") == (True, dict.fromkeys(created, Step.CREATE)), lab.printed
    assert lab.run(MESH, "preview") == (True, {}), lab.printed
    assert lab.run("", "destroy")[0], lab.printed
    assert behind.objects == {}
    assert lab.tokens() == []


def test_a_rotation_changes_the_remote_secret_and_nothing_else_on_the_cluster(lab: Lab, behind: Behind) -> None:
    """The preview uses the last token. The old tokens exist until the new one is in the remote secret."""
    lab.run(MESH, "up")
    old, remote = {name: lab.entries[name].id for name in ("token", "own")}, behind.remote
    expected = {
        "generation": Step.REPLACE,
        "token": Step.REPLACE,
        "own": Step.REPLACE,
        "east": Step.UPDATE,
        "remote": Step.UPDATE,
    }
    assert lab.run(MESH, "preview", generation="2") == (True, expected), lab.printed
    behind.seen.clear()
    deleted = {f"{name}::{id_}": Step.DELETE for name, id_ in old.items()}
    assert lab.run(MESH, "up", generation="2") == (True, expected | deleted), lab.printed
    assert behind.remote != remote
    assert behind.seen[-1] == ["peers", "peers", "provider", "provider"]
    assert lab.tokens() == ["peers", "provider"]
    assert lab.run(MESH, "preview", generation="2") == (True, {})


def test_a_failed_rotation_leaves_the_old_tokens_good(lab: Lab, behind: Behind) -> None:
    """The next run completes the rotation."""
    lab.run(MESH, "up")
    failing = MESH + "raise pulumi.RunError('enough')"
    assert not lab.run(failing, "up", generation="2")[0]
    assert lab.tokens() == ["peers", "peers", "provider", "provider"]
    assert lab.run(MESH, "up", generation="2")[0], lab.printed
    assert lab.tokens() == ["peers", "provider"]
    assert set(lab.entries) == {"rancher", "generation", "token", "password", "user", "own", "east", "ns", "remote"}
    assert behind.seen[-1] == ["peers", "peers", "provider", "provider"]


def test_a_cluster_whose_token_was_revoked_is_not_looked_at_but_taken_for_unchanged(lab: Lab, behind: Behind) -> None:
    """The preview reports that, and `up` queries the cluster."""
    lab.run(MESH, "up")
    lab.double.rancher.store.remove(Kind.TOKEN, lab.entries["token"].id)
    assert lab.run(MESH, "preview") == (True, {"token": Step.CREATE, "east": Step.UPDATE}), lab.printed
    assert "! east: its kubeconfig is known only after an update" in lab.printed
    behind.objects.pop(ObjectIdentity("v1", "Secret", "sample", "remote"))
    is_well, steps = lab.run(MESH, "up")
    assert is_well, lab.printed
    assert steps == {"token": Step.CREATE, "east": Step.UPDATE, "remote": Step.CREATE}


class _LostError(UserError):
    """An exception that ends a run like a kill, with the current state."""


@pytest.mark.parametrize("name", ["project", "token", "roleTemplate", "user", "customUserToken"])
@pytest.mark.parametrize("then", ["up", "destroy"])
@pytest.mark.parametrize("lost", ["request", "answer"])
def test_what_a_killed_run_made_is_not_left_behind(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, name: str, then: str, lost: str
) -> None:
    """This holds for a kill before the request and before its answer; similar resources of others stay."""
    theirs = lab.double.project(name="istio", description="theirs")["id"]
    lab.started.add(theirs)
    hit = next(it for token, it in rancher2.TYPES.items() if token.startswith(f"rancher2:index/{name}:"))
    made = rancher2.make

    def make(type_: rancher2.RancherType, own: RancherServer, inputs: Properties) -> Properties:
        if type_ is not hit:
            return made(type_, own, inputs)
        if lost == "answer":
            made(type_, own, inputs)
        raise _LostError("lost")

    with monkeypatch.context() as patched:
        patched.setattr(rancher2, "make", make)
        assert not lab.run(ALL, "up")[0]
    assert [it.type for it in lab.entries.values() if it.pending and not it.id] == [
        token for token, it in rancher2.TYPES.items() if it is hit
    ]
    assert lab.run(ALL, then)[0], lab.printed
    if then == "destroy":
        assert lab.entries == {}
        assert lab.all(Kind.PROJECT) == lab.all(Kind.USER) == lab.all(Kind.TOKEN) == []
    else:
        assert lab.run(ALL, "preview") == (True, {}), lab.printed
        assert lab.tokens() == ["peers", "provider"]
        assert [len(lab.all(kind)) for kind in (Kind.PROJECT, Kind.ROLE_TEMPLATE, Kind.USER)] == [1, 1, 1]
    assert lab.double.ask("GET", f"/v3/projects/{theirs}").status_code == 200


def test_what_was_made_and_is_not_ready_when_a_run_is_killed_is_made_anew(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state contains its id by then."""

    def lose(*_: object) -> None:
        raise _LostError("lost")

    with monkeypatch.context() as patched:
        patched.setattr(rancher2, "wait_until_active", lose)
        assert not lab.run(PROJECT, "up")[0]
    (lost,) = lab.all(Kind.PROJECT)
    assert (lab.entries["project"].pending, lab.entries["project"].id) == (True, lost["id"])
    assert lab.run(PROJECT, "up") == (True, {"project": Step.CREATE}), lab.printed
    assert [it["id"] for it in lab.all(Kind.PROJECT)] == [lab.entries["project"].id] != [lost["id"]]


def test_a_replacement_that_rancher_refuses_leaves_what_was_there(lab: Lab) -> None:
    """With the old config again, a run shows no change."""
    lab.run(USER, "up")
    taken = USER.replace('username="reader", name="Reader"', 'username="admin", name="Admin"')
    assert not lab.run(taken, "up")[0]
    assert "user: Rancher refuses: username: Username is already in use." in lab.printed
    assert lab.run(USER, "preview") == (True, {}), lab.printed


def test_what_rancher_refuses_to_make_is_not_remembered(lab: Lab) -> None:
    """The state contains no pending entry of it either."""
    short = USER.replace("length=24", "length=6")
    assert not lab.run(short, "up")[0]
    assert "user: Rancher refuses: Password must be at least 12 characters" in lab.printed
    assert "user" not in lab.entries


def test_a_user_s_token_is_removed_with_him_where_he_cannot_log_in(lab: Lab) -> None:
    """Until then, the error names it and the remedy, and its dependencies are not deleted."""
    lab.run(USER + OWN, "up")
    (user,) = lab.all(Kind.USER)
    lab.double.rancher.store.put(Kind.USER, user | {"enabled": False})
    assert not lab.run("", "destroy")[0]
    assert "failed: own: only the user can delete this token: " in lab.printed
    assert "refuses the login of user reader. Check that the user is enabled" in lab.printed
    assert {"own", "user", "rancher"} <= set(lab.entries)
    lab.double.ask("DELETE", f"/v3/users/{user['id']}")
    assert lab.run("", "destroy")[0], lab.printed
    assert lab.entries == {}


def test_a_token_that_the_administrator_sees_needs_no_log_in_to_go(lab: Lab) -> None:
    """This holds for tokens of all users."""
    lab.run(USER + OWN, "up")
    (user,), (token,) = lab.all(Kind.USER), lab.all(Kind.TOKEN)
    lab.double.rancher.store.put(Kind.USER, user | {"enabled": False})
    lab.double.rancher.store.put(Kind.TOKEN, token | {"userId": "user-admin"})
    assert lab.run("", "destroy")[0], lab.printed
    assert lab.all(Kind.TOKEN) == []


def test_nobody_stays_logged_in(lab: Lab) -> None:
    """A session ends after its only request."""
    for verb in ("up", "preview", "up"):
        lab.run(USER + OWN, verb)
    assert [it["isDerived"] for it in lab.all(Kind.TOKEN)] == [True]


def test_what_is_to_be_kept_is_only_forgotten(lab: Lab) -> None:
    """`retain_on_delete` is supported as well, and `deleted_with` sends no separate request."""
    kept = 'role = rancher2.RoleTemplate("role", name="kept", opts=opts(provider=server, retain_on_delete=True))'
    lab.run(kept, "up")
    assert lab.run("", "up") == (True, {"role": Step.DELETE})
    assert "retained: only removed from the state" in lab.printed
    assert [it["name"] for it in lab.all(Kind.ROLE_TEMPLATE)] == ["kept"]


def test_a_protected_token_is_not_replaced_and_one_that_no_longer_is_may_be(lab: Lab) -> None:
    """The old token is deleted then, although it was protected at its creation."""
    protected = ADMINS.replace("opts=recreate", "opts=opts.merge(recreate, opts(protect=True))")
    lab.run(protected, "up")
    assert not lab.run(protected, "preview", generation="2")[0]
    assert "token is protected and would be replaced" in lab.printed
    assert lab.run(ADMINS, "up", generation="2")[0], lab.printed
    assert lab.tokens() == ["provider"]


def test_what_the_program_ignores_stays_as_it_is(lab: Lab) -> None:
    """It stays as it was last applied."""
    lab.run(PROJECT, "up")
    ignoring = PROJECT.replace("opts=o", 'opts=opts.merge(o, opts(ignore_changes=["description"]))')
    assert lab.run(ignoring.replace('"Istio"', '"Mesh"'), "up") == (True, {}), lab.printed


def test_a_renamed_resource_is_the_same_one(lab: Lab) -> None:
    """The alias identifies it, even if it is replaced in the same run."""
    lab.run(ADMINS, "up")
    old = lab.entries["token"].id
    renamed = ADMINS.replace('"token", cluster', '"key", cluster').replace(
        "opts=recreate", 'opts=opts.merge(recreate, opts(aliases=[pulumi.Alias(name="token")]))'
    )
    assert lab.run(renamed, "preview") == (True, {}), lab.printed
    is_well, steps = lab.run(renamed, "up", generation="2")
    assert is_well, lab.printed
    assert steps == {"generation": Step.REPLACE, "key": Step.REPLACE, f"token::{old}": Step.DELETE}
    assert lab.tokens() == ["provider"]


def test_a_provider_that_is_not_known_yet_is_not_asked(lab: Lab) -> None:
    """New resources are shown as creations, and existing ones are compared with the state."""
    late = (
        'url = random.RandomId("late", byte_length=4, keepers={"at": config.get("late") or "1"}).hex.apply(lambda _: '
        'config.require("url"))\n'
        'two = rancher2.Provider("two", api_url=url, token_key=config.require_secret("rancherToken"), '
        'ca_certs=config.require("ca"))\n'
        'rancher2.RoleTemplate("role", name=config.get("name") or "reader", opts=opts(provider=two))\n'
    )
    assert lab.run(late, "preview")[1]["role"] is Step.CREATE
    assert lab.run(late, "up")[0], lab.printed
    assert lab.run(late, "preview", late="2") == (True, {"late": Step.REPLACE, "two": Step.UPDATE})
    assert lab.run(late, "preview", late="2", name="other")[1]["role"] is Step.UPDATE


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('rancher2.Namespace("x", project_id="p", opts=o)', "rancher2:index/namespace:Namespace"),
        ('rancher2.Setting("x", value="y", opts=o)', "rancher2:index/setting:Setting"),
        ('rancher2.get_cluster(name="east", opts=pulumi.InvokeOptions(provider=server))', "getCluster"),
        ('rancher2.Token("x", ttl=3600)', "no explicit provider"),
        ('rancher2.Token("x", renew=False, opts=o)', "renew is not supported"),
        ('rancher2.Project("x", cluster_id=EAST, opts=o)', "name is required"),
        ('rancher2.Project("x", name="x", cluster_id=EAST, wait_for_cluster=True, opts=o)', "waitForCluster"),
        ('rancher2.RoleTemplate("x", name="x", locked=True, opts=o)', "locked"),
        ('rancher2.User("x", name="x", username="x", password="y", must_change_password=True, opts=o)', "mustChange"),
        ('rancher2.GlobalRoleBinding("x", global_role_id="user", group_principal_id="g", opts=o)', "groupPrincipalId"),
        ('rancher2.Provider("x", api_url="https://127.0.0.1", token_key="t:k", insecure=True)', "insecure"),
        ('rancher2.Provider("x", api_url="https://127.0.0.1")', "tokenKey is required"),
        ('rancher2.Provider("x", api_url="u", token_key="t", opts=opts(ignore_changes=["apiUrl"]))', "ignoreChanges"),
    ],
)
@pytest.mark.parametrize("verb", ["preview", "up"])
def test_what_is_not_carried_out_is_refused_by_name(lab: Lab, text: str, named: str, verb: str) -> None:
    """Unsupported features are never ignored without an error."""
    assert not lab.run(text, verb)[0]
    assert named in lab.printed
    assert "Traceback" not in lab.printed


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"url": "https://198.51.100.7"}, "rancher: its Rancher 198.51.100.7 is not in the lab's network"),
        (
            {"url": "https://rancher.example.com"},
            "rancher: its Rancher rancher.example.com is not in the lab's network",
        ),
        ({"ca": "none"}, "is no PEM certificate"),
        ({"url": "https://127.0.0.1:1"}, "no connection to Rancher at https://127.0.0.1:1: Connection refused"),
    ],
)
def test_a_server_that_cannot_be_asked_is_named(lab: Lab, changes: dict[str, str], message: str) -> None:
    """The error comes with the first query of an existing resource."""
    lab.run(ROLE, "up")
    assert not lab.run(ROLE, "preview", **changes)[0]
    assert message in lab.printed


def test_a_server_of_another_ca_is_refused_at_once(lab: Lab, tmp_path: Path) -> None:
    """A retry does not make a certificate valid."""
    other = tmp_path / "other"
    other.mkdir()
    live.certify(other)
    lab.run(ROLE, "up")
    assert not lab.run(ROLE, "preview", ca=(other / "ca.crt").read_text())[0]
    assert "certificate not accepted: " in lab.printed


def test_a_token_that_is_none_is_named_in_rancher_s_words(lab: Lab) -> None:
    """The error does not quote the token."""
    lab.run(ROLE, "up")
    lab.double.admin = "token-none:hunter2hunter2"
    assert not lab.run(ROLE, "preview")[0]
    assert "failed: role: Rancher refuses: Unauthorized 401: must authenticate" in lab.printed
    assert "hunter2" not in lab.printed


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([httpx.Response(503), httpx.Response(200, json={"id": "c"})], ""),
        ([httpx.ConnectError("refused"), httpx.Response(200, json={"id": "c"})], ""),
        ([httpx.Response(503)] * 9, "Rancher refuses: 503 Service Unavailable"),
        ([httpx.Response(200, text="<html>")], "rancher.test answers 200, but not as a Rancher server does"),
        ([httpx.Response(500, json={"code": "ServerError"})], "Rancher fails: ServerError"),
    ],
)
def test_what_passes_by_itself_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, answers: list[httpx.Response | httpx.ConnectError], message: str
) -> None:
    """Permanent errors are reported."""
    monkeypatch.setattr(rancher_server, "RETRY_SECONDS", 0.3)
    left = iter(answers)

    def answer(_request: httpx.Request) -> httpx.Response:
        match next(left):
            case httpx.Response() as given:
                return given
            case error:
                raise error

    client = httpx.Client(base_url="https://rancher.test", transport=httpx.MockTransport(answer))
    server = RancherServer(client, "token-a:b")
    if message:
        with pytest.raises(UserError, match=message):
            server.get("clusters", "c")
    else:
        assert server.get("clusters", "c") == {"id": "c"}


def test_a_post_is_not_sent_twice() -> None:
    """The server may have processed a POST, even if its answer is an error."""
    sent = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.method)
        return httpx.Response(503)

    client = httpx.Client(base_url="https://rancher.test", transport=httpx.MockTransport(answer))
    with pytest.raises(UserError, match="503"):
        RancherServer(client, "token-a:b").create("projects", {})
    assert sent == ["POST"]
