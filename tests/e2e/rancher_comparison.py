"""
Sends the same requests to two Rancher servers and tells what is different in the answers, field by field.

What no two servers have in common is made alike before: addresses, times, and whatever is random in a name.
"""

import json
import re
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import httpx
import yaml

from lab.rancher import names

WAIT_SECONDS = 60.0
_ASK_SECONDS = 30.0
_PAUSE_SECONDS = 0.5
_ABSENT = "(absent)"
_HEADERS = ("content-type", "x-api-schemas")
# Two entries of a list are about the same thing if they agree in the first of these that they have.
_KEYS = ("type", "Type", "id", "name", "kind")
_RANDOM = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b(crb|rb)-[a-z2-7]{10}\b"), r"\1-<hash>"),
    (re.compile(r"\b[bcdfghjklmnpqrstvwxz2456789]{54}\b"), "<key>"),
    # As Kubernetes makes names: without vowels, so that no word is one.
    (re.compile(r"\b([a-z]+-|kubeconfig-<\w+>)[bcdfghjklmnpqrstvwxz2456789]{5}\b"), r"\1<random>"),
)
_ANY = frozenset({"certificate-authority-data", "createdTS", "resourceVersion"})
"""Fields that must be there, and can have any value."""

Document = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One request; `{name}` in its path and body stands for what an earlier answer held."""

    name: str
    request: str
    """Method and path."""
    body: Document | None = None
    _: KW_ONLY
    who: str = "admin"
    """The name under which the token was kept; empty for nobody."""
    keep: Mapping[str, str] = field(default_factory=dict)
    """What later steps need, by name: where it is in the answer, such as `items.0.metadata.name`."""
    until: Mapping[str, object] = field(default_factory=dict)
    """Asked again until the answer says so; `status` is the status of HTTP, None is a field that is not there."""
    only: tuple[str, ...] = ("*",)
    """The fields that are compared."""
    after_seconds: float = 0
    is_watch: bool = False
    """Whether the first event alone is read."""


@dataclass(frozen=True)
class Known:
    """A difference that is documented: where it is, and why."""

    steps: str
    fields: str
    why: str
    _: KW_ONLY
    is_absence: bool = False
    """Whether the double has no such field, and only that is known."""
    is_passing: bool = False
    """Whether it is a matter of moments, and so is not always there."""

    def covers(self, difference: "Difference") -> bool:
        """Return whether this is the difference."""
        return (
            fnmatchcase(difference.step, self.steps)
            and fnmatchcase(difference.field, self.fields)
            and (not self.is_absence or difference.double == _ABSENT)
        )


@dataclass(frozen=True)
class Difference:
    """One field of one answer, as either server gives it."""

    step: str
    field: str
    double: object
    real: object

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.step}: {self.field}: double {self.double!r}, real {self.real!r}"


@dataclass
class Server:
    """One server, and what was kept of its answers by name; `admin` is the administrator's token."""

    client: httpx.Client
    kept: dict[str, str] = field(default_factory=dict, repr=False)

    def play(self, steps: Iterable[Step]) -> dict[str, Document]:
        """Send all requests in order, and return the answers by step: flat, and without what is random."""
        return {
            step.name: {str(self.alike("", key)): self.alike(key, it) for key, it in self._ask(step)} for step in steps
        }

    def alike(self, key: str, value: object) -> object:
        """Return a value without what only this server can have in it."""
        if key.rpartition(".")[2] in _ANY and value:
            return "<any>"
        if not isinstance(value, str):
            return value
        url = self.client.base_url
        own = {"url": str(url).rstrip("/"), "host": url.netloc.decode()} | self.kept
        for name, text in sorted(own.items(), key=lambda it: -len(it[1])):
            value = value.replace(text, f"<{name}>")
        for pattern, instead in _RANDOM:
            value = pattern.sub(instead, value)
        return value

    def _ask(self, step: Step) -> Iterator[tuple[str, object]]:
        time.sleep(step.after_seconds)
        answer = self._send(step)
        deadline = time.monotonic() + WAIT_SECONDS
        while not all(_dig(answer, path) == it for path, it in step.until.items()) and time.monotonic() < deadline:
            time.sleep(_PAUSE_SECONDS)
            answer = self._send(step)
        self.kept |= {name: str(_dig(answer, path)) for name, path in step.keep.items()}
        flat = {key: it for key, it in _flatten(answer) if any(fnmatchcase(key, only) for only in step.only)}
        yield from ({"status": answer["status"]} | flat).items()

    def _send(self, step: Step) -> Document:
        headers = {"Authorization": f"Bearer {self.kept[step.who]}"} if step.who else {}
        method, _, path = self._filled(step.request).partition(" ")
        if not step.is_watch:
            return _read(self.client.request(method, path, json=self._filled(step.body), headers=headers))
        with self.client.stream(method, path, headers=headers) as answer:
            return {"status": answer.status_code, "body": json.loads(next(answer.iter_lines()))}

    def _filled(self, value: Any) -> Any:  # noqa: ANN401 - whatever JSON has
        if isinstance(value, str):
            return re.sub(r"\{(\w+)\}", lambda it: self.kept[it[1]], value)
        if isinstance(value, dict):
            return {key: self._filled(it) for key, it in value.items()}
        return [self._filled(it) for it in value] if isinstance(value, list) else value


