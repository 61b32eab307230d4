"""
The API of one cluster, with retries of transient errors.

Owns connection, discovery, server-side apply and the texts of the API's errors. Owns neither the applied objects nor
the wait until they are ready.
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
RETRY_SECONDS: Final = 90
"""How long to retry after a transient refusal, such as from a starting webhook or for a new kind."""
DRY_RETRY_SECONDS: Final = 3
UNREACHABLE_SECONDS: Final = 15
_TIMEOUTS: Final = (3, 30)  # seconds to connect, to answer
_DRY_TIMEOUTS: Final = (3, 12)
_FORCE: Final = "pulumi.com/patchForce"
_PASSING: Final = frozenset({409, 429, 500, 502, 503, 504})
_NOT_FOUND: Final = 404
_INVALID: Final = 422


class UnreachableError(UserError):
    """The API server does not answer, or there is no kubeconfig for it."""


class ImmutableError(UserError):
    """An immutable field differs, so the object must be recreated."""


class PassingError(UserError):
    """A refusal that may be transient, such as from a webhook that does not answer."""


class UnknownKindError(UserError):
    """The cluster does not serve this kind, at least not yet."""


@dataclass(frozen=True)
class ObjectIdentity:
    """The name of one object on a cluster."""

    api_version: str
    kind: str
    namespace: str | None
    name: str

    @classmethod
    def of(cls, manifest: Properties) -> ObjectIdentity:
        """Return the identity of a manifest's object."""
        metadata = manifest["metadata"]
        return cls(manifest["apiVersion"], manifest["kind"], metadata.get("namespace"), metadata["name"])

    @property
    def id(self) -> str:
        """Pulumi's id of the object."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def key(self) -> tuple[str, str, str | None, str]:
        """The identity without the API version, which is the same for every version."""
        return self.api_version.rpartition("/")[0], self.kind, self.namespace, self.name

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class ClusterApi:
    """The API of one cluster; safe to use from several threads."""

    def __init__(self, name: str, kubeconfig: str, *, forces_conflicts: bool) -> None:
        """
        Prepare a connection; nothing is sent yet.

        Args:
            name: The name in error messages.
            kubeconfig: The kubeconfig's text, with inline certificates and keys.
            forces_conflicts: Whether to take over fields that another field manager owns with another value.

        Raises:
            UnreachableError: The text is no kubeconfig, or has no usable context.
        """
        self.name = name
        self._forces_conflicts = forces_conflicts
        try:
            configuration = connection.from_kubeconfig(kubeconfig)
        except KubeconfigError as error:
            # As in Pulumi, such a provider is valid, and its cluster is unreachable.
            raise UnreachableError(
                f"configured Kubernetes cluster is unreachable: the kubeconfig of {name} {error}"
            ) from None
        self.server: str = configuration.host
        self._unanswered: dict[str, str] = {}
        self._api = DynamicClient(ApiClient(configuration), discoverer=Discovery)  # type: ignore[no-untyped-call]

    def answers(self) -> bool:
        """Return whether the API server answers within a few seconds and accepts the credentials."""
        try:
            self._call(
                lambda: self._api.request("get", "/version", serialize=False, _request_timeout=_DRY_TIMEOUTS),
                retry_seconds=DRY_RETRY_SECONDS,
            )
        except UserError:
            return False
        return True

    def get(self, identity: ObjectIdentity) -> Properties | None:
        """Return an object; None if it or its kind does not exist."""
        try:
            return self._call(lambda: self._send(identity, "get"))
        except UnknownKindError:
            return None

    def apply(self, manifest: Properties) -> Properties:
        """
        Apply an object with server-side apply, as the owner of all fields in the manifest.

        As in Pulumi, the provider's `enablePatchForce` or the annotation `pulumi.com/patchForce` takes over the fields
        of other field managers; without them, such a field is an error.

        Raises:
            ImmutableError: The object exists, and an immutable field differs.
            UserError: The API refuses it, or does not answer.
        """
        return self._apply(manifest, retry_kinds=True)

    def apply_dry(self, manifest: Properties) -> Properties:
        """
        Return what `apply` would return, by a dry run.

        Raises:
            ImmutableError: The object exists, and an immutable field differs.
            PassingError: An admission webhook does not answer, or did not for an earlier object of this API.
            UserError: The API refuses it, or does not answer.
        """
        api_version = manifest["apiVersion"]
        if api_version in self._unanswered:
            # Each attempt may take the webhook's whole timeout.
            raise PassingError(self._unanswered[api_version])
        try:
            return self._apply(manifest, retry_seconds=DRY_RETRY_SECONDS, dry_run="All", _request_timeout=_DRY_TIMEOUTS)
        except (PassingError, UnreachableError) as error:
            self._unanswered[api_version] = str(error)
            raise PassingError(str(error)) from None

    def _apply(
        self,
        manifest: Properties,
        *,
        retry_kinds: bool = False,
        retry_seconds: float = RETRY_SECONDS,
        **options: Any,  # noqa: ANN401 - the client's
    ) -> Properties:
        identity = ObjectIdentity.of(manifest)
        annotations = manifest["metadata"].get("annotations") or {}
        applied = self._call(
            lambda: self._send(
                identity,
                "server_side_apply",
                body=manifest,
                field_manager=FIELD_MANAGER,
                force_conflicts=self._forces_conflicts or annotations.get(_FORCE) == "true",
                **options,
            ),
            retry_kinds=retry_kinds,
            retry_seconds=retry_seconds,
        )
        if applied is None:
            raise UserError(f"its namespace {identity.namespace} does not exist")
        return applied

    def delete(self, identity: ObjectIdentity) -> None:
        """Request the deletion of an object, after its dependents; a missing object is no error."""
        try:
            self._call(lambda: self._send(identity, "delete", propagation_policy="Foreground"))
        except UnknownKindError:
            return

    def select(self, api_version: str, kind: str, namespace: str | None, selector: str) -> list[Properties]:
        """Return the objects of a kind that a label selector matches."""
        found = self._call(
            lambda: self._send(ObjectIdentity(api_version, kind, namespace, ""), "get", label_selector=selector)
        )
        items: list[Properties] = (found or {}).get("items", [])
        return items

    def is_namespaced(self, api_version: str, kind: str) -> bool:
        """
        Return whether a kind is namespaced.

        Raises:
            UnknownKindError: The cluster does not serve the kind.
        """
        resource: Resource = self._call(
            lambda: self._api.resources.get(api_version=api_version, kind=kind), retry_kinds=False
        )
        return bool(resource.namespaced)

    def _send(self, identity: ObjectIdentity, method: str, **options: Any) -> Properties | None:  # noqa: ANN401 - the client's
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

    def _call(self, send: Callable[[], T], *, retry_kinds: bool = False, retry_seconds: float = RETRY_SECONDS) -> T:
        """Send a request, retry transient errors, and raise `UserError` for all others."""

        def may_pass(error: BaseException) -> bool:
            if isinstance(error, ResourceNotFoundError):
                return retry_kinds
            if isinstance(error, ApiException):
                return _is_passing(error) or "is being terminated" in _explain(error)
            return isinstance(error, urllib3.exceptions.HTTPError)

        def is_over(state: tenacity.RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome else None
            is_silent = isinstance(error, urllib3.exceptions.HTTPError)
            return (state.seconds_since_start or 0) > (
                min(retry_seconds, UNREACHABLE_SECONDS) if is_silent else retry_seconds
            )

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(may_pass),
            wait=tenacity.wait_exponential(multiplier=0.1, max=2),
            stop=is_over,
            reraise=True,
        )
        try:
            return retrying(send)
        except ResourceNotFoundError as error:
            raise UnknownKindError(f"{self.name} does not serve {error}") from None
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
    kind = PassingError if _is_passing(error) else UserError
    return kind(f"the API server refuses: {text}")


def _is_passing(error: ApiException) -> bool:
    # A conflict over a field has the status of a conflict over a version, but stays until someone resolves it.
    return error.status in _PASSING and "FieldManagerConflict" not in (error.body or "")


def _explain(error: ApiException) -> str:
    """Return the message of the Status that the API sent."""
    try:
        return str(json.loads(error.body or "")["message"])
    except (TypeError, ValueError, KeyError):
        return f"{error.status} {error.reason}"
