"""The addresses of API servers."""

import pytest

from mesh import addresses


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://east", "https://EAST:443/"),
        ("https://east.:6443", "https://east:6443"),
        ("https://[::1]:6443", "https://[0:0:0:0:0:0:0:1]:6443/"),
        ("https://r.example/k8s/clusters/c-1", "https://r.example/k8s/clusters/c-1/"),
    ],
)
def test_one_address_in_two_spellings_is_one(one: str, other: str) -> None:
    """Case, the default port and a trailing slash do not change the address."""
    assert addresses.normalized(one) == addresses.normalized(other)


@pytest.mark.parametrize("other", ["https://east:6444", "https://west:6443", "https://east:6443/below"])
def test_another_host_port_or_path_is_another_address(other: str) -> None:
    """Rancher serves all its clusters at one host and port."""
    assert addresses.normalized("https://east:6443") != addresses.normalized(other)


@pytest.mark.parametrize(
    "url",
    [
        *("https://", "https://u@east", "https://east?a=b", "https://east#a", "https://east:70000", "https://[::1"),
        *(
            "https://east:0",
            "https://[1:2]",
            "https://a..b",
            "https:// east",
            f"https://{'a' * 64}",
            "https://east..com",
        ),
        # Some resolvers resolve these to 127.0.0.1.
        *("https://127.1", "https://2130706433", "https://0x7f000001", "https://0"),
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    """URLs with credentials are refused as well."""
    with pytest.raises(ValueError, match=r"."):
        addresses.normalized(url)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.8.9.1", "0.0.0.0", "[::1]", "[::]", "169.254.1.1"),  # noqa: S104 - an address to refuse
        *("localhost", "LOCALHOST", "kind.localhost", "localhost.", "localhost.localdomain", "ip6-localhost"),
        *("[::ffff:127.0.0.1]", "kubernetes.docker.internal", "host.docker.internal"),
        *("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"),
    ],
)
def test_an_address_that_leads_each_machine_or_cluster_to_itself_is_local(host: str) -> None:
    """From another cluster, the address leads to another server or to none."""
    assert addresses.is_local(f"https://{host}:6443")


@pytest.mark.parametrize(
    "host",
    [
        *("10.0.0.1", "198.18.0.10", "[2001:db8::1]", "[::ffff:10.0.0.1]"),
        *("east", "kubernetes.example", "localhost.example", "api.svc", "kube_api.1a", "east.example."),
    ],
)
def test_a_private_or_public_address_is_not_local(host: str) -> None:
    """Clusters in the same network can reach private addresses."""
    assert not addresses.is_local(f"https://{host}:6443")


def test_ranchers_proxy_is_known_by_its_path() -> None:
    """The path of the proxy may follow the path of Rancher itself."""
    assert addresses.is_rancher_proxy("https://r.example/below/k8s/clusters/c-m-abcd1234")
    assert not addresses.is_rancher_proxy("https://r.example/k8s")
