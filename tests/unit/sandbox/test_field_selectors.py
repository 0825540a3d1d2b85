"""Field selectors; fields and refusals as Kubernetes 1.37.2 gave them."""

from __future__ import annotations

import pytest

from mlscale.kube import kinds
from mlscale.sandbox.field_selectors import matches, parse_field_selector
from mlscale.sandbox.resources import CONFIGMAP
from mlscale.sandbox.statuses import StatusError

POD = {
    "metadata": {"name": "a", "namespace": "n"},
    "spec": {"nodeName": "n1"},
    "status": {"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]},
}
EVENT = {
    "metadata": {"name": "e"},
    "involvedObject": {"kind": "Pod", "name": "a"},
    "reason": "Killing",
    "type": "Normal",
    "source": {"component": "kubelet"},
}


@pytest.mark.parametrize(
    ("kind", "obj", "text", "is_in"),
    [
        (kinds.POD, POD, "", True),
        (kinds.POD, POD, ",", True),
        (kinds.POD, POD, "metadata.name=a", True),
        (kinds.POD, POD, "metadata.name==b", False),
        (kinds.POD, POD, "metadata.name!=b", True),
        (kinds.POD, POD, "metadata.name=", False),
        (kinds.POD, POD, "metadata.name=a\\,b", False),
        (kinds.POD, POD, "spec.nodeName=n1,status.phase=Running", True),
        (kinds.POD, POD, "spec.nodeName=n1,status.phase!=Running", False),
        (kinds.POD, POD, "spec.hostNetwork=false", True),
        (kinds.POD, POD, "status.podIPs=10.0.0.1", True),
        (kinds.NODE, {"metadata": {"name": "n"}, "spec": {}}, "spec.unschedulable=false", True),
        (kinds.NODE, {"metadata": {"name": "n"}, "spec": {"unschedulable": True}}, "spec.unschedulable!=true", False),
        (kinds.EVENT, EVENT, "involvedObject.kind=Pod,involvedObject.name=a,type!=Warning", True),
        (kinds.EVENT, EVENT, "source=kubelet,reportingComponent=kubelet", True),
        (kinds.EVENT, EVENT, "reason=Pulled", False),
        (kinds.JOB, {"metadata": {"name": "j"}, "status": {"succeeded": 1}}, "status.successful=1", True),
        (kinds.REPLICATIONCONTROLLER, {"metadata": {"name": "r"}}, "status.replicas=0", True),
    ],
)
def test_which_objects_a_selector_takes(kind: kinds.Kind, obj: dict[str, object], text: str, is_in: bool) -> None:
    assert matches(parse_field_selector(kind, text), obj) is is_in


_ONLY = 'only "metadata.name", "metadata.namespace"'


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (kinds.POD, "zz=1", "field label not supported: zz"),
        (kinds.NODE, "metadata.namespace=a", "field label not supported: metadata.namespace"),
        (kinds.JOB, "zz=1", 'field label "zz" not supported for Job'),
        (kinds.REPLICASET, "status.replicas=0", f'"status.replicas" is not a known field selector: {_ONLY}'),
        (CONFIGMAP, "spec.foo=1", f'"spec.foo" is not a known field selector: {_ONLY}'),
        (kinds.HPA, "zz=1", f'"zz" is not a known field selector: {_ONLY}'),
        (CONFIGMAP, "foo", "invalid selector: 'foo'; can't understand 'foo'"),
        (CONFIGMAP, "metadata.name in (a)", "invalid selector: 'metadata.name in (a)'; can't understand "
         "'metadata.name in (a)'"),
        (CONFIGMAP, "a\\=b=c", "invalid field selector: unescaped character in value: 61"),
        (CONFIGMAP, "metadata.name=a=b", "invalid field selector: unescaped character in value: 61"),
        (CONFIGMAP, "metadata.name=a\\x", "invalid field selector: invalid escape sequence: \\x"),
    ],
)  # fmt: skip
def test_what_a_selector_may_not_say(kind: kinds.Kind, text: str, message: str) -> None:
    with pytest.raises(StatusError) as raised:
        parse_field_selector(kind, text)
    assert (raised.value.code, raised.value.message) == (400, message)
