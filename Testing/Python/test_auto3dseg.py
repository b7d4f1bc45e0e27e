"""Models of SlicerMONAIAuto3DSeg: their zips come in, and their masks are those of the extension's own steps."""

from __future__ import annotations

import csv
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign import assert_nothing_came_in
from needed_torch import torch
from nnunet_phantoms import make_phantom
from numpy.typing import NDArray
from SUREUncertaintyLib.core.errors import PackageError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.importing import import_package

pytestmark = pytest.mark.usefixtures("user_models")
LPI = (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
NETWORK = {
    "_target_": "SegResNetDS",
    "init_filters": 4,
    "blocks_down": [1, 1],
    "norm": "INSTANCE",
    "in_channels": 1,
    "out_channels": 3,
    "dsdepth": 2,
}
CONFIG: dict[str, Any] = {
    "network": NETWORK,
    "sigmoid": False,
    "orientation_ras": True,
    "crop_foreground": True,
    "resample_resolution": [1.5, 1.5, 1.5],
    "normalize_mode": "ct",
    "intensity_bounds": [60.0, 260.0],
    "roi_size": [16, 16, 16],
    "extra_modalities": {},
    "num_epochs": 500,
    "amp": True,
}
SEQUENCES = ("SegmentedPropertyCategory", "SegmentedPropertyType", "SegmentedPropertyTypeModifier")
COLUMNS = [
    *("LabelValue", "Name"),
    *(
        f"{name}CodeSequence.{part}"
        for name in SEQUENCES
        for part in ("CodingSchemeDesignator", "CodeValue", "CodeMeaning")
    ),
]
ORGAN = ["SCT", "123037004", "Anatomical Structure", "SCT", "10200004", "Liver", "", "", ""]


def made_network(definition: dict[str, Any]) -> Any:
    from monai.networks.nets import SegResNetDS

    torch.manual_seed(5)
    network = SegResNetDS(**{key: value for key, value in definition.items() if key != "_target_"}).eval()
    with torch.no_grad():
        seen = network(torch.rand(1, definition["in_channels"], 32, 32, 32))
        last = [part for part in network.modules() if isinstance(part, torch.nn.Conv3d) and part.bias is not None]
        for part in last:
            part.bias -= seen.mean(dim=[0, 2, 3, 4]) if part.out_channels == seen.shape[1] else 0.0
    return network


def write_model(
    folder: Path, config: dict[str, Any], rows: list[list[Any]], change: Callable[[dict[str, Any]], None] | None = None
) -> Path:
    """``model.pt`` and ``labels.csv`` as they lie in the extension's zips."""
    folder.mkdir(parents=True)
    content = {
        "epoch": 7,
        "best_metric": 0.5,
        "config": config,
        "state_dict": made_network(config["network"]).state_dict(),
    }
    if change:
        change(content)
    torch.save(content, folder / "model.pt")
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return folder


def zipped(folder: Path, top: str = "") -> Path:
    target = folder.with_suffix(".zip")
    with zipfile.ZipFile(target, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"{top}{file.name}")
    return target


ROWS = [[2, "core", *ORGAN], [1, "shell", *ORGAN]]


def by_the_extension(config: dict[str, Any], files: list[Path], network: Any, brats: bool) -> NDArray[np.uint8]:
    """The steps of the extension's script, made of MONAI's transforms; labels (k, j, i)."""
    from monai import transforms as t
    from monai.data import decollate_batch, list_data_collate
    from monai.inferers import SlidingWindowInferer
    from monai.utils import convert_to_dst_type

    keys = [f"image{number + 1}" for number in range(len(files))]
    data = t.LoadImaged(keys=keys, ensure_channel_first=True)(dict(zip(keys, map(str, files), strict=True)))
    modes = [config["normalize_mode"], *config["extra_modalities"].values()][: len(files)]
    pairs = [("image", modes[0])] if brats else list(zip(keys, modes, strict=True))
    intensities = [step for key, mode in pairs for step in _intensities(key, mode, config["intensity_bounds"])]
    pixdim = np.array(config["resample_resolution"])
    near = {"min_pixdim": pixdim * 0.75, "max_pixdim": pixdim * 1.25}
    turn = [t.Orientationd(keys="image", axcodes="RAS")] if config["orientation_ras"] else []
    space = [t.Spacingd(keys="image", pixdim=pixdim, mode="bilinear", dtype=torch.float, **near)]
    joined = [t.ConcatItemsd(keys=keys, name="image", dim=0), t.EnsureTyped(keys="image", dtype=torch.float)]
    # the script takes the crop from the first image as it was loaded; here it is turned as the others are
    raw = [t.CopyItemsd(keys="image1", names="raw")]
    also = [t.Orientationd(keys="raw", axcodes="RAS")] if config["orientation_ras"] else []
    source = "image" if brats else "raw"
    crop = [t.CropForegroundd(keys="image", source_key=source, margin=10, allow_smaller=True)]
    crop = crop if config["crop_foreground"] else []
    before, after = ([], intensities) if brats else (intensities, [])
    steps = [*raw, *before, *joined, *turn, *also, *crop, *space, *after]
    chain = t.Compose(steps)
    batch = list_data_collate([chain(data)])
    inferer = SlidingWindowInferer(roi_size=config["roi_size"], overlap=0.625, mode="gaussian")
    with torch.no_grad():
        logits = inferer(batch["image"].as_subclass(torch.Tensor), network)
    found = torch.sigmoid(logits) >= 0.5 if config["sigmoid"] else logits.argmax(1, keepdim=True).to(torch.uint8)
    batch["pred"] = convert_to_dst_type(found, batch["image"], dtype=found.dtype)[0]
    back = t.Invertd(keys="pred", orig_keys="image", transform=chain, nearest_interp=True)
    seg = back(decollate_batch(batch)[0])["pred"]
    if brats:
        painted = 2 * seg.any(0).to(torch.uint8)
        painted[seg[1:].any(0)] = 1
        painted[seg[2:].any(0)] = 3
        seg = painted[None]
    return np.asarray(seg[0]).astype(np.uint8).T


def _intensities(key: str, mode: str, bounds: list[float]) -> list[Any]:
    from monai import transforms as t

    if mode == "ct":
        scale = t.ScaleIntensityRanged(keys=key, a_min=bounds[0], a_max=bounds[1], b_min=-1, b_max=1, clip=False)
        return [scale, t.Lambdad(keys=key, func=torch.sigmoid)]
    standard = t.NormalizeIntensityd(keys=key, nonzero=True, channel_wise=True)
    return (
        [standard, t.Lambdad(keys=key, func=lambda x: 3 * torch.tanh(x / 3))] if mode == "meanstdtanh" else [standard]
    )


def scan_files(folder: Path, channels: int, spacing: tuple[float, float, float] = (1.2, 0.9, 2.2)) -> list[Path]:
    phantom = make_phantom(7, (18, 38, 30), spacing, channels, border=3)
    grid = Grid(phantom.labels.shape, phantom.spacing, (12.0, -20.0, 40.0), LPI)
    files = [folder / f"scan{number}.nii.gz" for number in range(channels)]
    for file, array in zip(files, phantom.channels, strict=True):
        write_volume(Volume(array, grid, "image"), file)
    return files


TUMOUR = {**CONFIG, "network": {**NETWORK, "in_channels": 2}, "sigmoid": True, "normalize_mode": "mri"}
CASES: dict[str, tuple[dict[str, Any], int, str]] = {
    "organs": (CONFIG, 1, "abdominal-organs-v2.0.0"),
    "as stored": ({**CONFIG, "orientation_ras": False, "crop_foreground": False}, 1, "organs-v1.0.0"),
    "one structure": (
        {**CONFIG, "network": {**NETWORK, "out_channels": 1}, "sigmoid": True, "normalize_mode": "meanstdtanh"},
        1,
        "prostate-v1.0.0",
    ),
    "two images": (
        {
            **CONFIG,
            "network": {**NETWORK, "in_channels": 2},
            "extra_modalities": {"adc": "mri"},
            "normalize_mode": "mri",
        },
        2,
        "prostate-multi-v1.0.0",
    ),
    "tumour": (TUMOUR, 2, "brats-v1.0.0"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_mask_is_that_of_the_extensions_steps(case: str, tmp_path: Path) -> None:
    config, channels, name = CASES[case]
    outputs = config["network"]["out_channels"]
    rows = [[n, f"part {n}", *ORGAN] for n in range(1, 4 if case == "tumour" else outputs + config["sigmoid"])]
    package = import_package(zipped(write_model(tmp_path / name, config, rows), "inner/"))
    files = scan_files(tmp_path, channels)
    expected = by_the_extension(config, files, made_network(config["network"]), case == "tumour")
    volumes = [read_volume(file) for file in files]
    names = [channel.name for channel in package.metadata.pipeline.channels]  # type: ignore[union-attr]
    others = dict(zip(names[1:], volumes[1:], strict=True))
    found = segment(volumes[0], package, create_engine(package, "openvino"), channels=others).labels.array
    assert len(np.unique(expected)) > 1
    for value in np.unique(expected[expected > 0]):
        both = 2 * int(((found == value) & (expected == value)).sum())
        assert both / int((found == value).sum() + (expected == value).sum()) >= 0.998, value


def test_names_and_codes_come_from_the_table(tmp_path: Path) -> None:
    metadata = import_package(write_model(tmp_path / "liver-v1.0.0", CONFIG, ROWS)).metadata
    assert [(label.value, label.name) for label in metadata.labels] == [(0, "background"), (1, "shell"), (2, "core")]
    code = metadata.labels[1].type
    assert code is not None
    assert (code.value, code.scheme, code.meaning) == ("10200004", "SCT", "Liver")
    assert (metadata.modality, metadata.raw["licence"]) == ("CT", "as stated by its makers, unknown to us")


def test_an_axis_near_the_wanted_spacing_keeps_its_own(tmp_path: Path) -> None:
    from SUREUncertaintyLib.inference.native.preparing import prepare
    from SUREUncertaintyLib.inference.network_regions import plan_regions

    metadata = import_package(write_model(tmp_path / "near", CONFIG, ROWS)).metadata
    assert metadata.pipeline is not None
    volume = read_volume(scan_files(tmp_path, 1, (1.2, 1.0, 2.2))[0])
    prepared = prepare((volume,), plan_regions(volume.grid, metadata)[0], metadata.pipeline)
    assert prepared.spacing == pytest.approx((1.2, 1.5, 1.5))


def without(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda content: content.pop(key)


def config_with(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content.update(config={**CONFIG, **changes})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without("config"), "no checkpoint of Auto3DSeg: it has no 'config'"),
        (config_with(normalize_mode="pet"), "normalises intensities by 'pet'"),
        (config_with(network={**NETWORK, "_target_": "UNet"}), "known here use SegResNetDS"),
        (config_with(network={**NETWORK, "in_channels": 2}), "takes 2 images, but its config names 0"),
        (config_with(network={**NETWORK, "out_channels": 2}), "names the value 2, but the network has 2 classes"),
        (config_with(network={**NETWORK, "init_filters": 8}), "do not fit the network"),
        (config_with(sigmoid=True), "3 classes overlap"),
        (config_with(roi_size=[16, 16]), "'roi_size'"),
        (config_with(intensity_bounds=[3]), "'intensity_bounds'"),
    ],
)
def test_what_is_not_known_is_refused_by_name(
    change: Callable[[dict[str, Any]], None], words: str, tmp_path: Path, user_models: Path
) -> None:
    with pytest.raises(PackageError, match=words):
        import_package(write_model(tmp_path / "model", CONFIG, ROWS, change))
    assert_nothing_came_in(user_models)


class Payload:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.marker),))


def test_code_in_the_checkpoint_never_runs(tmp_path: Path, user_models: Path) -> None:
    marker = tmp_path / "it ran"
    folder = write_model(tmp_path / "model", CONFIG, ROWS, lambda content: content.update(more=Payload(marker)))
    with pytest.raises(PackageError, match="Python objects beside tensors"):
        import_package(zipped(folder))
    assert not marker.exists()
    assert_nothing_came_in(user_models)


@pytest.mark.parametrize("name", ["../out.txt", "/etc/out.txt", "C:/out.txt", "a/../../out.txt"])
def test_a_zip_that_reaches_outside_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(PackageError, match="outside of its folder"):
        import_package(path)


def test_a_damaged_zip_and_a_table_without_names_get_a_sentence(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model", CONFIG, ROWS)
    path = zipped(folder)
    content = bytearray(path.read_bytes())
    content[80:400] = bytes(320)
    path.write_bytes(content)
    with pytest.raises(PackageError, match="cannot be unpacked"):
        import_package(path)
    (folder / "labels.csv").write_text("Value;Meaning\n1;liver\n")
    with pytest.raises(PackageError, match="LabelValue and Name"):
        import_package(folder)
