"""The frozen values behave as those of ``dataclasses``, which makes the same classes here beside them."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.frozen import field, frozen, replace


@frozen
class Ours:
    """A value with every kind of field."""

    kind: str
    count: int = 1
    secret: str = field(default="", repr=False)
    more: dict[str, int] = field(default_factory=dict)
    note: str = field(default="", compare=False)
    limit: ClassVar[int] = 3

    @property
    def doubled(self) -> int:
        return 2 * self.count


@dataclass(frozen=True)
class Theirs:
    """The same by dataclasses."""

    kind: str
    count: int = 1
    secret: str = dataclasses.field(default="", repr=False)
    more: dict[str, int] = dataclasses.field(default_factory=dict)
    note: str = dataclasses.field(default="", compare=False)
    limit: ClassVar[int] = 3


@frozen
class Key:
    """A value that can be a key."""

    kind: str
    name: str = ""


GIVEN = st.fixed_dictionaries(
    {"kind": st.sampled_from("ab")},
    optional={
        "count": st.integers(0, 2),
        "secret": st.sampled_from(["", "s3cret"]),
        "more": st.dictionaries(st.sampled_from("xy"), st.integers(0, 1), max_size=2),
        "note": st.sampled_from("no"),
    },
)


@given(GIVEN, GIVEN)
def test_equality_and_fields_are_those_of_dataclasses(one: dict[str, Any], other: dict[str, Any]) -> None:
    ours, theirs = Ours(**one), Theirs(**one)
    assert (ours == Ours(**other)) == (theirs == Theirs(**other))
    assert dataclasses.asdict(ours) == dataclasses.asdict(theirs)
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert ours.__eq__(theirs) is NotImplemented


@given(GIVEN, st.integers(0, 9))
def test_replace_changes_what_it_is_given_and_keeps_the_rest(one: dict[str, Any], count: int) -> None:
    changed = replace(Ours(**one), count=count)
    assert changed == Ours(**(one | {"count": count}))
    assert changed.note == one.get("note", "")
    assert dataclasses.replace(changed, count=1) == replace(changed, count=1)
    assert changed.doubled == 2 * count


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((), {}),
        ((), {"count": 1}),
        (("a",), {"kind": "b"}),
        (("a",), {"other": 1}),
        ((), {"count": 1, "other": 2}),
        (("a", 1, "", {}, "", 6), {}),
        (("a", 1, "", {}, "", 6), {"other": 2}),
    ],
)
def test_a_wrong_call_is_refused(values: tuple[Any, ...], named: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="takes kind, count, secret, more, note, each once; needed: kind"):
        Ours(*values, **named)
    with pytest.raises(TypeError):
        Theirs(*values, **named)


def test_nothing_can_be_changed() -> None:
    value = Key("a")
    with pytest.raises(AttributeError, match="Key is frozen: kind"):
        value.kind = "b"  # type: ignore[misc]
    with pytest.raises(AttributeError, match="Key is frozen: name"):
        del value.name
    with pytest.raises(AttributeError, match="frozen"):
        value.other = 1  # type: ignore[attr-defined]
    assert value == Key("a")


def test_a_default_of_one_value_is_not_that_of_another() -> None:
    assert Ours("a").more is not Ours("a").more


def test_equal_values_are_one_key() -> None:
    assert len({Key("a"), Key("a", ""), Key("a", "b")}) == 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(Ours("a"))


def test_copies_are_equal() -> None:
    value = Key("a", "b")
    assert copy.deepcopy(value) == copy.copy(value) == pickle.loads(pickle.dumps(value)) == value  # noqa: S301


def test_a_value_can_be_matched() -> None:
    match Key("a", "b"):
        case Key(kind, "b"):
            assert kind == "a"
        case _:
            pytest.fail("it did not match")


def test_a_class_keeps_its_own_methods() -> None:
    @frozen
    class Shouting:
        name: str

        def __repr__(self) -> str:
            return self.name.upper()

    assert repr(Shouting("a")) == "A"
