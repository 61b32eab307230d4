"""
The types of pulumi-rancher2 that the program uses: the requests that create, read, update and delete each of them.

As in that provider, quotas and the ttl of tokens have other names and units in the API than in the program. To create
and read a token of a custom user, the provider logs in as this user.
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
"""An output of a pending entry without an id: the ids of similar resources before its creation."""
MILLIS_PER_SECOND: Final = 1000
_WAIT_SECONDS: Final = 600
_POLL_SECONDS: Final = 0.4


def _same(values: Properties) -> Properties:
    return values


def _never(_live: Properties) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class RancherType:
    """One type of resource, with its conversion to and from the API's form."""

    plural: str
    """The type's name in the API's paths."""
    inputs: frozenset[str]
    """The supported inputs; all others are refused."""
    required: frozenset[str] = frozenset()
    identity: tuple[str, ...]
    """API fields that identify the resource of a killed run."""
    in_place: frozenset[str] = frozenset()
    """Inputs whose change does not replace the resource."""
    computed: frozenset[str] = frozenset()
    """Inputs that the server sets if they are missing."""
    write_only: frozenset[str] = frozenset()
    """Inputs that the server never returns."""
    defaults: Mapping[str, object] = field(default_factory=dict)
    body: Callable[[Properties], Properties] = _same
    """Converts inputs to the API's form."""
    read: Callable[[Properties], Properties] = _same
    """Converts the API's answer to inputs and outputs, with marked secrets."""
    update: Callable[[RancherServer, str, Properties, frozenset[str]], Properties] | None = None
    """Updates a resource and returns the API's answer; None for types without updates in place."""
    is_over: Callable[[Properties], bool] = _never
    """Returns from the API's answer whether the resource must be replaced."""
    is_users_own: bool = False
    """Whether only the user in the inputs can read the resource."""

    def inputs_of(self, live: Properties) -> Properties:
        """Return the inputs that describe an existing resource."""
        inputs: Properties = without_empty({name: it for name, it in self.read(live).items() if name in self.inputs})
        return inputs


@contextmanager
def authenticated(type_: RancherType, server: RancherServer, inputs: Properties) -> Iterator[RancherServer]:
    """
    Yield a connection of the user that can create and read such a resource.

    Raises:
        LoginError: The user in the inputs cannot log in.
    """
    if not type_.is_users_own:
        yield server
        return
    plain = reveal(inputs)
    with server.session(plain["username"], plain["password"]) as own:
        yield own


def find(type_: RancherType, server: RancherServer, entry: Entry) -> Properties | None:
    """
    Return the resource of an entry; None if it no longer exists.

    Raises:
        UserError: The server fails or does not answer.
    """
    if type_.is_users_own and not _is_user_there(server, entry.inputs):
        return None
    with authenticated(type_, server, entry.inputs) as own:
        return own.get(type_.plural, entry.id)


def similar(type_: RancherType, own: RancherServer, inputs: Properties) -> list[str]:
    """Return the ids of all resources whose identifying fields match these inputs."""
    body = type_.body(reveal(inputs))
    return [it["id"] for it in own.select(type_.plural, {name: body.get(name, "") for name in type_.identity})]


def make(type_: RancherType, own: RancherServer, inputs: Properties) -> Properties:
    """Create a resource and return the API's answer, with secrets that the API returns only once."""
    return own.create(type_.plural, type_.body(reveal(inputs)))


def change(
    type_: RancherType, server: RancherServer, id_: str, inputs: Properties, changed: frozenset[str]
) -> Properties:
    """Update a resource to these inputs (without secret marks), of which `changed` differ."""
    if type_.update is None:
        raise UserError(f"{type_.plural} cannot be changed")
    live = type_.update(server, id_, inputs, changed)
    wait_until_active(type_, server, id_)
    return live


def wait_until_active(type_: RancherType, own: RancherServer, id_: str) -> None:
    """Wait until a resource is active, which most are at once."""
    _wait(type_, own, id_, lambda live: live is not None and live.get("state", "active") == "active")


def passwords_in(entries: Iterable[Entry]) -> dict[str, list[str]]:
    """Return the passwords of users in the state, by username."""
    known: dict[str, list[str]] = {}
    for entry in entries:
        if entry.type in TYPES and "password" in TYPES[entry.type].write_only:
            known.setdefault(reveal(entry.inputs["username"]), []).append(reveal(entry.inputs["password"]))
    return known


def delete(entry: Entry, server: RancherServer, passwords: Mapping[str, list[str]]) -> None:
    """
    Delete the resource of an entry; a missing one is no error.

    Args:
        entry: The entry of the resource.
        server: The resource's server.
        passwords: The possible current passwords of users, by username.

    Raises:
        UserError: The server does not delete it.
    """
    type_ = TYPES[entry.type]
    if not type_.is_users_own:
        _delete_as(type_, server, entry)
        return
    if not _is_user_there(server, entry.inputs):
        # Rancher has deleted the user's tokens with the user.
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
        raise UserError(
            f"only the user can delete this token: {refusal}",
            "Delete the user in Rancher, which deletes the token as well",
        )


def _delete_as(type_: RancherType, own: RancherServer, entry: Entry) -> None:
    # A killed run did not store the id, so every similar resource that did not exist before is its own.
    own_ids = (
        [entry.id] if entry.id else [it for it in similar(type_, own, entry.inputs) if it not in entry.outputs[OTHERS]]
    )
    for id_ in own_ids:
        _remove(type_, own, id_)


def _remove(type_: RancherType, own: RancherServer, id_: str) -> None:
    if own.delete(type_.plural, id_):
        _wait(type_, own, id_, lambda live: live is None)


def _wait(type_: RancherType, own: RancherServer, id_: str, is_done: Callable[[Properties | None], bool]) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while not is_done(live := own.get(type_.plural, id_)):
        state = live.get("state", "there") if live else "gone"
        if time.monotonic() > deadline:
            raise UserError(f"{id_} is still {state} after {_WAIT_SECONDS} s")
        time.sleep(_POLL_SECONDS)


def _is_user_there(server: RancherServer, inputs: Properties) -> bool:
    return bool(server.select("users", {"username": reveal(inputs["username"])}))


def without_empty(value: Any) -> Any:  # noqa: ANN401 - JSON data
    """Remove empty values from maps at every depth, because the API treats them as missing."""
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
    # Keep the annotations and labels that Rancher itself has set.
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
