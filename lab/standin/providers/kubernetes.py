"""
Kubernetes objects: each is one server-side apply, compared with the object on the cluster.

The state stores only an object's identity; its content is read from the cluster in every run.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from errors import UserError
from lab.standin import awaits, paths
from lab.standin.cluster import ImmutableError, ObjectIdentity, PassingError, UnknownKindError
from lab.standin.ledger import Result
from lab.standin.plan import ABSENT, Step, differences
from recorder.registrations import Outcome
from recorder.values import Properties, Secret, Unknown, has_unknown, mark_like, reveal

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.standin.cluster import ClusterApi
    from lab.standin.state import Entry
    from recorder.registrations import Registration

PREFIX: Final = "kubernetes:"
_SERVER_SIDE: Final = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")
_NO_OBJECTS: Final = ("helm.sh/", "kustomize:", "yaml:", "index:")


@dataclass(frozen=True)
class KubernetesObject:
    """One registered object and its cluster."""

    registration: Registration
    manifest: Properties
    """The manifest to send, without secret marks and with unknown values."""
    cluster: ClusterApi | None
    """The connection to the cluster; None in a preview that does not know the kubeconfig yet."""

    @classmethod
    def of(cls, registration: Registration, cluster: ClusterApi | None, default_namespace: str) -> KubernetesObject:
        """
        Build the manifest of a registration.

        Raises:
            UserError: The object has no name.
        """
        manifest = _manifest(registration.inputs)
        metadata = manifest.setdefault("metadata", {})
        if "name" not in metadata:
            raise UserError(f"{registration.name}: the stand-in does not generate names", "Set metadata.name")
        if "namespace" not in metadata and cluster is not None and _is_namespaced(cluster, manifest):
            metadata["namespace"] = default_namespace
        return cls(registration, manifest, cluster)

    @property
    def identity(self) -> ObjectIdentity | None:
        """The identity of the object; None in a preview that does not know the name yet."""
        metadata = self.manifest["metadata"]
        if isinstance(metadata["name"], Unknown) or isinstance(metadata.get("namespace"), Unknown):
            return None
        return ObjectIdentity.of(self.manifest)

    @property
    def name(self) -> Properties:
        """The part of the manifest that the state stores."""
        metadata = {key: value for key, value in self.manifest["metadata"].items() if key in ("name", "namespace")}
        return {"apiVersion": self.manifest["apiVersion"], "kind": self.manifest["kind"], "metadata": metadata}

    def added_to(self, outputs: Properties) -> Properties:
        """
        Return the fields that the cluster has added to the manifest, such as `status` and the data of a token.

        The state stores them for runs that cannot reach the cluster.
        """
        known = ("metadata", *self.manifest, *self.registration.inputs)
        return {name: value for name, value in outputs.items() if name not in known}

    def is_there(self) -> bool:
        """Return whether the object exists on the cluster, in this stack or not."""
        return self._live() is not None

    def preview(self, *, is_in_state: bool) -> Result:
        """Return what `apply` would do, by a dry run if the object exists."""
        live = self._live()
        if self.cluster is None or live is None:
            return self._preview_unseen(is_in_state=is_in_state)
        wanted = self._keeping_ignored(live)
        if has_unknown(wanted):
            return self._compare_dry(live, wanted)
        try:
            dry = self.cluster.apply_dry(wanted)
        except ImmutableError as error:
            return Result(Step.REPLACE, Outcome(outputs=self.registration.inputs), note=str(error))
        except PassingError as error:
            return replace(self._compare_dry(live, wanted), note=f"compared without the server: {error}")
        fields = tuple(differences(self._comparable(live), self._comparable(dry)))
        step = Step.UPDATE if fields else Step.SAME
        if not is_in_state:
            return Result(Step.CREATE, self._outcome(dry), fields, note="exists already, and is adopted")
        return Result(step, self._outcome(dry), fields)

    def _preview_unseen(self, *, is_in_state: bool) -> Result:
        if self.cluster is None and self.identity is not None and is_in_state:
            # No cluster can be queried, so the object counts as existing.
            return Result(Step.SAME, Outcome(id=self.identity.id, outputs=self.registration.inputs))
        return Result(Step.CREATE, Outcome(outputs=self.registration.inputs))

    def _compare_dry(self, live: Properties, wanted: Properties) -> Result:
        """Compare the fields that the program declares, without a dry run and its defaults."""
        compared = differences(self._comparable(live), self._marked(wanted))
        fields = tuple(each for each in compared if each.after is not ABSENT)
        id_ = ObjectIdentity.of(live).id
        if fields:
            return Result(Step.UPDATE, Outcome(id=id_, outputs=self.registration.inputs), fields)
        return Result(Step.SAME, self._outcome(live))

    def apply(self, *, is_in_state: bool, recreate: bool, report: Callable[[str], None]) -> Result:
        """
        Apply the object, without a wait until it is ready.

        Args:
            is_in_state: Whether the object was ready in an earlier run.
            recreate: Whether to delete the object first.
            report: Receives what the deletion waits for.

        Raises:
            ImmutableError: The object exists, and an immutable field differs.
        """
        if self.cluster is None or self.identity is None or has_unknown(self.manifest):
            raise UserError(f"{self.registration.name}: an input is not known")
        live = self.cluster.get(self.identity)
        step = Step.CREATE if live is None or not is_in_state else Step.UPDATE
        if live is not None and recreate:
            step = Step.REPLACE
            self.cluster.delete(self.identity)
            awaits.wait_until_gone(self.cluster, self.identity, report)
        applied = self.cluster.apply(self._keeping_ignored(live or {}))
        fields = tuple(differences(self._comparable(live), self._comparable(applied))) if live else ()
        if step is Step.UPDATE and not fields:
            step = Step.SAME
        return Result(step, self._outcome(applied), fields)

    def wait(self, report: Callable[[str], None], *, is_new: bool) -> Outcome:
        """Wait until the object is ready by Pulumi's rules, and return it."""
        if self.cluster is None or self.identity is None:
            raise UserError(f"{self.registration.name}: an input is not known")
        timeouts = self.registration.custom_timeouts
        live = self.cluster.get(self.identity)
        if live is None:
            raise UserError(f"{self.identity} was deleted after it was applied")
        timeout = timeouts.get("create" if is_new else "update")
        return self._outcome(awaits.wait_until_ready(self.cluster, live, timeout, report))

    def _live(self) -> Properties | None:
        return self.cluster.get(self.identity) if self.cluster and self.identity else None

    def _keeping_ignored(self, live: Properties) -> Properties:
        if not live:
            return self.manifest
        return paths.overlay(self.manifest, live, self.registration.ignore_changes)

    def _outcome(self, live: Properties) -> Outcome:
        return Outcome(id=ObjectIdentity.of(live).id, outputs=self._marked(_without(live, "managedFields")))

    def _comparable(self, live: Properties) -> Properties:
        comparable = _without(live, *_SERVER_SIDE)
        comparable.pop("status", None)
        return self._marked(comparable)

    def _marked(self, live: Properties) -> Properties:
        inputs = self.registration.inputs
        if self.manifest["kind"] == "Secret":
            secret = {name: Secret(live[name]) for name in ("data", "stringData") if name in live}
            live = {**live, **{name: _each_secret(value) for name, value in secret.items()}}
        return {name: mark_like(value, inputs.get(name)) for name, value in live.items()}


