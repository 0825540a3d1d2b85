"""What mlscale recommend sets off, told by its own processes on the sandbox: resizes, objects of KEDA, a watch."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from mlscale.kube.pod_resources import amounts
from tests.command_line import heed_interrupts
from tests.contract import sandbox
from tests.contract.test_recommend_scenarios import Answers
from tests.contract.verdicts import Verdict
from tests.unit.sandbox.server.conftest import Client

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]

STEADY = files("mlscale.sandbox") / "scenarios" / "steady.yaml"
ANY = Verdict("", "", "")
IN_PLACE = ("recommend", "my-ml-model", "--history", "1d", "--apply", "--yes", "--in-place")
EVEN, HALF_THE_DAY = "{base: 15,", "{base: 0, spikes: [{at: 6h, lasts: 12h, rate: 15, every: 24h}],"
KEDA = """\
  - apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata: {name: scaledobjects.keda.sh}
    spec:
      group: keda.sh
      scope: Namespaced
      names: {plural: scaledobjects, singular: scaledobject, kind: ScaledObject, listKind: ScaledObjectList}
      versions:
        - name: v1alpha1
          served: true
          storage: true
          schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""

ELSEWHERE = """\
  - {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
  - apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web, namespace: shop}
    spec:
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: {app: web}}
        spec: {containers: [{name: web, image: "web:1", resources: {requests: {cpu: 100m, memory: 64Mi}}}]}
"""


def test_pods_are_resized_in_place_and_that_is_seen(tmp_path: Path) -> None:
    with sandbox.running(tmp_path, ("--scenario", "memory-bound")) as kubeconfig:
        answers = Answers(kubeconfig, ANY)
        done = answers.run(*IN_PLACE)
        assert done.returncode == 0, done.stderr
        (line,) = done.stdout.splitlines()[-1:]
        name = line.removeprefix("pod/").removesuffix(" resized")
        pod = Client(kubeconfig)("GET", f"/api/v1/namespaces/default/pods/{name}").body
    (status,) = pod["status"]["containerStatuses"]
    wanted = pod["spec"]["containers"][0]["resources"]
    assert line == f"pod/{name} resized"
    assert amounts(status["resources"]["limits"]) == amounts(wanted["limits"])
    assert amounts(wanted["limits"])["memory"] > amounts({"memory": "1Gi"})["memory"]


@pytest.mark.parametrize("has_keda", [True, False], ids=["with KEDA", "without KEDA"])
def test_long_rests_are_worth_a_scaled_object(tmp_path: Path, has_keda: bool) -> None:
    text = STEADY.read_text(encoding="utf-8").replace(EVEN, HALF_THE_DAY)
    assert HALF_THE_DAY in text
    (tmp_path / "rests.yaml").write_text(text + (KEDA if has_keda else ""), encoding="utf-8")
    with sandbox.running(tmp_path, ("--scenario", str(tmp_path / "rests.yaml"))) as kubeconfig:
        answers = Answers(kubeconfig, ANY)
        done = answers.run("recommend", "my-ml-model", "--history", "3d", "-o", "yaml")
        told = answers.run("recommend", "my-ml-model", "--history", "3d")
        commands = answers.run("recommend", "my-ml-model", "--history", "3d", "-o", "command")
    assert done.returncode == 0, done.stderr
    objects = [each for each in yaml.safe_load_all(done.stdout) if each["kind"] == "ScaledObject"]
    assert "ScaledObject" not in commands.stdout
    if has_keda:
        (made,) = objects
        assert made["spec"]["scaleTargetRef"]["name"] == "my-ml-model"
        assert made["spec"]["cooldownPeriod"] == 300
        assert "Scale to zero with KEDA while no requests come, which saves" in " ".join(told.stdout.split())
    else:
        assert objects == []
        assert "KEDA, which is not installed, could scale it to zero then and save" in told.stderr + told.stdout


def test_a_watch_of_all_namespaces_and_one_that_is_interrupted(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(STEADY.read_text(encoding="utf-8") + ELSEWHERE, encoding="utf-8")
    with sandbox.running(tmp_path, ("--scenario", str(tmp_path / "two.yaml"), "--speed", "8")) as kubeconfig:
        environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
        command = [sys.executable, "-m", "mlscale", "recommend", "-A", "--observe"]
        broken = subprocess.Popen(
            [*command, "10m"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=heed_interrupts,
        )
        whole = subprocess.run(
            [*command, "30s", "-o", "json"], env=environment, capture_output=True, text=True, timeout=90
        )
        broken.send_signal(signal.SIGINT)
        said, why = broken.communicate(timeout=10)
    assert (broken.returncode, said) == (130, "")
    assert "Traceback" not in why
    assert whole.returncode == 0, whole.stderr
    found = json.loads(whole.stdout)["recommendations"]
    assert {one["target"]["namespace"] for one in found} == {"default", "shop"}
    assert {one["history"]["source"] for one in found} == {"metrics-server, watched for 30 s"}