def connect(url: str, ca: str, token: str) -> Server:
    """Return a server that is asked over TLS which `ca`, a file, vouches for."""
    trusted = ssl.create_default_context(cafile=ca)
    client = httpx.Client(base_url=url, verify=trusted, timeout=_ASK_SECONDS, trust_env=False)
    return Server(client, {"admin": token, "none": "token-none1:key", "password": names.generate_key()})


def differences(double: Mapping[str, Document], real: Mapping[str, Document]) -> list[Difference]:
    """Return every field that is not the same in both: pure."""
    return [
        Difference(step, name, double[step].get(name, _ABSENT), answer.get(name, _ABSENT))
        for step, answer in real.items()
        for name in sorted(double[step].keys() | answer.keys())
        if double[step].get(name, _ABSENT) != answer.get(name, _ABSENT)
    ]


def unknown(found: Iterable[Difference], known: Sequence[Known]) -> list[Difference]:
    """Return the differences that nobody has documented: pure."""
    return [it for it in found if not any(one.covers(it) for one in known)]


def _read(answer: httpx.Response) -> Document:
    headers = {name: answer.headers[name] for name in _HEADERS if name in answer.headers}
    try:
        body = answer.json()
    except ValueError:
        body = answer.text
    return {"status": answer.status_code, "headers": headers, "body": body}


def _dig(value: Any, path: str) -> object:  # noqa: ANN401 - whatever JSON has
    # The body is what most is about, and so goes without its name.
    for part in (path if path == "status" else f"body.{path}").split("."):
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def _flatten(value: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Give every field; null and an empty list or map are as good as none, and the order of a list says nothing."""
    value = _unpacked(value)
    if isinstance(value, dict):
        for key, it in value.items():
            if key != "managedFields":
                yield from _flatten(it, f"{prefix}.{key}" if prefix else key)
    elif isinstance(value, list):
        for index, it in enumerate(value):
            yield from _flatten(it, f"{prefix}[{_name(it, index)}]")
    elif value is not None:
        yield prefix, value


def _name(entry: object, index: int) -> object:
    """Return what an entry of a list is known by."""
    if not isinstance(entry, dict):
        return entry
    return next((entry[key] for key in _KEYS if key in entry), None) or entry.get("metadata", {}).get("name", index)


def _unpacked(value: object) -> object:
    """Return what a text holds, if it is a document itself: annotations are JSON, a kubeconfig is YAML."""
    if isinstance(value, str) and value.startswith(("{", "apiVersion:")):
        try:
            return yaml.safe_load(value)
        except yaml.YAMLError:
            return value
    return value
