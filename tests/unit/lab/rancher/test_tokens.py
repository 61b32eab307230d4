"""The lifetime and the scope of tokens, and that their values cannot be read again."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.rancher import hashing, names, tokens
from tests.support.rancher_double import CLUSTER, OTHER, URL, RancherDouble

HOUR = 3_600_000
NAMESPACES = "/api/v1/namespaces"


def proxied(server: RancherDouble, token: str, cluster: str = CLUSTER) -> int:
    """Return the status of a request for a cluster's namespaces."""
    return server.ask("GET", f"/k8s/clusters/{cluster}{NAMESPACES}", token=token).status_code


def test_a_token_s_value_is_shown_once(server: RancherDouble) -> None:
    """Later, neither the API nor the file contains it."""
    made = server.token(description="mcsps provider of east", ttl=HOUR)
    key = made["token"].partition(":")[2]
    assert made["token"].startswith(made["id"])
    assert "token" not in server.ask("GET", f"/v3/tokens/{made['id']}").json()
    assert key not in server.ask("GET", "/v3/tokens").text
    state = server.config.state_file
    assert state is not None
    assert key not in state.read_text()


def test_a_token_has_the_fields_that_the_provider_reads(server: RancherDouble) -> None:
    """The most important is `enabled`, which it reads without a check that it exists."""
    made = server.token(description="d", ttl=HOUR, clusterId=CLUSTER)
    read = server.ask("GET", f"/v3/tokens/{made['id']}").json()
    expected = {"clusterId": CLUSTER, "description": "d", "enabled": True, "expired": False, "ttl": HOUR}
    assert expected.items() <= read.items()
    assert read["expiresAt"] == "2026-01-01T01:00:00Z"
    assert read["links"]["remove"] == read["links"]["self"]
    assert read["userId"] == "user-admin"


def test_a_token_of_a_cluster_is_good_there_and_nowhere_else(server: RancherDouble) -> None:
    """It is not valid in another cluster or in the server's API."""
    token = server.token(clusterId=CLUSTER)["token"]
    assert proxied(server, token) == 200
    assert proxied(server, token, OTHER) == 401
    assert server.ask("GET", "/v3/projects", token=token).status_code == 401
    assert server.ask("GET", f"/v3/cluster/{CLUSTER}/namespaces", token=token).status_code == 200


def test_an_expired_token_is_refused_and_says_that_it_is_expired(server: RancherDouble) -> None:
    """It stays in the list, so that users can see the reason."""
    made = server.token(ttl=HOUR)
    server.advance(minutes=59)
    assert proxied(server, made["token"]) == 200
    server.advance(minutes=1)
    assert proxied(server, made["token"]) == 401
    assert server.ask("GET", f"/v3/tokens/{made['id']}").json()["expired"] is True


def test_a_revoked_token_is_refused_at_once(server: RancherDouble) -> None:
    """It does not exist any more."""
    made = server.token(ttl=HOUR)
    assert server.ask("DELETE", f"/v3/tokens/{made['id']}").status_code == 204
    assert proxied(server, made["token"]) == 401
    assert server.ask("GET", f"/v3/tokens/{made['id']}").status_code == 404


@pytest.mark.parametrize("change", [lambda it: it + "x", lambda it: it.partition(":")[0], lambda _: "token-none:key"])
def test_a_token_that_is_not_whole_is_refused(server: RancherDouble, change: object) -> None:
    """This holds for a wrong key, no key, and an unknown id."""
    assert callable(change)
    assert proxied(server, change(server.token()["token"])) == 401


def test_basic_credentials_are_a_token_too(server: RancherDouble) -> None:
    """The two parts are access key and secret key."""
    value = base64.b64encode(server.token()["token"].encode()).decode()
    headers = [("Authorization", f"Basic {value}")]
    assert server.ask("GET", "/v3/projects", token="", headers=headers).status_code == 200


def test_the_session_s_own_token_cannot_be_removed(server: RancherDouble) -> None:
    """In Rancher, the user logs out instead."""
    answer = server.ask("DELETE", f"/v3/tokens/{server.admin.partition(':')[0]}")
    assert answer.status_code == 400
    assert "Use logout instead" in answer.json()["message"]


def test_users_see_their_own_tokens_alone(server: RancherDouble) -> None:
    """The answer does not reveal whether there are others."""
    made = server.token()
    _, theirs = server.user("reader", names.generate_key())
    listed = server.ask("GET", "/v3/tokens", token=theirs).json()["data"]
    assert [it["name"] for it in listed] == [theirs.partition(":")[0]]
    answer = server.ask("GET", f"/v3/tokens/{made['id']}", token=theirs)
    assert (answer.status_code, answer.json()["message"]) == (404, f"{made['id']} not found")


def test_a_disabled_user_s_tokens_are_refused(server: RancherDouble) -> None:
    """All tokens are revoked at once."""
    user, token = server.user("reader", names.generate_key())
    assert server.ask("GET", "/v3/settings", token=token).status_code == 200
    server.ask("PUT", f"/v3/users/{user}", {"enabled": False})
    assert server.ask("GET", "/v3/settings", token=token).status_code == 401


def test_a_wrong_password_begins_no_session(server: RancherDouble) -> None:
    """An unknown name gets the same answer."""
    server.user("reader", names.generate_key())
    for name in ("reader", "nobody"):
        body = {"username": name, "password": names.generate_key()}
        answer = server.ask("POST", "/v3-public/localProviders/local?action=login", body, token="")
        assert (answer.status_code, answer.json()["message"]) == (401, "authentication failed")


