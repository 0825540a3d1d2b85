"""Frozen values as ``dataclasses`` makes them, without code that is written and compiled at import.

``dataclasses`` compiles six methods a class, about 0.5 ms each time that mlscale starts; the thirty classes of a
command would cost more than the rest of its own imports. Here all classes share the same methods, which go by the
names of the fields. Values that are made by the thousand are as quick to make as those of a frozen dataclass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Field:
    """How one field differs from others.

    ``factory`` makes its default, ``shown`` is whether repr() may show it, ``compared`` whether it counts for equality.
    """

    __slots__ = ("compared", "default", "factory", "shown")

    def __init__(self, default: object, factory: Callable[[], object] | None, shown: bool, compared: bool) -> None:
        self.default = default
        self.factory = factory
        self.shown = shown
        self.compared = compared


_MISSING = object()


def field(
    *,
    default: Any = _MISSING,
    default_factory: Callable[[], Any] | None = None,
    repr: bool = True,
    compare: bool = True,
) -> Any:
    """As ``dataclasses.field``: a default of its own for each value, or a secret that repr() leaves out."""
    return Field(default, default_factory, repr, compare)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make ``cls`` a frozen value of its annotated fields: as ``dataclass(frozen=True)``, with the same behaviour.

    It takes annotations that are text (``from __future__ import annotations``), and no bases with fields.
    """
    names = tuple(name for name, kind in cls.__annotations__.items() if not kind.startswith("ClassVar"))
    fields = {name: _taken_field(cls, name) for name in names}
    methods = {
        "__match_args__": names,
        "_defaults": {name: field.default for name, field in fields.items() if field.default is not _MISSING},
        "_factories": [(name, field.factory) for name, field in fields.items() if field.factory],
        "_shown": tuple(name for name in names if fields[name].shown),
        "_compared": tuple(name for name in names if fields[name].compared),
        **_METHODS,
    }
    for name, value in methods.items():
        if name not in cls.__dict__:
            setattr(cls, name, value)
    return cls


def _taken_field(cls: type, name: str) -> Field:
    """The field ``name`` as the class says it; what only describes it is no attribute of the class afterwards."""
    given = cls.__dict__.get(name, _MISSING)
    if not isinstance(given, Field):
        return Field(given, None, shown=True, compared=True)
    delattr(cls, name)
    return given


def replace(value: T, **changes: Any) -> T:
    """``value`` with other values for the fields that ``changes`` names."""
    kept = {name: getattr(value, name) for name in cast("Any", value).__match_args__}
    return type(value)(**(kept | changes))


def _init(self: Any, /, *values: Any, **named: Any) -> None:
    cls, state = type(self), self.__dict__
    names = cls.__match_args__
    for name, make in cls._factories:
        state[name] = make()
    state.update(cls._defaults)
    state.update(zip(names, values, strict=False))
    if named:
        state.update(named)
        if not named.keys() <= set(names[len(values) :]):
            raise _wrong_call(cls)
    if len(state) != len(names) or len(values) > len(names):
        raise _wrong_call(cls)


def _wrong_call(cls: Any) -> TypeError:
    required = [name for name in cls.__match_args__ if name not in cls._defaults and name not in dict(cls._factories)]
    return TypeError(f"{cls.__name__} takes {', '.join(cls.__match_args__)}, each once; needed: {', '.join(required)}")


def _values(value: Any) -> tuple[Any, ...]:
    state = value.__dict__
    return tuple([state[name] for name in type(value)._compared])


def _equal(self: Any, other: object) -> Any:
    return _values(self) == _values(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._shown)
    return f"{type(self).__qualname__}({shown})"


def _refuse(self: object, name: str, *_value: object) -> None:
    raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be changed")


class _DataclassFields:
    """``__dataclass_fields__``, made when ``dataclasses.replace``, ``asdict`` or ``fields`` asks for it."""

    def __get__(self, _value: object, cls: Any) -> Any:
        from dataclasses import make_dataclass

        made: Any = make_dataclass(cls.__name__, cls.__match_args__)
        found = made.__dataclass_fields__
        cls.__dataclass_fields__ = found
        return found


_METHODS = {
    "__dataclass_fields__": _DataclassFields(),
    "__init__": _init,
    "__eq__": _equal,
    "__hash__": _hash,
    "__repr__": _repr,
    "__setattr__": _refuse,
    "__delattr__": _refuse,
}
