"""The parts of an image's name."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Image:
    """A name as it is pulled, such as `docker.io/istio/pilot` with the tag `1.31.1`."""

    repository: str
    tag: str | None

    @property
    def last(self) -> str:
        """The last part of the name, such as `pilot`."""
        return self.repository.rpartition("/")[2]


def parse(text: str) -> Image:
    """Read an image's name; one without a registry is Docker Hub's."""
    name, _, _ = text.partition("@")
    path, _, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    registry, _, _ = path.partition("/")
    if not any(sign in registry for sign in ".:") and registry != "localhost":
        path = f"docker.io/{path or 'library'}"
    return Image(repository=f"{path}/{last}", tag=tag or None)
