"""Extractors: names, checkpoints, fingerprints, and what each kind makes of a scan."""

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from needed_torch import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from SUREUncertaintyLib.analysis.perception_scale import perception_scale
from SUREUncertaintyLib.arrays.slice_axis import slice_axis
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.resampling import model_grid, resample
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.difficulty.extractors.checkpoints import load_into
from SUREUncertaintyLib.difficulty.extractors.class_logits import ClassLogits, CrossFitted
from SUREUncertaintyLib.difficulty.extractors.dense_features import DenseFeatures, PlanarEncoder, SwinEncoder
from SUREUncertaintyLib.difficulty.extractors.extractor import ABSENT
from SUREUncertaintyLib.difficulty.extractors.promptable import Promptable, Sam2Network
from SUREUncertaintyLib.difficulty.extractors.registry import EXTRACTORS, ExtractorOptions, create_extractor
from SUREUncertaintyLib.files.checksum import file_sha256
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.package_fingerprint import Fingerprint
from tiny import PointEngine, with_metadata

GRID = Grid((20, 22, 24))
KNOWN = {1: "shell", 2: "core", 3: "never there"}


@pytest.fixture(scope="module")
def scan() -> Volume:
    labels = phantom_labels().array
    noise = np.random.default_rng(0).normal(0, 5, GRID.shape)
    return Volume((labels * 50 + noise).astype(np.float32), GRID, "scan")


def phantom_labels() -> Volume:
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[4:16, 5:17, 6:18] = 1
    labels[7:13, 8:14, 9:15] = 2
    return Volume(labels, GRID, "labels")


def test_the_registry_is_imported_without_torch_and_every_kind_is_in_it() -> None:
    module = "SUREUncertaintyLib.difficulty.extractors.registry"
    code = f"import sys, {module}; print([m for m in ('torch', 'monai', 'openvino', 'timm') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert ast.literal_eval(done.stdout) == []
    assert {"package", "crossfit", "sam2", "timm", "swinunetr", "control-random", "control-volume"} <= set(EXTRACTORS)


@pytest.mark.parametrize("name", ["sam2", "timm", "swinunetr"])
def test_a_missing_checkpoint_is_an_error_that_names_the_path(name: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    with pytest.raises(InputError, match=r"weights\.pt"):
        create_extractor(ExtractorOptions(name, path))
    with pytest.raises(InputError, match="--checkpoint"):
        create_extractor(ExtractorOptions(name))


def test_folders_and_files_travel_as_absolute_paths(tiny_package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny_package.root.parent)
    folder = tiny_package.root.name
    assert ExtractorOptions(folder).name == str(tiny_package.root)
    assert ExtractorOptions(f"crossfit:{folder}").name == f"crossfit:{tiny_package.root}"
    assert ExtractorOptions("timm:vit", Path("w.pt")).checkpoint == tiny_package.root.parent / "w.pt"
    assert ExtractorOptions("hippocampus-t1").name == "hippocampus-t1"


def test_an_unknown_extractor_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(InputError, match=r"There is no network 'magic' to score with.*control-random"):
        create_extractor(ExtractorOptions("magic"))


def test_changing_one_byte_of_the_weights_changes_the_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({"weight": torch.arange(64.0)}, path)
    before = Fingerprint("timm:x", file_sha256(path))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert Fingerprint("timm:x", file_sha256(path)).digest != before.digest
    assert replace(before, preprocessing={"rows": 1}).digest != before.digest
    assert Fingerprint("timm:x", before.sha256).digest == before.digest


def test_class_logits_are_stitched_over_the_whole_scan_before_anything_is_measured(
    tiny_package: Package, scan: Volume
) -> None:
    engine = PointEngine()
    maps = {found.name: found for found in ClassLogits(tiny_package, engine).extract(scan)}
    assert list(maps) == ["shell", "core"]
    standard = (scan.array - scan.array.mean()) / scan.array.std()
    matrix = maps["shell"].matrix
    assert matrix is not None
    # the tiny package wants RAS; the scan lies in LPS order, so rows and columns run the other way
    np.testing.assert_allclose(matrix, 8.0 * standard[:, ::-1, ::-1], atol=1e-3)


def test_a_small_memory_bound_runs_the_network_once_a_class_and_changes_nothing(
    tiny_package: Package, scan: Volume
) -> None:
    whole, bounded = PointEngine(), PointEngine()
    first = [found.matrix for found in ClassLogits(tiny_package, whole).extract(scan)]
    second = [found.matrix for found in ClassLogits(tiny_package, bounded, memory_bytes=1).extract(scan)]
    assert bounded.calls == 2 * whole.calls
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("orientation", "axis"), [("RAS", 0), ("LPS", 0), ("SRA", 2), ("ASR", 1)])
def test_the_slice_axis_is_the_one_from_foot_to_head(orientation: str, axis: int) -> None:
    assert slice_axis(orientation) == axis


