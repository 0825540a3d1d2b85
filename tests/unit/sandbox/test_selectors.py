"""Label selectors; each refusal and its words were seen on Kubernetes 1.37.2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.sandbox.selectors import matches, parse_label_selector
from mlscale.sandbox.statuses import StatusError

LABELS = {"app": "web", "tier": "front", "n": "7", "empty": "", "in": "in"}


@pytest.mark.parametrize(
    ("text", "is_in"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        ("app=api", False),
        ("app!=api", True),
        ("app!=web", False),
        ("gone!=web", True),
        ("app", True),
        ("gone", False),
        ("!gone", True),
        ("! app", False),
        ("app in (web,api)", True),
        ("app in (api)", False),
        ("app notin (api, db)", True),
        ("gone notin (api)", True),
        ("app notin (web)", False),
        ("gone in (web)", False),
        ("n>6", True),
        ("n>7", False),
        ("n<8", True),
        ("app>6", False),
        ("gone<6", False),
        ("empty=", True),
        ("app=", False),
        ("empty in ()", True),
        ("empty in (x,)", True),
        ("app in (a,,web)", True),
        ("in in (in)", True),
        ("app=web,tier=front", True),
        ("app=web,tier=back", False),
        ("app=web, !gone,n in (7)", True),
    ],
)
def test_which_objects_a_selector_takes(text: str, is_in: bool) -> None:
    assert matches(parse_label_selector(text), {"metadata": {"labels": LABELS}}) is is_in


def test_an_object_without_labels_matches_what_is_absent() -> None:
    assert matches(parse_label_selector("!app"), {"metadata": {}})
    assert not matches(parse_label_selector("app"), {"metadata": {"labels": None}})


_NAME = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        ("(a)", "found '(', expected: !, identifier, or 'end of string'"),
        ("a==b,", "found '', expected: identifier after ','"),
        ("a,,b", "found ',', expected: identifier after ','"),
        ("a!=b c", "found 'c', expected: ',' or 'end of string'"),
        ("a=b=c", "found '=', expected: ',' or 'end of string'"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in", "unable to parse requirement: found '' expected: '('"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        (
            "a>x",
            "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must "
            "be an integer",
        ),
        ("-a", f'unable to parse requirement: <nil>: Invalid value: "-a": name part {_NAME}'),
        (
            "a/b/c",
            f'unable to parse requirement: <nil>: Invalid value: "a/b/c": a valid label key {_NAME} with an optional '
            "DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
        ),
        (
            "A_b.c/d=e",
            'unable to parse requirement: <nil>: Invalid value: "A_b.c/d": prefix part a lowercase RFC 1123 subdomain '
            "must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
            "alphanumeric character (e.g. 'example.com', regex used for validation is "
            "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        ),
        (
            "x" * 64,
            f'unable to parse requirement: <nil>: Invalid value: "{"x" * 64}": name part must be no more than 63 bytes',
        ),
        (
            "a=" + "x" * 64,
            f'unable to parse requirement: values[0][a]: Invalid value: "{"x" * 64}": must be no more than 63 bytes',
        ),
        (
            "a=-b",
            'unable to parse requirement: values[0][a]: Invalid value: "-b": a valid label must be an empty string or '
            "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
            "character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
            "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
        ),
    ],
)
def test_what_a_selector_may_not_say(text: str, message: str) -> None:
    with pytest.raises(StatusError) as raised:
        parse_label_selector(text)
    assert (raised.value.code, raised.value.reason, raised.value.message) == (400, "BadRequest", message)


@given(st.text("ab1=!<>(),- inot", max_size=20))
def test_any_text_parses_or_is_a_bad_request(text: str) -> None:
    assert code_of(text) in (200, 400)


def code_of(text: str) -> int:
    try:
        matches(parse_label_selector(text), {"metadata": {"labels": {"a": "1", "b": "b"}}})
    except StatusError as error:
        return error.code
    return 200


@given(st.sets(st.from_regex(r"\A[a-z0-9]{1,5}\Z"), min_size=1), st.none() | st.from_regex(r"\A[a-z0-9]{1,5}\Z"))
def test_in_and_notin_are_opposites(values: set[str], label: str | None) -> None:
    obj = {"metadata": {"labels": {} if label is None else {"k": label}}}
    listed = ",".join(values)
    within = matches(parse_label_selector(f"k in ({listed})"), obj)
    assert within is not matches(parse_label_selector(f"k notin ({listed})"), obj)
