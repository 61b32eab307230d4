"""The check of the folder with Istio's charts."""

from pathlib import Path

import pytest

from config.preflight import charts
from config.schema import Installer, Istio
from errors import UserError


def put_charts(folder: Path, *names: str) -> None:
    """Put charts into a folder."""
    for name in names:
        (folder / name).mkdir()
        (folder / name / "Chart.yaml").touch()


def test_a_folder_with_all_charts_is_taken(tmp_path: Path) -> None:
    """The check reads no repository and no registry."""
    put_charts(tmp_path, "base", "istiod", "gateway")
    for source in (str(tmp_path), "https://charts.example", "oci://charts.example/x"):
        charts.check(Istio(charts=source))
    charts.check(Istio(installer=Installer.OPERATOR, version="1.23.6", tag="1.23.6"))


def test_a_folder_without_a_chart_is_refused_by_what_it_lacks(tmp_path: Path) -> None:
    """The error contains the charts that the folder must have."""
    put_charts(tmp_path, "base")
    (tmp_path / "istiod").mkdir()
    with pytest.raises(UserError) as caught:
        charts.check(Istio(charts=str(tmp_path)))
    assert str(caught.value) == (
        f"mcsps:istio.charts: got '{tmp_path}', which has no file istiod/Chart.yaml; allowed: a folder with the charts "
        "base, istiod, gateway. Set the folder with these charts, or a repository"
    )


@pytest.mark.parametrize("source", ["/no/such/folder", "/dev/null", f"/{'x' * 300}", "/a\0b"])
def test_what_is_no_folder_is_refused(source: str) -> None:
    """The error has no traceback."""
    with pytest.raises(UserError, match=r"which has no file base/Chart\.yaml"):
        charts.check(Istio(charts=source))
