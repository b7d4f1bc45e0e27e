"""A head on a frozen network: features by position, the same segmentation, and the network's own map at factor 1."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from damaged import write_case
from fit_scans import SHAPES, imported_nnunet
from needed_torch import torch
from nnunet_phantoms import make_phantom
from phantoms import asymmetric_volume, tilted_grid
from safetensors.torch import save_file
from SUREUncertaintyLib.arrays.heads import EvidentialHead, SoftmaxHead, normalised_entropy, softmax
from SUREUncertaintyLib.arrays.scaled_head import ScaledHead
from SUREUncertaintyLib.core.errors import EngineError, InputError
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.difficulty.extractors.registry import ExtractorOptions, create_extractor
from SUREUncertaintyLib.evaluation.predictor import NativePredictor
from SUREUncertaintyLib.evaluation.slice_predictor import OneAnswer
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.fitting.frozen_network import FrozenNetwork, open_network
from SUREUncertaintyLib.fitting.learning import export_log_factor
from SUREUncertaintyLib.fitting.packing import add_fit, next_version, remove_fit
from SUREUncertaintyLib.inference.engine import Engine
from SUREUncertaintyLib.inference.engine_choice import create_engine, create_member_engine
from SUREUncertaintyLib.inference.estimation.estimator_choice import create_estimator, estimate
from SUREUncertaintyLib.inference.fitted_run import without_head
from SUREUncertaintyLib.inference.graph_taps import find_taps, output_named
from SUREUncertaintyLib.inference.native.choice import MemberChoice
from SUREUncertaintyLib.inference.openvino_engine import OpenVinoSettings
from SUREUncertaintyLib.inference.openvino_graph import read_graph
from SUREUncertaintyLib.inference.result import SegmentationResult
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.inference.session import LiveSession
from SUREUncertaintyLib.nn.export import export_onnx
from SUREUncertaintyLib.nn.frozen_scale import FrozenEvidenceScale, FrozenScaleShape
from SUREUncertaintyLib.nn.losses.scaled_uncertainty import LEAST, OutputKind, scaled_uncertainty
from SUREUncertaintyLib.packages.importing import import_package
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.package_fingerprint import network_digest
from SUREUncertaintyLib.quality.calibrate import require_own_map
from tiny import build_tiny

ONE_PASS = MemberChoice(("0",), False)


def head_for(network: FrozenNetwork, folder: Path, spread: float) -> Path:
    """A head for a network with random last weights; spread 0 leaves the factor at 1."""
    metadata = network.package.metadata
    channels = metadata.channels if metadata.pipeline is None else len(metadata.pipeline.channels)
    window = np.random.default_rng(0).standard_normal((1, channels, *metadata.patch)).astype(np.float32)
    found = network.run(window)
    finest, *stages = found.features
    coarsest = (stages or [finest])[-1]
    step = tuple(round(n / m) for n, m in zip(finest.shape[2:], coarsest.shape[2:], strict=True))
    sizes = channels, finest.shape[1], tuple(s.shape[1] for s in stages), tuple(min(4, n) for n in step)
    shape = FrozenScaleShape(window.ndim - 2, network.kind, *sizes)
    torch.manual_seed(1)
    head = FrozenEvidenceScale(shape)
    torch.nn.init.normal_(head.last.weight, std=spread or 1e-30)
    inputs = (window, found.logits, *found.features)
    export_log_factor(head, [torch.from_numpy(array) for array in inputs], folder / "head.onnx")
    return folder / "head.onnx"


def with_head(package: Package, folder: Path, spread: float) -> Package:
    network = open_network(package, threads=1)
    member = "" if network.member is None else network.member.name
    record = {"taps": list(network.taps.names), "member": member, "threshold": 0.3}
    return add_fit(package, record, head_for(network, folder, spread))


class PlainFactor(torch.nn.Module):  # type: ignore[misc]
    """A head of the finest features, which are handed last; the others have no say, but stay inputs."""

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        *others, finest = inputs
        return torch.tanh(finest.mean(1, keepdim=True)) + 0.0 * sum(one.mean(1, keepdim=True) for one in others)


def planar(folder: Path) -> Package:
    arguments = {"spatial_dims": 2, "in_channels": 1, "out_channels": 3, "channels": [4, 8]}
    return build_tiny(
        folder,
        name="tiny-planar",
        network={"name": "unet", "arguments": arguments},
        head="softmax",
        spacing=None,
        patch=[16, 16],
        uncertainty={"primary": "entropy", "kinds": ["entropy"], "threshold": 0.5},
    )


KINDS: dict[str, Callable[[Path], Package]] = {
    "own, evidential": lambda folder: build_tiny(folder / "tiny"),
    "own, slices": lambda folder: planar(folder / "tiny-planar"),
    "nnU-Net": lambda folder: imported_nnunet(folder, "plain"),
    "nnU-Net, regions of two channels": lambda folder: imported_nnunet(folder, "regions"),
    "nnU-Net, slices": lambda folder: imported_nnunet(folder, "slices"),
}


def engine_of(package: Package) -> Engine:
    if package.metadata.pipeline is None:
        return create_engine(package, threads=1)
    return create_member_engine(package, threads=1, choice=ONE_PASS)


def run(package: Package, kind: str) -> SegmentationResult:
    if not kind.startswith("nnU-Net"):
        volume = asymmetric_volume(tilted_grid((20, 22, 24), (1.0, 1.1, 1.3)))
        return segment(volume, package, engine_of(package))
    shape, spacing, channels = SHAPES[package.metadata.name]
    names = [one.name for one in package.metadata.pipeline.channels]  # type: ignore[union-attr]
    volumes = make_phantom(77, shape, spacing, channels).volumes(names)
    return segment(volumes[0], package, engine_of(package), channels=dict(zip(names[1:], volumes[1:], strict=True)))


def mask_hash(result: SegmentationResult) -> str:
    return hashlib.sha256(result.labels.array.tobytes()).hexdigest()


@pytest.mark.parametrize("kind", KINDS)
def test_a_factor_of_one_is_the_network_s_own_map_and_no_factor_changes_the_mask(kind: str, tmp_path: Path) -> None:
    package = KINDS[kind](tmp_path)
    before = run(package, kind)
    neutral = run(with_head(package, tmp_path, 0.0), kind)
    assert np.nanmax(np.abs(neutral.uncertainty.array - before.uncertainty.array)) <= 1e-5
    assert mask_hash(neutral) == mask_hash(before)
    wild = run(with_head(package, tmp_path, 3.0), kind)
    assert np.nanmax(np.abs(wild.uncertainty.array - before.uncertainty.array)) > 0.05
    assert mask_hash(wild) == mask_hash(before)
    assert (wild.threshold, before.threshold) == (0.3, package.metadata.threshold)
    assert np.isin(np.unique(before.labels.array), [0, 1, 2]).all()
    assert before.labels.array.any()


def test_a_head_that_was_fitted_without_the_answer_reads_what_its_package_names(tmp_path: Path) -> None:
    """Heads of before see image and features; those of today the network's answer between them."""
    package = build_tiny(tmp_path / "tiny")
    network = open_network(package, threads=1)
    window = np.random.default_rng(0).standard_normal((1, 1, *package.metadata.patch)).astype(np.float32)
    found = network.run(window)
    maps = []
    for names, arrays in (
        (network.taps.seen[:1], (window, found.features[0])),
        ((network.taps.answer, network.taps.seen[0]), (window, found.logits, found.features[0])),
    ):
        graph = tmp_path / f"head{len(names)}.onnx"
        export_log_factor(PlainFactor(), [torch.from_numpy(array) for array in arrays], graph)
        record = {"taps": list(names), "member": "", "threshold": 0.3}
        maps.append(run(add_fit(package, record, graph), "own, evidential").uncertainty.array)
    assert np.array_equal(*maps)
    assert np.nanmax(np.abs(maps[0] - run(package, "own, evidential").uncertainty.array)) > 0.01


