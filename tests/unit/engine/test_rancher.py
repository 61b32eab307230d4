"""The stand-in carrying Rancher's resources out, on the lab's Rancher over TLS, and what hangs on its tokens."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from rich.console import Console

from lab.engine import awaits, clusters, lab_network, rancher_server
from lab.engine.cluster import Identity
from lab.engine.display import Display
from lab.engine.errors import EngineError
from lab.engine.plan import Step
from lab.engine.providers import rancher2
from lab.engine.rancher_server import RancherServer
from lab.engine.run import begin
from lab.engine.stack import Stack
from lab.engine.state import Entry, State
from lab.rancher import app
from lab.rancher.store import Kind
from tests.support import live
from tests.support.fake_cluster import FakeCluster
from tests.support.rancher_double import CLUSTER, OTHER, RancherDouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from ipaddress import IPv4Network
    from pathlib import Path

    from lab.engine.values import Properties
    from lab.rancher.store import Document

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
anew = opts(provider=server, replacement_trigger=generation.hex)
"""
PROJECT = """
limit = {"limits_cpu": "12000m", "limits_memory": "12000Mi"}
project = rancher2.Project(
    "project", name="istio", cluster_id=EAST, description="Istio",
    container_resource_limit={"limits_cpu": "200m", "requests_cpu": "100m"},
    resource_quota={"project_limit": limit, "namespace_default_limit": limit}, opts=o,
)
"""
TOKEN = """
token = rancher2.Token(
    "token", cluster_id=EAST, description=generation.hex.apply(lambda it: f"provider {it}"), ttl=3600, opts=anew
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
    description=generation.hex.apply(lambda it: f"peers {it}"), opts=anew,
)
pulumi.export("own", own.token)
"""
ALL = PROJECT + TOKEN + ROLE + USER + BINDINGS + OWN
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
    """A Rancher that listens, and runs of programs that go to it."""

    double: RancherDouble
    folder: Path
    url: str
    ca: str
    printed: str = ""
    config: dict[str, str] = field(default_factory=dict)

    def run(self, text: str, verb: str, **config: str) -> tuple[bool, dict[str, Step]]:
        """Give whether it went well, and each resource's last step by logical name, without what stayed the same."""
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
        """What the runs remember."""
        return State.load("lab", self.folder / "state")

    @property
    def entries(self) -> dict[str, Entry]:
        """The same by logical name."""
        return {urn.split("::", 3)[3]: entry for urn, entry in self.state.entries().items()}

    def all(self, kind: Kind) -> list[Document]:
        """Give what the server has of a kind, without what it had from its start."""
        return [it for it in self.double.rancher.store.all(kind) if it["id"] not in self.started]

    started: set[str] = field(default_factory=set)

    def tokens(self) -> list[str]:
        """Give the descriptions of the tokens."""
        return sorted(it["description"].split()[0] for it in self.all(Kind.TOKEN))


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A server that has just been made, where the lab's network is this machine's loopback."""
    network: Callable[[str], IPv4Network] = type(lab_network.FABRIC_NETWORK)
    monkeypatch.setattr(lab_network, "FABRIC_NETWORK", network("127.0.0.0/8"))
    monkeypatch.setattr(rancher2, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(awaits, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(rancher_server, "PATIENCE_SECONDS", 1)
    served, worked = tmp_path / "served", tmp_path / "worked"
    served.mkdir()
    worked.mkdir()
    double = RancherDouble(served)
    (served / "ca.crt").unlink()
    live.certify(served)
    with live.listening() as sock:
        url = f"https://127.0.0.1:{sock.getsockname()[1]}"
        with live.served(app.build(double.rancher, with_controllers=False), sock, served):
            made = Lab(double, worked, url, (served / "ca.crt").read_text())
            made.started = {it["id"] for kind in Kind for it in double.rancher.store.all(kind)}
            yield made


def test_everything_is_made_read_back_and_removed(lab: Lab) -> None:
    """A preview changes nothing, an `up` does what it said, and the next preview has nothing to say."""
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
    """Neither token nor password, nor the administrator's token, in any line of any run."""
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
    ("text", "old", "new", "name", "shown"),
    [
        (PROJECT, '"12000Mi"', '"13000Mi"', "project", 'resourceQuota.projectLimit.limitsMemory: "12000Mi" => "13000Mi"'),
        (PROJECT, 'name="istio"', 'name="mesh"', "project", 'name: "istio" => "mesh"'),
        (PROJECT, 'description="Istio",', "", "project", 'description: "Istio" => (none)'),
        (ROLE, '"list"', '"watch"', "role", 'rules[0].verbs[1]: "list" => "watch"'),
        (USER, 'name="Reader"', 'name="Istiod", enabled=False', "user", "enabled: true => false"),
    ],
)
def test_what_the_provider_changes_in_place_is_changed_in_place(
    lab: Lab, text: str, old: str, new: str, name: str, shown: str
) -> None:
    """The preview names the field, the id stays, and the server has the new value."""
    lab.run(text, "up")
    before = lab.entries[name].id
    changed = text.replace(old, new)
    assert lab.run(changed, "preview") == (True, {name: Step.UPDATE})
    assert shown in lab.printed
    assert lab.run(changed, "up") == (True, {name: Step.UPDATE}), lab.printed
    assert lab.entries[name].id == before
    assert lab.run(changed, "preview") == (True, {}), lab.printed


