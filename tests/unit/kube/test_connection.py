"""Clients of a cluster's API, built from a kubeconfig or from certificate files."""

import base64
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from kube import connection
from kube.connection import KubeconfigError
from tests.support import pems
from tests.support.stacks import kubeconfig


@pytest.mark.parametrize("text", ["token: hunter2hunter2", "{", "[]", "", "kind: Config\nclusters: [{}]"])
def test_a_kubeconfig_that_the_library_cannot_use_is_not_quoted(text: str) -> None:
    """The text may contain a token."""
    with pytest.raises(KubeconfigError) as caught:
        connection.from_kubeconfig(text)
    assert str(caught.value) == "cannot be used: check its current context"


def test_a_kubeconfigs_client_retries_nothing_by_itself() -> None:
    """Only the callers know which requests are safe to repeat."""
    assert connection.from_kubeconfig(kubeconfig("east")).retries is False


def test_certificates_are_read_where_they_are_and_no_proxy_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy from the environment cannot reach a cluster on this machine."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.org")
    ca, certificate, key = (tmp_path / name for name in ("ca.crt", "admin.crt", "admin.key"))
    found = connection.from_certificate("https://a:6443", ca_file=ca, certificate_file=certificate, key_file=key)
    assert (found.host, found.proxy) == ("https://a:6443", None)
    assert (found.ssl_ca_cert, found.cert_file, found.key_file) == (str(ca), str(certificate), str(key))


def with_a_key(folder: Path) -> tuple[str, str]:
    """Create a kubeconfig that contains a key and refers to a certificate in a folder; return it and the key."""
    key = pems.key_pem(pems.make_key())
    document = yaml.safe_load(kubeconfig("east"))
    data = base64.b64encode(key.encode()).decode()
    document["users"][0]["user"] = {"client-certificate": "own.crt", "client-key-data": data}
    (folder / "own.crt").write_text(pems.make_root(pems.make_key()))
    return yaml.safe_dump(document), key


@pytest.mark.skipif(sys.platform != "linux", reason="files of memory are Linux's")
def test_no_key_is_copied_to_a_file_that_outlives_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This holds even if the process is killed. Relative paths start at the given folder."""
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    text, key = with_a_key(tmp_path)
    found: Any = connection.from_kubeconfig(text, tmp_path)
    assert [Path(found.key_file).read_text() for _ in range(2)] == [key, key]
    assert found.cert_file == str(tmp_path / "own.crt")
    assert list(copies.iterdir()) == []


def test_elsewhere_the_librarys_own_copies_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library removes them when the process exits normally."""
    monkeypatch.setattr(sys, "platform", "darwin")
    text, key = with_a_key(tmp_path)
    found: Any = connection.from_kubeconfig(text, tmp_path)
    assert Path(found.key_file).read_text() == key
    assert Path(found.key_file).parent == Path(tempfile.gettempdir())
