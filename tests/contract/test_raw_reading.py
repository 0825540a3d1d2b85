"""Raw reads: one object, lists with selectors and pages, and the forms in which they come."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.contract.exchanges import METADATA, METADATA_LIST, TABLE, YAML, case, get

if TYPE_CHECKING:
    from tests.contract.exchanges import Case
    from tests.contract.sides import Stage

pytestmark = pytest.mark.cluster

MAPS = "/api/v1/namespaces/{ns}/configmaps"
A = {"metadata": {"name": "a", "labels": {"app": "a", "tier": "front", "n": "1"}}, "data": {"x": "1"}}
B = {"metadata": {"name": "b", "labels": {"app": "b", "tier": "front"}}, "data": {"x": "2", "y": "3"}}
C = {
    "metadata": {"name": "c", "labels": {"app": "c", "n": "3"}, "annotations": {"note": "é"}},
    "binaryData": {"z": "AA=="},
}
OURS = "labelSelector=app"


def selected(selector: str, extra: str = "") -> Case:
    return case(f"selector {selector}{extra}", get(f"{MAPS}?labelSelector={selector}{extra}"))


CASES = [
    case("one", get(f"{MAPS}/a")),
    case("one as a Table", get(f"{MAPS}/a", TABLE)),
    case("one as metadata", get(f"{MAPS}/a", METADATA)),
    case("one as YAML", get(f"{MAPS}/c", YAML)),
    case("one as anything", get(f"{MAPS}/a", "*/*")),
    case("all as a Table", get(f"{MAPS}?{OURS}", TABLE)),
    case("all as a Table with objects", get(f"{MAPS}?{OURS}&includeObject=Object", TABLE)),
    case("all as a Table without objects", get(f"{MAPS}?{OURS}&includeObject=None", TABLE)),
    case("all as a Table with something else", get(f"{MAPS}?{OURS}&includeObject=Nonsense", TABLE)),
    case("all as metadata", get(f"{MAPS}?{OURS}", METADATA_LIST)),
    case("all as YAML", get(f"{MAPS}?{OURS}", YAML)),
    case(
        "of all namespaces", get("/api/v1/configmaps?labelSelector=app%3Da,n%3D1&fieldSelector=metadata.namespace={ns}")
    ),
    *map(
        selected,
        (
            "app%3Da",
            "app%3D%3Da",
            "app!%3Da,app",
            "app",
            "!app",
            "app+in+(a,b)",
            "app+notin+(a,b),app",
            "tier,n",
            "n%3E1",
            "n%3C3",
            "n%3Ex",
            "app%3D",
            "app+in+()",
            "a+b",
            "%3D",
            "app%3D%3D%3Da",
            "app+in+(a",
            "-x",
            "app%3D-",
            "x/y/z",
            "a%3Db%3Dc",
        ),
    ),
    case("fieldSelector name", get(f"{MAPS}?fieldSelector=metadata.name=b")),
    case("fieldSelector not name", get(f"{MAPS}?{OURS}&fieldSelector=metadata.name!%3Db")),
    case("fieldSelector of an unknown field", get(f"{MAPS}?fieldSelector=data.x=1")),
    case("fieldSelector that is none", get(f"{MAPS}?fieldSelector=metadata.name")),
    case("limit", get(f"{MAPS}?{OURS}&limit=2")),
    case("pages", get(f"{MAPS}?{OURS}&limit=2"), get(f"{MAPS}?{OURS}&limit=2&continue={{token}}")),
    case(
        "pages as Tables", get(f"{MAPS}?{OURS}&limit=1", TABLE), get(f"{MAPS}?{OURS}&limit=1&continue={{token}}", TABLE)
    ),
    case("a page and the rest", get(f"{MAPS}?limit=1"), get(f"{MAPS}?continue={{token}}")),
    case("a token that is none", get(f"{MAPS}?limit=1&continue=nonsense")),
    case("a token and a version", get(f"{MAPS}?limit=1"), get(f"{MAPS}?limit=1&continue={{token}}&resourceVersion=1")),
    case("limit in words", get(f"{MAPS}?limit=many")),
    case("a negative limit", get(f"{MAPS}?{OURS}&limit=-1")),
    case("version 0", get(f"{MAPS}?{OURS}&resourceVersion=0")),
    case("a version in words", get(f"{MAPS}?{OURS}&resourceVersion=x")),
    case("a version of the future", get(f"{MAPS}?{OURS}&resourceVersion=99999999999&timeoutSeconds=1")),
    case("Exact without a version", get(f"{MAPS}?{OURS}&resourceVersionMatch=Exact")),
    case("Exact with version 0", get(f"{MAPS}?{OURS}&resourceVersion=0&resourceVersionMatch=Exact")),
    case("an unknown match", get(f"{MAPS}?{OURS}&resourceVersion=1&resourceVersionMatch=Nearly")),
    case(
        "NotOlderThan",
        get(f"{MAPS}?{OURS}"),
        get(f"{MAPS}?{OURS}&resourceVersion={{version}}&resourceVersionMatch=NotOlderThan"),
    ),
    case("Exact", get(f"{MAPS}?{OURS}"), get(f"{MAPS}?{OURS}&resourceVersion={{version}}&resourceVersionMatch=Exact")),
    case("an unknown parameter", get(f"{MAPS}?{OURS}&nonsense=1")),
    case("an empty list", get("/api/v1/namespaces/{ns}/limitranges")),
    case("an empty Table", get("/api/v1/namespaces/{ns}/limitranges", TABLE)),
    case("a list of a namespace that is not there", get("/api/v1/namespaces/nosuch-ns/configmaps")),
    case("one that is not there", get(f"{MAPS}/nosuch")),
    case("one that is not there as a Table", get(f"{MAPS}/nosuch", TABLE)),
    case("one of a namespace that is not there", get("/api/v1/namespaces/nosuch-ns/configmaps/a")),
    case("a namespace", get("/api/v1/namespaces/{ns}")),
    case("a namespace as a Table", get("/api/v1/namespaces/{ns}", TABLE)),
    case("its default account", get("/api/v1/namespaces/{ns}/serviceaccounts/default")),
    case("its certificate", get("/api/v1/namespaces/{ns}/configmaps/kube-root-ca.crt", METADATA)),
    case("a name with a percent sign", get(f"{MAPS}/a%252Fb"), get("/api/v1/nodes/a%252Fb")),
    case("metrics of a name with a percent sign", get("/apis/metrics.k8s.io/v1beta1/namespaces/{ns}/pods/a%252Fb")),
    case("a name of dots", get("/api/v1/nodes/..%2F")),
    case("of a version", get(f"{MAPS}/a?resourceVersion=0")),
]


@pytest.fixture(scope="module", autouse=True)
def maps(stage: Stage) -> None:
    for body in (A, B, C):
        stage.create(MAPS, body)


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.name)
def test_read(stage: Stage, one: Case) -> None:
    stage.check(one)


DESCRIPTIONS = "descriptions-of-columns"
"""The difference that every Table has, so that no other case looks at it."""


def test_columns_are_described_in_other_words(stage: Stage) -> None:
    path = f"/api/v1/namespaces/{stage.namespace}/configmaps"
    theirs, ours = (
        json.loads(api.exchange("GET", path, None, {"Accept": TABLE}).text)["columnDefinitions"] for api in stage.apis
    )
    assert [column["name"] for column in ours] == [column["name"] for column in theirs]
    assert [column["description"] for column in ours] != [column["description"] for column in theirs]