def test_an_update_of_a_project_keeps_what_rancher_noted_there(lab: Lab) -> None:
    """Though it is replaced as a whole."""
    lab.run(PROJECT, "up")
    (before,) = lab.all(Kind.PROJECT)
    lab.run(PROJECT.replace('"Istio"', '"Mesh"'), "up")
    (after,) = lab.all(Kind.PROJECT)
    assert (after["annotations"], after["labels"]) == (before["annotations"], before["labels"])
    assert after["description"] == "Mesh"


def test_a_new_password_lets_the_user_in_and_takes_his_old_token_away(lab: Lab) -> None:
    """The old token is removed by the new password, for by then nobody has another."""
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
        ("project", Kind.PROJECT, {"description": "somebody's"}),
        ("project", Kind.PROJECT, {"resourceQuota": None, "namespaceDefaultResourceQuota": None}),
        ("role", Kind.ROLE_TEMPLATE, {"rules": []}),
        ("user", Kind.USER, {"enabled": False}),
    ],
)
def test_what_somebody_changed_is_seen_and_put_right(
    lab: Lab, name: str, kind: Kind, change: dict[str, object]
) -> None:
    """By a preview, too."""
    text = PROJECT + ROLE + USER
    lab.run(text, "up")
    (document,) = lab.all(kind)
    lab.double.rancher.store.put(kind, document | change)
    assert lab.run(text, "preview") == (True, {name: Step.UPDATE}), lab.printed
    assert lab.run(text, "up") == (True, {name: Step.UPDATE}), lab.printed
    (after,) = lab.all(kind)
    assert all(after[field] == document[field] for field in change)


@pytest.mark.parametrize("name", ["project", "token", "role", "base", "bound", "own"])
def test_what_somebody_removed_is_made_anew(lab: Lab, name: str) -> None:
    """Its old id is forgotten without a word."""
    lab.run(ALL, "up")
    kinds = {
        "project": Kind.PROJECT,
        "token": Kind.TOKEN,
        "role": Kind.ROLE_TEMPLATE,
        "base": Kind.GLOBAL_BINDING,
        "bound": Kind.CLUSTER_BINDING,
        "own": Kind.TOKEN,
    }
    old = lab.entries[name].id
    lab.double.rancher.store.remove(kinds[name], old)
    assert lab.run(ALL, "preview")[1][name] is Step.CREATE
    assert "it is gone from Rancher, and is made anew" in lab.printed
    is_well, steps = lab.run(ALL, "up")
    assert is_well, lab.printed
    assert steps[name] is Step.CREATE
    assert lab.entries[name].id != old or name == "bound"
    assert lab.run(ALL, "preview") == (True, {})


def test_a_user_who_was_removed_comes_back_with_all_that_is_his(lab: Lab) -> None:
    """His token went with him."""
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
    """As by the provider."""
    lab.run(TOKEN, "up")
    old = lab.entries["token"].id
    lab.double.advance(hours=2)
    assert lab.run(TOKEN, "preview") == (True, {"token": Step.REPLACE})
    assert "it has expired, or was disabled" in lab.printed
    assert lab.run(TOKEN, "up") == (True, {"token": Step.REPLACE, f"token::{old}": Step.DELETE})


@pytest.mark.parametrize(
    ("text", "old", "new", "name"),
    [
        (TOKEN, "EAST", "WEST", "token"),
        (TOKEN, "ttl=3600", "ttl=7200", "token"),
        (USER + OWN, "ttl=3600", "ttl=7200", "own"),
        (USER + ROLE + BINDINGS, "user-base", "user", "base"),
    ],
)
def test_what_the_provider_replaces_is_made_before_the_old_one_goes(
    lab: Lab, text: str, old: str, new: str, name: str
) -> None:
    """The old one goes at the end, as a deletion of its own."""
    lab.run(text, "up")
    before = lab.entries[name].id
    changed = text.replace(old, new)
    assert lab.run(changed, "preview") == (True, {name: Step.REPLACE})
    is_well, steps = lab.run(changed, "up")
    assert is_well, lab.printed
    assert steps == {name: Step.REPLACE, f"{name}::{before}": Step.DELETE}
    assert lab.run(changed, "preview") == (True, {})


