"""A result on its ways to other processes and into a scene: every field of it arrives, and every bit."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, make_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from full_result import THIRD, comparable, empty_leaves, full_result, leaves
from numpy.typing import NDArray
from SUREUncertaintyLib.core.dataclass_json import from_json, to_json
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.inference.result import SegmentationResult
from SUREUncertaintyLib.inference.result_codec import decode_result, encode_result
from SUREUncertaintyLib.inference.sampling.memory import affordable
from SUREUncertaintyLib.inference.sampling.samples_result import SamplingOptions
from SUREUncertaintyLib.report.run_record import describe_result
from SUREUncertaintyLib.worker.protocol import plain
from SUREUncertaintyLib.worker.result_files import read_result, write_result
from two_blobs import two_blobs


def test_the_full_result_leaves_no_field_empty() -> None:
    """Else the tests below would pass for a field that is lost on the way. A new field must be filled there."""
    assert empty_leaves(full_result()) == []


def test_every_field_comes_through_files_and_a_line_of_json_bit_for_bit(tmp_path: Path) -> None:
    given = full_result()
    line = json.dumps(plain({"id": 1, **write_result(given, tmp_path, "1")}), allow_nan=False)
    found = read_result(json.loads(line), tmp_path, given.image)
    assert found.image is given.image
    sent, came = dict(leaves(given)), dict(leaves(found))
    assert list(came) == list(sent)
    assert [path for path in sent if comparable(sent[path]) != comparable(came[path])] == []
    assert [path for path in sent if type(sent[path]) is not type(came[path])] == []
    assert list(tmp_path.iterdir()) == []


def test_a_new_field_travels_without_being_named_anywhere() -> None:
    Extended = make_dataclass(
        "Extended",
        [("ratings", dict[str, tuple[float, ...]], field(default_factory=dict)), ("extra", NDArray[np.int16], None)],
        bases=(SegmentationResult,),
        frozen=True,
        eq=False,
    )
    given = full_result()
    values = {entry.name: getattr(given, entry.name) for entry in fields(given)}
    extended = Extended(**values, ratings={"a": (THIRD, 2.0)}, extra=np.arange(5, dtype=np.int16))
    document, arrays = encode_result(extended)
    found = from_json(Extended, {**document, "image": to_json(given.image, arrays, "image")}, arrays)
    assert found.ratings == {"a": (THIRD, 2.0)}
    assert found.extra.dtype == np.int16


@pytest.mark.parametrize("value", [{1: "a"}, {1, 2}, b"bytes", object()])
def test_what_could_not_come_back_is_refused_when_it_is_sent(value: Any) -> None:
    with pytest.raises(TypeError):
        to_json(replace(two_blobs(), provenance={"value": value}), {})


@dataclass(frozen=True)
class Odd:
    """Types that JSON cannot tell apart."""

    maybe: float | None = None
    keys: dict[int, str] = field(default_factory=dict)


@pytest.mark.parametrize("document", [{"maybe": 1.0}, {"keys": {"1": "a"}}])
def test_a_type_that_json_cannot_hold_is_an_error_and_no_loss(document: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="no form in JSON"):
        from_json(Odd, document)


@pytest.mark.parametrize(
    "value", [THIRD, -0.0, 5e-324, 1.7976931348623157e308, float("nan"), float("inf"), -float("inf")]
)
def test_numbers_keep_every_bit(value: float) -> None:
    text = json.dumps(to_json(value), allow_nan=False)
    assert from_json(float, json.loads(text)).hex() == value.hex()


def test_a_damaged_answer_is_an_error_in_words(tmp_path: Path) -> None:
    given = full_result()
    document = write_result(given, tmp_path, "1")
    del document["result"]["sampling"]["options"]
    with pytest.raises(InputError, match=r"Sampling without options.*Run again"):
        read_result(document, tmp_path, given.image)


def test_documents_of_an_earlier_version_are_read_with_defaults() -> None:
    given = two_blobs()
    document, arrays = encode_result(given)
    del document["difficulty"], document["sampling"]
    found = decode_result({**document, "unknown": 1}, arrays, given.image)
    assert (found.difficulty, found.sampling) == ((), None)
    assert repr(found.structures) == repr(given.structures)


IN_THE_REPORT = {
    "image": "image",
    "labels": "files",
    "uncertainty": "uncertainty",
    "entropy": "files",
    "label_set": "labels",
    "rois": "rois",
    "structures": "structures",
    "wholes": "wholes",
    "asymmetries": "asymmetry",
    "regions": "regions",
    "notices": "notices",
    "uncertainty_kind": "uncertainty",
    "threshold": "uncertainty",
    "sampling": "samples",
    "members": "members",
    "difficulty": "difficulty",
    "measures": "measures",
    "quality": "quality",
    "provenance": "model",
}
"""Where report.json tells of each field; ``files`` lists those that lie beside it."""


def test_the_report_tells_of_every_field_of_a_result_and_of_its_rows() -> None:
    given = full_result()
    document = describe_result(given) | {"files": {}}
    told = set(IN_THE_REPORT) | {"probabilities"}  # these are kept for scripts only
    assert {entry.name for entry in fields(given)} == told
    assert set(IN_THE_REPORT.values()) <= set(document)
    for name in (
        "label_set",
        "structures",
        "wholes",
        "asymmetries",
        "regions",
        "notices",
        "difficulty",
        "measures",
        "quality",
    ):
        (row, *_), (entry, *_) = getattr(given, name), document[IN_THE_REPORT[name]]
        assert {part.name for part in fields(row)} <= set(entry), name
    assert document["labels"][0]["modifier"] == {"value": "7771000", "scheme": "SCT", "meaning": "Left"}
    assert document["samples"]["options"]["seed"] == 11
    assert document["structures"][0]["perception_scale"] == 0.3333333
    assert document["structures"][1]["mean_uncertainty"] is None


def test_level_maps_and_samples_are_left_out_of_a_scan_that_would_fill_the_memory() -> None:
    wanted = SamplingOptions(20, level_maps=True, keep_samples=True)
    needed = 30 * 40 * 50 * (20 + 4 * 5)
    assert affordable(wanted, (30, 40, 50), 5, 5 * needed) is wanted
    less = affordable(wanted, (30, 40, 50), 5, 5 * needed - 10)
    assert (less.level_maps, less.keep_samples, less.count) == (False, False, 20)
    plain_wish = SamplingOptions(20)
    assert affordable(plain_wish, (3000, 4000, 5000), 5, 1) is plain_wish
