"""Kubeconfigs as data: what the program reads from a user's file, and what it refuses without quoting it."""

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from mesh import kubeconfigs
from mesh.kubeconfigs import Endpoint
from tests.support import pems
from tests.support.leaks import MARK
from tests.support.stacks import kubeconfig

SERVER = "https://198.18.0.10:6443"
KEY = pems.make_key()
CA = pems.make_root(KEY)


def changed(change: Callable[[dict[str, Any]], object]) -> str:
    """Return a valid kubeconfig with one change."""
    document = yaml.safe_load(kubeconfig("east", server=SERVER))
    change(document)
    return yaml.safe_dump(document)


def encoded(text: str) -> str:
    """Return a PEM in the encoding of kubeconfigs."""
    return base64.b64encode(text.encode()).decode()


CERTIFICATE_AND_KEY = {"client-certificate-data": encoded(CA), "client-key-data": encoded(pems.key_pem(KEY))}


def with_user(user: object) -> str:
    """Return a valid kubeconfig with another user."""
    return changed(lambda document: document["users"][0].update(user=user))


def with_cluster(**cluster: object) -> str:
    """Return a valid kubeconfig with these keys of its cluster, in Python's spelling."""
    keys = {key.replace("_", "-"): value for key, value in cluster.items()}
    return changed(lambda document: document["clusters"][0]["cluster"].update(keys))


def test_the_current_context_leads_to_a_server() -> None:
    """Other contexts have no influence."""

    def add_another(document: dict[str, Any]) -> None:
        document["contexts"].insert(0, {"name": "other", "context": {"cluster": "other", "user": "other"}})
        document["clusters"].insert(0, {"name": "other", "cluster": {"server": "https://other"}})

    assert kubeconfigs.read_endpoint(changed(add_another)) == Endpoint(server=SERVER, ca_pem=None)


def test_the_servers_ca_is_decoded() -> None:
    """The CA is not secret."""
    data = encoded(f"# of the cluster\n{CA}")

    def add_ca(document: dict[str, Any]) -> None:
        document["clusters"][0]["cluster"]["certificate-authority-data"] = data

    assert kubeconfigs.read_endpoint(changed(add_ca)).ca_pem == CA


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
        "has certificate-authority-data that is not a PEM of certificates in base64",
    ),
    "a CA that is no text": (
        changed(lambda d: d["clusters"][0]["cluster"].update({"certificate-authority-data": "/w=="})),
        "has certificate-authority-data that is not a PEM of certificates in base64",
    ),
    "a CA that is a key": (
        with_cluster(certificate_authority_data=encoded(pems.key_pem(KEY))),
        "has certificate-authority-data that is not a PEM of certificates in base64",
    ),
    "a CA with its key": (
        with_cluster(certificate_authority_data=encoded(CA + pems.key_pem(KEY))),
        "has certificate-authority-data that is not a PEM of certificates in base64",
    ),
    "a file of a CA": (
        with_cluster(certificate_authority="/etc/ca.crt"),
        "has the file certificate-authority instead of certificate-authority-data; `kubectl config view --raw",
    ),
    "a server that anyone can be": (
        with_cluster(insecure_skip_tls_verify=True),
        "has insecure-skip-tls-verify, so anyone could answer as the API server; set its CA instead",
    ),
    **{
        f"the server {server}": (with_cluster(server=server), f"has a server that is not an https:// URL {rest}")
        for server in (
            f"https://user:{MARK}@east:6443",
            f"https://{MARK}@east:6443",
            f"https://east:6443?token={MARK}",
            f"https://east:6443#{MARK}",
            "https://",
            "https://east:notaport",
            "https://[::1",
            "https://east\n",
        )
        for rest in ["with a host, without credentials, query and fragment"]
    },
    "a program": (
        with_user({"exec": {"command": "aws"}, "token": MARK}),
        "has a user with exec, and only an inline token, or an inline certificate and key, work; use the token",
    ),
    "a plugin": (with_user({"auth-provider": {"name": "gcp"}}), "has a user with auth-provider, and only an inline"),
    "a password": (with_user({"username": "me", "password": MARK}), "has a user with username, and only an inline"),
    "a file of a token": (
        with_user({"tokenFile": "/token", "token": MARK}),
        "has a user with the file tokenFile instead of token; `kubectl config view --raw --minify --flatten` writes",
    ),
    "files of a certificate and its key": (
        with_user({"client-certificate": "/c.pem", "client-key": "/k.pem"}),
        "has a user with the file client-certificate instead of client-certificate-data; `kubectl config view",
    ),
    "a file of a key": (
        with_user({**CERTIFICATE_AND_KEY, "client-key": "/k.pem"}),
        "has a user with the file client-key instead of client-key-data; `kubectl config view",
    ),
    "a key without a certificate": (
        with_user({"client-key-data": "a2V5", "client-certificate-data": ""}),
        "has a user with client-key-data and without client-certificate-data; set both, or a token",
    ),
    "a certificate without a key": (
        with_user({"client-certificate-data": "Y2VydA=="}),
        "has a user with client-certificate-data and without client-key-data; set both, or a token",
    ),
    **{
        f"the user {user}": (
            with_user(user),
            "has a user without credentials; set a token that is not empty, or client-certificate-data and",
        )
        for user in ({}, {"token": ""}, {"token": None}, {"token": 7})
    },
    **{
        f"a token that ends in {rest!r}": (
            with_user({"token": MARK + rest}),
            "has a user with a token that has a line break, a blank at an end or a letter outside ASCII; set the",
        )
        for rest in ("\n", " ", "ü")
    },
    **{
        f"{what} as {key}": (with_user({**CERTIFICATE_AND_KEY, key: data}), f"has a user with {key} that is not a PEM")
        for key, others in (
            ("client-certificate-data", "client-key-data"),
            ("client-key-data", "client-certificate-data"),
        )
        for what, data in (
            ("a PEM without base64", CA),
            ("no base64", "###"),
            ("no text", "/w=="),
            ("the other", CERTIFICATE_AND_KEY[others]),
        )
    },
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD.keys())
def test_a_kubeconfig_that_leads_nowhere_is_refused_without_quoting_it(text: str, message: str) -> None:
    """A kubeconfig contains credentials."""
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        kubeconfigs.read_endpoint(text)
    assert MARK not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_user_has_a_certificate_and_its_key_or_a_token() -> None:
    """The values are inline."""
    assert kubeconfigs.read_endpoint(with_user(CERTIFICATE_AND_KEY)).server == SERVER
    assert kubeconfigs.read_endpoint(with_user({**CERTIFICATE_AND_KEY, "token": MARK})).server == SERVER


def test_the_name_of_the_servers_certificate_is_read() -> None:
    """Peers connect without this name."""
    assert kubeconfigs.read_endpoint(with_cluster(tls_server_name="east")).server_name == "east"


def test_ranchers_proxy_serves_a_cluster_under_its_id() -> None:
    """The path with the id follows the server's address."""
    assert kubeconfigs.rancher_server("https://r.example", "c-f7r9g") == "https://r.example/k8s/clusters/c-f7r9g"
