"""Lines of ``kubectl autoscale`` with mlscale in kubectl's place, on a real control plane."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster import manifests
from tests.contract.lines import Line, check
from tests.contract.twins import GROUP, files

if TYPE_CHECKING:
    from tests.contract.twins import Twins

pytestmark = pytest.mark.cluster

API = "autoscale deployment api --min=1 --max=5"
WEB_HPA = manifests.hpa("web", least=2, most=5, cpu_percent=50)
AUTOSCALED = "horizontalpodautoscaler.autoscaling/{} autoscaled\n"
IN_ITS_NAMESPACE = """apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  creationTimestamp: "TIME"
  generation: N
  name: web
  namespace: NAMESPACE
  uid: UID
spec:
  maxReplicas: 5
  metrics:
  - resource:
      name: cpu
      target:
        averageUtilization: 50
        type: Utilization
    type: Resource
  minReplicas: 1
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: web
status:
  currentMetrics: null
  desiredReplicas: 0
"""


def _resource(name: str, **target: Any) -> list[dict[str, Any]]:
    return [{"type": "Resource", "resource": {"name": name, "target": target}}]


def _bare_number(name: str, option: str, resource: str, percent: int) -> Line:
    """A number without a unit, which kubectl reads as millicores or Mi."""
    return Line(
        name,
        f"{API} {option}",
        says=f"was read as {percent} % of the requested",
        different="a-number-without-a-unit-is-a-percentage",
        prints=AUTOSCALED.format("api"),
        leaves={"api": {"metrics": _resource(resource, type="Utilization", averageUtilization=percent)}},
    )


METRICS = [
    Line("--cpu-percent", f"{API} --cpu-percent=50"),
    Line("--cpu in per cent", f"{API} --cpu=50%"),
    Line("--cpu in millicores", f"{API} --cpu=500m"),
    Line("--cpu above 100 per cent", f"{API} --cpu=101%"),
    Line("--memory in per cent", f"{API} --memory=70%"),
    Line("--memory as an amount", f"{API} --memory=200Mi"),
    Line("--memory as a decimal amount", f"{API} --memory=200M"),
    Line("--cpu and --memory", f"{API} --cpu=50% --memory=70%"),
    Line("--memory and --cpu", f"{API} --memory=70% --cpu=50%"),
    Line("no metric", API, says="--cpu 80%"),
    _bare_number("--cpu without a unit", "--cpu=50", "cpu", 50),
    _bare_number("--cpu 1", "--cpu=1", "cpu", 1),
    _bare_number("--memory without a unit", "--memory=70", "memory", 70),
    Line(
        "--cpu with a fraction",
        f"{API} --cpu=0.5",
        2,
        "could be a share or an amount",
        different="a-number-without-a-unit-is-a-percentage",
    ),
    Line(
        "--cpu-percent 0",
        f"{API} --cpu-percent=0",
        2,
        "--cpu-percent '0' is less than 1",
        different="numbers-that-kubectl-replaces-are-refused",
    ),
    Line(
        "--cpu-percent below 0",
        f"{API} --cpu-percent=-5",
        2,
        "--cpu-percent '-5' is less than 1",
        different="numbers-that-kubectl-replaces-are-refused",
    ),
    Line(
        "--cpu 0 per cent",
        f"{API} --cpu=0%",
        2,
        "--cpu '0' is less than 1",
        different="numbers-that-kubectl-replaces-are-refused",
    ),
    Line("--cpu below 0 per cent", f"{API} --cpu=-5%", 2, "--cpu '-5%' is not a percentage"),
    Line("--cpu with a space", f"{API} '--cpu=50 %'", 2, "--cpu '50 %' is not a percentage"),
    Line("--cpu in words", f"{API} --cpu=abc", 2, "--cpu: 'abc' is not an amount"),
    Line("--cpu empty", f"{API} --cpu=", 2, "--cpu: ''", different="numbers-that-kubectl-replaces-are-refused"),
    Line("--cpu-percent in words", f"{API} --cpu-percent=abc", 2, "--cpu-percent 'abc' is not a whole number"),
    Line("--memory in words", f"{API} --memory=lots", 2, "--memory: 'lots' is not an amount"),
    Line("--cpu-percent and --cpu", f"{API} --cpu-percent=50 --cpu=60%", 2, "mutually exclusive"),
    Line("--cpu 0", f"{API} --cpu=0", 2, "less than 1"),
    Line(
        "--memory in thousandths",
        f"{API} --memory=200m",
        2,
        "is less than a byte",
        different="numbers-that-cannot-be-meant-are-refused",
    ),
    Line(
        "--cpu with a unit of memory",
        f"{API} --cpu=1Gi",
        2,
        "has a unit of memory",
        different="numbers-that-cannot-be-meant-are-refused",
    ),
]

RANGES = [
    Line("min more than max", "autoscale deployment api --min=6 --max=5 --cpu=50%", 2, "--min 6 is more than --max 5"),
    Line("max 0", "autoscale deployment api --max=0 --cpu=50%", 2, "--max '0' is less than 1"),
    Line("max below 0", "autoscale deployment api --max=-2 --cpu=50%", 2, "--max '-2' is less than 1"),
    Line("no max", "autoscale deployment api --min=2 --cpu=50%", 2, "--max is required"),
    Line("max in words", "autoscale deployment api --max=many --cpu=50%", 2, "--max 'many' is not a whole number"),
    Line("max beyond int32", "autoscale deployment api --max=2147483648 --cpu=50%", 2, "is more than 2147483647"),
    Line("no min", "autoscale deployment api --max=5 --cpu=50%"),
    Line("min as max", "autoscale deployment api --min=2 --max=2 --cpu=50%"),
    Line(
        "min 0",
        "autoscale deployment api --min=0 --max=5 --cpu=50%",
        2,
        "--min 0 needs a metric that exists without pods",
        different="numbers-that-kubectl-replaces-are-refused",
    ),
    Line(
        "min below 0",
        "autoscale deployment api --min=-3 --max=5 --cpu=50%",
        2,
        "--min '-3' is less than 0",
        different="numbers-that-kubectl-replaces-are-refused",
    ),
]

OUTPUTS = [
    Line("dry run of the client", f"{API} --cpu=50% --dry-run=client"),
    Line("dry run of the server", f"{API} --cpu=50% --dry-run=server"),
    Line("dry run without a value", f"{API} --cpu=50% --dry-run"),
    Line("dry run of the client as YAML", f"{API} --cpu=50% --memory=70% --dry-run=client -o yaml"),
    Line("dry run of the client as JSON", f"{API} --cpu=500m --dry-run=client -o json"),
    Line("dry run of the client without a metric", "autoscale deploy api --max=5 --dry-run=client -o yaml"),
    Line("dry run of the server as YAML", f"{API} --cpu=50% --memory=70% --dry-run=server -o yaml"),
    Line("-o yaml", f"{API} --cpu=50% -o yaml"),
    Line("-o json", f"{API} --cpu=50% -o json"),
    Line("-o name", f"{API} --cpu=50% -o name"),
    Line("-o name and --name", f"{API} --cpu=50% --name=other -o name"),
    Line("-o wide", f"{API} --cpu=50% -o wide", 2, "is not an output format", different="formats-of-o"),
    Line(
        "-o jsonpath",
        f"{API} --cpu=50% -o jsonpath={{.spec}}",
        2,
        "is not an output format",
        different="formats-of-o",
    ),
    Line(
        "--record",
        f"{API} --cpu=50% --record",
        different="options-without-effect",
        prints=AUTOSCALED.format("api"),
        leaves={"api": {"maxReplicas": 5}},
    ),
    Line(
        "--save-config",
        f"{API} --cpu=50% --save-config",
        different="options-without-effect",
        prints=AUTOSCALED.format("api"),
        leaves={"api": {"maxReplicas": 5}},
    ),
]

TARGETS = [
    Line("type/name", "autoscale deploy/api --max=5 --cpu=50%"),
    Line("a stateful set", "autoscale sts/db --min=1 --max=3 --cpu=50%"),
    Line("a replica set", "autoscale rs plainrs --min=1 --max=3 --cpu=50%"),
    Line("a replication controller", "autoscale rc oldrc --min=1 --max=3 --cpu=50%"),
    Line(
        "a custom resource without a selector", "autoscale served m1 --min=1 --max=5 --cpu=50%", says="has no selector"
    ),
    Line("a custom resource by plural and group", f"autoscale serveds.{GROUP}/m1 --max=5 --cpu=50%"),
    Line("two names", "autoscale deployment api web --min=1 --max=5 --cpu=50%"),
    Line("a name of its own", f"{API} --cpu=50% --name=other"),
    Line(
        "a bare name",
        "autoscale api --min=1 --max=5 --cpu=50%",
        different="a-bare-name-is-a-deployment",
        prints=AUTOSCALED.format("api"),
        leaves={"api": {"minReplicas": 1, "maxReplicas": 5}},
    ),
    Line("nothing named", "autoscale --max=5 --cpu=50%", 2, "no workload was named"),
    Line("a type without a name", "autoscale deployment --max=5 --cpu=50%", 2, "no name was given"),
    Line("a name that is not there", "autoscale deployment nosuch --max=5 --cpu=50%", 3, '"nosuch" not found'),
    Line("one of two is not there", "autoscale deployment nosuch api --max=5 --cpu=50%", 3, '"nosuch" not found'),
    Line("a type that is not there", "autoscale foo web --max=5 --cpu=50%", 3, "nor is there such a type"),
    Line("a type/name that is not there", "autoscale foo/web --max=5 --cpu=50%", 3, "no resource type"),
    Line("a namespace that is not there", f"{API} --cpu=50% -n tx-nosuch", 3, 'namespace "tx-nosuch" not found'),
    Line("a daemon set", "autoscale ds logd --min=2 --max=5 --cpu=50%", 6, "cannot autoscale a DaemonSet"),
    Line("a pod", "autoscale pod lone --min=2 --max=5 --cpu=50%", 6, "cannot autoscale a Pod"),
    Line("a selector", "autoscale deployment -l tier=front --min=2 --max=5 --cpu=50%", 2, "-l"),
    Line("--all", "autoscale deployment --all --min=2 --max=5 --cpu=50%", 2, "--all"),
    Line("a name that no HPA can have", f"{API} --cpu=50% --name=Bad_Name", 2, "--name 'Bad_Name' is not a valid name"),
    Line(
        "one name for two",
        "autoscale deployment api web --max=5 --cpu=50% --name=both",
        2,
        "--name both can name one HPA",
        different="one-name-for-several-targets-is-refused",
    ),
    Line(
        "a container without the request",
        "autoscale deployment noreq --min=1 --max=5 --cpu=50%",
        6,
        "container model of deployment.apps/noreq has no cpu request",
        different="hpas-that-cannot-work-are-refused",
    ),
    Line("a container without the request, an average", "autoscale deployment noreq --min=1 --max=5 --cpu=500m"),
    Line(
        "two, one without the request",
        "autoscale deployment noreq api --min=1 --max=5 --cpu=50%",
        6,
        "has no cpu request",
        different="hpas-that-cannot-work-are-refused",
        prints=AUTOSCALED.format("api"),
        leaves={"api": {"maxReplicas": 5}},
    ),
]

EXISTING = [
    Line(
        "the same HPA again",
        "autoscale deployment web --min=2 --max=5 --cpu=50%",
        hpas=(WEB_HPA,),
        says="horizontalpodautoscaler.autoscaling/web: unchanged",
        different="an-hpa-that-is-there-is-updated",
        prints=AUTOSCALED.format("web"),
        leaves={"web": {"minReplicas": 2, "maxReplicas": 5}},
    ),
    Line(
        "another maximum than kubectl's",
        "autoscale deployment web --min=2 --max=6 --cpu=50%",
        5,
        "field manager kubectl-autoscale set spec.maxReplicas",
        hpas=(WEB_HPA,),
    ),
    Line(
        "two, one there already",
        "autoscale deployment api web --min=2 --max=6 --cpu=50%",
        5,
        "field manager kubectl-autoscale set spec.maxReplicas",
        hpas=(WEB_HPA,),
    ),
    Line(
        "the same HPA again in a dry run",
        "autoscale deployment web --min=2 --max=5 --cpu=50% --dry-run=server",
        hpas=(WEB_HPA,),
        different="an-hpa-that-is-there-is-updated",
        prints="horizontalpodautoscaler.autoscaling/web autoscaled (server dry run)\n",
        leaves={"web": {"minReplicas": 2, "maxReplicas": 5}},
    ),
    Line(
        "a second HPA",
        "autoscale deployment web --min=2 --max=5 --cpu=50% --name=web2",
        6,
        "horizontalpodautoscaler.autoscaling/web scales it already",
        hpas=(WEB_HPA,),
        different="hpas-that-cannot-work-are-refused",
        leaves={"web": {"minReplicas": 2, "maxReplicas": 5}},
    ),
    Line(
        "a name that scales another",
        "autoscale deployment api --min=2 --max=5 --cpu=50% --name=web",
        6,
        "horizontalpodautoscaler.autoscaling/web scales Deployment/web",
        hpas=(WEB_HPA,),
    ),
]

FILES = [
    Line("a file", "autoscale -f web.json --max=5 --cpu=50%"),
    Line("a file in a dry run", "autoscale -f web.json --max=5 --cpu=50% --dry-run=client"),
    Line("standard input", "autoscale -f - --max=5 --cpu=50%", stdin=json.dumps(files()["web.json"][0])),
    Line("a list in a file", "autoscale -f two.json --max=5 --cpu=50%"),
    Line("a folder and its folders", "autoscale -f folder -R --max=5 --cpu=50%"),
    Line("a file that is missing", "autoscale -f nosuch.json --max=5 --cpu=50%", 2, 'the path "nosuch.json"'),
    Line("a file with a kind that does not scale", "autoscale -f mixed.json --max=5 --cpu=50%", 6, "a DaemonSet"),
    Line(
        "a file of all kinds",
        "autoscale -f all.json --max=5 --cpu=500m --dry-run=server",
        6,
        "cannot autoscale a Service",
    ),
    Line(
        "a file with an object that is not there",
        "autoscale -f ghost.json --max=5 --cpu=50%",
        3,
        'deployments.apps "ghost" not found',
        different="the-objects-of-a-file-must-be-there",
    ),
    Line(
        "a file's object of another namespace",
        "autoscale -f elsewhere.json --max=5 --cpu=50%",
        3,
        'deployments.apps "ghost" not found in namespace "default"',
        different="each-object-of-a-file-in-its-own-namespace",
    ),
    Line(
        "a file's object of another namespace that is there",
        "autoscale -f {ns}.json --max=5 --cpu=50% --kubeconfig admin.yaml --dry-run=server -o yaml",
        different="each-object-of-a-file-in-its-own-namespace",
        prints=IN_ITS_NAMESPACE,
    ),
    Line("a flag that is none", f"{API} --nosuch", 2, "--nosuch"),
]

LINES = [*METRICS, *RANGES, *OUTPUTS, *TARGETS, *EXISTING, *FILES]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_a_line_of_autoscale_is_answered_as_by_kubectl_or_as_documented(twins: Twins, line: Line) -> None:
    check(twins, line)
