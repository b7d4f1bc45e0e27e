"""The model that a list shows before anybody has chosen one follows the scan, and a person's choice stays."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")

from beating import beating_ball
from opened_module import page_beside, parameters
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.mrml.scan_over_time import add_scan_over_time
from SUREUncertaintyLib.mrml.volume_nodes import add_volume
from SUREUncertaintyLib.packages.catalogue import list_packages
from SUREUncertaintyLib.presenters.starting_model import starting_model

SHIPPED = {package.name: package.metadata for package in list_packages()}


@pytest.mark.parametrize(
    ("modality", "over_time", "model"),
    [
        ("MR", False, "hippocampus-t1"),
        ("", False, "hippocampus-t1"),
        ("MR", True, "heart-lv-cine"),
        ("", True, "heart-lv-cine"),
        ("CT", False, "lung-nodule-ct"),
        ("CT", True, "lung-nodule-ct"),
        ("US", False, "hippocampus-t1"),  # there is none for it, and the modality will be refused by name
    ],
)
def test_of_the_models_that_ship(modality: str, over_time: bool, model: str) -> None:
    ours = {name: SHIPPED[name] for name in ("heart-lv-cine", "hippocampus-t1", "lung-nodule-ct")}
    assert starting_model(ours, modality, over_time) == model


def test_a_model_of_no_known_modality_fits_every_scan_and_without_models_there_is_none() -> None:
    unknown = replace(SHIPPED["lung-nodule-ct"], modality="")
    assert starting_model({"unknown": unknown}, "MR", False) == "unknown"
    assert starting_model({}, "MR", False) == ""


def ct(opened: SimpleNamespace) -> Any:
    array = np.zeros((8, 8, 8), np.int16)
    return add_volume(opened.scene, Volume(array, Grid(array.shape), "chest", "CT"))


def test_the_panel_follows_the_scan_until_a_person_chooses(opened: SimpleNamespace) -> None:
    now, scan = parameters(opened), ct(opened)
    beating = add_scan_over_time(opened.scene, beating_ball())
    now.inputVolume = scan
    assert now.model == "lung-nodule-ct"
    now.inputVolume = beating
    assert (now.model, now.allFrames) == ("heart-lv-cine", True)
    opened.ui.modelSelector.setCurrentIndex(opened.ui.modelSelector.findData("hippocampus-t1"))
    now.inputVolume = scan
    assert now.model == "hippocampus-t1"


def test_the_page_does_the_same(opened: SimpleNamespace) -> None:
    page = page_beside(opened)
    page.input.choose_scan(ct(opened))
    assert page.state.model == "lung-nodule-ct"
    page.input.choose_scan(add_scan_over_time(opened.scene, beating_ball()))
    assert (page.state.model, page.state.all_frames) == ("heart-lv-cine", True)
    page.state.model = "hippocampus-t1"
    page.input.choose_scan(ct(opened))
    assert page.state.model == "hippocampus-t1"