def test_windows_that_overlap_are_blended_without_the_factor(tmp_path: Path) -> None:
    """A factor that differs between two windows would move the border between classes if it were blended in."""
    package = build_tiny(tmp_path / "tiny", overlap=0.75)
    volume = asymmetric_volume(tilted_grid((30, 34, 28), (1.0, 1.0, 1.0)))
    before = segment(volume, package, create_engine(package, threads=1))
    fitted = with_head(package, tmp_path, 5.0)
    after = segment(volume, fitted, create_engine(fitted, threads=1))
    assert mask_hash(after) == mask_hash(before)


def test_taps_lie_where_the_graph_puts_them_whatever_their_names(tmp_path: Path) -> None:
    import onnx
    from SUREUncertaintyLib.nn.unet import UNet

    path = tmp_path / "own.onnx"
    export_onnx(UNet(3, 1, 2, (4, 6, 8)).eval(), path, (1, 1, 16, 16, 16))
    core = OpenVinoSettings.create(threads=1).core
    graph = read_graph(core, path, "own")
    shapes = [output_named(graph, name).get_partial_shape()[1].get_length() for name in find_taps(graph, "own").names]
    assert shapes == [2, 4, 6, 8]
    model = onnx.load(str(path))
    renamed = {name: f"t{n}" for n, node in enumerate(model.graph.node) for name in node.output if name != "logits"}
    for node in model.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
    onnx.save(model, str(tmp_path / "renamed.onnx"))
    other = read_graph(core, tmp_path / "renamed.onnx", "own")
    found = find_taps(other, "own")
    assert all(name.startswith("t") for name in found.seen)
    assert [output_named(other, name).get_partial_shape()[1].get_length() for name in found.names] == [2, 4, 6, 8]


