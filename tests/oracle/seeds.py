"""The seed of a run against upstream: a new one each time, printed where it fails."""

from __future__ import annotations

import os
import secrets

VARIABLE = "MLSCALE_ORACLE_SEED"


def chosen_seed() -> int:
    """MLSCALE_ORACLE_SEED, or a new one, which is printed."""
    seed = int(os.environ.get(VARIABLE) or secrets.randbelow(2**32))
    print(f"oracle: {VARIABLE}={seed}")
    return seed