def test_a_new_password_is_set_by_whoever_may_change_the_user(server: RancherDouble) -> None:
    """The provider sets it in this way. The old one is no longer valid, and the answer contains neither."""
    old, new = names.generate_key(), names.generate_key()
    user, token = server.user("reader", old)
    path = f"/v3/users/{user}"
    action = f"{path}?action=setpassword"
    assert server.ask("GET", path).json()["actions"] == {"setpassword": f"{URL}{action}"}
    assert server.ask("GET", path, token=token).json()["actions"] == {}
    assert server.ask("POST", action, {"newPassword": new}, token=token).status_code == 403
    assert server.ask("POST", action, {}).json()["fieldName"] == "newPassword"
    assert server.ask("POST", f"{path}?action=setoff", {}).status_code == 422
    answer = server.ask("POST", action, {"newPassword": new})
    assert (answer.json()["id"], answer.json()["links"]["self"]) == (user, f"{URL}{path}")
    assert "hash" not in answer.json()
    assert new not in answer.text
    for password, status in ((old, 401), (new, 201)):
        body = {"username": "reader", "password": password}
        login = server.ask("POST", "/v3-public/localProviders/local?action=login", body, token="")
        assert login.status_code == status


@pytest.mark.parametrize("path", ["/v1-public/login", "/v3-public/localProviders/local?action=login"])
def test_a_session_lives_as_long_as_the_setting_says(server: RancherDouble, path: str) -> None:
    """This holds for every requested ttl and both forms of login, and the answer contains only what is needed."""
    password = names.generate_key()
    server.make("/v3/users", {"username": "reader", "password": password})
    body = {"type": "localProvider", "username": "reader", "password": password, "ttl": 60_000}
    shown = server.ask("POST", path, body, token="").json()
    assert sorted(shown) == ["baseType", "expiresAt", "id", "token", "type"]
    assert shown["expiresAt"] == "2026-01-01T16:00:00Z"
    server.advance(hours=15)
    assert server.ask("GET", "/v3/tokens", token=shown["token"]).status_code == 200
    server.advance(hours=2)
    assert server.ask("GET", "/v3/tokens", token=shown["token"]).status_code == 401


def test_no_answer_holds_a_hash(server: RancherDouble) -> None:
    """No answer contains the hash of a key or a password, for any user, at the creation or later."""
    password = names.generate_key()
    made = server.make("/v3/users", {"username": "reader", "password": password})
    body = {"username": "reader", "password": password}
    login = server.ask("POST", "/v3-public/localProviders/local?action=login", body, token="")
    answers = [
        login,
        server.ask("GET", "/v3/users"),
        server.ask("GET", "/v3/tokens"),
        server.ask("POST", "/v3/tokens", {}),
    ]
    for text in (str(made), *(it.text for it in answers)):
        assert "hash" not in text
        assert password not in text


def test_a_session_ends_with_its_token(server: RancherDouble) -> None:
    """The provider logs out after it has used a user's password."""
    _, token = server.user("reader", names.generate_key())
    assert server.ask("POST", "/v3/tokens?action=logout", token=token).status_code == 200
    assert server.ask("GET", "/v3/tokens", token=token).status_code == 401


@pytest.mark.parametrize(
    ("ttl", "most", "default", "expected"),
    [
        (0, 90, 30, 30),
        (0, 90, 0, 90),
        (60, 90, 30, 60),
        (91, 90, 30, 90),
        (-1, 90, 30, 90),
        (-1, 0, 30, -1),
        (0, 0, 0, -1),
    ],
)
def test_a_ttl_is_the_default_s_where_none_is_asked_for_and_never_beyond_the_most(
    ttl: int, most: int, default: int, expected: int
) -> None:
    """Rancher reduces a longer one without an error."""
    assert tokens.clamp_ttl(ttl, most, default) == expected


def test_a_ttl_beyond_the_server_s_most_is_cut_without_a_word(server: RancherDouble) -> None:
    """The requested ttl and the actual one then differ, so clients must check it."""
    server.ask("PUT", f"/v3/settings/{tokens.MAX_TTL}", {"value": "60"})
    assert server.token(ttl=2 * HOUR)["ttl"] == HOUR


@pytest.mark.parametrize(
    ("path", "cluster"),
    [
        ("/k8s/clusters/c-1/api", "c-1"),
        ("/k8s/clusters/c-1", "c-1"),
        ("/v3/cluster/c-1/namespaces", "c-1"),
        ("/v3/clusters/c-1", "c-1"),
        ("/v3/projects/c-1:p-1", ""),
        ("/v3/clusters", ""),
        ("/other/clusters/c-1", ""),
    ],
)
def test_a_path_says_which_cluster_it_leads_to(path: str, cluster: str) -> None:
    """The id decides whether a token of a cluster is valid."""
    assert tokens.cluster_of(path) == cluster


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_hash_is_of_its_own_key_alone(key: str, other: str) -> None:
    """Two hashes of one key differ."""
    hashed = hashing.hash_key(key)
    assert hashing.is_key(key, hashed)
    assert hashing.is_key(other, hashed) == (key == other)
    assert hashed != hashing.hash_key(key)