def test_a_network_of_one_layer_has_no_features(tmp_path: Path) -> None:
    export_onnx(torch.nn.Conv3d(1, 3, 3, padding=1), tmp_path / "one.onnx", (1, 1, 8, 8, 8))
    graph = read_graph(OpenVinoSettings.create(threads=1).core, tmp_path / "one.onnx", "thin")
    with pytest.raises(InputError, match=r"'thin' has no features.*several layers"):
        find_taps(graph, "thin")


def test_a_model_with_a_head_of_its_own_is_refused(tmp_path: Path) -> None:
    arguments = {"spatial_dims": 3, "in_channels": 1, "out_channels": 3, "channels": [4, 8], "evidence_scale": True}
    package = build_tiny(tmp_path / "scaled", network={"name": "unet", "arguments": arguments})
    with pytest.raises(InputError, match="has a head for its uncertainty already"):
        open_network(package, threads=1)


@pytest.mark.parametrize("own", [EvidentialHead(), SoftmaxHead()])
def test_many_classes_keep_their_map_at_factor_one_and_their_classes_at_any(own: EvidentialHead | SoftmaxHead) -> None:
    random = np.random.default_rng(0)
    logits = (4.0 * random.standard_normal((117, 6, 7, 8))).astype(np.float32)
    plain = own.belief(own.blended(logits))
    head = ScaledHead(own)
    factors = {"one": np.zeros((1, 6, 7, 8), np.float32), "any": random.normal(0, 2, (1, 6, 7, 8)).astype(np.float32)}
    same, other = (head.belief(head.blended(np.concatenate([logits, factor]))) for factor in factors.values())
    assert np.abs(same.entropy - plain.entropy).max() <= 1e-5
    assert np.abs(same.uncertainty - plain.uncertainty).max() <= 1e-5
    assert np.array_equal(other.winners, plain.winners)
    assert np.array_equal(same.winners, plain.winners)
    # so small a factor that all probabilities are the same number in float32
    flat = head.belief(head.blended(np.concatenate([logits, np.full((1, 6, 7, 8), -18.0, np.float32)])))
    assert np.array_equal(flat.winners, plain.winners)
    assert flat.entropy.min() > 0.99
    doubled = softmax(2.0 * logits)
    twice = head.belief(head.blended(np.concatenate([logits, np.full_like(factors["one"], np.log(2.0))])))
    if isinstance(own, SoftmaxHead):
        assert np.abs(twice.entropy - normalised_entropy(doubled)).max() <= 1e-5


@pytest.mark.parametrize("name", ["evidential", "softmax", "regions"])
def test_the_losses_see_the_same_map_as_a_run(name: str, tmp_path: Path) -> None:
    packages = {"evidential": "own, evidential", "softmax": "nnU-Net", "regions": "nnU-Net, regions of two channels"}
    network = open_network(KINDS[packages[name]](tmp_path), threads=1)
    assert network.kind.name == name
    random = np.random.default_rng(2)
    count = len(network.kind.order) or network.kind.classes
    logits = random.normal(0, 3, (count, 5, 6, 7)).astype(np.float32)
    log_factor = random.normal(0, 0.5, (5, 6, 7)).astype(np.float32)
    tensors = torch.from_numpy(logits)[None], torch.from_numpy(log_factor)[None, None]
    seen = scaled_uncertainty(*tensors, network.kind)[0].numpy()
    added = 0.0 if name == "evidential" else LEAST
    assert np.abs(seen - added - network.uncertainty(logits, log_factor)).max() <= 1e-5


def test_the_region_kind_paints_in_the_order_of_ranks() -> None:
    kind = OutputKind("regions", 3, (1, 0), (1, 2))
    logits = torch.tensor([[[4.0, -4.0], [9.0, -9.0]]])  # channel 0 paints last, with class 2
    sure = scaled_uncertainty(logits * 10, torch.zeros(1, 1, 2), kind)
    assert float(sure.max()) < 0.01


