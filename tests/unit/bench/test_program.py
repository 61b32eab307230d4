"""The measured preview, and its floor."""

import json
from pathlib import Path

from bench.preview import preview
from bench.program import BARE_PROGRAM, PROGRAM, Size, grow, program_config
from bench.stats import Comparison, Sample


def test_the_bare_program_has_as_many_resources_as_it_is_told(tmp_path: Path) -> None:
    """Its provider is an additional resource."""
    assert preview(BARE_PROGRAM, {"mcsps:count": "7"}) == 8
    assert not list(tmp_path.iterdir())


def test_the_made_up_config_is_one_that_the_program_takes(tmp_path: Path) -> None:
    """More clusters result in more resources."""
    one, two = (preview(PROGRAM, program_config(tmp_path, clusters)) for clusters in (1, 2))
    assert 0 < one < two


def test_the_made_up_config_names_every_cluster_once(tmp_path: Path) -> None:
    """Each cluster has its own network and kubeconfig."""
    clusters = json.loads(program_config(tmp_path, 8)["mcsps:clusters"])
    for key in ("name", "network"):
        assert len({cluster[key] for cluster in clusters}) == 8
    assert all(Path(cluster["access"]["path"]).is_file() for cluster in clusters)


def test_growth_is_told_from_one_size_to_the_next() -> None:
    """Growth is in CPU seconds, the program's next to the floor's."""

    def size(resources: int, ours: float, floor: float) -> Size:
        return Size(1, resources, Comparison((Sample(9, ours),), (Sample(9, floor),)))

    (step,) = grow([size(100, 1, 1), size(400, 4, 1.3)])
    assert step.sizes == (100, 400)
    assert round(step.exponent, 6) == 1
    assert (round(step.ours, 6), round(step.floor, 6)) == (0.01, 0.001)
