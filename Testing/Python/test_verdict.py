"""The verdict: what decides it, where it stands, and what a scan outside of the model's knowledge does not get."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from phantoms import asymmetric_volume
from SUREUncertaintyLib.analysis import notice_texts as texts
from SUREUncertaintyLib.analysis.difficulty_reference import CaseDifficulty
from SUREUncertaintyLib.analysis.rows import Notice
from SUREUncertaintyLib.analysis.verdict import (
    CHECK,
    DO_NOT_USE,
    NO_SAY,
    OUTSIDE,
    UNUSABLE,
    USABLE,
    WORTH_A_CHECK,
    Verdict,
    verdict_of,
)
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.core.wording import VERDICT_NAMES
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.fusion.notices import TEXTS as FUSION_TEXTS
from SUREUncertaintyLib.inference.segmenter import without_promises
from SUREUncertaintyLib.mrml.scene_manifest import manifest_text
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.report.difficulty_section import hardness
from SUREUncertaintyLib.report.result_page import write_page
from SUREUncertaintyLib.report.run_record import describe_result
from two_blobs import two_blobs

Capture = pytest.CaptureFixture[str]
PIECES, FAR = Notice(texts.SEVERAL_PIECES, "In pieces."), Notice(texts.VOLUME_FAR, "Far too small.")


def test_the_gravest_warning_decides_and_its_reason_comes_first() -> None:
    assert verdict_of(()) == Verdict(USABLE)
    assert verdict_of((Notice("no-scene", "No scene."),)) == Verdict(USABLE)
    assert verdict_of((PIECES,)) == Verdict(CHECK, ("In pieces.",))
    assert verdict_of((PIECES, FAR)) == Verdict(DO_NOT_USE, ("Far too small.", "In pieces."))


def test_every_warning_has_one_place_in_the_verdict() -> None:
    assert (
        set(texts.TEXTS) | set(FUSION_TEXTS) | {texts.LATENTS_COLLAPSED, texts.EMPTY_MEMBER}
        == UNUSABLE | WORTH_A_CHECK | NO_SAY
    )
    assert not UNUSABLE & WORTH_A_CHECK


def known() -> CaseDifficulty:
    return CaseDifficulty(
        "scan", 0.5, {"left blob": 0.5}, 0, 30, 0.1, False, others=tuple(n / 10 for n in range(1, 31))
    )


@pytest.mark.parametrize("code", sorted(OUTSIDE))
def test_outside_of_what_the_model_knows_there_is_no_range_and_no_word_of_hardness(code: str) -> None:
    rows = tuple(replace(row, difficulty="harder than 0 of 30") for row in two_blobs().structures)
    result = replace(two_blobs(), structures=rows, difficulty=(known(),), notices=(Notice(code, "Outside."),))
    assert without_promises(replace(result, notices=(PIECES,))).structures[0].volume_high_ml == 3.5
    bare = without_promises(result)
    assert math.isnan(bare.structures[0].volume_low_ml)
    assert math.isnan(bare.structures[0].volume_high_ml)
    assert bare.structures[0].volume_ml == 3.3134
    assert {row.difficulty for row in bare.structures} == {""}
    document = json.dumps(describe_result(bare), allow_nan=False)
    assert "arder than" not in document.replace("harder_than", "")
    assert json.loads(document)["difficulty"][0]["harder_than"] is None
    assert "arder than" not in hardness(json.loads(document)["difficulty"])
    assert "arder than" in hardness(describe_result(replace(result, notices=()))["difficulty"])


def test_it_stands_first_in_report_scene_and_page(tiny_package: Package, tmp_path: Path) -> None:
    result = replace(two_blobs(), notices=(PIECES, FAR, Notice("no-scene", "No scene.")))
    document = describe_result(result)
    assert (document["status"], document["status_reasons"]) == (DO_NOT_USE, ["Far too small.", "In pieces."])
    scene = json.loads(manifest_text(result))
    assert (scene["status"], scene["status_reasons"]) == (DO_NOT_USE, ["Far too small.", "In pieces."])
    write_page(document, tiny_package.metadata, (), tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.index("<b>Do not use.</b>") < page.index("Far too small.") < page.index("<h2>Structures</h2>")
    assert page.count("Far too small.") == 1
    assert 'class="notice verdict do_not_use"' in page
    assert '<p class="notice">No scene.</p>' in page
    assert "notice fine" not in page


@pytest.mark.parametrize("strict", [False, True])
def test_strict_leaves_with_4_for_what_should_not_be_used(
    tiny_package: Package, tmp_path: Path, capsys: Capture, strict: bool
) -> None:
    write_volume(asymmetric_volume(Grid((16, 18, 20))), tmp_path / "mr.nrrd")
    ct = np.random.default_rng(0).integers(-1000, 500, (16, 18, 20)).astype(np.int16)
    write_volume(Volume(ct, Grid(ct.shape)), tmp_path / "ct.nrrd")
    flags = ["--no-scene", "--no-pictures", *(["--strict"] if strict else [])]
    for name, status in (("mr", 0), ("ct", 4 if strict else 0)):
        out = tmp_path / name
        command = ["segment", str(tmp_path / f"{name}.nrrd"), "--model", str(tiny_package.root), "--output", str(out)]
        assert run([*command, *flags]) == status
        document = json.loads((out / "report.json").read_text(encoding="utf-8"))
        assert (document["status"] == DO_NOT_USE) == (name == "ct")
        printed = capsys.readouterr()
        assert printed.out.startswith(VERDICT_NAMES[document["status"]].upper())
        assert (
            "has the values of air and lungs on CT, but the model" in printed.err.split("Before the run: ")[-1]
        ) == (name == "ct")
