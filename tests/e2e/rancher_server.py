"""The lab's Rancher in tests, with its documents, revoked tokens and a stopped server."""

import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

from lab.rancher import service
from lab.rancher.store import Kind, Store
from tests.e2e.checkout import ROOT, run_module

SECONDS = 10.0
STATE = service.PLACE.directory / "state.json"
COLLECTIONS = (
    "clusterRoleTemplateBindings",
    "globalRoleBindings",
    "projectRoleTemplateBindings",
    "projects",
    "roleTemplates",
    "users",
)
"""The collections with the program's documents, and with those that Rancher may add."""


class RancherServer:
    """A running server, used as its administrator."""

    @property
    def tokens(self) -> Sequence[dict[str, Any]]:
        """Return the tokens of all users. The API would show each user only its own."""
        return [dict(it) for it in Store(STATE).all(Kind.TOKEN)]

    def list(self, collection: str) -> Sequence[dict[str, Any]]:
        """Return a collection of the v3 API."""
        answer = self.ask("GET", f"/v3/{collection.lower()}")
        assert answer.status_code == httpx.codes.OK, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]
        return found

    def held(self) -> frozenset[str]:
        """Return the names of all documents that a program could leave behind."""
        listed = {f"{collection}/{it['id']}" for collection in COLLECTIONS for it in self.list(collection)}
        return frozenset(listed | {f"tokens/{it['id']}" for it in self.tokens})

    def own_tokens(self, cluster: str) -> Sequence[dict[str, Any]]:
        """Return the program's tokens. The program uses one of them at a time."""
        return [it for it in self.tokens if re.match(rf"mcsps provider-\w+ of {cluster},", it["description"])]

    def peers_tokens(self, cluster: str) -> Sequence[dict[str, Any]]:
        """Return the tokens of the peers' istiods."""
        return [it for it in self.tokens if it["description"].startswith(f"mcsps peers of {cluster},")]

    def revoke(self, tokens: Sequence[dict[str, Any]]) -> None:
        """Revoke tokens of any user."""
        with self.down():
            for token in tokens:
                Store(STATE).remove(Kind.TOKEN, token["id"])

    def ask(self, method: str, path: str, token: str | None = None) -> httpx.Response:
        """Send a request with a token, by default the administrator's."""
        trusted = ssl.create_default_context(cafile=str(service.PLACE.pki / "ca.crt"))
        with httpx.Client(base_url=service.URL, verify=trusted, trust_env=False, timeout=SECONDS) as client:
            bearer = token or service.PLACE.admin_token.read_text()
            return client.request(method, path, headers={"Authorization": f"Bearer {bearer}"})

    @contextmanager
    def down(self) -> Iterator[None]:
        """Stop the server until the block ends."""
        service.stop()
        try:
            yield
        finally:
            run_module(ROOT, "lab", "up", "--rancher").must_succeed()
