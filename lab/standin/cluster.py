"""
One cluster's API, with retries of what passes by itself.

Owns connection, discovery, server-side apply and the wording of the API's errors. Does not own what
is applied, nor the waiting until it is ready.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import tenacity
import urllib3
from kubernetes.client import ApiClient
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import ResourceNotFoundError

from errors import UserError
from kube import connection
from kube import errors as kube_errors
from kube.connection import KubeconfigError
from lab.standin.discovery import Discovery

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubernetes.dynamic import Resource

    from recorder.values import Properties

T = TypeVar("T")

FIELD_MANAGER: Final = "mcsps-stand-in"
PATIENCE_SECONDS: Final = 90
"""How long a refusal that passes by itself (a webhook that starts, a new kind) is retried."""
DRY_PATIENCE_SECONDS: Final = 3
UNREACHABLE_SECONDS: Final = 15
_TIMEOUTS: Final = (3, 30)  # seconds to connect, to answer
_DRY_TIMEOUTS: Final = (3, 12)
_PASSING: Final = frozenset({409, 429, 500, 502, 503, 504})
_NOT_FOUND: Final = 404
_INVALID: Final = 422


class UnreachableError(UserError):
    """The API server does not answer."""


class ImmutableError(UserError):
    """A field that cannot be changed differs: the object must be made anew."""


class PassingError(UserError):
    """A refusal that may pass by itself, such as a webhook that does not answer."""


class UnknownKindError(UserError):
    """The cluster serves no such kind (yet)."""


@dataclass(frozen=True)
class Identity:
    """The name of one object on a cluster."""

    api_version: str
    kind: str
    namespace: str | None
    name: str

    @classmethod
    def of(cls, manifest: Properties) -> Identity:
        """Read the identity off a manifest."""
        metadata = manifest["metadata"]
        return cls(manifest["apiVersion"], manifest["kind"], metadata.get("namespace"), metadata["name"])

    @property
    def id(self) -> str:
        """Pulumi's id of the object."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def key(self) -> tuple[str, str, str | None, str]:
        """The same for every version of the API that the object is written in."""
        return self.api_version.rpartition("/")[0], self.kind, self.namespace, self.name

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Cluster:
    """The API of one cluster; safe to use from several threads."""

    def __init__(self, name: str, kubeconfig: str) -> None:
        """
        Prepare a connection; nothing is sent yet.

        Args:
            name: for error messages.
            kubeconfig: the text, with everything inline.

        Raises:
            UserError: the kubeconfig cannot be used.
        """
        self.name = name
        try:
            configuration = connection.from_kubeconfig(kubeconfig)
        except KubeconfigError as error:
            raise UserError(f"the kubeconfig of {name} {error}") from None
        self.server: str = configuration.host
        self._unanswered: dict[str, str] = {}
        self._api = DynamicClient(ApiClient(configuration), discoverer=Discovery)  # type: ignore[no-untyped-call]

    def answers(self) -> bool:
        """Tell whether the API server is there and takes the credentials, within a few seconds."""
        try:
            self._call(
                lambda: self._api.request("get", "/version", serialize=False, _request_timeout=_DRY_TIMEOUTS),
                patience=DRY_PATIENCE_SECONDS,
            )
        except UserError:
            return False
        return True

    def get(self, identity: Identity) -> Properties | None:
        """Read an object; None where it, or its kind, is not there."""
        try:
            return self._call(lambda: self._send(identity, "get"))
        except UnknownKindError:
            return None

    def apply(self, manifest: Properties) -> Properties:
        """
        Apply an object on the server's side, as the owner of all that the manifest says.

        Raises:
            ImmutableError: the object is there and cannot become this one.
            UserError: the API refuses it, or does not answer.
        """
        return self._apply(manifest, retry_kinds=True)

    def apply_dry(self, manifest: Properties) -> Properties:
        """
        Ask what `apply` would come to.

        Raises:
            ImmutableError: as with `apply`.
            PassingError: an admission webhook does not answer, now or for an object of this API before.
            UserError: the API refuses it, or does not answer.
        """
        api_version = manifest["apiVersion"]
        if api_version in self._unanswered:
            # Each try may cost the webhook's whole timeout.
            raise PassingError(self._unanswered[api_version])
        try:
            return self._apply(manifest, patience=DRY_PATIENCE_SECONDS, dry_run="All", _request_timeout=_DRY_TIMEOUTS)
        except (PassingError, UnreachableError) as error:
            self._unanswered[api_version] = str(error)
            raise PassingError(str(error)) from None

    def _apply(
        self,
        manifest: Properties,
        *,
        retry_kinds: bool = False,
        patience: float = PATIENCE_SECONDS,
        **options: Any,  # noqa: ANN401 - the client's
    ) -> Properties:
        identity = Identity.of(manifest)
        applied = self._call(
            lambda: self._send(
                identity,
                "server_side_apply",
                body=manifest,
                field_manager=FIELD_MANAGER,
                force_conflicts=True,
                **options,
            ),
            retry_kinds=retry_kinds,
            patience=patience,
        )
        if applied is None:
            raise UserError(f"its namespace {identity.namespace} is not there")
        return applied

    def delete(self, identity: Identity) -> None:
        """Ask for an object's deletion, and of what it owns first; an object already gone is fine."""
        try:
            self._call(lambda: self._send(identity, "delete", propagation_policy="Foreground"))
        except UnknownKindError:
            return

    def select(self, api_version: str, kind: str, namespace: str | None, selector: str) -> list[Properties]:
        """List the objects of a kind by label."""
        found = self._call(
            lambda: self._send(Identity(api_version, kind, namespace, ""), "get", label_selector=selector)
        )
        items: list[Properties] = (found or {}).get("items", [])
        return items

    def is_namespaced(self, api_version: str, kind: str) -> bool:
        """
        Tell whether objects of a kind live in namespaces.

        Raises:
            UnknownKindError: the cluster does not serve it.
        """
        resource: Resource = self._call(
            lambda: self._api.resources.get(api_version=api_version, kind=kind), retry_kinds=False
        )
        return bool(resource.namespaced)

    def capabilities(self) -> tuple[str, list[str]]:
        """Give what a chart asks for: the server's version, and its API versions and kinds."""
        version = self._call(
            lambda: json.loads(self._api.request("get", "/version", serialize=False, _request_timeout=_TIMEOUTS).data)
        )
        return version["gitVersion"], self._call(self._api.resources.api_versions)

    def _send(self, identity: Identity, method: str, **options: Any) -> Properties | None:  # noqa: ANN401 - the client's
        resource = self._api.resources.get(api_version=identity.api_version, kind=identity.kind)
        try:
            response = getattr(self._api, method)(
                resource,
                name=identity.name or None,
                namespace=identity.namespace if resource.namespaced else None,
                serialize=False,
                **{"_request_timeout": _TIMEOUTS, **options},
            )
        except ApiException as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        answer: Properties = json.loads(response.data)
        return answer

    def _call(self, send: Callable[[], T], *, retry_kinds: bool = False, patience: float = PATIENCE_SECONDS) -> T:
        """Send, again where that may help, and turn what cannot be helped into an `UserError`."""

        def may_pass(error: BaseException) -> bool:
            if isinstance(error, ResourceNotFoundError):
                return retry_kinds
            if isinstance(error, ApiException):
                return error.status in _PASSING or "is being terminated" in _explain(error)
            return isinstance(error, urllib3.exceptions.HTTPError)

        def is_over(state: tenacity.RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome else None
            is_silent = isinstance(error, urllib3.exceptions.HTTPError)
            return (state.seconds_since_start or 0) > (min(patience, UNREACHABLE_SECONDS) if is_silent else patience)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(may_pass),
            wait=tenacity.wait_exponential(multiplier=0.1, max=2),
            stop=is_over,
            reraise=True,
        )
        try:
            return retrying(send)
        except ResourceNotFoundError as error:
            raise UnknownKindError(f"{self.name} serves no {error}") from None
        except ApiException as error:
            raise _refusal(error) from None
        except urllib3.exceptions.HTTPError as error:
            reason = kube_errors.reason(error)
            raise UnreachableError(
                f"no connection to the API server of {self.name} at {self.server}: {reason}"
            ) from None


def _refusal(error: ApiException) -> UserError:
    text = _explain(error)
    if error.status == _INVALID and any(sign in text for sign in ("immutable", "cannot change", "may not change")):
        return ImmutableError(text)
    kind = PassingError if error.status in _PASSING else UserError
    return kind(f"the API server refuses: {text}")


def _explain(error: ApiException) -> str:
    """Take the message out of the Status that the API sent."""
    try:
        return str(json.loads(error.body or "")["message"])
    except (TypeError, ValueError, KeyError):
        return f"{error.status} {error.reason}"
