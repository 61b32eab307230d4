"""
pulumi-rancher2, as far as a mesh needs it: which requests make, read, change and remove each type.

As there, quotas and tokens' times to live have other names and units in the API than in the program, and a custom
user's token is made and read by the user himself, who logs in for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from errors import UserError
from lab.standin.rancher_server import LoginError, RancherServer
from recorder.values import Properties, Secret, reveal

if TYPE_CHECKING:
    from lab.standin.state import Entry

OTHERS: Final = "others"
"""Output of a pending entry without an id: the ids of what was alike before it was made."""
MILLIS_PER_SECOND: Final = 1000
_PATIENCE_SECONDS: Final = 600
_POLL_SECONDS: Final = 0.4


def _same(values: Properties) -> Properties:
    return values


def _never(_live: Properties) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class RancherType:
    """One type of resource, and how it goes into the API and comes out."""

    plural: str
    """The type's name in paths."""
    inputs: frozenset[str]
    """Inputs that are understood; any other is refused."""
    required: frozenset[str] = frozenset()
    identity: tuple[str, ...]
    """Fields of the API by which a killed run's resource is found again."""
    in_place: frozenset[str] = frozenset()
    """Inputs whose change makes nothing anew."""
    computed: frozenset[str] = frozenset()
    """Inputs that the server decides where they are not given."""
    write_only: frozenset[str] = frozenset()
    """Inputs that the server never tells."""
    defaults: Mapping[str, object] = field(default_factory=dict)
    body: Callable[[Properties], Properties] = _same
    """Turns inputs into the API's form."""
    read: Callable[[Properties], Properties] = _same
    """Turns what the API answers into inputs and outputs, secrets marked."""
    update: Callable[[RancherServer, str, Properties, frozenset[str]], Properties] | None = None
    """Changes a resource; gives what the API answers. None for types of which nothing changes in place."""
    is_over: Callable[[Properties], bool] = _never
    """Tells from what the API answers whether a new one is due."""
    is_users_own: bool = False
    """True for what only the user named in the inputs sees."""

    def inputs_of(self, live: Properties) -> Properties:
        """Read off a resource what the program would have to say to get it."""
        told: Properties = without_empty({name: it for name, it in self.read(live).items() if name in self.inputs})
        return told


@contextmanager
def speaking(type_: RancherType, server: RancherServer, inputs: Properties) -> Iterator[RancherServer]:
    """
    Speak as the one who may make and read such a resource.

    Raises:
        LoginError: the user named in the inputs is not let in.
    """
    if not type_.is_users_own:
        yield server
        return
    plain = reveal(inputs)
    with server.session(plain["username"], plain["password"]) as own:
        yield own


def find(type_: RancherType, server: RancherServer, entry: Entry) -> Properties | None:
    """
    Read the resource that an entry stands for; None if it is gone.

    Raises:
        UserError: the server does not say.
    """
    if type_.is_users_own and not _is_user_there(server, entry.inputs):
        return None
    with speaking(type_, server, entry.inputs) as own:
        return own.get(type_.plural, entry.id)


def alike(type_: RancherType, own: RancherServer, inputs: Properties) -> list[str]:
    """List the ids of all resources that can be taken for the one with these inputs."""
    body = type_.body(reveal(inputs))
    return [it["id"] for it in own.select(type_.plural, {name: body.get(name, "") for name in type_.identity})]


def make(type_: RancherType, own: RancherServer, inputs: Properties) -> Properties:
    """Make a resource; gives what the API answered, once-told secrets included."""
    return own.create(type_.plural, type_.body(reveal(inputs)))


def change(
    type_: RancherType, server: RancherServer, id_: str, inputs: Properties, changed: frozenset[str]
) -> Properties:
    """Change a resource to these inputs (without secret marks), told which of them differ."""
    if type_.update is None:
        raise UserError(f"{type_.plural} cannot be changed")
    live = type_.update(server, id_, inputs, changed)
    wait_until_active(type_, server, id_)
    return live


def wait_until_active(type_: RancherType, own: RancherServer, id_: str) -> None:
    """Wait until a resource is ready to be used; most are at once."""
    _wait(type_, own, id_, lambda live: live is not None and live.get("state", "active") == "active")


def passwords_in(entries: Iterable[Entry]) -> dict[str, list[str]]:
    """Collect what the state knows of users' passwords, by username."""
    known: dict[str, list[str]] = {}
    for entry in entries:
        if entry.type in TYPES and "password" in TYPES[entry.type].write_only:
            known.setdefault(reveal(entry.inputs["username"]), []).append(reveal(entry.inputs["password"]))
    return known