def test_estimators_that_make_their_own_uncertainty_run_without_the_head(tmp_path: Path) -> None:
    package = build_tiny(tmp_path / "tiny")
    volume = asymmetric_volume(tilted_grid((18, 18, 18), (1.0, 1.0, 1.0)))
    maps = []
    for one in (package, with_head(package, tmp_path, 3.0)):
        estimate = create_estimator("softmax", one.root, "openvino", threads=1)
        maps.append(segment(volume, estimate.package, estimate.engine).uncertainty.array)
    assert np.array_equal(maps[0], maps[1])


def test_runs_of_several_passes_keep_their_map_and_torch_says_what_it_cannot(tmp_path: Path) -> None:
    package = with_head(imported_nnunet(tmp_path, "plain", 2), tmp_path, 3.0)
    assert create_member_engine(package, threads=1, choice=ONE_PASS).scales
    assert not create_member_engine(package, threads=1).scales
    assert not create_member_engine(package, threads=1, choice=MemberChoice(("1",), False)).scales
    assert not create_member_engine(package, threads=1, estimator="softmax").scales
    with pytest.raises(EngineError, match="only OpenVINO runs"):
        create_member_engine(package, "torch", "cpu", 1, choice=ONE_PASS)
    assert create_member_engine(package, "torch", "cpu", 1).name == "torch"


def test_what_was_promised_of_another_map_is_not_promised_under_the_head(tmp_path: Path) -> None:
    facts = {"primary": "vacuity", "kinds": ["vacuity", "entropy"], "threshold": 0.5, "volume_probability": 0.8}
    package = build_tiny(tmp_path / "tiny", uncertainty=facts)
    before = network_digest(package)
    fitted = with_head(package, tmp_path, 1.0)
    assert fitted.metadata.volume_probability == 0.8
    assert fitted.metadata.with_fitted_head().volume_probability is None
    assert network_digest(fitted) == before


def test_the_live_session_and_the_predictor_show_the_map_of_the_run(tmp_path: Path) -> None:
    package = with_head(build_tiny(tmp_path / "tiny"), tmp_path, 3.0)
    volume = asymmetric_volume(tilted_grid((18, 18, 18), (1.0, 1.0, 1.0)))
    whole = segment(volume, package, create_engine(package, threads=1))
    session = LiveSession(package, threads=1)
    session.open(volume)
    shown = session.preview(volume.array)
    assert np.mean(np.abs(shown.uncertainty.array - whole.uncertainty.array)) < 0.02  # bfloat16 where there is any
    assert shown.threshold == 0.3
    predicted = NativePredictor(package, create_engine(package, threads=1)).predict(volume)
    assert np.abs(predicted.uncertainty - whole.uncertainty.array).max() <= 1e-6
    assert np.array_equal(predicted.labels, whole.labels.array)


def test_the_head_goes_in_and_out_and_leaves_everything_else_as_it_was(tmp_path: Path) -> None:
    package = build_tiny(tmp_path / "tiny", version="1.4.2")
    graph = (package.root / "models" / "model.onnx").read_bytes()
    fitted = with_head(package, tmp_path, 1.0)
    assert fitted.metadata.version == "1.5.0"
    assert fitted.metadata.raw["changelog"]["1.5.0"] == "a head for its uncertainty, by sure fit"
    assert (fitted.root / "models" / "model.onnx").read_bytes() == graph
    again = with_head(fitted, tmp_path, 2.0)
    assert again.metadata.version == "1.5.0"
    back = remove_fit(again)
    assert back.fingerprint == package.fingerprint
    assert not (back.root / "models" / "fitted_head.onnx").exists()
    with pytest.raises(InputError, match="nothing to remove"):
        remove_fit(back)


@pytest.mark.parametrize(("version", "following"), [("1.4.2", "1.5.0"), ("0.9", "0.9+fit"), ("v3", "v3+fit")])
def test_a_version_that_is_none_gets_a_suffix(version: str, following: str) -> None:
    assert next_version(version) == following


def test_a_head_starts_at_one_and_sees_coarser_stages_of_any_size() -> None:
    torch.manual_seed(0)
    head = FrozenEvidenceScale(FrozenScaleShape(2, OutputKind("softmax", 4), 1, 3, (4, 5), (4, 4), context=2))
    image, logits, finest = torch.randn(2, 1, 20, 28), torch.randn(2, 4, 20, 28), torch.randn(2, 3, 20, 28)
    stages = torch.randn(2, 4, 10, 14), torch.randn(2, 5, 5, 7)
    head.standardise([[image, logits, finest, *stages]])
    assert float(head(image, logits, finest, *stages).abs().max()) == 0.0
    torch.nn.init.normal_(head.last.weight)
    base = head(image, logits, finest, *stages)
    for number, one in enumerate((logits, finest, *stages)):
        changed = [logits, finest, *stages]
        changed[number] = one + torch.randn_like(one)
        assert float((head(image, *changed) - base).abs().max()) > 1e-3, number
    assert base.shape == (2, 1, 20, 28)


