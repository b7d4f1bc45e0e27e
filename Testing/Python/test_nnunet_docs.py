"""The table of nnU-Net in docs/foreign.md is that of the recorded run, and the run kept its promise."""

import json
from pathlib import Path

from nnunet_page import (
    nnunet_table,
    variants_table,
    with_table,
    with_variants,
)

ROOT = Path(__file__).resolve().parents[2]

RECORDED = json.loads((ROOT / "Testing" / "Bench" / "results" / "nnunet-agreement.json").read_text(encoding="utf-8"))
VARIANTS = json.loads((ROOT / "Testing" / "Bench" / "results" / "nnunet-variants.json").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "foreign.md").read_text(encoding="utf-8")


def test_the_table_is_made_from_the_recorded_run() -> None:
    assert with_table(PAGE, RECORDED) == PAGE
    assert nnunet_table(RECORDED) in PAGE


def test_every_structure_of_every_scan_agreed() -> None:
    assert RECORDED["lowest_dice"] >= 0.999
    assert min(row["lowest_dice"] for row in RECORDED["rows"] if row["lowest_dice"] is not None) >= 0.999
    kinds = {(row["variant"], row["mirrors"]) for row in RECORDED["rows"]}
    assert {name for name, _ in kinds} == {"as_stored", "resampled", "thick", "flipped", "bordered"}
    assert {mirrors for _, mirrors in kinds} == {False, True}


def test_the_table_of_further_networks_is_made_from_the_recorded_run() -> None:
    assert with_variants(PAGE, VARIANTS) == PAGE
    assert variants_table(VARIANTS) in PAGE


def test_without_nnunets_rounding_hardly_a_voxel_differed() -> None:
    compared = [row for row in VARIANTS["rows"] if "refused" not in row]
    assert all(row["differing_float32"] <= 1e-4 * row["voxels"] for row in compared)
    assert {row["study"] for row in compared} == {"Ignore", "Stages", "Many", "Flat", "Batch"}