def test_the_orientation_of_the_model_does_not_change_the_scale(tiny_package: Package, scan: Volume) -> None:
    turned = with_metadata(tiny_package, {"orientation": "SRA"})
    scales = [
        [perception_scale(found.matrix).value for found in ClassLogits(package, PointEngine()).extract(scan)]  # type: ignore[arg-type]
        for package in (tiny_package, turned)
    ]
    np.testing.assert_allclose(scales[0], scales[1], atol=1e-5)


def test_a_scan_stored_in_another_order_has_the_same_scale(tiny_package: Package, scan: Volume) -> None:
    other = resample(scan, model_grid(scan.grid, "PIR"))
    extractor = ClassLogits(tiny_package, PointEngine())
    for one, two in zip(extractor.extract(scan), extractor.extract(other), strict=True):
        assert perception_scale(one.matrix).value == pytest.approx(perception_scale(two.matrix).value, abs=1e-5)  # type: ignore[arg-type]


def folded(package: Package, ids: list[str]) -> ClassLogits:
    raw = {**package.metadata.raw, "training": {"training_ids": ids}}
    return ClassLogits(with_metadata(package, {"raw": raw}), PointEngine())


def test_cross_fitting_scores_a_scan_by_a_model_that_never_saw_it(tiny_package: Package, scan: Volume) -> None:
    folds = folded(tiny_package, ["1", "2"]), folded(tiny_package, ["3", "2"])
    extractor = CrossFitted(folds)
    assert [len(list(extractor.extract(scan, None, case))) for case in ("1", "3", "9")] == [2, 2, 2]
    calls = [fold.engine.calls > 0 for fold in folds]  # type: ignore[attr-defined]
    assert calls == [True, True]
    assert (extractor.seen("1"), extractor.seen("2")) == (False, True)
    with pytest.raises(InputError, match="Every fold model was trained on the case '2'"):
        list(extractor.extract(scan, None, "2"))


def test_an_empty_folder_of_folds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no model packages"):
        create_extractor(ExtractorOptions(f"crossfit:{tmp_path}"))


def test_the_volume_and_variance_controls_follow_their_definitions(scan: Volume) -> None:
    labels = phantom_labels()
    volume = create_extractor(ExtractorOptions("control-volume", known=KNOWN))
    scores = {found.name: found for found in volume.extract(scan, labels)}
    assert scores["core"].score == pytest.approx(np.log1p(6**3))
    assert scores["never there"].reason == ABSENT
    variance = create_extractor(ExtractorOptions("control-variance", known={}))
    inside = (scan.array[labels.array == 2] - scan.array.mean()) / scan.array.std()
    (_, core) = variance.extract(scan, labels)
    assert core.name == "label 2"
    assert core.score == pytest.approx(1 / (1 + inside.var()), rel=1e-4)


def test_the_intensity_control_holds_the_grey_values_of_the_class_only(scan: Volume) -> None:
    control = create_extractor(ExtractorOptions("control-intensity", known=KNOWN))
    maps = {found.name: found.matrix for found in control.extract(scan, phantom_labels())}
    core = maps["core"]
    assert core is not None
    assert np.count_nonzero(core) == 6**3
    assert control.needs_labels
    with pytest.raises(InputError, match="this scan has none"):
        list(control.extract(scan, None))


