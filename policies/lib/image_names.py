"""Image names and their parts."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Image:
    """A complete image name, such as `docker.io/istio/pilot` with the tag `1.31.1`."""

    repository: str
    tag: str | None

    @property
    def last(self) -> str:
        """The last part of the name, such as `pilot`."""
        return self.repository.rpartition("/")[2]


def parse(text: str) -> Image:
    """Parse an image name; without a registry it is Docker Hub's."""
    name, _, _ = text.partition("@")
    path, _, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    registry, _, _ = path.partition("/")
    if not any(sign in registry for sign in ".:") and registry != "localhost":
        path = f"docker.io/{path or 'library'}"
    return Image(repository=f"{path}/{last}", tag=tag or None)