def test_a_scan_is_read_by_the_head_of_the_package_alone(tmp_path: Path) -> None:
    """Volumes are not touched, and the same run gives the same map twice."""
    package = with_head(build_tiny(tmp_path / "tiny"), tmp_path, 2.0)
    volume: Volume = asymmetric_volume(tilted_grid((18, 18, 18), (1.0, 1.0, 1.0)))
    before = volume.array.copy()
    first, second = (segment(volume, package, create_engine(package, threads=1)) for _ in range(2))
    assert np.array_equal(volume.array, before)
    assert np.array_equal(first.uncertainty.array, second.uncertainty.array, equal_nan=True)
    assert replace(first, provenance={}, image=volume).threshold == 0.3


@pytest.mark.usefixtures("user_models")
def test_a_bundle_whose_probabilities_go_back_to_the_scan(
    bundle: Path, foreign_network: torch.nn.Module, tmp_path: Path
) -> None:
    save_file(foreign_network.state_dict(), bundle / "models" / "model.safetensors")
    package = import_package(bundle)
    assert package.metadata.pipeline is not None
    volume = read_volume(write_case(tmp_path).image)
    before = segment(volume, package, create_engine(package, threads=1))
    neutral, wild = (
        segment(volume, fitted, create_engine(fitted, threads=1))
        for fitted in (with_head(package, tmp_path, spread) for spread in (0.0, 3.0))
    )
    assert np.nanmax(np.abs(neutral.uncertainty.array - before.uncertainty.array)) <= 1e-5
    assert np.nanmax(np.abs(wild.uncertainty.array - before.uncertainty.array)) > 0.05
    assert mask_hash(before) == mask_hash(neutral) == mask_hash(wild)


@pytest.mark.parametrize("read_on", ["probability", "labels"])
@pytest.mark.parametrize("name", ["plain", "regions"])
def test_what_goes_back_as_probabilities_is_read_under_the_factor_too(name: str, read_on: str, tmp_path: Path) -> None:
    package = imported_nnunet(tmp_path, name)
    assert package.metadata.pipeline is not None
    pipeline = replace(package.metadata.pipeline, read_on=read_on)
    results = []
    for spread in (None, 0.0, 3.0):
        one = package if spread is None else with_head(package, tmp_path, spread)
        one = replace(one, metadata=replace(one.metadata, pipeline=pipeline))
        results.append(run(one, "nnU-Net"))
    before, neutral, wild = results
    assert np.nanmax(np.abs(neutral.uncertainty.array - before.uncertainty.array)) <= 1e-5
    assert np.nanmax(np.abs(wild.uncertainty.array - before.uncertainty.array)) > 0.02
    assert mask_hash(before) == mask_hash(neutral) == mask_hash(wild)


def test_what_was_not_made_for_a_head_runs_without_it_or_says_so(tmp_path: Path) -> None:
    """Scales of difficulty are those of the network's own maps, a forecast is refused, and slices are read alike."""
    package = with_head(build_tiny(tmp_path / "tiny"), tmp_path, 3.0)
    engine = create_engine(package, threads=1)
    with pytest.raises(InputError, match=r"no forecast is made.*sure fit tiny --remove"):
        require_own_map(package, engine)
    with pytest.raises(ValueError, match="without a fitted head"):
        estimate(package, engine, "softmax")
    extractor = create_extractor(ExtractorOptions(str(package.root), "openvino"))
    assert not extractor.engine.scales  # type: ignore[attr-defined]
    flat = with_head(planar(tmp_path / "flat" / "tiny-planar"), tmp_path, 3.0)
    image = np.random.default_rng(0).integers(0, 255, (40, 40)).astype(np.uint8)
    told, plain = (
        OneAnswer(one, create_engine(one, threads=1)).predict(image, ("a",))  # type: ignore[arg-type]
        for one in (flat, without_head(flat))
    )
    assert np.array_equal(told.labels, plain.labels)
    assert np.abs(told.uncertainty - plain.uncertainty).max() > 0.05
    assert told.probability.shape == plain.probability.shape
