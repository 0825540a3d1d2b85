"""``-o json`` holds to its published schema."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import jsonschema  # type: ignore[import-untyped]
import numpy as np
import pytest

from mlscale.errors import MlscaleError, NotEnoughDataError
from mlscale.output.recommend_document import recommend_document
from mlscale.output.recommend_words import LIMITS, METHODS, ROWS
from mlscale.output.structured import render_json
from mlscale.recommend.model import LimitName, Method, Recommendation, RowName
from tests.unit.output.recommendations import SCALE, autoscaled, left_alone, resized

SCHEMA_FILE = Path(__file__).resolve().parents[3] / "docs/reference/schemas/recommend-v1.json"
SCHEMA: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
TOO_LITTLE = NotEnoughDataError("not enough data: 3 h of 24 h needed", "come back tomorrow")


def document(*recommendations: Recommendation, errors: tuple[MlscaleError, ...] = ()) -> dict[str, Any]:
    """The document, by way of its text."""
    read: dict[str, Any] = json.loads(render_json(recommend_document(recommendations, errors)))
    return read


@pytest.mark.parametrize(
    "one",
    [autoscaled(), left_alone(), resized(), replace(autoscaled(), method="horizontal", steps=(SCALE,))],
    ids=["autoscaled", "left alone", "resized", "scaled out"],
)
def test_each_sort_of_answer_holds_to_the_schema(one: Recommendation) -> None:
    jsonschema.validate(document(one, errors=(TOO_LITTLE,)), SCHEMA)


def test_the_schema_is_strict_enough_to_notice_a_change() -> None:
    """The counterfactual: a field too many, one too few, and an unknown limit are refused."""
    good = document(autoscaled())
    more = json.loads(json.dumps(good))
    more["recommendations"][0]["surprise"] = 1
    less = json.loads(json.dumps(good))
    del less["recommendations"][0]["verdict"]
    unknown = json.loads(json.dumps(good))
    unknown["recommendations"][0]["limits"][0]["name"] = "Weather"

    for bad in (more, less, unknown):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, SCHEMA)


def test_the_schema_and_the_words_know_every_name_of_the_model() -> None:
    kinds = SCHEMA["$defs"]

    assert kinds["limit"]["properties"]["name"]["enum"] == list(get_args(LimitName)) == list(LIMITS)
    assert kinds["method"]["enum"] == list(get_args(Method)) == list(METHODS)
    assert kinds["score"]["properties"]["name"]["enum"] == list(get_args(RowName)) == list(ROWS)


def test_what_an_answer_says() -> None:
    one = document(autoscaled())["recommendations"][0]

    assert one["target"] == {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "default", "name": "web"}
    assert [score["name"] for score in one["scores"]] == ["now", "recommended", "default"]
    assert one["scores"][0]["unmetDemand"] == 0.023
    assert one["heldOut"] == {"start": "2023-11-15T00:00:00Z", "end": "2023-11-17T00:00:00Z", "hours": 48.0}
    assert one["steps"][0]["manifest"]["kind"] == "HorizontalPodAutoscaler"
    assert one["gain"] == {"coreHoursPerDay": 31.25, "unmetDemand": 0.023}


def test_a_resize_names_what_is_and_what_is_to_be_and_leaves_out_what_is_unset() -> None:
    resize = document(resized())["recommendations"][0]["steps"][0]["resizes"][0]

    assert resize["now"]["limits"] == {"cpu": "1", "memory": "1Gi"}
    assert resize["recommended"] == {"requests": {"cpu": "500m", "memory": "2Gi"}, "limits": {"memory": "2Gi"}}


def test_errors_carry_their_exit_code_and_leave_the_rest_standing() -> None:
    answer = document(autoscaled(), errors=(TOO_LITTLE,))

    assert len(answer["recommendations"]) == 1
    assert answer["errors"] == [
        {"message": "not enough data: 3 h of 24 h needed", "hint": "come back tomorrow", "exitCode": 9}
    ]


def test_numbers_of_numpy_are_numbers() -> None:
    numbers: dict[str, Any] = {"unmet": np.float64(0.5), "peak_replicas": np.int32(7), "gpu_hours": np.float32(2.0)}
    row = replace(autoscaled().scores[0], **numbers)
    score = document(replace(autoscaled(), scores=(row,)))["recommendations"][0]["scores"][0]

    assert (score["unmetDemand"], score["peakReplicas"], score["gpuHours"]) == (0.5, 7, 2.0)
