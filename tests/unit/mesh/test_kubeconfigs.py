"""Kubeconfigs as data: what is read from a person's, and what is refused without quoting it."""

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from mesh import kubeconfigs
from mesh.kubeconfigs import Endpoint
from tests.support.leaks import MARK
from tests.support.stacks import kubeconfig

SERVER = "https://198.18.0.10:6443"


def changed(change: Callable[[dict[str, Any]], object]) -> str:
    """A good kubeconfig with one thing wrong."""
    document = yaml.safe_load(kubeconfig("east", server=SERVER))
    change(document)
    return yaml.safe_dump(document)


def test_the_current_context_leads_to_a_server() -> None:
    """Whatever other contexts there are."""

    def add_another(document: dict[str, Any]) -> None:
        document["contexts"].insert(0, {"name": "other", "context": {"cluster": "other", "user": "other"}})
        document["clusters"].insert(0, {"name": "other", "cluster": {"server": "https://other"}})

    assert kubeconfigs.read_endpoint(changed(add_another)) == Endpoint(server=SERVER, ca_pem=None)


def test_the_servers_ca_is_decoded() -> None:
    """It is not secret."""
    data = base64.b64encode(b"the CA").decode()

    def add_ca(document: dict[str, Any]) -> None:
        document["clusters"][0]["cluster"]["certificate-authority-data"] = data

    assert kubeconfigs.read_endpoint(changed(add_ca)).ca_pem == "the CA"


BAD = {
    "not YAML": ("{" + MARK, "is not valid YAML"),
    "a date that is none": (f"{MARK}: 2026-13-45", "is not valid YAML"),
    "too deep": ("[" * 2000, "is not valid YAML"),
    "a list": (f"- {MARK}", "is not a kubeconfig: `kind: Config` is missing"),
    "empty": ("", "is not a kubeconfig: `kind: Config` is missing"),
    "another kind": (changed(lambda d: d.update(kind="Secret")), "is not a kubeconfig: `kind: Config` is missing"),
    "no current context": (changed(lambda d: d.pop("current-context")), "has no current-context"),
    "an empty current context": (changed(lambda d: d.update({"current-context": ""})), "has no current-context"),
    "an unknown context": (
        changed(lambda d: d.update({"current-context": "gone"})),
        "refers to context 'gone', which it does not define",
    ),
    "no contexts": (changed(lambda d: d.pop("contexts")), "refers to context 'east', which it does not define"),
    "an unknown cluster": (
        changed(lambda d: d.update(clusters=[])),
        "refers to cluster 'east', which it does not define",
    ),
    "a context of scalars": (changed(lambda d: d.update(contexts=["east"])), "refers to context 'east'"),
    "an unknown user": (changed(lambda d: d.update(users=None)), "refers to user 'east', which it does not define"),
    "no server": (
        changed(lambda d: d["clusters"][0]["cluster"].pop("server")),
        "has a server that is not an https:// URL",
    ),
    "plain HTTP": (
        changed(lambda d: d["clusters"][0]["cluster"].update(server=f"http://user:{MARK}@198.18.0.10")),
        "has a server that is not an https:// URL",
    ),
    "a CA that is no base64": (
        changed(lambda d: d["clusters"][0]["cluster"].update({"certificate-authority-data": "x"})),
        "has certificate-authority-data that is not a PEM in base64",
    ),
    "a CA that is no text": (
        changed(lambda d: d["clusters"][0]["cluster"].update({"certificate-authority-data": "/w=="})),
        "has certificate-authority-data that is not a PEM in base64",
    ),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD.keys())
def test_a_kubeconfig_that_leads_nowhere_is_refused_without_quoting_it(text: str, message: str) -> None:
    """It holds credentials."""
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        kubeconfigs.read_endpoint(text)
    assert MARK not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_ranchers_proxy_serves_a_cluster_under_its_id() -> None:
    """Below the server's address."""
    assert kubeconfigs.rancher_server("https://r.example", "c-f7r9g") == "https://r.example/k8s/clusters/c-f7r9g"
