"""Section `istio`: which Istio, from where, and who installs it."""

import re
from enum import StrEnum
from math import inf
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from config.base import NAMESPACE, Section
from config.types import Charts, ChartVersion, NonEmpty, TimeoutSeconds
from mesh import istio_values, names


def _check_chart_values(chart: str) -> AfterValidator:
    def check(values: dict[str, Any]) -> dict[str, Any]:
        replaced = istio_values.find_replaced_map(istio_values.OUTLINES[chart], values)
        if replaced is not None:
            message = (
                f"'{replaced}' would replace what the program itself says there; allowed is a mapping laid over it"
            )
            raise ValueError(message)
        return values

    return AfterValidator(check)


class ChartValues(Section):
    """Helm values laid over the program's own, by chart."""

    base: Annotated[dict[str, Any], _check_chart_values("base")] = Field(default_factory=dict)
    istiod: Annotated[dict[str, Any], _check_chart_values("istiod")] = Field(default_factory=dict)
    gateway: Annotated[dict[str, Any], _check_chart_values("gateway")] = Field(default_factory=dict)


class Installer(StrEnum):
    """Who makes Istio's objects in a cluster."""

    HELM = "helm"
    OPERATOR = "operator"


DRAIN_SECONDS = 5
"""Of an Istio proxy that is to end, unless told otherwise."""


VERSIONS: dict[Installer, tuple[tuple[int, int], tuple[float, ...]]] = {
    Installer.HELM: ((1, 30), (inf,)),
    Installer.OPERATOR: ((1, 12), (1, 24)),
}
"""By installer: the first version of Istio, and the first that is too new."""


VERSIONS_TOLD = {
    Installer.HELM: "1.30 or newer; set version and tag to one of these",
    Installer.OPERATOR: "1.12 to 1.23, for Istio 1.24 has no in-cluster operator; set version and tag to one of these, "
    "or installer helm",
}


class Istio(Section):
    """Which Istio, from where, and who installs it."""

    installer: Installer = Installer.HELM
    version: ChartVersion = "1.31.1"
    hub: NonEmpty = "docker.io/istio"
    tag: NonEmpty = "1.31.1"
    charts: Charts = "https://blob.istio.io/istio-release/charts"
    timeout_seconds: TimeoutSeconds = 600
    values: ChartValues = ChartValues()

    @property
    def networking_api(self) -> str:
        """The apiVersion of Istio's routing: by the operator the one that all of its versions serve."""
        by_helm = self.installer is Installer.HELM
        return names.NETWORKING_API if by_helm else names.NETWORKING_API_BEFORE_1_22

    @property
    def drain_seconds(self) -> int:
        """How long a pod that is to end goes on answering; Kubernetes of the operator's time cannot wait."""
        return DRAIN_SECONDS if self.installer is Installer.HELM else 0

    @model_validator(mode="after")
    def _check_versions(self) -> Self:
        first, end = VERSIONS[self.installer]
        for key, value in (("version", self.version), ("tag", self.tag)):
            # A mirror may have tags of its own kind, which say nothing of a version.
            found = re.match(r"([0-9]+)\.([0-9]+)[-.0-9A-Za-z]{0,40}", value)
            if found and not first <= (int(found[1]), int(found[2])) < end:
                message = (
                    f"{NAMESPACE}:istio.{key}: got '{found[0]}'; allowed with installer {self.installer} is "
                    f"{VERSIONS_TOLD[self.installer]}"
                )
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_charts(self) -> Self:
        if self.installer is not Installer.HELM:
            given = [f"values.{chart}" for chart, values in self.values if values]
            for key in (["charts"] if "charts" in self.model_fields_set else []) + given:
                message = (
                    f"{NAMESPACE}:istio.{key}: is set; allowed with installer helm alone, for the operator brings its "
                    f"own charts: leave it out"
                )
                raise ValueError(message)
        return self
