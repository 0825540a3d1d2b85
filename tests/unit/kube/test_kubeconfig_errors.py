"""What is wrong in a kubeconfig, or with the options that choose from it, in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlscale.errors import ConfigError, MlscaleError, UsageError
from mlscale.kube.access import Overrides
from mlscale.kube.kubeconfig import read_access
from tests.unit.kube.kubeconfigs import TWO, encoded, kubeconfig, pem, written

if TYPE_CHECKING:
    from pathlib import Path


def failure(tmp_path: Path, environ: dict[str, str], **overrides: Any) -> MlscaleError:
    with pytest.raises(MlscaleError) as caught:
        read_access(Overrides(**overrides), environ, service_account=tmp_path / "no-service-account")
    assert "\n" not in str(caught.value)
    return caught.value


BROKEN: list[Any] = [
    pytest.param(
        kubeconfig(current_context="aa"),
        {},
        'current-context of {} names the context "aa", which does not exist; did you mean "a"?',
        id="current-context",
    ),
    pytest.param(
        kubeconfig(current_context=""),
        {},
        '{} has no current-context; give --context: there are the contexts "a"',
        id="no current",
    ),
    pytest.param({}, {}, "{} names no cluster: it is empty; give another file with --kubeconfig", id="empty"),
    pytest.param(
        kubeconfig(clusters=[]),
        {},
        'context "a" in {} names the cluster "c", which does not exist; there are no clusters',
        id="cluster",
    ),
    pytest.param(
        kubeconfig(users=[{"name": "uu", "user": {}}]),
        {},
        'context "a" in {} names the user "u", which does not exist; did you mean "uu"?',
        id="user",
    ),
    pytest.param(
        kubeconfig(contexts=[{"name": "a", "context": {}}]),
        {},
        'context "a" in {} names no cluster; there are the clusters "c"',
        id="context without cluster",
    ),
    pytest.param(
        kubeconfig(cluster={}),
        {},
        'cluster "c" in {} has no server; it must be a URL such as https://HOST:6443',
        id="no server",
    ),
    pytest.param(
        kubeconfig(cluster={"server": "ftp://c"}),
        {},
        'server of cluster "c" in {} is not a URL that can be asked; it must be one such as https://HOST:6443',
        id="no http",
    ),
    pytest.param(
        kubeconfig(cluster={"server": "https://me:hunter2@c"}),
        {},
        'server of cluster "c" in {} holds a user name; leave it out, and name the user in the kubeconfig\'s users',
        id="user in the URL",
    ),
    pytest.param(
        kubeconfig(cluster={"server": 6443}),
        {},
        'server of cluster "c" in {} is a number; it must be a string: put it in quotes',
        id="server is a number",
    ),
    pytest.param(
        kubeconfig(cluster={"server": "https://c", "insecure-skip-tls-verify": "true"}),
        {},
        'insecure-skip-tls-verify of cluster "c" in {} is text; it must be true or false, without quotes',
        id="boolean in quotes",
    ),
    pytest.param(
        kubeconfig(cluster={"server": "https://c", "certificate-authority-data": "hunter2!"}),
        {},
        'certificate-authority-data of cluster "c" in {} is not base64; encode it anew',
        id="not base64",
    ),
    pytest.param(
        kubeconfig(cluster={"server": "https://c", "certificate-authority-data": encoded("hunter2")}),
        {},
        'certificate-authority of cluster "c" in {} holds no certificate; '
        "it must be PEM, with -----BEGIN CERTIFICATE-----",
        id="no certificate",
    ),
    pytest.param(
        kubeconfig(
            cluster={
                "server": "https://c",
                "insecure-skip-tls-verify": True,
                "certificate-authority-data": encoded(pem("x")),
            }
        ),
        {},
        'cluster "c" in {} has a certificate-authority and insecure-skip-tls-verify; only one of them can be used',
        id="CA and insecure",
    ),
    pytest.param(
        kubeconfig(user={"as-groups": ["g"]}),
        {},
        'user "u" in {} has as-groups, as-uid or as-user-extra without as; name a user with as',
        id="groups without as",
    ),
]


@pytest.mark.parametrize(("config", "options", "message"), BROKEN)
def test_what_is_broken_in_a_file(
    tmp_path: Path, config: dict[str, Any], options: dict[str, str], message: str
) -> None:
    path = written(tmp_path / "config", config)

    error = failure(tmp_path, {}, kubeconfig=path, **options)

    assert isinstance(error, ConfigError)
    assert str(error) == message.replace("{}", path)
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"context": "bb"}, '{} has no context "bb"; did you mean "b"?'),
        ({"context": "production"}, '{} has no context "production"; there are the contexts "a", "b"'),
        ({"context": "\x1b[31m"}, '{} has no context "\\x1b[31m"; there are the contexts "a", "b"'),
        ({"cluster": "x"}, '{} has no cluster "x"; there are the clusters "c", "d"'),
        ({"user": "x"}, '{} has no user "x"; there are the users "u", "v"'),
        ({"server": "https://"}, "--server is not a URL that can be asked; it must be one such as https://HOST:6443"),
        (
            {"server": "https://c:99999"},
            "--server is not a URL that can be asked; it must be one such as https://HOST:6443",
        ),
        ({"as_groups": ("g",)}, "--as-group and --as-uid need a user to act as; give --as USER too"),
        ({"token": "a", "username": "b"}, "--token and --username cannot both be used; leave one of them out"),
        (
            {"certificate_authority": "nowhere.crt"},
            "cannot read nowhere.crt, the --certificate-authority: no such file or directory",
        ),
        (
            {"certificate_authority": "x", "insecure_skip_tls_verify": True},
            "--certificate-authority and --insecure-skip-tls-verify cannot both be used; leave one of them out",
        ),
    ],
)
def test_what_is_wrong_on_the_command_line(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    path = written(tmp_path / "config", TWO)

    error = failure(tmp_path, {}, kubeconfig=path, **options)

    assert isinstance(error, UsageError), "a typo in an option exits with 2"
    assert str(error) == message.replace("{}", path)


def test_many_names_are_cut(tmp_path: Path) -> None:
    contexts = [{"name": f"team-{n:03}", "context": {"cluster": "c"}} for n in range(200)]
    path = written(tmp_path / "config", kubeconfig(contexts=contexts))

    error = failure(tmp_path, {}, kubeconfig=path, context="zzz")

    assert error.hint.endswith('"team-009" and 190 more')


def test_no_kubeconfig_at_all(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    none = f"there is no kubeconfig: KUBECONFIG is not set and {tmp_path}/.kube/config does not exist"

    assert str(failure(tmp_path, home)) == f"{none}; give --kubeconfig FILE"
    assert str(failure(tmp_path, {"KUBECONFIG": "./none"})) == (
        "KUBECONFIG names ./none, which does not exist; give a file that does, or --kubeconfig FILE"
    )
    assert failure(tmp_path, {"KUBECONFIG": "a:b"}).message == "KUBECONFIG names a, b, none of which exists"
    missing = failure(tmp_path, {}, kubeconfig="./none")
    assert str(missing) == "--kubeconfig names ./none, which does not exist"
    assert isinstance(missing, UsageError)
