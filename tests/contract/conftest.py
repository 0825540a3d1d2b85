"""The twin namespaces of the contract tests."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

pytest.register_assert_rewrite("tests.contract.lines")

from tests.contract.twins import Twins  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster import access


@pytest.fixture(scope="session")
def twins(cluster: access.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """Two namespaces of equal content, one pair for each worker of the test run."""
    pair = Twins(cluster, tmp_path_factory.mktemp("twins"), f"twin-{secrets.token_hex(3)}")
    yield pair
    pair.close()
