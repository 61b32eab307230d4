"""Clusters, which clients look up by name or id, and their kubeconfigs."""

import base64

import yaml

from lab.rancher import errors, schemas, tokens
from lab.rancher.resources.base import Resources
from lab.rancher.state import Rancher
from lab.rancher.store import Document, Kind
from lab.rancher.tokens import Identity

_GENERATE = "generateKubeconfig"


class Clusters(Resources):
    """The clusters of the server's configuration; clients cannot create or delete any."""

    def __init__(self, rancher: Rancher) -> None:
        """Serve the clusters."""
        super().__init__(rancher, Kind.CLUSTER, schemas.CLUSTER)

    def actions(self, who: Identity, document: Document) -> tuple[str, ...]:  # noqa: ARG002 - all who see it may
        """Return the action that generates a kubeconfig."""
        return (_GENERATE,)

    async def act(self, who: Identity, name: str, action: str, body: Document) -> Document | None:
        """Return a kubeconfig with a new token, which has all rights of the user."""
        cluster = await self.get(who, name)
        if action != _GENERATE:
            return await super().act(who, name, action, body)
        setting = self.rancher.store.get(Kind.SETTING, "kubeconfig-generate-token")
        if setting is None or setting["value"] != "true":
            raise errors.ApiError(500, "ServerError", "the lab generates no kubeconfig without a token")
        request = tokens.Request(
            who.user,
            "Kubeconfig token",
            labels=(("authn.management.cattle.io/kind", "kubeconfig"),),
            prefix=f"kubeconfig-{who.user}",
            settings=(tokens.KUBECONFIG_MAX_TTL, tokens.KUBECONFIG_DEFAULT_TTL),
        )
        _, value = self.rancher.tokens.create(request)
        ca = self.rancher.config.ca_file.read_bytes()
        server = f"{self.rancher.config.url}/k8s/clusters/{name}"
        return {
            "actions": {},
            "baseType": "generateKubeConfigOutput",
            "config": render(str(cluster["name"]), server, ca, value),
            "links": {},
            "type": "generateKubeConfigOutput",
        }


def render(name: str, server: str, ca: bytes, token: str) -> str:
    """Return a kubeconfig as Rancher generates it, with `name` for all its parts: pure; the result is secret."""
    cluster = {"server": server, "certificate-authority-data": base64.b64encode(ca).decode()}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": name, "context": {"user": name, "cluster": name}}],
            "current-context": name,
        },
        sort_keys=False,
    )
