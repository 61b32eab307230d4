"""How a user of the server is known to a cluster: by the headers with which the server speaks for him. Pure."""

from lab.rancher.tokens import Identity


def headers(who: Identity, host: str = "") -> tuple[tuple[str, str], ...]:
    """Return the headers; `host` is what the client called the server."""
    extra = [("requesttokenid", who.token), ("username", who.username), *(("principalid", it) for it in who.principals)]
    extra += [("requesthost", host)] if host else []
    return (
        ("Impersonate-User", who.user),
        *(("Impersonate-Group", it) for it in who.groups),
        *((f"Impersonate-Extra-{key}", value) for key, value in extra),
    )
