"""mlscale as a user has it: built into a wheel and installed into an environment of its own, its bytecode compiled.

An editable install starts slower, and one whose bytecode may not be written compiles every module in every run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "benchmarks"
SECONDS = 900

_WHERE = """
import os, importlib.util, mlscale
print(mlscale.__file__, os.path.exists(importlib.util.cache_from_source(mlscale.__file__)))
"""


@dataclass(frozen=True)
class Programs:
    """What is compared: paths of mlscale, of the Python that runs it, and of kubectl."""

    mlscale: str
    python: str
    kubectl: str


def install(kubectl: Path, say: Callable[[str], None], folder: Path = FOLDER) -> Programs:
    """Build and install what the checkout holds; the dependencies are those of constraints.txt.

    Raises BenchmarkError where that fails, or where what was installed is not what will be run.
    """
    say(f"building mlscale and installing it into {folder}")
    venv, wheels = folder / "venv", folder / "wheels"
    python = str(venv / "bin" / "python")
    if not Path(python).exists():
        _run(sys.executable, "-m", "venv", str(venv))
    pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check")
    for old in wheels.glob("mlscale-*.whl"):
        old.unlink()
    _run(*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(ROOT))
    (wheel,) = wheels.glob("mlscale-*.whl")
    _run(*pip, "install", "--constraint", str(ROOT / "constraints.txt"), str(wheel))
    # The version is the same as last time while the code is not.
    _run(*pip, "install", "--no-deps", "--force-reinstall", "--compile", str(wheel))
    where, compiled = _run(python, "-I", "-c", _WHERE).split()
    if not where.startswith(str(venv)) or compiled != "True":
        raise BenchmarkError(f"mlscale is at {where}, compiled: {compiled}; it should be compiled and in {venv}")
    return Programs(str(venv / "bin" / "mlscale"), python, str(kubectl))


def clean_environment(**added: str) -> dict[str, str]:
    """Variables for the programs that are measured: none that changes what Python, kubectl or mlscale do."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR")}
    return {**kept, **added}


def _run(*command: str) -> str:
    done = subprocess.run(command, env=_own_settings(), capture_output=True, text=True, timeout=SECONDS, cwd=ROOT)
    if done.returncode != 0:
        raise BenchmarkError(f"{' '.join(command)} failed: {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout


def _own_settings() -> Mapping[str, str]:
    """Those of the user, for pip, but for what would change how Python installs."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