def delete(entry: Entry, server: RancherServer, passwords: Mapping[str, list[str]]) -> None:
    """
    Remove the resource that an entry stands for; one already gone is fine.

    Args:
        entry: what goes.
        server: where it is.
        passwords: what may be a user's password now, by username.

    Raises:
        UserError: it cannot be removed.
    """
    type_ = TYPES[entry.type]
    if not type_.is_users_own:
        _delete_as(type_, server, entry)
        return
    if not _is_user_there(server, entry.inputs):
        # Rancher has taken his tokens away with him.
        return
    username, password = (reveal(entry.inputs[name]) for name in ("username", "password"))
    for candidate in dict.fromkeys((password, *passwords.get(username, ()))):
        try:
            with server.session(username, candidate) as own:
                _delete_as(type_, own, entry)
        except LoginError as error:
            refusal = error
        else:
            return
    if not (entry.id and server.delete(type_.plural, entry.id)):
        raise UserError(f"its token is his alone to remove: {refusal}; removing him in Rancher does it, too")


def _delete_as(type_: RancherType, own: RancherServer, entry: Entry) -> None:
    # A killed run could not remember what it made: all that is alike, and was not there before, is its own.
    own_ids = (
        [entry.id] if entry.id else [it for it in alike(type_, own, entry.inputs) if it not in entry.outputs[OTHERS]]
    )
    for id_ in own_ids:
        _remove(type_, own, id_)


def _remove(type_: RancherType, own: RancherServer, id_: str) -> None:
    if own.delete(type_.plural, id_):
        _wait(type_, own, id_, lambda live: live is None)


