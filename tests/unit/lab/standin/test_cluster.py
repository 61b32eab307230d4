"""Requests of server-side apply: forced fields and conflicts."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from kubernetes.client.exceptions import ApiException

from errors import UserError
from lab.standin import cluster
from lab.standin.cluster import ClusterApi, PassingError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from recorder.values import Properties

KUBECONFIG = """
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
users: [{name: u, user: {}}]
clusters: [{name: c, cluster: {server: "https://198.18.0.11:6443"}}]
"""
CONFLICT = 'Apply failed with 1 conflict: conflict with "rancher": .spec.replicas'


class Server:
    """A client of an API server that answers every apply in the same way."""

    def __init__(self, error: ApiException | None = None) -> None:
        """Prepare an answer; None succeeds."""
        self.requests: list[dict[str, Any]] = []
        self.resources = SimpleNamespace(get=lambda **_: SimpleNamespace(namespaced=True))
        self._error = error

    def server_side_apply(self, _resource: object, **options: Any) -> SimpleNamespace:  # noqa: ANN401 - the client's
        """Answer an apply."""
        self.requests.append(options)
        if self._error is not None:
            raise self._error
        return SimpleNamespace(data=json.dumps(options["body"]))


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ClusterApi]:
    """Return a function that connects to a server."""

    def to(server: Server, *, forces_conflicts: bool = False) -> ClusterApi:
        monkeypatch.setattr(cluster, "DynamicClient", lambda *_, **__: server)
        return ClusterApi("east", KUBECONFIG, forces_conflicts=forces_conflicts)

    return to


def config_map(**annotations: str) -> Properties:
    """Return an object."""
    metadata = {"name": "map", "namespace": "d", "annotations": annotations}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def refusal(cause: str) -> ApiException:
    """Return the answer of an API server to a conflict."""
    error = ApiException(status=409, reason="Conflict")
    error.body = json.dumps({"message": CONFLICT, "details": {"causes": [{"reason": cause}]}})
    return error


@pytest.mark.parametrize("verb", ["apply", "apply_dry"])
@pytest.mark.parametrize(
    ("is_on", "annotations", "is_forced"),
    [
        (False, {}, False),
        (False, {"pulumi.com/patchForce": "true"}, True),
        (True, {}, True),
    ],
)
def test_only_a_provider_or_an_object_that_says_so_takes_fields_over(
    connect: Callable[..., ClusterApi], verb: str, *, is_on: bool, annotations: dict[str, str], is_forced: bool
) -> None:
    """A dry run sends the same request as the update."""
    server = Server()
    getattr(connect(server, forces_conflicts=is_on), verb)(config_map(**annotations))
    assert [request["force_conflicts"] for request in server.requests] == [is_forced]


@pytest.mark.parametrize("verb", ["apply", "apply_dry"])
def test_a_field_of_another_manager_is_an_error_at_once(connect: Callable[..., ClusterApi], verb: str) -> None:
    """A retry cannot resolve it; the text is the API server's own."""
    server = Server(refusal("FieldManagerConflict"))
    with pytest.raises(UserError) as caught:
        getattr(connect(server), verb)(config_map())
    assert not isinstance(caught.value, PassingError)
    assert CONFLICT in str(caught.value)
    assert len(server.requests) == 1


def test_another_conflict_passes(connect: Callable[..., ClusterApi], monkeypatch: pytest.MonkeyPatch) -> None:
    """An example is a conflict with a concurrent writer."""
    monkeypatch.setattr(cluster, "DRY_RETRY_SECONDS", 0.05)
    server = Server(refusal(""))
    with pytest.raises(PassingError):
        connect(server).apply_dry(config_map())
    assert len(server.requests) > 1


@pytest.mark.parametrize("text", ["away", "{}", "", "a: [b"])
def test_a_text_that_is_no_kubeconfig_is_an_unreachable_cluster(text: str) -> None:
    """Such a provider is also valid in Pulumi. The error does not quote the text."""
    with pytest.raises(UnreachableError) as caught:
        ClusterApi("east", text, forces_conflicts=False)
    assert str(caught.value) == (
        "configured Kubernetes cluster is unreachable: the kubeconfig of east cannot be used: check its current context"
    )
