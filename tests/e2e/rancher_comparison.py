"""
Sends the same requests to two Rancher servers, and reports differences of the answers, field by field.

It first normalizes the values that differ between all servers: addresses, times, and random parts of names.
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
# Two entries of a list are the same one if they agree in the first of these fields that they have.
_KEYS = ("type", "Type", "id", "name", "kind")
_RANDOM = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b(crb|rb)-[a-z2-7]{10}\b"), r"\1-<hash>"),
    (re.compile(r"\b[bcdfghjklmnpqrstvwxz2456789]{54}\b"), "<key>"),
    # This is Kubernetes' alphabet of generated names. It has no vowels, so the pattern matches no word.
    (re.compile(r"\b([a-z]+-|kubeconfig-<\w+>)[bcdfghjklmnpqrstvwxz2456789]{5}\b"), r"\1<random>"),
)
_ANY = frozenset({"certificate-authority-data", "createdTS", "resourceVersion"})
"""Fields that must exist, with any value."""

Document = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One request; `{name}` in its path and body is replaced by a stored value of an earlier answer."""

    name: str
    request: str
    """Method and path."""
    body: Document | None = None
    _: KW_ONLY
    who: str = "admin"
    """The name of the stored token; empty for an unauthenticated request."""
    keep: Mapping[str, str] = field(default_factory=dict)
    """The values to store for later steps: name and path in the answer, such as `items.0.metadata.name`."""
    until: Mapping[str, object] = field(default_factory=dict)
    """Repeat the request until the answer has these values; `status` is the HTTP status, None a missing field."""
    only: tuple[str, ...] = ("*",)
    """The fields to compare."""
    after_seconds: float = 0
    is_watch: bool = False
    """Whether the request is a watch, of which only the first event is read."""


@dataclass(frozen=True)
class Known:
    """A documented difference, with its place and its reason."""

    steps: str
    fields: str
    why: str
    _: KW_ONLY
    is_absence: bool = False
    """Whether the known difference is that the double does not have the field."""
    is_passing: bool = False
    """Whether the difference depends on timing, and so does not always occur."""

    def covers(self, difference: "Difference") -> bool:
        """Return whether this entry documents a difference."""
        return (
            fnmatchcase(difference.step, self.steps)
            and fnmatchcase(difference.field, self.fields)
            and (not self.is_absence or difference.double == _ABSENT)
        )


@dataclass(frozen=True)
class Difference:
    """One field of one answer, with the values of both servers."""

    step: str
    field: str
    double: object
    real: object

    def __str__(self) -> str:
        """Return the difference in one line."""
        return f"{self.step}: {self.field}: double {self.double!r}, real {self.real!r}"


@dataclass
class Server:
    """One server, with the stored values of its answers by name. `admin` is the administrator's token."""

    client: httpx.Client
    kept: dict[str, str] = field(default_factory=dict, repr=False)

    def play(self, steps: Iterable[Step]) -> dict[str, Document]:
        """Send all requests in order, and return the flat and normalized answers by step."""
        return {
            step.name: {str(self.normalized("", key)): self.normalized(key, it) for key, it in self._run(step)}
            for step in steps
        }

    def normalized(self, key: str, value: object) -> object:
        """Return a value without its server-specific parts."""
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

    def _run(self, step: Step) -> Iterator[tuple[str, object]]:
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
    """Return a server; the CA in the file `ca` verifies its TLS certificate."""
    trusted = ssl.create_default_context(cafile=ca)
    client = httpx.Client(base_url=url, verify=trusted, timeout=_ASK_SECONDS, trust_env=False)
    return Server(client, {"admin": token, "none": "token-none1:key", "password": names.generate_key()})


def differences(double: Mapping[str, Document], real: Mapping[str, Document]) -> list[Difference]:
    """Return every field that differs. The function is pure."""
    return [
        Difference(step, name, double[step].get(name, _ABSENT), answer.get(name, _ABSENT))
        for step, answer in real.items()
        for name in sorted(double[step].keys() | answer.keys())
        if double[step].get(name, _ABSENT) != answer.get(name, _ABSENT)
    ]


def unknown(found: Iterable[Difference], known: Sequence[Known]) -> list[Difference]:
    """Return the differences that are not documented. The function is pure."""
    return [it for it in found if not any(one.covers(it) for one in known)]


def _read(answer: httpx.Response) -> Document:
    headers = {name: answer.headers[name] for name in _HEADERS if name in answer.headers}
    try:
        body = answer.json()
    except ValueError:
        body = answer.text
    return {"status": answer.status_code, "headers": headers, "body": body}


def _dig(value: Any, path: str) -> object:  # noqa: ANN401 - whatever JSON has
    # Most fields are in the body, so its name is omitted.
    for part in (path if path == "status" else f"body.{path}").split("."):
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def _flatten(value: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield every field. Null and empty lists or maps count as missing, and the order of lists does not matter."""
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
    """Return the identity of a list entry."""
    if not isinstance(entry, dict):
        return entry
    return next((entry[key] for key in _KEYS if key in entry), None) or entry.get("metadata", {}).get("name", index)


def _unpacked(value: object) -> object:
    """Return the content of a text that is a document. Annotations are JSON, and a kubeconfig is YAML."""
    if isinstance(value, str) and value.startswith(("{", "apiVersion:")):
        try:
            return yaml.safe_load(value)
        except yaml.YAMLError:
            return value
    return value
