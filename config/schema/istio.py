"""Section `istio`: the version, the source and the installer of Istio."""

import re
from enum import StrEnum
from math import inf
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from config.base import Section
from config.images import Hub, Tag
from config.types import Charts, ChartVersion, TimeoutSeconds
from errors import show
from mesh import istio_values, names


def _check_chart_values(chart: str) -> AfterValidator:
    def check(values: dict[str, Any]) -> dict[str, Any]:
        owned = istio_values.find_owned(chart, values)
        if owned is not None:
            path, got, reason = owned
            raise ValueError(
                f".{path}: got {show(got)}, but {reason}; allowed: the chart's other values. Remove the key"
            )
        replaced = istio_values.find_replaced_map(istio_values.OUTLINES[chart], values)
        if replaced is not None:
            raise ValueError(
                f".{replaced}: not a mapping, so it would remove the program's own values; allowed: a mapping, which "
                f"is merged with them"
            )
        return values

    return AfterValidator(check)


class ChartValues(Section):
    """
    Helm values that override the program's own, by chart; with installer helm only.

    A value that the program must set itself, such as the network, is refused.
    """

    base: Annotated[dict[str, Any], _check_chart_values("base")] = Field(default_factory=dict)
    """Values of the chart `base`, merged into the program's own map by map."""
    istiod: Annotated[dict[str, Any], _check_chart_values("istiod")] = Field(default_factory=dict)
    """Values of the chart `istiod`, merged into the program's own map by map."""
    gateway: Annotated[dict[str, Any], _check_chart_values("gateway")] = Field(default_factory=dict)
    """Values of the chart `gateway`, for every gateway, merged into the program's own map by map."""


class Installer(StrEnum):
    """What creates Istio's objects in a cluster."""

    HELM = "helm"
    """Istio's Helm charts."""
    OPERATOR = "operator"
    """Istio's in-cluster operator, which must already run in each cluster."""


DRAIN_SECONDS = 5
"""The default drain duration of a terminating Istio proxy."""
VERSIONS: dict[Installer, tuple[tuple[int, int], tuple[float, ...]]] = {
    Installer.HELM: ((1, 30), (inf,)),
    Installer.OPERATOR: ((1, 12), (1, 24)),
}
"""By installer: the first allowed version of Istio, and the first that is too new."""
VERSIONS_ALLOWED = {
    Installer.HELM: "1.30 or newer. Set version and tag to one of these",
    Installer.OPERATOR: (
        "1.12 to 1.23, since Istio 1.24 has no in-cluster operator. Set version and tag to one of these, or set "
        "installer to helm"
    ),
}


class Istio(Section):
    """The version, the source and the installer of Istio."""

    installer: Installer = Installer.HELM
    """
    What installs Istio: `helm` uses Istio's charts; `operator` creates IstioOperator resources for Istio's in-cluster
    operator, which must already run in each cluster (docs/adr/0012).
    """
    version: ChartVersion = "1.31.1"
    """The version of the charts or the operator: 1.30 or newer with helm; 1.12 to 1.23 with operator, and required."""
    hub: Hub = "docker.io/istio"
    """The registry and path of Istio's images."""
    tag: Tag = "1.31.1"
    """
    The tag of Istio's images. If it starts with a version, it has the minor version of `version`; required with
    installer operator.
    """
    charts: Charts = "https://blob.istio.io/istio-release/charts"
    """
    The source of the charts: an https:// repository, an oci:// registry, or the absolute path of a folder with the
    charts `base`, `istiod` and `gateway`. With installer helm only.
    """
    timeout_seconds: TimeoutSeconds = 600
    """How long to wait for each Deployment, load balancer and IstioOperator to become ready, in seconds."""
    values: ChartValues = ChartValues()
    """Helm values that override the program's own, by chart. With installer helm only."""

    @property
    def networking_api(self) -> str:
        """The apiVersion of Istio's routing; with the operator the one that all of its versions serve."""
        by_helm = self.installer is Installer.HELM
        return names.NETWORKING_API if by_helm else names.NETWORKING_API_BEFORE_1_22

    @property
    def drain_seconds(self) -> int:
        """The preStop sleep in seconds; 0 with the operator, because it needs Kubernetes 1.30."""
        return DRAIN_SECONDS if self.installer is Installer.HELM else 0

    @model_validator(mode="after")
    def _check_versions(self) -> Self:
        first, end = VERSIONS[self.installer]
        minors = {}
        for key, value in (("version", self.version), ("tag", self.tag)):
            # A mirror may have tags that are not versions.
            found = re.match(r"([0-9]+)\.([0-9]+)[-.0-9A-Za-z]{0,40}", value)
            if found is None:
                continue
            minors[key] = minor = int(found[1]), int(found[2])
            if not first <= minor < end:
                raise ValueError(
                    f".{key}: got {show(found[0])}; allowed with installer {self.installer}: "
                    f"{VERSIONS_ALLOWED[self.installer]}"
                )
        if minors.get("tag", minors["version"]) != minors["version"]:
            raise ValueError(
                f".tag: got {show(self.tag)}, and version is {show(self.version)}; allowed: a tag of the same minor "
                f"version. Set both to one version"
            )
        return self

    @model_validator(mode="after")
    def _check_charts(self) -> Self:
        if self.installer is not Installer.HELM:
            given = [f"values.{chart}" for chart, values in self.values if values]
            for key in (["charts"] if "charts" in self.model_fields_set else []) + given:
                raise ValueError(
                    f".{key}: set with installer operator; allowed: only with installer helm, since the operator has "
                    f"its own charts. Remove the key"
                )
        return self
