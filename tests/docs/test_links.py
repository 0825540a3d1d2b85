"""Links lead somewhere, and the site builds without the network."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE_SITE = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("document", OUTSIDE_SITE)
def test_links_between_files_lead_to_files_that_exist(document: str) -> None:
    """mkdocs checks those inside docs/; nothing else would check these."""
    text = (ROOT / document).read_text(encoding="utf-8")
    links = [link for link in _LINK.findall(text) if "://" not in link and not link.startswith("mailto:")]

    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_readme_links_every_page_of_the_site() -> None:
    """From the repository's page everything can be found; the site's own start page stands for itself."""
    links = set(_LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")))
    pages = {str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md")}

    assert pages - links == {"docs/index.md"}


def test_the_site_builds_strictly_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (built.returncode, built.stderr) == (0, "")
    loaded = re.compile(r'<(?:script|link)[^>]+(?:src|href)="(https?:)?//')
    assert [page for page in tmp_path.rglob("*.html") if loaded.search(page.read_text(encoding="utf-8"))] == []
