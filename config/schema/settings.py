"""The whole stack config without its secrets, and the checks across its sections."""

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
from config.schema.room import check_app_room, check_istio_room, check_scales
from config.schema.trust import Trust
from config.schema.verify import Verify
from config.schema.version import Version
from config.types import Percent
from errors import show, show_location
from mesh import names, routing


def _empty_is_unset(value: object) -> object:
    # Pulumi.yaml can declare an optional object only with a default, and the default can only be an empty object.
    return None if value == {} else value


class Settings(Section):
    """The whole stack config, without its secrets."""

    mesh: Mesh
    clusters: Annotated[tuple[Cluster, ...], Field(min_length=1)]
    """The clusters of the mesh."""
    v2_weight: Percent
    """The percentage of requests that get v2, in every cluster; v1 gets the rest. A cluster must run each of both."""
    audiences: tuple[Audience, ...] = ()
    """Requests that get one version, regardless of `v2Weight`. The first audience that matches a request decides."""
    failover: Failover = Failover()
    trust: Trust = Trust()
    istio: Istio = Istio()
    helloworld: Helloworld = Helloworld()
    links: Links = Links()
    verify: Verify = Verify()
    rancher: Annotated[Rancher | None, BeforeValidator(_empty_is_unset)] = None

    @model_validator(mode="after")
    def _check_clusters(self) -> Self:
        seen: dict[tuple[str, str], int] = {}
        for index, cluster in enumerate(self.clusters):
            for key, value in cluster.unique.items():
                other = seen.setdefault((key, value), index)
                if other != index:
                    raise ValueError(
                        f"{NAMESPACE}:clusters[{index}].{key}: got {show_location(value)}, which "
                        f"clusters[{other}] has too; allowed: a unique {key.rpartition('.')[2]}"
                    )
        return self

    @property
    def present(self) -> tuple[Cluster, ...]:
        """The clusters that are not away, in the order of the config."""
        return tuple(cluster for cluster in self.clusters if not cluster.away)

    @property
    def without_away(self) -> Self:
        """The settings of what is left: without the clusters that are away, and with the effective weight."""
        return self.model_copy(update={"clusters": self.present, "v2_weight": self._effective_v2_weight})

    @property
    def weights(self) -> Mapping[str, int]:
        """The effective percentage of each version: those that run only in clusters that are away get nothing."""
        return routing.weights(self._effective_v2_weight)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the clusters that are away change, a sentence each."""
        away = [cluster.name for cluster in self.clusters if cluster.away]
        if not away:
            return ()
        notes = [f"{', '.join(away)} is away: nothing in it is read, changed or deleted"]
        if self._effective_v2_weight != self.v2_weight:
            lost, left = (Version.V2, Version.V1) if self._effective_v2_weight == 0 else (Version.V1, Version.V2)
            notes.append(
                f"{lost} runs only there, so {left} gets 100 % of the requests instead of "
                f"{routing.weights(self.v2_weight)[left]} %"
            )
        return tuple(notes)

    @property
    def _effective_v2_weight(self) -> int:
        run = _run_by(self.present)
        if Version.V2 not in run:
            return 0
        return self.v2_weight if Version.V1 in run else 100

    @property
    def regions(self) -> tuple[str, ...]:
        """The distinct regions, in the order of the clusters."""
        return tuple(dict.fromkeys(cluster.locality.region for cluster in self.clusters if cluster.locality))

    @property
    def fails_over(self) -> bool:
        """Whether failover is on."""
        return self.istio.installer is Installer.HELM and self.failover.is_on(self.regions)

    def is_within(self, cluster: str, region: str | None) -> bool:
        """Whether a cluster is in a region; `None` stands for any region."""
        return region in {None, self._region_by_cluster[cluster]}

    def v2_weight_for(self, cluster: str, headers: Mapping[str, str]) -> int:
        """The percentage of v2 for requests with these headers from a cluster."""
        for audience in self.audiences:
            if self.is_within(cluster, audience.region) and audience.matches(headers):
                return 100 if audience.version is Version.V2 else 0
        return self._effective_v2_weight

    @property
    def _region_by_cluster(self) -> Mapping[str, str | None]:
        return {cluster.name: cluster.locality.region if cluster.locality else None for cluster in self.clusters}

    @model_validator(mode="after")
    def _check_localities(self) -> Self:
        lacking = [index for index, cluster in enumerate(self.clusters) if cluster.locality is None]
        if self.regions and lacking:
            raise ValueError(
                f"{NAMESPACE}:clusters[{lacking[0]}].locality: missing, and other clusters have one; "
                f"allowed: a locality for all clusters or for none"
            )
        return self

    @model_validator(mode="after")
    def _check_failover(self) -> Self:
        if self.failover.enabled and self.istio.installer is not Installer.HELM:
            raise ValueError(
                f"{NAMESPACE}:failover.enabled: got true; allowed with installer operator: false, since Istio before "
                f"1.20 cannot prefer a cluster and order regions at once. Remove the key"
            )
        self.failover.check(self.regions)
        if not self.fails_over and (changed := self.failover.changed):
            key, value = changed
            raise ValueError(
                f"{NAMESPACE}:failover.{key}: got {show(value)}, but failover is off; allowed: the key only with "
                f"failover. Remove it, or turn failover on"
            )
        return self

    @model_validator(mode="after")
    def _check_audiences(self) -> Self:
        here = _run_by(self.present)
        check_audiences(self.audiences, self._region_by_cluster, here, _run_by(self.clusters) - here)
        return self

    @model_validator(mode="after")
    def _check_versions(self) -> Self:
        run = _run_by(self.clusters)
        if not run:
            raise ValueError(
                f"{NAMESPACE}:clusters: no cluster has versions; allowed: at least one cluster with versions. Set "
                f"clusters[].versions"
            )
        for version, weight in ((Version.V1, 100 - self.v2_weight), (Version.V2, self.v2_weight)):
            if weight and version not in run:
                only = 100 if version is Version.V1 else 0
                raise ValueError(
                    f"{NAMESPACE}:v2Weight: got {self.v2_weight}, but no cluster runs {version}; allowed: {only}. "
                    f"Add {version} to clusters[].versions, or set the weight to {only}"
                )
            if weight == 100 and version not in _run_by(self.present):  # noqa: PLR2004 - percent
                raise ValueError(
                    f"{NAMESPACE}:v2Weight: got {self.v2_weight}, but all clusters that run {version} are away; "
                    f"allowed: {100 - self.v2_weight}"
                )
        return self

    @model_validator(mode="after")
    def _check_away(self) -> Self:
        if not _run_by(self.present):
            raise ValueError(
                f"{NAMESPACE}:clusters: all clusters that run helloworld are away; allowed: at least one cluster with "
                f"versions that is not away"
            )
        return self

    @model_validator(mode="after")
    def _check_links(self) -> Self:
        if self.istio.installer is Installer.OPERATOR and not self.links.read_secrets:
            raise ValueError(
                f"{NAMESPACE}:links.readSecrets: got false; allowed with installer operator: true, since istiod before "
                f"1.31 needs its peers' Secrets"
            )
        return self

    @model_validator(mode="after")
    def _check_project_names(self) -> Self:
        projects = {
            names.project(cluster.name): cluster.name
            for cluster in self.clusters
            if isinstance(cluster.access, RancherAccess)
        }
        for index, cluster in enumerate(self.clusters):
            other = projects.get(names.app_project(cluster.name))
            if other is not None and isinstance(cluster.access, RancherAccess):
                raise ValueError(
                    f"{NAMESPACE}:clusters[{index}].name: got {show(cluster.name)}, and another cluster is "
                    f"{show(other)}, so two Rancher projects would both be {show(names.project(other))} in the state; "
                    f"allowed with access rancher: a name that gives its project another name. Rename the cluster "
                    f"that is not deployed yet"
                )
        return self

    @model_validator(mode="after")
    def _check_rancher(self) -> Self:
        for index, cluster in enumerate(self.clusters):
            if isinstance(cluster.access, RancherAccess) and self.rancher is None:
                raise ValueError(
                    f"{NAMESPACE}:rancher: missing, and clusters[{index}] has access rancher. "
                    f"Set {NAMESPACE}:rancher.url"
                )
        return self

    @model_validator(mode="after")
    def _check_room(self) -> Self:
        check_scales(self.istio)
        by_rancher = [cluster for cluster in self.clusters if isinstance(cluster.access, RancherAccess)]
        if self.rancher is not None and by_rancher:
            check_istio_room(self.istio, self.rancher)
            versions = max(len(cluster.versions) for cluster in by_rancher)
            check_app_room(self.helloworld, self.istio, self.rancher, versions)
        return self


def _run_by(clusters: Iterable[Cluster]) -> frozenset[Version]:
    return frozenset(version for cluster in clusters for version in cluster.versions)


def known_keys(place: Iterable[str | int]) -> list[str]:
    """The keys of the section at a place in pydantic's notation, in which the kind of an access is a step."""
    sections: list[type[Section]] = [Settings]
    for part in place:
        fields = [info for section in sections for info in section.model_fields.values() if info.alias == part]
        if fields:
            sections = [section for info in fields for section in sections_within(info.annotation)]
        elif isinstance(part, str):
            sections = [each for each in sections if part in get_args(each.model_fields["kind"].annotation)]
    return sorted(str(info.alias) for section in sections for info in section.model_fields.values())