def test_the_random_network_is_the_same_every_time_and_needs_no_labels(scan: Volume) -> None:
    control = create_extractor(ExtractorOptions("control-random"))
    first, second = ([found.matrix for found in control.extract(scan, None)] for _ in range(2))
    assert len(first) == 4
    for one, other in zip(first, second, strict=True):
        assert one is not None
        assert other is not None
        assert one.std() > 0
        np.testing.assert_array_equal(one, other)


class TinyTransformer(torch.nn.Module):
    """The shape of a timm vision transformer: one class token, then a square of patch tokens."""

    num_prefix_tokens = 1

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.patch_embed = torch.nn.Conv2d(3, 6, 8, 8)

    def forward_features(self, pictures: torch.Tensor) -> torch.Tensor:
        tokens = self.patch_embed(pictures).flatten(2).transpose(1, 2)
        return torch.cat([torch.full_like(tokens[:, :1], 1e6), tokens], 1)


def test_dense_features_are_pooled_from_the_voxels_of_each_class(scan: Volume, tmp_path: Path) -> None:
    path = tmp_path / "tiny.safetensors"
    save_file({name: tensor * 2 for name, tensor in TinyTransformer().state_dict().items()}, path)
    encoder = PlanarEncoder(load_into(TinyTransformer(), path), 32)
    features = encoder.features(np.zeros((5, 20, 20), np.float32))
    assert features.shape == (6, 5, 4, 4)
    np.testing.assert_allclose(features[:, 0, 0, 0], 2 * TinyTransformer().patch_embed.bias.detach().numpy(), rtol=1e-5)
    extractor = DenseFeatures(encoder, "timm:tiny", file_sha256(path), KNOWN, rows=200)
    maps = {found.name: found for found in extractor.extract(scan, phantom_labels(), "case")}
    shell, again = maps["shell"].matrix, next(extractor.extract(scan, phantom_labels(), "case")).matrix
    assert shell is not None
    assert shell.shape == (200, 6)
    np.testing.assert_array_equal(shell, again)
    assert maps["never there"].reason == ABSENT


def test_a_class_with_too_few_voxels_for_dense_features_is_left_out(scan: Volume) -> None:
    extractor = DenseFeatures(PlanarEncoder(TinyTransformer(), 32), "timm:tiny", "", KNOWN, rows=500)
    maps = {found.name: found for found in extractor.extract(scan, phantom_labels())}
    assert maps["core"].reason == "the structure has fewer than 500 voxels"
    assert maps["shell"].matrix is not None


def test_a_swin_encoder_is_read_from_a_local_file_with_or_without_its_prefix(tmp_path: Path) -> None:
    from monai.networks.nets import SwinUNETR

    torch.manual_seed(1)
    whole = SwinUNETR(in_channels=1, out_channels=2, feature_size=12, spatial_dims=3)
    save_file(
        {f"swinViT.{name}": tensor for name, tensor in whole.swinViT.state_dict().items()}, tmp_path / "a.safetensors"
    )
    torch.save({"state_dict": {f"module.{n}": t for n, t in whole.swinViT.state_dict().items()}}, tmp_path / "b.pt")
    image = np.random.default_rng(0).normal(size=(20, 32, 40)).astype(np.float32)
    first = SwinEncoder(tmp_path / "a.safetensors", 12, stage=1).features(image)
    second = SwinEncoder(tmp_path / "b.pt", 12, stage=1).features(image)
    assert first.shape == (24, 5, 8, 10)
    np.testing.assert_array_equal(first, second)


def test_weights_of_another_network_are_refused_with_the_path(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"something": torch.zeros(3)}, path)
    with pytest.raises(InputError, match=r"other\.safetensors does not belong to this network"):
        load_into(TinyTransformer(), path)
    path.write_bytes(b"no weights")
    with pytest.raises(InputError, match=r"other\.safetensors cannot be read"):
        load_into(TinyTransformer(), path)


