"""kubectl's spellings of a command line (pflag) as typer reads them."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.cli.argv import CONNECTION_FLAGS, CONNECTION_VALUES, FLAGS, IGNORED_FLAGS, VALUES, normalised
from mlscale.errors import UsageError

SPELLINGS = [
    # Values with a space, with =, and joined to a short option.
    ("scale web --replicas 3", "scale web --replicas 3"),
    ("scale web --replicas=3", "scale web --replicas 3"),
    ("scale --replicas=3 web", "scale --replicas 3 web"),
    ("scale web --replicas=", "scale web --replicas ''"),
    ("scale web --replicas -1", "scale web --replicas -1"),
    ("scale web --replicas=-1", "scale web --replicas -1"),
    ("scale web -o yaml", "scale web -o yaml"),
    ("scale web -o=yaml", "scale web -o yaml"),
    ("scale web -oyaml", "scale web -o yaml"),
    ("scale web --output=yaml", "scale web --output yaml"),
    ("scale deploy -lapp=web", "scale deploy -l app=web"),
    ("scale deploy -l=app=web", "scale deploy -l app=web"),
    ("scale deploy -l app=web", "scale deploy -l app=web"),
    ("scale deploy --selector=app=web", "scale deploy --selector app=web"),
    ("scale deploy -l 'app in (a, b)'", "scale deploy -l 'app in (a, b)'"),
    ("scale -fa.yaml", "scale -f a.yaml"),
    ("scale -f -", "scale -f -"),
    ("scale -f=-", "scale -f -"),
    ("scale -f a.yaml -f b.yaml", "scale -f a.yaml -f b.yaml"),
    # Connection options come first, wherever they stood.
    ("scale web -n prod", "-n prod scale web"),
    ("scale web -nprod", "-n prod scale web"),
    ("scale web -n=prod", "-n prod scale web"),
    ("-n prod scale web", "-n prod scale web"),
    ("scale -n prod web", "-n prod scale web"),
    ("--namespace=prod scale web --context=a", "--namespace prod --context a scale web"),
    ("scale web --kubeconfig a --as b", "--kubeconfig a --as b scale web"),
    ("scale web --as-group c --as-group=d", "--as-group c --as-group d scale web"),
    ("scale web -s https://h --token t", "-s https://h --token t scale web"),
    ("scale web --request-timeout=5s", "--request-timeout 5s scale web"),
    ("scale web --insecure-skip-tls-verify", "--insecure-skip-tls-verify scale web"),
    ("scale web --insecure-skip-tls-verify=true", "--insecure-skip-tls-verify scale web"),
    ("scale web --insecure-skip-tls-verify=false", "scale web"),
    ("scale web --debug", "--debug scale web"),
    # A value that looks like an option or a verb stays a value.
    ("scale web -n scale", "-n scale scale web"),
    ("scale web --resource-version --all", "scale web --resource-version --all"),
    # Flags with a value.
    ("scale deploy --all", "scale deploy --all"),
    ("scale deploy --all=true", "scale deploy --all"),
    ("scale deploy --all=1", "scale deploy --all"),
    ("scale deploy --all=T", "scale deploy --all"),
    ("scale deploy --all=false", "scale deploy"),
    ("scale deploy --all=0", "scale deploy"),
    ("scale deploy --all --all=false", "scale deploy"),
    ("scale deploy --all=false --all", "scale deploy --all"),
    ("scale -f d -R", "scale -f d -R"),
    ("scale -R=false -f d", "scale -f d"),
    ("status -A=true", "status -A"),
    ("status -Aw", "status -Aw"),
    # --dry-run has a default of its own, so the next word is not its value.
    ("scale web --dry-run", "scale web --dry-run client"),
    ("scale web --dry-run=server", "scale web --dry-run server"),
    ("scale web --dry-run=", "scale web --dry-run ''"),
    ("scale --dry-run web", "scale --dry-run client web"),
    # -v of kubectl: from 6 on it shows requests.
    ("scale web -v 6", "--debug scale web"),
    ("scale web -v=8", "--debug scale web"),
    ("scale web -v9", "--debug scale web"),
    ("scale web --v=6", "--debug scale web"),
    ("scale web --v 5", "scale web"),
    ("scale web -v=0", "scale web"),
    ("scale web -v x", "scale web"),
    # Accepted without effect.
    ("scale web --record", "scale web"),
    ("scale web --record=true", "scale web"),
    ("scale web --cache-dir /tmp --kuberc=off", "scale web"),
    ("scale web --match-server-version --profile none", "scale web"),
    ("autoscale web --save-config --max 3", "autoscale web --max 3"),
    ("scale web --allow-missing-template-keys=true --show-managed-fields", "scale web"),
    # Left for typer: its own options, unknown ones, help.
    ("--version", "--version"),
    ("scale --help", "scale --help"),
    ("scale -h -n x", "-n x scale -h"),
    ("scale web --nosuch=3", "scale web --nosuch=3"),
    ("scale web -z", "scale web -z"),
    ("", ""),
    # After -- nothing is an option.
    ("scale --replicas 3 -- web -n x", "scale --replicas 3 -- web -n x"),
    ("scale -n a -- --all", "-n a scale -- --all"),
    ("scale -- --dry-run --", "scale -- --dry-run --"),
]  # fmt: skip


@pytest.mark.parametrize(("given_line", "expected"), SPELLINGS)
def test_kubectl_s_spellings(given_line: str, expected: str) -> None:
    assert normalised(shlex.split(given_line)) == shlex.split(expected)


BAD = [
    ("scale web --all=maybe", "--all=maybe is neither true nor false; give --all alone, or --all=false"),
    ("scale web --all=", "--all= is neither true nor false"),
    ("scale web --insecure-skip-tls-verify=yes", "--insecure-skip-tls-verify=yes is neither true nor false"),
    # Without this, "-n scale web" would follow and take the verb for the namespace.
    ("scale web -n", "-n needs a value; give it as in -n VALUE"),
    ("scale web --replicas", "--replicas needs a value"),
    ("scale web --cache-dir", "--cache-dir needs a value"),
    ("scale web -v", "-v needs a value"),
    # kubectl would scale a workload called server, and only pretend to.
    ("scale web --dry-run server", "--dry-run server would mean a workload 'server'; give --dry-run=server"),
    ("scale web --dry-run none", "give --dry-run=none"),
]


@pytest.mark.parametrize(("given_line", "message"), BAD)
def test_what_cannot_be_read(given_line: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        normalised(shlex.split(given_line))
    assert message in str(caught.value)


WORD = st.text("abz019./=:,", min_size=1, max_size=5)
VALUE = WORD | st.sampled_from(["", "-1", "--all", "scale", "-n"])
CONNECTION = st.builds(lambda name, value: [name, value], st.sampled_from(sorted(CONNECTION_VALUES)), VALUE) | (
    st.sampled_from(sorted(CONNECTION_FLAGS)).map(lambda name: [name])
)
OTHER = (
    st.builds(lambda name, value: [name, value], st.sampled_from(sorted(VALUES)), WORD)
    | st.sampled_from(sorted(FLAGS | IGNORED_FLAGS)).map(lambda name: [name])
    | WORD.map(lambda word: [word])
)
PARTS = st.lists(st.tuples(st.booleans(), CONNECTION, OTHER), max_size=6)


def flat(parts: list[list[str]]) -> list[str]:
    return [word for part in parts for word in part]


@given(PARTS, st.lists(VALUE, max_size=3))
def test_connection_options_may_stand_anywhere(parts: list[tuple[bool, list[str], list[str]]], tail: list[str]) -> None:
    connection, others = flat([c for _, c, _ in parts]), flat([o for _, _, o in parts])
    mixed = flat([[*c, *o] if first else [*o, *c] for first, c, o in parts])
    after = ["--", *tail]
    assert normalised([*mixed, *after]) == normalised([*connection, *others, *after])
    assert normalised([*mixed, *after])[len(normalised(mixed)) :] == after


@given(PARTS)
def test_a_normalised_line_stays_as_it_is(parts: list[tuple[bool, list[str], list[str]]]) -> None:
    once = normalised(flat([[*o, *c] for _, c, o in parts]))
    assert normalised(once) == once


@given(st.sampled_from(sorted(n for n in CONNECTION_VALUES | VALUES if n.startswith("--"))), WORD)
def test_the_two_spellings_of_a_value_are_one(name: str, value: str) -> None:
    assert normalised(["scale", f"{name}={value}"]) == normalised(["scale", name, value])
