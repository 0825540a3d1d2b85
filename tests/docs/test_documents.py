"""What the documents show on a terminal is what the programs print."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.cluster.access import kubeconfig_for_namespace
from tests.contract import sandbox
from tests.docs.console import PROGRAMS, Shell, differences, read_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.access import Cluster

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
}
SHOWING = {name: steps for name, text in DOCUMENTS.items() if (steps := read_steps(text))}
PRACTISED = {
    name: shlex.split(found[1])
    for name, text in DOCUMENTS.items()
    if (found := re.search(r"^mlscale sandbox exec (.*) -- bash$", text, re.MULTILINE))
}
"""The documents whose commands run in a practice cluster, with the options that they start it with."""


@pytest.mark.parametrize("document", SHOWING)
def test_a_document_shows_only_commands_that_it_says_all_about(document: str) -> None:
    """A reader can type each line as it stands: no placeholder, no other program, no shell trick."""
    programs = {shlex.split(step.command)[0] for step in SHOWING[document]}

    assert programs <= set(PROGRAMS)


def test_the_readme_shows_the_four_workflows() -> None:
    commands = [step.command for step in SHOWING["README.md"]]

    assert [command for command in commands if command.startswith("mlscale")][:4] == [
        "mlscale scale my-ml-model --replicas 3",
        "mlscale status -l app=my-ml-model --only pods",
        "mlscale autoscale my-ml-model --min 2 --max 5 --cpu 50",
        "mlscale status --only hpa",
    ]


@pytest.mark.parametrize("manifest", sorted((ROOT / "docs/manifests").glob("*.yaml")), ids=lambda path: path.name)
def test_a_manifest_of_the_documents_is_deployed_in_one_of_them(manifest: Path) -> None:
    name = manifest.relative_to(ROOT)
    shown = [step.command for steps in SHOWING.values() for step in steps]

    if any(f"--scenario {name} " in text for text in DOCUMENTS.values()):
        return
    assert f"kubectl apply -f {name}" in shown
    assert yaml.safe_load(manifest.read_text(encoding="utf-8"))["metadata"]["name"] == manifest.stem


@pytest.mark.cluster
@pytest.mark.skipif("MLSCALE_TEST_KUBECONFIG" in os.environ, reason="the documents show the cluster of make cluster-up")
def test_every_console_block_shows_what_the_programs_print(cluster: Cluster, tmp_path: Path) -> None:
    """All documents side by side, each in a namespace of its own: most of their time is metrics-server's."""
    path = _path_with_programs(cluster, tmp_path)
    documents = SHOWING.keys() - PRACTISED.keys()
    with ThreadPoolExecutor(len(documents)) as pool:
        found = pool.map(lambda document: list(_differences(document, cluster, tmp_path, path)), documents)
        report = "\n".join(difference for of_document in found for difference in of_document)

    if report:
        pytest.fail(report, pytrace=False)


@pytest.mark.parametrize("document", PRACTISED)
def test_every_console_block_of_a_practice_cluster_shows_what_mlscale_prints(document: str, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    _link_mlscale(programs)
    with sandbox.running(tmp_path, PRACTISED[document]) as kubeconfig:
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        shell = Shell({**os.environ, "KUBECONFIG": str(kubeconfig), "PATH": path}, ROOT, "default")
        report = "\n".join(differences(document, SHOWING[document], shell))

    if report:
        pytest.fail(report, pytrace=False)


def _differences(document: str, cluster: Cluster, folder: Path, path: str) -> Iterator[str]:
    namespace = f"docs-{secrets.token_hex(4)}"
    kubeconfig = kubeconfig_for_namespace(cluster, namespace, folder / namespace)
    cluster.kubectl("create", "namespace", namespace)
    try:
        cluster.kubectl("wait", "--for=create", "serviceaccount/default", "-n", namespace, "--timeout=30s")
        environment = {**cluster.environment(kubeconfig), "PATH": path}
        yield from differences(document, SHOWING[document], Shell(environment, ROOT, namespace))
    finally:
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def _path_with_programs(cluster: Cluster, folder: Path) -> str:
    """PATH with the mlscale under test and the cluster's kubectl in front."""
    programs = folder / "bin"
    _link_mlscale(programs)
    (programs / "kubectl").symlink_to(cluster.kubectl_path)
    return f"{programs}{os.pathsep}{os.environ['PATH']}"


def _link_mlscale(programs: Path) -> None:
    programs.mkdir()
    mlscale = programs / "mlscale"
    mlscale.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m mlscale "$@"\n', encoding="utf-8")
    mlscale.chmod(0o755)


def test_a_make_line_names_a_target_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {line.partition(":")[0] for line in makefile.splitlines() if "## " in line}
    named = {
        line.split()[1]
        for text in DOCUMENTS.values()
        for line in text.splitlines()
        if line.startswith("make ") and not line.startswith("make PYTHON")
    }

    assert named
    assert named <= targets


def test_the_scripts_in_the_documents_are_bash() -> None:
    blocks = [
        (name, block.partition("```")[0]) for name, text in DOCUMENTS.items() for block in text.split("\n```sh\n")[1:]
    ]
    checked = [
        (name, subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True)) for name, block in blocks
    ]

    assert blocks
    assert [(name, ran.stderr) for name, ran in checked if ran.returncode != 0] == []
