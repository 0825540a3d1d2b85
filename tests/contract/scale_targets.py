"""What the lines of ``scale`` act on: names, selectors, files and kinds, each spelt in every way that kubectl takes."""

from __future__ import annotations

import json

import yaml

from tests.cluster import manifests
from tests.contract.lines import Line
from tests.contract.twins import GROUP, files

WEB = files()["web.json"][0]

NAMES = [
    Line("type and name", "scale deployment web --replicas=4"),
    Line("the same count again", "scale deployment web --replicas=2", says="had 2 replicas already"),
    Line("short type and two names", "scale deploy web api --replicas=3"),
    Line("type/name of four kinds", "scale deploy/web sts/db rs/plainrs rc/oldrc --replicas=2"),
    Line("singular, plural, capitals", "scale Deployment/web deployments/api --replicas=3"),
    Line(
        "a short name in capitals",
        "scale DEPLOY/web --replicas=3",
        different="types-in-capitals",
        prints="deployment.apps/web scaled\n",
        leaves={"deployment.apps/web": 3},
    ),
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
    Line("a file of all kinds", "scale -f all.json --replicas=3", 6, "service/web cannot be scaled"),
    Line(
        "a file with a kind that does not scale first",
        "scale -f mixed.json --replicas=3",
        6,
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
    Line(
        "a file's object without a spec to speak of",
        "scale -f - --replicas=1",
        2,
        "is no mapping",
        different="a-file-is-checked-before-anything-is-changed",
        stdin=json.dumps({**WEB, "spec": []}),
    ),
    Line("a file that is no YAML", "scale -f - --replicas=1", 2, "not YAML", stdin="a: [b"),
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
    Line("a name with a percent sign", "scale deploy 'a%2Fb' --replicas=2", 1, "may not contain '%'"),
    Line("none of two is there", "scale deploy/nosuch1 deploy/nosuch2 --replicas=2", 3, '"nosuch2" not found'),
    Line("a pod", "scale pod/lone --replicas=2", 6, "pods have no scale subresource"),
    Line("a service", "scale svc/web --replicas=2", 6, "services have no scale subresource"),
    Line("a daemon set", "scale ds/logd --replicas=2", 6, "daemonsets.apps have no scale subresource"),
    Line("a job", "scale job/job1 --replicas=2", 6, "jobs.batch have no scale subresource"),
    Line("a node", "scale node/node-0 --replicas=2", 6, "nodes have no scale subresource"),
    Line("a config map", "scale cm/kube-root-ca.crt --replicas=2", 6, "configmaps have no scale subresource"),
    Line(
        "a pod in a dry run of the client",
        "scale pod/lone --replicas=2 --dry-run=client",
        6,
        "pods have no scale subresource",
        different="kinds-without-scale-are-refused-in-a-dry-run-too",
    ),
    Line("a pod in a dry run of the server", "scale pod/lone --replicas=2 --dry-run=server", 6, "no scale subresource"),
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
