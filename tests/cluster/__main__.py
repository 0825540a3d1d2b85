"""``python -m tests.cluster build|up|down|status``: the control plane that the tests run against."""

from __future__ import annotations

import argparse
import sys

from tests.cluster import binaries, control_plane


def main() -> int:
    """Run one command; progress goes to stderr, the answer to stdout. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("command", choices=["build", "up", "down", "status"])
    command = parser.parse_args().command
    try:
        return _run(command)
    except binaries.ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _run(command: str) -> int:
    if command == "build":
        print(binaries.ensure_binaries(_say) / "bin")
    elif command == "up":
        print(control_plane.up(_say))
    elif command == "down":
        control_plane.down()
    else:
        answer = control_plane.status()
        print(answer)
        return 0 if answer.startswith("up ") else 1
    return 0


def _say(line: str) -> None:
    print(f"cluster: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