class TinySam(torch.nn.Module):
    """The parts of a SAM2 model that box prompts need, under the names of its published checkpoints."""

    image_size = 32
    directly_add_no_mem_embed = True

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.image_encoder = torch.nn.ModuleDict({"trunk": torch.nn.Conv2d(3, 4, 8, 8)})
        self.no_mem_embed = torch.nn.Parameter(torch.randn(1, 1, 4))
        self.sam_prompt_encoder = TinyPrompts()
        self.sam_mask_decoder = TinyDecoder()

    def forward_image(self, image: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.image_encoder["trunk"](image))

    def _prepare_backbone_features(self, output: torch.Tensor) -> tuple[Any, ...]:
        fine = torch.nn.functional.interpolate(output, scale_factor=2)
        maps = [fine, output]
        return output, [part.flatten(2).permute(2, 0, 1) for part in maps], None, [part.shape[-2:] for part in maps]


class TinyPrompts(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.point_embeddings = torch.nn.Linear(2, 4)

    def get_dense_pe(self) -> torch.Tensor:
        return torch.zeros(1, 4, 4, 4)

    def forward(self, points: Any, boxes: None, masks: None) -> tuple[torch.Tensor, torch.Tensor]:
        corners, kinds = points
        assert kinds.tolist() == [[2, 3]]
        return self.point_embeddings(corners / 32), torch.zeros(1, 4, 4, 4)


class TinyDecoder(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.output = torch.nn.Linear(4, 1)

    def forward(self, image_embeddings: torch.Tensor, high_res_features: list[torch.Tensor], **rest: Any) -> Any:
        assert rest["multimask_output"] is False
        assert high_res_features[0].shape[-1] == 2 * image_embeddings.shape[-1]
        weight = rest["sparse_prompt_embeddings"].sum((1, 2))[:, None, None, None]
        fine = torch.nn.functional.interpolate(image_embeddings, scale_factor=4)
        logits = self.output(fine.movedim(1, -1)).movedim(-1, 1) * weight
        return logits, None, None, None


def test_a_promptable_network_gives_one_map_a_class_of_the_slices_that_hold_it(scan: Volume, tmp_path: Path) -> None:
    path = tmp_path / "medsam2.pt"
    torch.save({"model": {name: 3 * tensor for name, tensor in TinySam().state_dict().items()}}, path)
    network = Sam2Network(load_into(TinySam(), path))
    extractor = Promptable(network, "sam2:tiny", file_sha256(path), KNOWN)
    maps = {found.name: found for found in extractor.extract(scan, phantom_labels())}
    shell, core = maps["shell"].matrix, maps["core"].matrix
    assert shell is not None
    assert core is not None
    assert (shell.shape, core.shape) == ((12, 16, 16), (6, 16, 16))
    assert maps["never there"].reason == ABSENT
    assert 0.0 <= perception_scale(core).value <= 1.0
    assert extractor.needs_labels
    assert "box of the label map" in extractor.fingerprint.preprocessing["prompt"]


def test_the_box_is_that_of_the_class_in_pixels_of_the_networks_picture() -> None:
    boxes: list[tuple[float, ...]] = []

    class Recorder:
        size = 48

        def embed(self, picture: NDArray[np.float32]) -> None:
            assert picture.shape == (3, 48, 48)
            assert 0.0 <= picture.min() <= picture.max() <= 1.0

        def mask_logits(self, embedding: None, box: tuple[float, ...]) -> NDArray[np.float32]:
            boxes.append(box)
            return np.ones((4, 4), np.float32)

    labels = np.zeros((3, 12, 24), np.uint8)
    labels[1, 4:6, 10:20] = 1
    grid = model_grid(Grid(labels.shape), "RAS")
    image = np.random.default_rng(0).normal(size=labels.shape)
    maps = list(Promptable(Recorder(), "x", "", {}).extract(Volume(image, grid), Volume(labels, grid)))
    assert [found.name for found in maps] == ["label 1"]
    # 2 voxels of margin; a voxel is 2 pixels wide and 4 high
    assert boxes == [(16.0, 8.0, 44.0, 32.0)]
