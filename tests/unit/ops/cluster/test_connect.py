"""The connection to each cluster's API, as configured in the stack."""

import secrets
import subprocess
from pathlib import Path
from typing import Any

import pytest

from config.parsing import parse
from config.preflight import rancher as rancher_preflight
from config.schema import Settings
from errors import UserError
from ops.cluster import connect
from tests.support import pems
from tests.support.stacks import kubeconfig

TOKEN = f"token-abc12:{secrets.token_hex(16)}"


def settings(access_to: dict[str, str], **more: object) -> Settings:
    """Return settings with one cluster."""
    cluster = {"name": "east", "network": "network-east", "versions": ["v1"], "access": access_to}
    return parse({"mesh": {"id": "mesh1"}, "v2Weight": 0, "clusters": [cluster], **more})


def configuration(of: Settings) -> Any:  # noqa: ANN401 - the library's own
    """Return the address and the credentials of the cluster's API."""
    return connect.connect(of, "prod", Path())["east"]._configuration  # noqa: SLF001 - it is not public


@pytest.fixture
def pulumi(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Put a `pulumi` on the PATH that decrypts the token; return the commands that it received."""
    called: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        called.append(command)
        return subprocess.CompletedProcess(command, 0, stdout=f"{TOKEN}\n", stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    return called


def test_access_rancher_goes_to_the_clusters_proxy_with_the_decrypted_token(pulumi: list[list[str]]) -> None:
    """The address is the one that the program uses, and the connection trusts Rancher's own CA."""
    root = pems.make_root(pems.make_key())
    rancher = {"url": "https://rancher.example.org", "caCerts": root}
    found = configuration(settings({"kind": "rancher", "clusterId": "c-f7r9g"}, rancher=rancher))
    assert found.host == "https://rancher.example.org/k8s/clusters/c-f7r9g"
    assert set(found.api_key.values()) == {f"Bearer {TOKEN}"}
    assert Path(found.ssl_ca_cert).read_text().strip() == root.strip()
    assert len(pulumi) == 1


def test_the_token_may_come_from_a_file(pulumi: list[list[str]], tmp_path: Path) -> None:
    """Pulumi does not run in this case, and an error about the file never quotes its content."""
    file = tmp_path / "token"
    of = settings({"kind": "rancher", "clusterId": "c-f7r9g"}, rancher={"url": "https://rancher.example.org"})
    with pytest.raises(UserError, match="/token, cannot be read: No such file"):
        connect.connect(of, "prod", Path(), rancher_token_file=file)
    file.write_bytes(b"\xff")
    with pytest.raises(UserError, match="is not text"):
        connect.connect(of, "prod", Path(), rancher_token_file=file)
    file.write_text(f"{TOKEN}\nmore")
    with pytest.raises(UserError, match="mcsps:rancherToken: not a Rancher API token") as refused:
        connect.connect(of, "prod", Path(), rancher_token_file=file)
    assert TOKEN not in str(refused.value)
    file.write_text(f"{TOKEN}\n")
    found = connect.connect(of, "prod", Path(), rancher_token_file=file)["east"]._configuration  # noqa: SLF001 - as above
    assert set(found.api_key.values()) == {f"Bearer {TOKEN}"}
    assert pulumi == []


def test_a_cluster_that_is_named_is_looked_up(pulumi: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The look-up uses the same token. An error about an unknown name contains the config key."""
    of = settings({"kind": "rancher", "clusterName": "the east"}, rancher={"url": "https://rancher.example.org"})

    def find(url: str, ca_certs: str | None, token: str, cluster: rancher_preflight.ClusterQuery) -> str:
        assert (url, ca_certs, token, cluster.name) == ("https://rancher.example.org", None, TOKEN, "the east")
        if len(pulumi) > 1:
            raise UserError("nobody is there", key="mcsps:rancher.url")
        return "c-f7r9g"

    monkeypatch.setattr(rancher_preflight, "find", find)
    assert configuration(of).host == "https://rancher.example.org/k8s/clusters/c-f7r9g"
    with pytest.raises(UserError, match=r"^mcsps:rancher\.url: nobody is there$"):
        configuration(of)


def test_access_kubeconfig_needs_no_pulumi(pulumi: list[list[str]], tmp_path: Path) -> None:
    """The stack's config contains no secret in this case."""
    file = tmp_path / "kubeconfig"
    file.write_text(kubeconfig("east"))
    assert configuration(settings({"kind": "kubeconfig", "path": str(file)})).host.startswith("https://")
    assert pulumi == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "cannot be read: No such file or directory. Check that the cluster is up"),
        (b"\xff", "is not text"),
        (b"kind: Config", "has no current-context"),
    ],
)
def test_a_kubeconfig_that_cannot_be_used_is_named_with_its_cluster(
    tmp_path: Path, text: bytes | None, reason: str
) -> None:
    """The error does not quote the file."""
    file = tmp_path / "kubeconfig"
    if text is not None:
        file.write_bytes(text)
    with pytest.raises(UserError, match=f"the kubeconfig of cluster east {file} {reason}"):
        configuration(settings({"kind": "kubeconfig", "path": str(file)}))


def test_credentials_that_the_client_cannot_load_are_not_quoted(tmp_path: Path) -> None:
    """The library's own message would quote them."""
    file = tmp_path / "kubeconfig"
    file.write_text(
        kubeconfig("east").replace("users:\n", f"users:\n- name: other\n  user:\n    client-key-data: '{TOKEN}'\n")
    )
    with pytest.raises(UserError, match="cannot be used: check its current context") as caught:
        configuration(settings({"kind": "kubeconfig", "path": str(file)}))
    assert TOKEN not in str(caught.value)
