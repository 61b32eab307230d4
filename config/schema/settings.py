"""The whole stack config, secrets excepted, and the rules that tie its sections to each other."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Self, get_args

from pydantic import BeforeValidator, Field, model_validator

from config.base import NAMESPACE, Section, sections_within
from config.schema.audiences import Audience, check_audiences
from config.schema.cluster import Cluster, RancherAccess
from config.schema.failover import Failover
from config.schema.helloworld import Helloworld
from config.schema.istio import Installer, Istio
from config.schema.links import Links
from config.schema.mesh import Mesh
from config.schema.rancher import Rancher
from config.schema.trust import Trust
from config.schema.verify import Verify
from config.schema.version import Version
from config.types import Percent


def _empty_is_unset(value: object) -> object:
    # Pulumi.yaml can declare an optional object only with a default, and the default only as an empty one.
    return None if value == {} else value


class Settings(Section):
    """The whole stack config, secrets excepted."""

    mesh: Mesh
    clusters: Annotated[tuple[Cluster, ...], Field(min_length=1)]
    v2_weight: Percent
    audiences: tuple[Audience, ...] = ()
    failover: Failover = Failover()
    trust: Trust = Trust()
    istio: Istio = Istio()
    helloworld: Helloworld = Helloworld()
    links: Links = Links()
    verify: Verify = Verify()
    rancher: Annotated[Rancher | None, BeforeValidator(_empty_is_unset)] = None

    @model_validator(mode="after")
    def _check_clusters(self) -> Self:
        for label in ("name", "network"):
            seen: dict[str, int] = {}
            for index, cluster in enumerate(self.clusters):
                value = getattr(cluster, label)
                if value in seen:
                    message = (
                        f"{NAMESPACE}:clusters[{index}].{label}: '{value}' is also that of clusters[{seen[value]}]; "
                        f"allowed is one {label} for each cluster"
                    )
                    raise ValueError(message)
                seen[value] = index
        return self

    @property
    def regions(self) -> tuple[str, ...]:
        """The clusters' regions, each once, in the order of the clusters."""
        return tuple(dict.fromkeys(cluster.locality.region for cluster in self.clusters if cluster.locality))

    @property
    def fails_over(self) -> bool:
        """Whether clients watch endpoints and leave their own cluster when it is dead."""
        return self.istio.installer is Installer.HELM and self.failover.is_on(self.regions)

    def is_within(self, cluster: str, region: str | None) -> bool:
        """Whether a cluster is in a region; none stands for all of them."""
        return region in {None, self._region_by_cluster[cluster]}

    def v2_weight_for(self, cluster: str, headers: Mapping[str, str]) -> int:
        """Percent of v2 among the answers to such requests from a cluster."""
        for audience in self.audiences:
            if self.is_within(cluster, audience.region) and audience.means(headers):
                return 100 if audience.version is Version.V2 else 0
        return self.v2_weight

    @property
    def _region_by_cluster(self) -> Mapping[str, str | None]:
        return {cluster.name: cluster.locality.region if cluster.locality else None for cluster in self.clusters}

    @model_validator(mode="after")
    def _check_localities(self) -> Self:
        lacking = [index for index, cluster in enumerate(self.clusters) if cluster.locality is None]
        if self.regions and lacking:
            message = (
                f"{NAMESPACE}:clusters[{lacking[0]}].locality: missing, and other clusters have one; "
                f"allowed is a locality for each cluster or for none"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_failover(self) -> Self:
        if self.failover.enabled and self.istio.installer is not Installer.HELM:
            message = (
                f"{NAMESPACE}:failover.enabled: got true; allowed with installer helm alone, for Istio before 1.20 "
                f"cannot both prefer a cluster and sort regions: leave it out"
            )
            raise ValueError(message)
        self.failover.check(self.regions)
        return self

    @model_validator(mode="after")
    def _check_audiences(self) -> Self:
        run = {version for cluster in self.clusters for version in cluster.versions}
        check_audiences(self.audiences, self._region_by_cluster, run)
        return self

    @model_validator(mode="after")
    def _check_versions(self) -> Self:
        run = {version for cluster in self.clusters for version in cluster.versions}
        for version, weight in ((Version.V1, 100 - self.v2_weight), (Version.V2, self.v2_weight)):
            if weight and version not in run:
                message = (
                    f"{NAMESPACE}:v2Weight: {self.v2_weight} sends {weight} % to {version}, which no cluster runs; "
                    f"add {version} to a cluster's versions, or set the weight to {100 if version is Version.V1 else 0}"
                )
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_links(self) -> Self:
        if self.istio.installer is Installer.OPERATOR and not self.links.read_secrets:
            message = (
                f"{NAMESPACE}:links.readSecrets: got false; allowed with installer operator is true, for no istiod "
                f"before 1.31 can do without its peers' Secrets"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_rancher(self) -> Self:
        for index, cluster in enumerate(self.clusters):
            if isinstance(cluster.access, RancherAccess) and self.rancher is None:
                message = (
                    f"{NAMESPACE}:rancher: missing, and clusters[{index}] has access rancher; "
                    f"set the Rancher server's url"
                )
                raise ValueError(message)
        return self


def known_keys(place: Iterable[str | int]) -> list[str]:
    """The keys of the section at a place, as pydantic names places: a chosen kind of access is a part of them."""
    sections: list[type[Section]] = [Settings]
    for part in place:
        fields = [info for section in sections for info in section.model_fields.values() if info.alias == part]
        if fields:
            sections = [section for info in fields for section in sections_within(info.annotation)]
        elif isinstance(part, str):
            sections = [each for each in sections if part in get_args(each.model_fields["kind"].annotation)]
    return sorted(str(info.alias) for section in sections for info in section.model_fields.values())