def test_what_keeps_a_name_that_there_can_be_once_is_deleted_first(lab: Lab) -> None:
    """As by the provider, for names that it has not made up."""
    text = USER + ROLE + BINDINGS
    lab.run(text, "up")
    changed = text.replace("role.id", '"cluster-member"')
    assert lab.run(changed, "up") == (True, {"bound": Step.REPLACE}), lab.printed
    (bound,) = lab.all(Kind.CLUSTER_BINDING)
    assert bound["roleTemplateId"] == "cluster-member"


class Guarded(FakeCluster):
    """A cluster behind Rancher: whoever comes must have a token that is good there and then."""

    def __init__(self, lab: Lab, objects: dict[Identity, Properties], seen: list[list[str]], kubeconfig: str) -> None:
        """Look into the same objects as all others who reach the cluster."""
        super().__init__()
        self.objects = objects
        self.server = "https://127.0.0.1"
        self._lab = lab
        self._seen = seen
        self._token: str = yaml.safe_load(kubeconfig)["users"][0]["user"]["token"]

    def answers(self) -> bool:
        """Tell whether the token is good."""
        path = f"/k8s/clusters/{CLUSTER}/version"
        return self._lab.double.rancher.tokens.authenticate(self._token, path) is not None

    def get(self, identity: Identity) -> Properties | None:
        """Read an object."""
        self._enter()
        return super().get(identity)

    def apply(self, manifest: Properties) -> Properties:
        """Apply one."""
        self._enter()
        self._seen.append(self._lab.tokens())
        return super().apply(manifest)

    def delete(self, identity: Identity) -> None:
        """Delete one."""
        self._enter()
        super().delete(identity)

    def _enter(self) -> None:
        if not self.answers():
            raise EngineError("the API server refuses: Unauthorized")


@dataclass
class Behind:
    """What is on the cluster, and which tokens there were whenever something was written there."""

    objects: dict[Identity, Properties] = field(default_factory=dict)
    seen: list[list[str]] = field(default_factory=list)

    @property
    def remote(self) -> str:
        """The token in the remote secret, as it is sent."""
        sent: str = self.objects[Identity("v1", "Secret", "sample", "remote")]["data"]["token"]
        return sent


