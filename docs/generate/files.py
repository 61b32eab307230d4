"""The generated files, by their path in the project."""

from collections.abc import Mapping
from pathlib import Path

from docs.generate import commands, config_page, policies_page, project_file, schema, verify_page

ROOT = Path(__file__).resolve().parents[2]


def generate() -> Mapping[str, str]:
    """Generate all files, without writing them."""
    return {
        "Pulumi.yaml": project_file.render((ROOT / "Pulumi.yaml").read_text()),
        "docs/reference/commands.md": commands.render((ROOT / "Makefile").read_text()),
        "docs/reference/config.md": config_page.render(),
        "docs/reference/config.schema.json": schema.render(),
        "docs/reference/policies.md": policies_page.render(),
        "docs/reference/verify.md": verify_page.render(),
    }
