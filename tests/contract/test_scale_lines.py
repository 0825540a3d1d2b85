"""Lines of ``kubectl scale`` with mlscale in kubectl's place, on a real control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.lines import ANY, Line, check
from tests.contract.scale_targets import FILES, KINDS, NAMES
from tests.contract.twins import GROUP

if TYPE_CHECKING:
    from tests.contract.twins import Twins

pytestmark = pytest.mark.cluster

SERVED = f"""apiVersion: {GROUP}/v1
kind: Served
metadata:
  creationTimestamp: "TIME"
  generation: N
  name: m1
  namespace: NAMESPACE
  resourceVersion: N
  uid: UID
spec:
  replicas: 1
"""
PRECONDITIONS = [
    Line("current replicas hold", "scale deploy/web --current-replicas=2 --replicas=3"),
    Line("current replicas differ", "scale deploy/web --current-replicas=5 --replicas=3", 5, "has 2 replicas, not 5"),
    Line(
        "current replicas are 0",
        "scale deploy/web --current-replicas=0 --replicas=3",
        before={"deployment.apps/web": 0},
    ),
    Line(
        "current replicas are not 0", "scale deploy/web --current-replicas=0 --replicas=3", 5, "has 2 replicas, not 0"
    ),
    Line(
        "current replicas are not 3 but 0", "scale deploy/huge --current-replicas=3 --replicas=1", 5, "has 0 replicas"
    ),
    Line("current replicas -1 is none", "scale deploy/web --current-replicas=-1 --replicas=3"),
    Line("current replicas hold for a file", "scale -f web.json --current-replicas=2 --replicas=3"),
    Line("current replicas differ for a file", "scale -f web.json --current-replicas=9 --replicas=3", 5, "not 9"),
    Line(
        "current replicas hold for the first only",
        "scale deploy/web deploy/api --current-replicas=2 --replicas=3",
        5,
        "deployment.apps/api has 1 replicas, not 2",
    ),
    Line(
        "current replicas hold for the second only",
        "scale deploy/web deploy/api --current-replicas=1 --replicas=3",
        5,
        "deployment.apps/web has 2 replicas, not 1",
        different="one-failing-target-does-not-stop-the-others",
        prints="deployment.apps/api scaled\n",
        leaves={"deployment.apps/api": 3},
    ),
    Line("resource version holds", "scale srvd/m1 --resource-version={version} --replicas=3"),
    Line(
        "resource version is old", "scale srvd/m1 --resource-version=1 --replicas=3", 5, "no longer at resource version"
    ),
    Line(
        "resource version is old, replicas hold",
        "scale srvd/m1 --resource-version=99999999 --current-replicas=1 --replicas=2",
        5,
        "no longer at resource version 99999999",
    ),
    Line("both hold", "scale srvd/m1 --resource-version={version} --current-replicas=1 --replicas=2"),
    Line(
        "version holds, replicas differ",
        "scale srvd/m1 --resource-version={version} --current-replicas=7 --replicas=2",
        5,
        "not 7",
    ),
]

OUTPUTS = [
    Line("dry run of the client", "scale deploy/web --replicas=9 --dry-run=client"),
    Line("dry run of the server", "scale deploy/web --replicas=9 --dry-run=server"),
    Line("dry run without a value", "scale deploy/web --replicas=9 --dry-run"),
    Line("dry run unchanged", "scale deploy/web --replicas=9 --dry-run=unchanged"),
    Line("dry run none", "scale deploy/web --replicas=4 --dry-run=none"),
    Line("dry run of another kind", "scale deploy/web --replicas=9 --dry-run=maybe", 2, "maybe"),
    Line("dry run of what is not there", "scale deploy/nosuch --replicas=9 --dry-run=client", 3, "not found"),
    Line(
        "dry run of the server, replicas differ",
        "scale deploy/web --replicas=9 --dry-run=server --current-replicas=77",
        5,
        "has 2 replicas, not 77",
    ),
    Line("dry run of the server, replicas hold", "scale deploy/web --replicas=9 --dry-run=server --current-replicas=2"),
    Line(
        "dry run of the client, replicas differ",
        "scale deploy/web --replicas=9 --dry-run=client --current-replicas=77",
        5,
        "has 2 replicas, not 77",
        different="a-client-side-dry-run-checks-what-it-can",
    ),
    Line(
        "dry run of the client, version is old",
        "scale srvd/m1 --replicas=9 --dry-run=client --resource-version=1",
        5,
        "resource version",
        different="a-client-side-dry-run-checks-what-it-can",
    ),
    Line("-o name", "scale deploy/web sts/db --replicas=3 -o name"),
    Line("-oname", "scale deploy/web --replicas=3 -oname"),
    Line("-o name in a dry run", "scale deploy/web --replicas=3 --output=name --dry-run=server"),
    Line("-o json", "scale rc/oldrc --replicas=1 -o json --current-replicas=1"),
    Line("-o yaml", "scale rc/oldrc --replicas=1 -o yaml"),
    Line("-o json of two", "scale srvd/m1 srvd/m1 --replicas=1 -o json"),
    Line("-o yaml of two", "scale srvd/m1 srvd/m1 --replicas=1 -o yaml"),
    Line(
        "-o yaml of a custom resource",
        "scale srvd/m1 --replicas=3 -o yaml",
        different="objects-printed-with-o",
        prints=SERVED.replace("replicas: 1", "replicas: 3"),
        leaves={f"served.{GROUP}/m1": 3},
    ),
    Line(
        "-o yaml of a file",
        "scale -f served.json --replicas=1 -o yaml",
        different="objects-printed-with-o",
        prints=SERVED,
    ),
    Line("-o wide", "scale deploy/web --replicas=4 -o wide", 2, "-o wide is not an output format"),
    Line("-o nothing known", "scale deploy/web --replicas=4 -o xml", 2, "give one of json, name, yaml"),
    Line(
        "-o jsonpath",
        "scale deploy/web --replicas=4 -o jsonpath={.spec.replicas}",
        2,
        "is not an output format",
        different="formats-of-o",
    ),
    Line(
        "-o go-template",
        "scale deploy/web --replicas=4 -o go-template={{.kind}}",
        2,
        "is not an output format",
        different="formats-of-o",
    ),
    Line(
        "--show-managed-fields",
        "scale rc/oldrc --replicas=1 -o yaml --show-managed-fields",
        different="options-without-effect",
        prints=ANY,
    ),
    Line(
        "--request-timeout 0",
        "scale deploy/web --replicas=3 --request-timeout=0",
        2,
        "--request-timeout 0 would wait for ever",
        different="no-request-waits-for-ever",
    ),
    Line("--request-timeout in seconds", "scale deploy/web --replicas=3 --request-timeout=20"),
    Line("--record", "scale deploy/web --replicas=4 --record"),
]

TIMEOUTS = [
    Line("a time-out that suffices", "scale deploy/web --replicas=3 --timeout=30s"),
    Line("a time-out for a pod that nothing can run", "scale deploy/huge --replicas=1 --timeout=30s"),
    Line("a time-out for two", "scale deploy/noreq sts/db --replicas=2 --timeout=30s"),
    Line("a time-out of 0", "scale deploy/web --replicas=3 --timeout=0"),
    Line("a time-out of 0s", "scale deploy/web --replicas=3 --timeout=0s"),
    Line("a time-out of two units", "scale deploy/web --replicas=3 --timeout=1m30s"),
    Line("a time-out with a fraction", "scale deploy/web --replicas=3 --timeout=1.5m"),
    Line("a time-out that runs out", "scale srvd/m1 --replicas=3 --timeout=1s", 7, "timed out after 1 s"),
    Line("a time-out without a unit", "scale deploy/web --replicas=1 --timeout=5", 2, "is not a duration"),
    Line("a time-out in words", "scale deploy/web --replicas=1 --timeout=abc", 2, "is not a duration"),
    Line(
        "a negative time-out",
        "scale deploy/web --replicas=3 --timeout=-1s",
        2,
        "--timeout -1s is negative",
        different="a-negative-time-out-is-refused",
    ),
]

NUMBERS = [
    Line("a negative count", "scale deploy/web --replicas=-1", 2, "out of range"),
    Line("a negative count as a word of its own", "scale deploy/web --replicas -1", 2, "out of range"),
    Line("no count", "scale deploy/web", 2, "--replicas is missing"),
    Line("a count in words", "scale deploy/web --replicas=abc", 2, "is not a whole number"),
    Line("a count with a fraction", "scale deploy/web --replicas=3.5", 2, "is not a whole number"),
    Line("a count beyond int32", "scale deploy/web --replicas=99999999999", 2, "out of range"),
    Line("one beyond int32", "scale deploy/web --replicas=2147483648", 2, "out of range"),
    Line("the most", "scale deploy/web --replicas=2147483647 --dry-run=server"),
    Line("an empty count", "scale deploy/web --replicas=", 2, "is not a whole number"),
    Line("a count in hexadecimal", "scale deploy/web --replicas=0x2 --dry-run=server"),
    Line(
        "a count with a leading zero",
        "scale deploy/web --replicas=010",
        2,
        "is not a whole number",
        different="a-leading-zero-is-refused",
    ),
    Line("a count with an underscore", "scale deploy/web --replicas=1_0"),
    Line("a count with a plus", "scale deploy/web --replicas=+3"),
    Line("a count with a space", "scale deploy/web --replicas=' 3'", 2, "is not a whole number"),
    Line("a count in other digits", "scale deploy/web --replicas=٣", 2, "is not a whole number"),
    Line("zero", "scale deploy/web --replicas=0"),
    Line("zero of zero", "scale deploy/huge --replicas=0"),
    Line("from zero", "scale deploy/web --replicas=3", before={"deployment.apps/web": 0}),
    Line("the last of two counts", "scale deploy/web --replicas=3 --replicas=4"),
]

REJECTED = [
    Line("a flag that is none", "scale deploy/web --replicas=3 --nosuch", 2, "--nosuch"),
    Line("a short flag that is none", "scale deploy/web --replicas=3 -z", 2, "-z"),
    Line("a verb that is none", "scael deploy/web --replicas=3", 2, "scael"),
    Line("a flag before the verb that is none", "--nosuch scale deploy/web --replicas=3", 2, "--nosuch"),
    Line(
        "a folder for kustomize",
        "scale -k folder --replicas=3",
        2,
        "-k",
    ),
    Line("a URL", "scale -f http://127.0.0.1:1/web.yaml --replicas=3", 2, "is a URL"),
]

LINES = [*NAMES, *FILES, *PRECONDITIONS, *OUTPUTS, *TIMEOUTS, *NUMBERS, *KINDS, *REJECTED]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_a_line_of_scale_is_answered_as_by_kubectl_or_as_documented(twins: Twins, line: Line) -> None:
    check(twins, line)
