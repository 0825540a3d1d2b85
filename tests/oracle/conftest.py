"""Upstream's controller for the tests that hold mlscale's rules against it."""

from __future__ import annotations

import os
import sys

import pytest

from tests.cluster.binaries import ClusterError
from tests.oracle import upstream


@pytest.fixture(scope="session")
def upstreams_controller() -> None:
    """Upstream's program is built; without Go the tests skip, or fail where a control plane is demanded."""
    reason = upstream.why_unavailable()
    if reason and not (os.environ.get("CI") == "true" or os.environ.get("MLSCALE_REQUIRE_CLUSTER") == "1"):
        pytest.skip(f"no upstream controller: {reason}")
    try:
        upstream.ensure_program(lambda line: print(f"\noracle: {line}", file=sys.stderr, flush=True))
    except ClusterError as error:
        pytest.fail(str(error), pytrace=False)