def _wait(type_: RancherType, own: RancherServer, id_: str, is_done: Callable[[Properties | None], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_done(live := own.get(type_.plural, id_)):
        state = live.get("state", "there") if live else "gone"
        if time.monotonic() > deadline:
            raise UserError(f"{id_} is still {state} after {_PATIENCE_SECONDS} s")
        time.sleep(_POLL_SECONDS)


def _is_user_there(server: RancherServer, inputs: Properties) -> bool:
    return bool(server.select("users", {"username": reveal(inputs["username"])}))


def without_empty(value: Any) -> Any:  # noqa: ANN401 - JSON data
    """Leave out of maps, at every depth, what says nothing: to the API, an empty text is no text."""
    match value:
        case dict():
            kept = {name: without_empty(item) for name, item in value.items()}
            return {name: item for name, item in kept.items() if item not in (None, "", [], {})}
        case list():
            return [without_empty(item) for item in value]
        case _:
            return value


def _project_body(inputs: Properties) -> Properties:
    quota = inputs.get("resourceQuota", {})
    limits = {
        "resourceQuota": quota.get("projectLimit"),
        "namespaceDefaultResourceQuota": quota.get("namespaceDefaultLimit"),
    }
    return {
        **{name: inputs[name] for name in ("clusterId", "description", "name") if name in inputs},
        **{name: {"limit": limit} for name, limit in limits.items() if limit},
        **_renamed(inputs, {"containerResourceLimit": "containerDefaultResourceLimit"}),
    }


def _read_project(live: Properties) -> Properties:
    quota = {
        "projectLimit": (live.get("resourceQuota") or {}).get("limit"),
        "namespaceDefaultLimit": (live.get("namespaceDefaultResourceQuota") or {}).get("limit"),
    }
    return {
        **{name: live.get(name) for name in ("clusterId", "description", "name")},
        "resourceQuota": quota,
        **_renamed(live, {"containerDefaultResourceLimit": "containerResourceLimit"}),
    }


def _replace_project(server: RancherServer, id_: str, inputs: Properties, _changed: frozenset[str]) -> Properties:
    live = server.get("projects", id_) or {}
    # What Rancher itself has noted there stays.
    noted: Properties = {name: live[name] for name in ("annotations", "labels") if name in live}
    return server.update("projects", id_, {"id": id_, **noted, **_project_body(inputs)}, replaces=True)


def _role_body(inputs: Properties) -> Properties:
    return {**inputs, "rules": [_renamed(rule, _URLS, others=True) for rule in inputs.get("rules", ())]}


def _read_role(live: Properties) -> Properties:
    names = ("builtin", "context", "description", "name")
    back = {theirs: ours for ours, theirs in _URLS.items()}
    known = ("apiGroups", "nonResourceURLs", "resourceNames", "resources", "verbs")
    rules = [{name: rule[name] for name in known if rule.get(name)} for rule in live.get("rules") or ()]
    return {**{name: live.get(name) for name in names}, "rules": [_renamed(it, back, others=True) for it in rules]}


_URLS: Final = {"nonResourceUrls": "nonResourceURLs"}


def _renamed(values: Properties, names: Mapping[str, str], *, others: bool = False) -> Properties:
    kept = {name: value for name, value in values.items() if others and name not in names}
    return kept | {new: values[old] for old, new in names.items() if old in values}


def _update_role(server: RancherServer, id_: str, inputs: Properties, _changed: frozenset[str]) -> Properties:
    return server.update("roletemplates", id_, without_empty(_role_body(inputs)))


def _read_binding(live: Properties) -> Properties:
    names = ("clusterId", "globalRoleId", "name", "roleTemplateId", "userId", "userPrincipalId")
    return {name: live[name] for name in names if name in live}


def _read_user(live: Properties) -> Properties:
    return {name: live.get(name) for name in ("enabled", "name", "principalIds", "username")}


def _update_user(server: RancherServer, id_: str, inputs: Properties, changed: frozenset[str]) -> Properties:
    if "password" in changed:
        server.act("users", id_, "setpassword", {"newPassword": inputs["password"]})
    return server.update("users", id_, {name: inputs[name] for name in ("enabled", "name")})


def _token_body(inputs: Properties) -> Properties:
    body = {name: inputs[name] for name in ("clusterId", "description") if name in inputs}
    return body | ({"ttl": inputs["ttl"] * MILLIS_PER_SECOND} if inputs.get("ttl") else {})


def _read_token(live: Properties) -> Properties:
    names = ("clusterId", "description", "enabled", "expired", "name", "userId")
    known = {name: live.get(name) for name in names}
    if (live.get("ttl") or 0) >= MILLIS_PER_SECOND:
        known["ttl"] = live["ttl"] // MILLIS_PER_SECOND
    if not live.get("token"):
        return known
    access, _, secret = live["token"].partition(":")
    return known | {"accessKey": access, "secretKey": Secret(secret), "token": Secret(live["token"])}


def _is_token_over(live: Properties) -> bool:
    return bool(live.get("expired")) or live.get("enabled") is False


_TOKEN_INPUTS: Final = frozenset({"clusterId", "description", "ttl"})

TYPES: Final = {
    "rancher2:index/clusterRoleTemplateBinding:ClusterRoleTemplateBinding": RancherType(
        plural="clusterroletemplatebindings",
        inputs=frozenset({"clusterId", "name", "roleTemplateId", "userId"}),
        required=frozenset({"clusterId", "name", "roleTemplateId", "userId"}),
        identity=("clusterId", "name"),
        read=_read_binding,
    ),
    "rancher2:index/customUserToken:CustomUserToken": RancherType(
        plural="tokens",
        inputs=_TOKEN_INPUTS | {"password", "username"},
        required=frozenset({"password", "username"}),
        identity=("clusterId", "description"),
        computed=frozenset({"ttl"}),
        write_only=frozenset({"password", "username"}),
        body=_token_body,
        read=_read_token,
        is_over=_is_token_over,
        is_users_own=True,
    ),
    "rancher2:index/globalRoleBinding:GlobalRoleBinding": RancherType(
        plural="globalrolebindings",
        inputs=frozenset({"globalRoleId", "name", "userId"}),
        required=frozenset({"globalRoleId", "userId"}),
        identity=("globalRoleId", "userId"),
        computed=frozenset({"name"}),
        read=_read_binding,
    ),
    "rancher2:index/project:Project": RancherType(
        plural="projects",
        inputs=frozenset({"clusterId", "containerResourceLimit", "description", "name", "resourceQuota"}),
        required=frozenset({"clusterId", "name"}),
        identity=("clusterId", "name"),
        in_place=frozenset({"containerResourceLimit", "description", "name", "resourceQuota"}),
        body=_project_body,
        read=_read_project,
        update=_replace_project,
    ),
    "rancher2:index/roleTemplate:RoleTemplate": RancherType(
        plural="roletemplates",
        inputs=frozenset({"context", "description", "name", "rules"}),
        required=frozenset({"name"}),
        identity=("name",),
        in_place=frozenset({"context", "description", "name", "rules"}),
        computed=frozenset({"description", "rules"}),
        defaults={"context": "cluster"},
        body=_role_body,
        read=_read_role,
        update=_update_role,
    ),
    "rancher2:index/token:Token": RancherType(
        plural="tokens",
        inputs=_TOKEN_INPUTS,
        identity=("clusterId", "description"),
        computed=frozenset({"ttl"}),
        body=_token_body,
        read=_read_token,
        is_over=_is_token_over,
    ),
    "rancher2:index/user:User": RancherType(
        plural="users",
        inputs=frozenset({"enabled", "name", "password", "username"}),
        required=frozenset({"name", "password", "username"}),
        identity=("username",),
        in_place=frozenset({"enabled", "name", "password"}),
        write_only=frozenset({"password"}),
        defaults={"enabled": True},
        read=_read_user,
        update=_update_user,
    ),
}
