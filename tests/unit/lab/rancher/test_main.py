"""The server as a command."""

import os
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx

from lab.rancher import WHAT_IT_IS
from lab.rancher.config import render
from tests.support import live
from tests.support.rancher_double import CLUSTER, config

ROOT = Path(__file__).resolve().parents[4]
SECONDS = 20.0


def test_it_says_what_it_is_serves_and_ends_when_told(tmp_path: Path) -> None:
    """This holds although its clusters are unreachable, and its log contains neither the token nor a key."""
    live.certify(tmp_path)
    with live.listening() as sock:
        port = sock.getsockname()[1]
    server_config = config(tmp_path)
    own = {
        "ca_file": server_config.ca_file,
        "certificate_file": server_config.certificate_file,
        "key_file": server_config.key_file,
    }
    server = f"https://{live.LOOPBACK}:{port + 1 if port < 65535 else port - 1}"
    clusters = tuple(it.model_copy(update={**own, "server": server}) for it in server_config.clusters)
    url = f"https://{live.LOOPBACK}:{port}"
    file = tmp_path / "config.yaml"
    file.write_text(render(server_config.model_copy(update={"port": port, "url": url, "clusters": clusters})))
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the lab's own program
            (sys.executable, "-m", "lab.rancher", f"--config={file}"),
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"},
            stdout=output,
            stderr=output,
        )
    try:
        trusted = ssl.create_default_context(cafile=server_config.ca_file)
        with httpx.Client(base_url=url, verify=trusted, trust_env=False) as client:
            deadline = time.monotonic() + SECONDS
            while not _answers(client):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline
                time.sleep(0.1)
            token = server_config.admin_token_file.read_text()
            headers = {"Authorization": f"Bearer {token}"}
            assert client.get(f"/v3/clusters/{CLUSTER}", headers=headers).json()["name"] == "east"
            assert client.get(f"/k8s/clusters/{CLUSTER}/api", headers=headers).status_code == 502
        process.terminate()
        assert process.wait(SECONDS) in {0, -15}
    finally:
        process.kill()
    said = log.read_text()
    assert WHAT_IT_IS in said.splitlines()[0]
    assert "east: ConnectError; retrying" in said
    assert token.partition(":")[2] not in said
    assert "PRIVATE KEY" not in said
    assert server_config.admin_token_file.stat().st_mode & 0o777 == 0o600


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/ping").text == "pong"
    except httpx.TransportError:
        return False
