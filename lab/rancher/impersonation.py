"""The headers with which the server impersonates its users in a cluster: pure."""

from lab.rancher.tokens import Identity


def headers(who: Identity, host: str = "") -> tuple[tuple[str, str], ...]:
    """Return the impersonation headers of a user; `host` is the server's name in the client's request."""
    extra = [("requesttokenid", who.token), ("username", who.username), *(("principalid", it) for it in who.principals)]
    extra += [("requesthost", host)] if host else []
    return (
        ("Impersonate-User", who.user),
        *(("Impersonate-Group", it) for it in who.groups),
        *((f"Impersonate-Extra-{key}", value) for key, value in extra),
    )