@pytest.fixture
def behind(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Behind:
    """A cluster that only Rancher's tokens lead to."""
    made = Behind()

    def connect(_name: str, kubeconfig: str, _credentials: Path) -> Guarded:
        return Guarded(lab, made.objects, made.seen, kubeconfig)

    monkeypatch.setattr(clusters, "Cluster", connect)
    return made


MESH = TOKEN + USER + OWN + REMOTE


def test_a_first_preview_asks_no_cluster(lab: Lab, behind: Behind) -> None:
    """For the token that leads there is not made yet: all is to be created, and an `up` does so."""
    created = ("rancher", "generation", "token", "password", "user", "own", "east", "ns", "remote")
    assert lab.run(MESH, "preview") == (True, dict.fromkeys(created, Step.CREATE)), lab.printed
    assert behind.objects == {}
    assert lab.run(MESH, "up") == (True, dict.fromkeys(created, Step.CREATE)), lab.printed
    assert lab.run(MESH, "preview") == (True, {}), lab.printed
    assert lab.run("", "destroy")[0], lab.printed
    assert behind.objects == {}
    assert lab.tokens() == []


def test_a_rotation_changes_the_remote_secret_and_nothing_else_on_the_cluster(lab: Lab, behind: Behind) -> None:
    """The preview looks at the cluster by the last token; the old tokens are there until the new one is in place."""
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
    """The next run ends it."""
    lab.run(MESH, "up")
    failing = MESH + "raise pulumi.RunError('enough')"
    assert not lab.run(failing, "up", generation="2")[0]
    assert lab.tokens() == ["peers", "peers", "provider", "provider"]
    assert lab.run(MESH, "up", generation="2")[0], lab.printed
    assert lab.tokens() == ["peers", "provider"]
    assert set(lab.entries) == {"rancher", "generation", "token", "password", "user", "own", "east", "ns", "remote"}
    assert behind.seen[-1] == ["peers", "peers", "provider", "provider"]


def test_a_cluster_whose_token_was_revoked_is_not_looked_at_but_taken_for_unchanged(
    lab: Lab, behind: Behind
) -> None:
    """The preview says so, and an `up` looks."""
    lab.run(MESH, "up")
    lab.double.rancher.store.remove(Kind.TOKEN, lab.entries["token"].id)
    assert lab.run(MESH, "preview") == (True, {"token": Step.CREATE, "east": Step.UPDATE}), lab.printed
    assert "! east: its kubeconfig is known once this is carried out" in lab.printed
    behind.objects.pop(Identity("v1", "Secret", "sample", "remote"))
    is_well, steps = lab.run(MESH, "up")
    assert is_well, lab.printed
    assert steps == {"token": Step.CREATE, "east": Step.UPDATE, "remote": Step.CREATE}


class _KilledError(BaseException):
    """Ends a run as a kill would: nothing is put right after it."""


@pytest.mark.parametrize("name", ["project", "token", "role", "user", "own"])
@pytest.mark.parametrize("then", ["up", "destroy"])
@pytest.mark.parametrize("is_late", [True, False])
def test_what_a_killed_run_made_is_not_left_behind(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, name: str, then: str, is_late: bool
) -> None:
    """Whether the kill came before the request or before its answer; what somebody else made alike stays."""
    theirs = lab.double.project(name="istio", description="theirs")["id"]
    lab.started.add(theirs)
    made = rancher2.make

    def make(type_: rancher2.RancherType, own: RancherServer, inputs: Properties) -> Properties:
        is_hit = type_.plural == rancher2.TYPES[lab_types[name]].plural and (
            name not in {"own", "token"} or type_.is_users_own == (name == "own")
        )
        if is_hit and not is_late:
            raise _KilledError
        answer = made(type_, own, inputs)
        if is_hit:
            raise _KilledError
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(rancher2, "make", make)
        with pytest.raises(_KilledError):
            lab.run(ALL, "up")
    assert lab.entries[name].pending
    assert lab.run(ALL, then)[0], lab.printed
    if then == "destroy":
        assert lab.entries == {}
        assert lab.all(Kind.PROJECT) == lab.all(Kind.USER) == lab.all(Kind.TOKEN) == []
    else:
        assert lab.run(ALL, "preview") == (True, {}), lab.printed
        assert lab.tokens() == ["peers", "provider"]
        assert [len(lab.all(kind)) for kind in (Kind.PROJECT, Kind.ROLE_TEMPLATE, Kind.USER)] == [1, 1, 1]
    assert lab.double.ask("GET", f"/v3/projects/{theirs}").status_code == 200


lab_types = {rancher2_type.rpartition("/")[2].partition(":")[0]: rancher2_type for rancher2_type in rancher2.TYPES}
lab_types = {
    "project": lab_types["project"],
    "token": lab_types["token"],
    "role": lab_types["roleTemplate"],
    "user": lab_types["user"],
    "own": lab_types["customUserToken"],
}


def test_a_replacement_that_rancher_refuses_leaves_what_was_there(lab: Lab) -> None:
    """And with the old config again, there is nothing to do."""
    lab.run(USER, "up")
    taken = USER.replace('username="reader", name="Reader"', 'username="admin", name="Admin"')
    assert not lab.run(taken, "up")[0]
    assert "user: Rancher refuses: username: Username is already in use." in lab.printed
    assert lab.run(USER, "preview") == (True, {}), lab.printed


def test_what_rancher_refuses_to_make_is_not_remembered(lab: Lab) -> None:
    """Nor is what it said of it."""
    short = USER.replace("length=24", "length=6")
    assert not lab.run(short, "up")[0]
    assert "user: Rancher refuses: Password must be at least 12 characters" in lab.printed
    assert "user" not in lab.entries


def test_a_user_s_token_goes_with_him_or_by_whatever_password_he_has(lab: Lab) -> None:
    """One whose user is gone is gone; one that nobody can log in for is named, with what mends it."""
    lab.run(USER + OWN, "up")
    (user,) = lab.all(Kind.USER)
    lab.double.rancher.store.put(Kind.USER, user | {"enabled": False})
    assert not lab.run(USER, "up")[0] or lab.tokens() == []
    lab.double.rancher.store.put(Kind.USER, user | {"enabled": False})
    if lab.tokens():
        assert "does not let user reader in" in lab.printed
    lab.double.ask("DELETE", f"/v3/users/{user['id']}")
    assert lab.run("", "destroy")[0], lab.printed
    assert lab.entries == {}
