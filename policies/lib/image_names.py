"""Names of images and of their sources, normalised as distribution's reference package does."""

from dataclasses import dataclass
from urllib.parse import urlsplit

DOCKER_HUB = "docker.io"
ALIASES = {"index.docker.io": DOCKER_HUB}
"""Registries that distribution replaces by another name."""
DEFAULT_PORT = ":443"


@dataclass(frozen=True, kw_only=True)
class Image:
    """A complete image name, such as `docker.io/istio/pilot` with the tag `1.31.1`."""

    repository: str
    tag: str | None
    is_latest: bool = False
    """Whether neither a tag nor a digest selects a version, so that the tag `latest` is pulled."""

    @property
    def last(self) -> str:
        """The last part of the name, such as `pilot`."""
        return self.repository.rpartition("/")[2]


def parse(text: str) -> Image:
    """Parse an image name; without a registry it is Docker Hub's."""
    name, _, digest = text.partition("@")
    path, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    repository = source(f"{path}{slash}{last}")
    registry, _, rest = repository.partition("/")
    if registry == DOCKER_HUB and "/" not in rest:
        repository = f"{DOCKER_HUB}/library/{rest}"
    return Image(repository=repository, tag=tag or None, is_latest=not tag and not digest)


def source(text: str) -> str:
    """
    Normalise the registry of an image's name or of a hub, or the host of a URL, and remove a URL's scheme.

    Hosts are the same in capitals and with the default port.
    """
    if "://" in text:
        host, path = _split(text)
    else:
        host, slash, path = text.partition("/")
        is_host = any(sign in host for sign in ".:") or host == "localhost" or host != host.lower()
        host, path = (host, f"{slash}{path}") if is_host else (DOCKER_HUB, f"/{text}")
    host = host.lower().removesuffix(DEFAULT_PORT)
    return f"{ALIASES.get(host, host)}{path}".rstrip("/")


def _split(url: str) -> tuple[str, str]:
    try:
        found = urlsplit(url)
    except ValueError:
        # Such as brackets without an IPv6 address: no client can connect to it either.
        return url.partition("://")[2], ""
    return found.netloc.rpartition("@")[2], found.path
