"""An interface says all that is asked of it: nobody asks an engine by name for what its protocol does not promise."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from SUREUncertaintyLib.inference.engine import Engine, logits_and_own
from SUREUncertaintyLib.inference.estimation.estimator_choice import estimate
from SUREUncertaintyLib.inference.openvino_engine import QUICK, OpenVinoEngine
from SUREUncertaintyLib.inference.torch_engine import TorchEngine
from SUREUncertaintyLib.packages.metadata import ENTROPY_THRESHOLD
from SUREUncertaintyLib.packages.package import Package
from tiny import PointEngine

LIBRARY = Path(__file__).resolve().parents[2] / "SUREUncertainty" / "SUREUncertaintyLib"
ASKED = {"engine", "runner", "base", "quick", "predictor", "extractor", "session", "metadata"}
"""Objects whose interface is written down."""

MEMBERS = sorted(name for name in vars(Engine) if not name.startswith("_"))
DOCUMENT_READERS = {"packages/metadata.py", "cli/models.py"}
"""Who reads the whole document: the facts themselves, and the command that prints it."""


def nodes(kind: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    for file in sorted(LIBRARY.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, kind):
                yield file.relative_to(LIBRARY).as_posix(), node


def last_name(value: ast.expr) -> str:
    return value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")


def test_nobody_asks_an_engine_or_predictor_by_a_text() -> None:
    asked = [
        f"{file}:{node.lineno}"
        for file, node in nodes(ast.Call)
        if isinstance(node, ast.Call) and last_name(node.func) in ("getattr", "hasattr")
        if isinstance(node.args[1], ast.Constant) and last_name(node.args[0]).strip("_") in ASKED
    ]
    assert asked == []


def test_a_package_s_document_is_read_through_its_facts_only() -> None:
    read = {file for file, node in nodes(ast.Attribute) if isinstance(node, ast.Attribute) and node.attr == "raw"}
    assert read - {"nn/label_denoising.py"} == DOCUMENT_READERS  # that one is a parameter of a network


def engines(package: Package) -> dict[str, Engine]:
    point = PointEngine()
    return {
        "torch": TorchEngine(package, "cpu", 1),
        "openvino": OpenVinoEngine(package, threads=1),
        "quick": OpenVinoEngine(package, threads=1, precision=QUICK),
        "point": point,
        "softmax": estimate(package, point, "softmax").engine,
        "tta": estimate(package, TorchEngine(package, "cpu", 1), "tta").engine,
    }


@pytest.mark.torch
def test_every_engine_says_all_that_is_asked_of_one(tiny_package: Package) -> None:
    windows = np.random.default_rng(0).standard_normal((2, 1, 16, 16, 16)).astype(np.float32)
    for name, engine in engines(tiny_package).items():
        assert [member for member in MEMBERS if not hasattr(engine, member)] == [], name
        assert isinstance(engine.version, str)
        assert engine.threads is None or engine.threads > 0
        assert engine.precision in ("f32", "bf16")
        logits, factor = engine.factored(windows)
        assert factor.shape == (2, 1, 16, 16, 16)
        assert np.array_equal(logits, engine.logits(windows)), name
        both = logits_and_own(engine, windows)
        assert np.array_equal(both[0], both[1]), name  # this network has no evidence-scaling head
    assert (engines(tiny_package)["tta"].estimator, engines(tiny_package)["tta"].passes) == ("tta", 10)
    assert (PointEngine().estimator, PointEngine().passes, PointEngine().seed) == ("native", 1, None)


def test_facts_of_a_package_that_says_little_and_of_one_that_says_much(tiny_package: Package) -> None:
    few = replace(tiny_package.metadata, raw={})
    assert (few.volume_probability, few.warnings, few.intended_use, few.limits) == (None, (), "", "")
    assert (few.reference, few.licence, few.training.seen, few.training.start) == (None, "not given", frozenset(), None)
    assert replace(few, raw={"reference": "text", "training": "text"}).reference is None
    much = replace(
        few,
        raw={
            "uncertainty": {"volume_probability": 0.9, "warnings": ["collapsed"]},
            "intended_use": "Phantoms.",
            "limits": "No patients.",
            "copyright": "Somebody",
            "reference": {"schema": "x"},
            "training": {"training_ids": [1, "b"], "tuning_ids": ["c"], "start": {"name": "a"}, "licence": "CC0"},
        },
    )
    assert (much.volume_probability, much.warnings, much.licence) == (0.9, ("collapsed",), "CC0")
    assert (much.intended_use, much.limits, much.reference) == ("Phantoms.", "No patients.", {"schema": "x"})
    assert much.training.training_ids == ("1", "b")
    assert much.training.seen == {"1", "b", "c"}
    assert much.training.start == {"name": "a"}
    fitted = replace(much, primary="vacuity", threshold=0.1).without_fit()
    assert (fitted.threshold, fitted.volume_probability, fitted.warnings) == (ENTROPY_THRESHOLD, None, ("collapsed",))
    kept = replace(much, primary="entropy", threshold=0.1)
    assert kept.without_fit() is kept


def test_a_reference_that_is_no_table_is_none(tiny_package: Package) -> None:
    pytest.importorskip("scipy")
    from SUREUncertaintyLib.analysis.difficulty_reference import read_reference

    assert read_reference(tiny_package.metadata.reference) is None
