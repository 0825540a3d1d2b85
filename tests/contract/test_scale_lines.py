"""Lines of ``kubectl scale`` with mlscale in kubectl's place, on a real control plane."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.cluster import manifests
from tests.contract.lines import Line, check
from tests.contract.twins import GROUP, files

if TYPE_CHECKING:
    from tests.contract.twins import Twins

pytestmark = pytest.mark.cluster

WEB = files()["web.json"][0]
SERVED = f"""apiVersion: {GROUP}/v1
kind: Served
metadata:
  creationTimestamp: TIME
  generation: N
  name: m1
  namespace: NAMESPACE
  resourceVersion: N
  uid: UID
spec:
  replicas: 1
"""
NAMES = [
    Line("type and name", "scale deployment web --replicas=4"),
    Line("the same count again", "scale deployment web --replicas=2", says="had 2 replicas already"),
    Line("short type and two names", "scale deploy web api --replicas=3"),
    Line("type/name of four kinds", "scale deploy/web sts/db rs/plainrs rc/oldrc --replicas=2"),
    Line("singular, plural, capitals", "scale Deployment/web deployments/api --replicas=3"),
    Line("type.group/name", "scale deployments.apps/web --replicas=3"),
    Line("type.version.group/name", "scale deployments.v1.apps/web --replicas=3"),
    Line("names with a comma are one name", "scale deployment web,api --replicas=3", 3, '"web,api" not found'),
    Line("two types, one name", "scale deploy,sts web --replicas=3", 3, 'statefulsets.apps "web" not found'),
    Line("one name twice", "scale deploy web web --replicas=3"),
    Line(
        "a bare name",
        "scale web --replicas=4",
        different="a-bare-name-is-a-deployment",
        prints="deployment.apps/web scaled\n",
        leaves={"deployment.apps/web": 4},
    ),
    Line(
        "several bare names",
        "scale web api --replicas=4",
        different="a-bare-name-is-a-deployment",
        prints="deployment.apps/web scaled\ndeployment.apps/api scaled\n",
        leaves={"deployment.apps/web": 4, "deployment.apps/api": 4},
    ),
    Line("a misspelt type and a name", "scale statefulst db --replicas=3", 3, 'did you mean "statefulset"'),
    Line(
        "a bare name that is not there and one that is", "scale nosuch web --replicas=3", 3, "nor is there such a type"
    ),
    Line("nothing named", "scale --replicas=2", 2, "no workload was named"),
    Line("--all of nothing", "scale --all --replicas=2", 2, "no type was given"),
    Line("a selector of nothing", "scale -l app=web --replicas=2", 2, "no type was given"),
    Line("a type without a name", "scale deploy --replicas=2", 2, "'deploy' is a type and no name was given"),
    Line("type/name and a name", "scale deploy/web api --replicas=2", 2, "'api' is not TYPE/NAME"),
    Line("type/ without a name", "scale deploy/ --replicas=2", 2, "'deploy/' is not TYPE/NAME"),
    Line("a type/name with two slashes", "scale deploy/web/api --replicas=2", 2, "not TYPE/NAME"),
    Line("an empty name", "scale deploy '' --replicas=2", 2, "an empty name"),
    Line("a selector", "scale deploy -l tier=front --replicas=3"),
    Line("a selector with =", "scale deploy -l=tier=front --replicas=3"),
    Line("a set selector", "scale deploy --selector 'app in (web, api)' --replicas=3"),
    Line("a selector of two types", "scale deploy,rs -l app=plainrs --replicas=3"),
    Line("a selector that matches nothing", "scale deploy -l tier=none --replicas=1", 3, "no deployments"),
    Line("a selector that is none", "scale deploy -l 'a=b=c' --replicas=1", 2, "-l 'a=b=c' is no label selector"),
    Line("all of an empty namespace", "scale deploy --all --replicas=1 -n default", 3, "no deployments"),
    Line("all of a type", "scale sts --all --replicas=2"),
    Line("all deployments", "scale deployments --all --replicas=1"),
    Line(
        "a name and --all",
        "scale deploy web --all --replicas=1",
        2,
        "both a name and --all were given",
        different="a-name-with-all-or-a-selector-is-refused",
    ),
    Line(
        "a name and a selector",
        "scale deploy/web -l tier=front --replicas=1",
        2,
        "both a name and -l were given",
    ),
    Line(
        "--all and a selector",
        "scale deploy --all -l tier=front --replicas=1",
        2,
        "--all and -l",
        different="a-name-with-all-or-a-selector-is-refused",
    ),
    Line("the category all", "scale all --all --replicas=1", 3, "no resource type 'all'"),
    Line("--all=true", "scale sts --all=true --replicas=2"),
    Line("--all=false", "scale sts db --all=false --replicas=2"),
    Line("the namespace before the verb", "-n {ns} scale deploy/web --replicas=3"),
    Line("the namespace after the verb", "scale deploy/web --replicas=3 --namespace {ns}"),
    Line("the namespace glued on", "scale deploy/web --replicas=3 -n{ns}"),
    Line("options before the names", "scale --replicas 3 deploy/web"),
    Line("after two dashes", "scale --replicas=3 -- deploy/web"),
]

FILES = [
    Line("a file", "scale -f web.json --replicas=3"),
    Line("a file glued on", "scale -fweb.json --replicas=3"),
    Line("standard input", "scale -f - --replicas=3", stdin=json.dumps(WEB)),
    Line("standard input as YAML", "scale --filename=- --replicas=3", stdin=yaml.safe_dump(WEB)),
    Line("two files", "scale -f web.json -f served.json --replicas=3"),
    Line("files with a comma", "scale -f web.json,served.json --replicas=3"),
    Line("a list in a file", "scale -f two.json --replicas=3"),
    Line("a folder", "scale -f folder --replicas=3"),
    Line("a folder and its folders", "scale -f folder -R --replicas=3"),
    Line("a file with an object that is not there", "scale -f ghost.json --replicas=3", 3, '"ghost" not found'),
    Line("a file of all kinds", "scale -f all.json --replicas=3", 2, "service/web cannot be scaled"),
    Line(
        "a file with a kind that does not scale first",
        "scale -f mixed.json --replicas=3",
        2,
        "daemonset.apps/logd cannot be scaled",
        different="one-failing-target-does-not-stop-the-others",
        prints="deployment.apps/web scaled\n",
        leaves={"deployment.apps/web": 3},
    ),
    Line("a file's own namespace", "scale -f {ns}.json --replicas=3 --kubeconfig admin.yaml"),
    Line("a file's own namespace and another", "scale -f {ns}.json -n default --replicas=3", 2, "is in namespace"),
    Line("a file that is missing", "scale -f nosuch.json --replicas=1", 2, 'the path "nosuch.json" does not exist'),
    Line("a file and a name", "scale -f web.json deploy/api --replicas=1", 2, "-f was given with a name"),
    Line("an empty standard input", "scale -f - --replicas=1", 2, "holds no objects", stdin=""),
    Line("a file that is no object", "scale -f - --replicas=1", 2, "no object", stdin="[1, 2]"),
    Line("a file that is no YAML", "scale -f - --replicas=1", 2, "not YAML", stdin="a: [b"),
]

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

KINDS = [
    Line("a name that is not there", "scale deploy/nosuch --replicas=3", 3, '"nosuch" not found'),
    Line("a near name", "scale deploy/wbe --replicas=3", 3, 'did you mean "web"?'),
    Line("a namespace that is not there", "scale deploy/web --replicas=3 -n tx-nosuch", 3, 'namespace "tx-nosuch" not'),
    Line("a type that is not there", "scale foo/web --replicas=3", 3, "no resource type 'foo'"),
    Line("a near type", "scale deplyoment/web --replicas=3", 3, 'did you mean "deployment"'),
    Line(
        "one of three is not there", "scale deploy/web deploy/nosuch deploy/api --replicas=3", 3, '"nosuch" not found'
    ),
    Line("a name that cannot be", "scale deploy/Bad_Name --replicas=2", 3, '"Bad_Name" not found'),
    Line("a name with a space", "scale deploy 'a b' --replicas=2", 3, '"a b" not found'),
    Line("a name with a percent sign", "scale deploy 'a%2Fb' --replicas=2", 3, '"a%2Fb" not found'),
    Line("none of two is there", "scale deploy/nosuch1 deploy/nosuch2 --replicas=2", 3, '"nosuch2" not found'),
    Line("a pod", "scale pod/lone --replicas=2", 2, "pods have no scale subresource"),
    Line("a service", "scale svc/web --replicas=2", 2, "services have no scale subresource"),
    Line("a daemon set", "scale ds/logd --replicas=2", 2, "daemonsets.apps have no scale subresource"),
    Line("a job", "scale job/job1 --replicas=2", 2, "jobs.batch have no scale subresource"),
    Line("a node", "scale node/node-0 --replicas=2", 2, "nodes have no scale subresource"),
    Line("a config map", "scale cm/kube-root-ca.crt --replicas=2", 2, "configmaps have no scale subresource"),
    Line(
        "a pod in a dry run of the client",
        "scale pod/lone --replicas=2 --dry-run=client",
        2,
        "pods have no scale subresource",
        different="kinds-without-scale-are-refused-in-a-dry-run-too",
    ),
    Line("a pod in a dry run of the server", "scale pod/lone --replicas=2 --dry-run=server", 2, "no scale subresource"),
    Line("a custom resource", "scale served/m1 --replicas=3"),
    Line("a custom resource by its short name", "scale srvd m1 --replicas=2"),
    Line("a custom resource by plural and group", f"scale serveds.{GROUP}/m1 --replicas=2"),
    Line("a custom resource by plural, version, group", f"scale serveds.v1.{GROUP}/m1 --replicas=2"),
    Line(
        "a custom resource of an unserved version", f"scale serveds.v9.{GROUP}/m1 --replicas=2", 3, "no resource type"
    ),
    Line("all custom resources", "scale serveds --all --replicas=2"),
    Line("custom resources and deployments", "scale deploy/web srvd/m1 --replicas=3"),
    Line("a custom resource to zero", "scale srvd/m1 --replicas=0"),
    Line(
        "under an HPA",
        "scale deploy/web --replicas=3",
        says="is governed by HPA web (min 1, max 10)",
        hpas=(manifests.hpa("web", most=10),),
    ),
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
