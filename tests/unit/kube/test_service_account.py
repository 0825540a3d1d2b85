from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlscale.errors import ConfigError
from mlscale.kube.access import Overrides
from mlscale.kube.kubeconfig import read_access
from tests.unit.kube.kubeconfigs import kubeconfig, pem, written

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def account(tmp_path: Path) -> Path:
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text("of-the-pod\n")
    (folder / "ca.crt").write_text(pem("ca"))
    (folder / "namespace").write_text("team\n")
    return folder


def pod(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443", "HOME": str(tmp_path)} | more


def test_a_pod_uses_its_account(tmp_path: Path, account: Path) -> None:
    got = read_access(Overrides(), pod(tmp_path), service_account=account)

    assert got.server == "https://10.0.0.1:443"
    assert got.certificate_authority == pem("ca")
    assert got.credentials.authorization() == "Bearer of-the-pod"
    assert (got.namespace, got.context, got.kubeconfig) == ("team", "in-cluster", str(account))


@pytest.mark.parametrize(
    ("environ", "options", "namespace"),
    [
        ({"POD_NAMESPACE": "told"}, {}, "told"),
        ({"POD_NAMESPACE": "told"}, {"namespace": "asked"}, "asked"),
    ],
)
def test_namespace_of_a_pod(
    tmp_path: Path, account: Path, environ: dict[str, str], options: dict[str, Any], namespace: str
) -> None:
    got = read_access(Overrides(**options), pod(tmp_path, **environ), service_account=account)

    assert got.namespace == namespace


def test_an_ipv6_service(tmp_path: Path, account: Path) -> None:
    environ = pod(tmp_path, KUBERNETES_SERVICE_HOST="fd00::1")

    assert read_access(Overrides(), environ, service_account=account).server == "https://[fd00::1]:443"


def test_without_a_ca_the_system_decides(tmp_path: Path, account: Path) -> None:
    (account / "ca.crt").unlink()

    assert read_access(Overrides(), pod(tmp_path), service_account=account).certificate_authority is None


def test_a_kubeconfig_goes_before_the_account_but_gets_its_namespace(tmp_path: Path, account: Path) -> None:
    path = written(tmp_path / "config", kubeconfig(user={"token": "mine"}))

    got = read_access(Overrides(kubeconfig=path), pod(tmp_path), service_account=account)

    assert got.server == "https://c:6443"
    assert got.credentials.authorization() == "Bearer mine", "not the pod's"
    assert got.namespace == "team"


def test_an_empty_kubeconfig_leaves_the_account(tmp_path: Path, account: Path) -> None:
    (tmp_path / "empty").touch()
    environ = pod(tmp_path, KUBECONFIG=f"{tmp_path}/missing:{tmp_path}/empty")

    assert read_access(Overrides(), environ, service_account=account).context == "in-cluster"


def test_flags_go_before_the_account(tmp_path: Path, account: Path) -> None:
    overrides = Overrides(token="mine", as_user="someone")

    got = read_access(overrides, pod(tmp_path), service_account=account)

    assert got.server == "https://10.0.0.1:443"
    assert got.credentials.authorization() == "Bearer mine"
    assert got.as_user == "someone"


def test_variables_without_the_mounted_token_are_no_account(tmp_path: Path, account: Path) -> None:
    # automountServiceAccountToken: false
    (account / "token").unlink()

    with pytest.raises(ConfigError, match="there is no kubeconfig"):
        read_access(Overrides(), pod(tmp_path), service_account=account)
