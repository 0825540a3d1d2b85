"""Quantities: a table held against apimachinery v0.37.2, and laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.errors import MlscaleError
from mlscale.kube.quantity import (
    NANO,
    Format,
    InvalidQuantityError,
    Quantity,
    format_amount,
    format_cpu,
    format_memory,
    nano_of,
    parse_quantity,
    rounded_up,
)

# text, Quantity.String() once canonical, MilliValue(), Value(): as k8s.io/apimachinery v0.37.2 gives them.
UPSTREAM = [
    ("0", "0", 0, 0),
    ("0Mi", "0", 0, 0),
    ("500m", "500m", 500, 1),
    ("1", "1", 1000, 1),
    ("+5", "5", 5000, 5),
    ("01", "1", 1000, 1),
    ("0.5", "500m", 500, 1),
    (".5", "500m", 500, 1),
    ("5.", "5", 5000, 5),
    ("1000m", "1", 1000, 1),
    ("1500m", "1500m", 1500, 2),
    ("1500000u", "1500m", 1500, 2),
    ("250009856n", "250009856n", 251, 1),
    ("100u", "100u", 1, 1),
    ("0.1n", "1n", 1, 1),
    ("1k", "1k", 1_000_000, 1000),
    ("1e3", "1e3", 1_000_000, 1000),
    ("1e+3", "1e3", 1_000_000, 1000),
    ("1E6", "1e6", 1_000_000_000, 1_000_000),
    ("12E6", "12e6", 12_000_000_000, 12_000_000),
    ("1e7", "10e6", 10_000_000_000, 10_000_000),
    ("1e-3", "1e-3", 1, 1),
    ("1e-12", "1e-9", 1, 1),
    ("1.G", "1G", 1_000_000_000_000, 1_000_000_000),
    ("128Mi", "128Mi", 134_217_728_000, 134_217_728),
    ("1.5Gi", "1536Mi", 1_610_612_736_000, 1_610_612_736),
    ("1024Mi", "1Gi", 1_073_741_824_000, 1_073_741_824),
    ("1024Ki", "1Mi", 1_048_576_000, 1_048_576),
    ("1Ki", "1Ki", 1_024_000, 1024),
    ("0.5Ki", "512", 512_000, 512),
    ("1.1Ki", "1126400m", 1_126_400, 1127),
    ("0.1Gi", "107374182400m", 107_374_182_400, 107_374_183),
    ("0.0001Ki", "102400u", 103, 1),
    ("1Ti", "1Ti", 1_099_511_627_776_000, 1_099_511_627_776),
    ("-500m", "-500m", -500, -1),
    ("-1.5Gi", "-1536Mi", -1_610_612_736_000, -1_610_612_736),
]


@pytest.mark.parametrize(("text", "canonical", "milli", "value"), UPSTREAM)
def test_agrees_with_upstream(text: str, canonical: str, milli: int, value: int) -> None:
    quantity = parse_quantity(text)
    assert (str(quantity), quantity.milli_value, quantity.value) == (canonical, milli, value)


def test_e_is_exa_alone_and_an_exponent_before_digits() -> None:
    # Read as an exponent, 12E would be no number; read as exa, 12E6 would be none.
    assert nano_of("12E") == 12 * 10**18 * NANO
    assert nano_of("12E6") == 12 * 10**6 * NANO


def test_binary_amounts_are_capped_at_int64() -> None:
    # Upstream caps 16Ei (2^64) at 2^63-1; decimal 10E is beyond it too and is not capped.
    assert parse_quantity("16Ei").value == 2**63 - 1
    assert parse_quantity("10E").value == 10**19


def test_there_is_no_suffix_above_exa() -> None:
    # Upstream looks for one and, finding none, prints 1000E as 1.
    assert str(parse_quantity("1000E")) == "1000E"


def test_a_binary_amount_below_one_becomes_decimal() -> None:
    assert (parse_quantity("0.0001Ki").format, parse_quantity("1Ki").format) == ("DecimalSI", "BinarySI")


@pytest.mark.parametrize(
    "text",
    ["", " ", "1 ", " 1", "foo", "1x", "1mi", "1K", "1ei", "1e", "e", "m", ".", "-", "1..2", "1,5", "3e1m", "1e1.5",
     "0x10", "٣", "１", "nan", "inf", "1e100000000", "9" * 65, "1e+-3", "--1"],
)  # fmt: skip
def test_what_is_no_quantity_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(InvalidQuantityError) as caught:
        parse_quantity(text)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, MlscaleError)
    assert str(caught.value).endswith("a number with an optional suffix is right, such as 500m, 2, 1.5, 128Mi or 4G")
    assert len(str(caught.value)) < 200


def test_numbers_of_json_are_quantities_too() -> None:
    assert nano_of(2) == 2 * NANO
    assert nano_of(0.5) == NANO // 2
    assert nano_of(1e-05) == 10_000


@pytest.mark.parametrize(
    ("resource", "text", "shown"),
    [
        ("cpu", "0.25", "250m"),
        ("cpu", "2000m", "2"),
        ("cpu", "250009856n", "251m"),  # rounded up, as the scheduler and the HPA count it
        ("requests.cpu", "1500m", "1500m"),
        ("limits.memory", "1Gi", "1Gi"),
        ("memory", "314572800", "300Mi"),
        ("memory", "313524223", "298Mi"),  # one byte under 299Mi: what is free is never shown larger than it is
        ("memory", "9000", "8Ki"),
        ("memory", "1000", "1000"),
        ("memory", "-313524223", "-298Mi"),
        ("memory", "0", "0"),
        ("ephemeral-storage", "10240Mi", "10Gi"),
        ("hugepages-2Mi", "4194304", "4Mi"),
        ("nvidia.com/gpu", "4", "4"),
        ("requests.nvidia.com/gpu", "4000", "4000"),  # a count: 4k GPUs would be canonical
        ("pods", "110", "110"),
    ],
)
def test_amounts_for_people(resource: str, text: str, shown: str) -> None:
    assert format_amount(resource, nano_of(text)) == shown


def test_cpu_and_memory_by_name() -> None:
    assert (format_cpu(NANO // 4), format_memory(300 * 2**20 * NANO)) == ("250m", "300Mi")


NANOS = st.integers(min_value=-(10**27), max_value=10**27)
FORMATS: st.SearchStrategy[Format] = st.sampled_from(["DecimalSI", "BinarySI", "DecimalExponent"])
QUANTITIES = st.builds(Quantity, NANOS, FORMATS)


@given(QUANTITIES)
def test_the_canonical_text_reads_back_as_the_same_amount(quantity: Quantity) -> None:
    assert parse_quantity(str(quantity)) == quantity


@given(QUANTITIES)
def test_the_canonical_text_is_a_fixed_point(quantity: Quantity) -> None:
    # Not of any quantity: 625000 in the binary format prints as 625000, which reads as decimal and prints as 625k.
    canonical = parse_quantity(str(parse_quantity(str(quantity))))
    assert canonical == quantity
    assert str(parse_quantity(str(canonical))) == str(canonical)


@given(QUANTITIES, QUANTITIES)
def test_order_is_that_of_the_amounts(left: Quantity, right: Quantity) -> None:
    assert (left < right, left == right) == (left.nano < right.nano, left.nano == right.nano)


@given(QUANTITIES, QUANTITIES, QUANTITIES)
def test_addition_is_exact(one: Quantity, two: Quantity, three: Quantity) -> None:
    assert one + two == two + one
    assert (one + two) + three == one + (two + three)
    assert (one + two) - two == one


@given(NANOS, st.integers(min_value=1, max_value=10**12))
def test_rounding_goes_away_from_zero_by_less_than_a_unit(nano: int, unit: int) -> None:
    count = rounded_up(nano, unit)
    assert abs(count) * unit >= abs(nano)
    assert abs(count * unit - nano) < unit
    assert rounded_up(-nano, unit) == -count


@given(st.text(max_size=20))
def test_any_text_is_a_quantity_or_refused(text: str) -> None:
    try:
        quantity = parse_quantity(text)
    except InvalidQuantityError:
        return
    assert parse_quantity(str(quantity)) == quantity


def test_the_sum_keeps_the_format_of_the_first_that_is_not_zero() -> None:
    assert str(parse_quantity("0") + parse_quantity("1Gi")) == "1Gi"
    assert str(parse_quantity("1Gi") + parse_quantity("1073741824")) == "2Gi"
    assert str(parse_quantity("2Gi") - parse_quantity("1Gi")) == "1Gi"
