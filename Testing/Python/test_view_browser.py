"""The page in a real browser: what the views show, and what every part of the panel does."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import view_page
from view_page import (
    SLICES,
    VIEWS,
    picture,
    state_of,
    text_of,
    wait_for_glow,
    wait_for_mirror,
    wait_for_pictures,
    wait_for_state,
)

pytestmark = [pytest.mark.browser, pytest.mark.render, pytest.mark.xdist_group("browser")]

LEAST_GLOW = {"Red": 0.0015, "Green": 0.0015, "Yellow": 0.005, "ThreeD": 0.02}
"""Smallest share of uncertainty in a picture of the example; at default settings it is about three times that."""


def test_every_view_shows_the_scan_its_outlines_and_the_glow(page: Any) -> None:
    for view, least in LEAST_GLOW.items():
        wait_for_glow(page, view, least, 0.2)
        pixels = picture(page, view)
        assert pixels.std() > 10, f"{view} is empty"
    for view in SLICES:
        pixels = picture(page, view)  # once: the view may still be finding its size
        grey = np.ptp(pixels.astype(int), axis=2) < 12
        assert 0.05 < (grey & (pixels.max(axis=2) > 60)).mean() < 0.98, f"no scan in {view}"


def test_opacity_and_band_change_the_slices_and_the_switch_changes_3d(page: Any) -> None:
    own = page.input_value("#band-low")
    page.fill("#opacity", "0")
    for view in SLICES:
        wait_for_glow(page, view, 0.0, 0.0005)
    page.fill("#opacity", "0.8")
    wait_for_glow(page, "Green", LEAST_GLOW["Green"])
    page.fill("#band-low", "0.9")
    for view in VIEWS:
        wait_for_glow(page, view, 0.0, 0.0005)
    page.fill("#band-low", own)
    wait_for_glow(page, "ThreeD", LEAST_GLOW["ThreeD"])
    page.select_option("#threed", "plain")
    wait_for_glow(page, "ThreeD", 0.0, 0.0005)
    assert "analysed voxels" in page.inner_text(".histogram")


def test_the_entropy_is_another_map_with_a_picture_of_its_own(page: Any) -> None:
    wait_for_glow(page, "Green", LEAST_GLOW["Green"])
    before = picture(page, "Green")
    page.select_option("#map", "entropy")
    page.wait_for_function("() => trame.state.get('band_text') !== ''")
    for _ in range(200):
        if (picture(page, "Green") != before).any():
            break
        page.wait_for_timeout(50)
    assert (picture(page, "Green") != before).any()


def test_jumping_to_a_place_moves_the_slices_there(page: Any) -> None:
    position = page.locator("[data-view=Red] .corner i").inner_text()
    page.locator(".places button.link").nth(2).click()
    assert "Region 3 of" in text_of(page, "#place", "Region 3")
    page.wait_for_function("old => document.querySelector('[data-view=Red] .corner i').innerText !== old", arg=position)
    page.click("#next")
    text_of(page, "#place", "Region 4")
    row = page.locator(".places tbody tr").nth(3)
    row.locator("input").check()
    page.wait_for_function("() => trame.state.get('places')[3].reviewed === true")
    row.locator("input").uncheck()
    page.wait_for_function("() => trame.state.get('places')[3].reviewed === false")


def test_a_slice_slider_and_the_wheel_move_a_slice(page: Any) -> None:
    slider = page.get_by_role("slider", name="Axial slice")
    slider.press("Home")
    slider.press("ArrowRight")
    offset = float(slider.input_value())
    text_of(page, "[data-view=Red] .corner", f"S {offset:.1f} mm")
    page.locator("[data-view=Red] .picture").hover()
    page.mouse.wheel(0, -120)
    page.wait_for_function("old => Math.abs(trame.state.get('slice_Red') - old) > 0.5", arg=offset)


def test_a_view_can_be_enlarged_and_3d_turned_by_keyboard(page: Any) -> None:
    before = picture(page, "ThreeD").shape
    page.locator("[data-view=ThreeD]").get_by_label("Enlarge this view").press("Enter")
    page.wait_for_function(
        "width => document.querySelector('[data-view=ThreeD] .picture img').naturalWidth > 1.5 * width", arg=before[1]
    )
    assert not page.locator("[data-view=Red]").is_visible()
    still = picture(page, "ThreeD")
    page.get_by_label("Seen from the left").press("Enter")
    for _ in range(200):
        if picture(page, "ThreeD").shape == still.shape and (picture(page, "ThreeD") != still).mean() > 0.01:
            break
        page.wait_for_timeout(50)
    wait_for_glow(page, "ThreeD", 0.001)
    page.get_by_label("Show all four views").press("Enter")
    page.locator("[data-view=Red]").wait_for(state="visible")


def test_run_gives_a_result_with_progress_on_the_way(page: Any) -> None:
    page.select_option("#region", "all")
    page.click("#run")
    page.locator("#cancel").wait_for()
    assert "brain - hippocampus-t1" in page.inner_text(".running")
    assert "openvino" in text_of(page, "#status", "Done on")
    assert page.locator(".structures tbody tr").count() == 4
    assert "Left Anterior hippocampus" in page.inner_text(".structures")
    wait_for_glow(page, "Green", LEAST_GLOW["Green"])


def frozen_workers(page: Any, server: Any) -> list[Any]:
    """The worker, stopped in its tracks, so that the next run lasts until the test ends it."""
    import psutil

    children = psutil.Process(server.process.pid).children(recursive=True)
    found = [child for child in children if "SUREUncertaintyLib.worker" in child.cmdline()]
    if not found:
        page.select_option("#region", "all")
        page.evaluate("trame.state.set('status', '')")
        page.click("#run")
        text_of(page, "#status", "Done on")
        return frozen_workers(page, server)
    for worker in found:
        worker.suspend()
    return found


def test_cancel_stops_a_run_and_the_next_in_line_follows(page: Any, view_server: Any) -> None:
    frozen_workers(page, view_server)
    page.click("#run")
    page.locator("#cancel").wait_for()
    page.select_option("#region", "all")
    page.click("#queue")
    assert "Waiting: brain - hippocampus-t1" in page.inner_text(".line")
    page.click("#cancel")
    text_of(page, "#status", "Done on")
    assert page.locator(".line").count() == 0


def test_a_run_can_be_taken_out_of_the_line_and_cancel_says_so(page: Any, view_server: Any) -> None:
    frozen_workers(page, view_server)
    page.click("#run")
    page.click("#queue")
    page.get_by_label("out of the line").click()
    page.wait_for_function("() => trame.state.get('line').length === 0")
    page.click("#cancel")
    text_of(page, "#status", "The run was cancelled; nothing was written.")
    page.locator("#run").wait_for()


def test_a_reload_in_the_middle_of_a_run_shows_the_run_and_then_its_result(page: Any) -> None:
    page.select_option("#region", "all")
    page.evaluate("trame.state.set('status', '')")
    page.click("#run")
    page.reload()
    wait_for_pictures(page)
    assert "secret" not in page.url
    text_of(page, "#status", "Done on")
    wait_for_glow(page, "Green", LEAST_GLOW["Green"])


def test_a_killed_worker_is_explained_and_the_next_run_works(page: Any, view_server: Any) -> None:
    workers = frozen_workers(page, view_server)
    page.click("#run")
    page.locator("#cancel").wait_for()
    for worker in workers:
        worker.kill()
    assert "nothing of yours was changed" in text_of(page, "p.bar.error", "ended the computation")
    page.select_option("#region", "all")
    page.click("#run")
    text_of(page, "#status", "Done on")


def test_the_noise_slider_segments_live_and_goes_back_to_the_clean_result(page: Any) -> None:
    page.check("#live")
    page.fill("#strength", "0.3")
    assert "agreement with the clean result" in text_of(page, "#noise-text", "strength 0.30")
    assert "with noise" in page.inner_text(".subject")
    wait_for_glow(page, "Green", LEAST_GLOW["Green"] / 3)
    page.uncheck("#live")
    page.wait_for_function("() => trame.state.get('title') === 'brain'")


def test_the_series_ends_in_a_chart_with_seven_points_a_curve(page: Any) -> None:
    page.click("#series")
    page.locator("#chart").wait_for()
    assert page.locator("#chart svg").count() == 2
    assert page.locator("#chart circle.agreement").count() == 7
    assert page.locator("#chart circle.uncertainty").count() == 7
    assert "result" in page.inner_text("#noise-text")
    assert "notice" in page.inner_text("#noise-text")


def test_uncertainty_at_edges_is_told_in_sentences(page: Any) -> None:
    page.click("#trust")
    relation, pairs = text_of(page, "#trust-text", "UR").splitlines()
    assert relation.startswith("Uncertainty ")
    assert relation.endswith("(UCC).")
    assert "half is chance (UR*)" in pairs


def test_everything_can_be_downloaded(page: Any, tmp_path: Path) -> None:
    with page.expect_download() as waiting:
        page.click("#download")
    waiting.value.save_as(tmp_path / "all.zip")
    assert waiting.value.suggested_filename == "brain results.zip"
    names = set(zipfile.ZipFile(tmp_path / "all.zip").namelist())
    assert {"scene.mrb", "segmentation.seg.nrrd", "uncertainty.nrrd", "structures.csv", "report.html"} <= names
    with page.expect_download() as waiting:
        page.click("#csv")
    waiting.value.save_as(tmp_path / "table.csv")
    lines = (tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("Structure,")
    assert len(lines) == 5


def test_other_formats_are_exported_and_what_is_missing_is_explained(page: Any, tmp_path: Path) -> None:
    page.select_option("#export", "nifti")
    with page.expect_download() as waiting:
        page.click("#export-button")
    waiting.value.save_as(tmp_path / "nifti.zip")
    assert "segmentation.nii.gz" in zipfile.ZipFile(tmp_path / "nifti.zip").namelist()
    page.select_option("#export", "dicom")
    page.click("#export-button")
    text_of(page, "p.bar.error", "DICOM")


def test_a_second_window_mirrors_the_first_says_so_and_can_take_the_lead(
    page: Any, browser: Any, view_server: Any
) -> None:
    second = view_page.open_page(browser, view_server.url, (900, 700))
    text_of(second, ".mirror", "This window mirrors another one")
    text_of(page, ".mirror", "This one leads")
    wait_for_mirror(page, second, "Red")  # the note of mirroring takes room from the leading window's pictures first
    wait_for_state(second, "result", state_of(page, "result"))
    second.fill("#opacity", "0.5")
    page.wait_for_function("() => document.querySelector('#opacity').value === '0.5'")
    second.get_by_role("button", name="Lead from here").click()
    text_of(page, ".mirror", "This window mirrors another one")
    second.close()
    page.locator(".mirror").wait_for(state="detached")
    page.fill("#opacity", "0.8")
    wait_for_glow(page, "Green", LEAST_GLOW["Green"])


def test_a_file_that_is_gone_is_explained(page: Any, view_example: Path) -> None:
    (view_example / "soon gone.nrrd").write_bytes(b"x")
    page.get_by_role("button", name="Open ...", exact=True).click()
    entry = page.locator(".entry", has_text="soon gone.nrrd")
    entry.wait_for()
    (view_example / "soon gone.nrrd").unlink()
    entry.click()
    text_of(page, "p.bar.error", "'soon gone.nrrd' is not in the folders")


def test_the_dialog_opens_a_scan_of_this_machine_and_escape_closes_it(page: Any) -> None:
    page.get_by_role("button", name="Open ...", exact=True).click()
    page.locator(".dialog").press("Escape")
    page.locator(".dialog").wait_for(state="detached")
    page.get_by_role("button", name="Open ...", exact=True).click()
    page.locator(".entry", has_text="brain.nrrd").click()
    wait_for_state(page, "result", "")  # a scan without a result yet
    assert state_of(page, "title") == "brain"


def test_an_upload_becomes_a_scan_and_a_too_large_one_is_explained(page: Any, tmp_path: Path) -> None:
    from SUREUncertaintyLib.files.writing import write_volume

    scan = view_page.brain()
    write_volume(scan.with_array(scan.array[:, :, ::-1].copy()), tmp_path / "mirrored.nrrd")
    (tmp_path / "large.nrrd").write_bytes(bytes(3 << 20))
    for name in ("mirrored.nrrd", "large.nrrd"):
        with page.expect_file_chooser() as choosing:
            page.get_by_role("button", name="Upload ...").click()
        choosing.value.set_files(tmp_path / name)
        if name == "mirrored.nrrd":
            page.wait_for_function("() => trame.state.get('title') === 'mirrored'")
            for view in SLICES:
                wait_for_glow(page, view, 0.0, 0.0005)
    text_of(page, "p.bar.error", "The upload")