def is_object(type_: str) -> bool:
    """Return whether a type is a single object on a cluster."""
    token = type_.removeprefix(PREFIX)
    return token != type_ and not token.startswith(_NO_OBJECTS) and not token.endswith(("Patch", "List"))


def identity_in(entry: Entry) -> ObjectIdentity:
    """Return the identity of an entry's object."""
    return ObjectIdentity.of(entry.inputs)


def read(cluster: ClusterApi, type_: str, id_: str) -> Outcome:
    """
    Read an object that is not in the stack (`Service.get`).

    Raises:
        UserError: The object does not exist.
    """
    group, _, kind = type_.removeprefix(PREFIX).rpartition(":")
    namespace, _, name = id_.rpartition("/")
    identity = ObjectIdentity(group.removeprefix("core/"), kind, namespace or None, name)
    live = cluster.get(identity)
    if live is None:
        raise UserError(f"{identity} does not exist")
    outputs = _without(live, "managedFields")
    if kind == "Secret" and "data" in outputs:
        outputs["data"] = Secret(outputs["data"])
    return Outcome(id=id_, outputs=outputs)


def _manifest(inputs: Properties) -> Properties:
    manifest: Properties = _without_nulls(reveal(inputs))
    # With server-side apply, a key that is removed from stringData would stay in data.
    if manifest["kind"] == "Secret" and "stringData" in manifest:
        given = manifest.pop("stringData")
        manifest["data"] = (
            {**manifest.get("data", {}), **{name: _encode(text) for name, text in given.items()}}
            if isinstance(given, dict)
            else given
        )
    return manifest


def _encode(text: object) -> object:
    return base64.b64encode(text.encode()).decode() if isinstance(text, str) else text


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - JSON data
    match value:
        case dict():
            return {name: _without_nulls(item) for name, item in value.items() if item is not None}
        case list():
            return [_without_nulls(item) for item in value]
        case _:
            return value


def _without(live: Properties, *names: str) -> Properties:
    metadata = {name: value for name, value in live["metadata"].items() if name not in names}
    return {**live, "metadata": metadata}


def _each_secret(value: Secret) -> Properties | Secret:
    return {name: Secret(item) for name, item in value.value.items()} if isinstance(value.value, dict) else value


def _is_namespaced(cluster: ClusterApi, manifest: Properties) -> bool:
    try:
        return cluster.is_namespaced(manifest["apiVersion"], manifest["kind"])
    except UnknownKindError:
        # The definition does not exist yet. Apply retries, and then the identity must be complete.
        return False
