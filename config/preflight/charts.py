"""Checks the folder of Istio's charts before anything changes."""

from pathlib import Path

from config.base import NAMESPACE
from config.schema import Installer, Istio
from errors import UserError, show_location
from mesh import istio_values


def check(istio: Istio) -> None:
    """
    Require the charts in a folder; a repository or a registry is not queried.

    Args:
        istio: The section `istio` of the config.

    Raises:
        UserError: The folder lacks a chart, or cannot be read.
    """
    source = istio.charts
    if istio.installer is not Installer.HELM or not source.startswith("/"):
        return
    try:
        missing = [chart for chart in istio_values.OUTLINES if not (Path(source) / chart / "Chart.yaml").is_file()]
    except (OSError, ValueError):
        missing = list(istio_values.OUTLINES)
    if missing:
        raise UserError(
            f"got {show_location(source)}, which has no file {missing[0]}/Chart.yaml; allowed: a folder "
            f"with the charts {', '.join(istio_values.OUTLINES)}",
            "Set the folder with these charts, or a repository",
            key=f"{NAMESPACE}:istio.charts",
        )
