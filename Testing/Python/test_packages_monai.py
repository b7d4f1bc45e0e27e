"""MONAI reads our packages as its bundles."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from needed_torch import torch
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.weights import load_network


def test_the_config_has_every_entry_that_monai_requires_for_inference(tiny_package: Package) -> None:
    from monai.bundle.properties import InferProperties, MetaProperties
    from monai.utils import BundleProperty, BundlePropertyConfig

    configs = {
        "": json.loads((tiny_package.root / "configs/inference.json").read_text(encoding="utf-8")),
        "_meta_": tiny_package.metadata.raw,
    }
    required = [
        str(entry[BundlePropertyConfig.ID])
        for entry in (InferProperties | MetaProperties).values()
        if entry[BundleProperty.REQUIRED]
    ]
    assert "network_def" in required
    assert [name for name in required if not has_entry(configs, name)] == []


def has_entry(configs: dict[str, Any], name: str) -> bool:
    parts = name.split("::")
    content = configs["_meta_"] if parts[0] == "_meta_" else configs[""]
    for part in parts[1:] if parts[0] == "_meta_" else parts:
        if part not in content:
            return False
        content = content[part]
    return True


def test_monai_runs_the_network_on_the_shapes_that_the_metadata_gives(tiny_package: Package) -> None:
    from monai.bundle import verify_net_in_out

    configs = tiny_package.root / "configs"
    verify_net_in_out(
        net_id="network_def",
        meta_file=str(configs / "metadata.json"),
        config_file=str(configs / "inference.json"),
        device="cpu",
    )


def test_monai_loads_the_same_network(tiny_package: Package) -> None:
    parser = bundle_parser(tiny_package)
    parser.get_parsed_content("load")
    network = parser.get_parsed_content("network").cpu().eval()
    window = torch.randn(1, 1, 16, 16, 16)
    with torch.no_grad():
        assert torch.equal(network(window), load_network(tiny_package)(window))


def test_monai_prepares_the_same_array(tiny_package: Package, tmp_path: Path) -> None:
    """The axes of a bundle are named the other way round; an asymmetric, turned and flipped scan tells."""
    from SUREUncertaintyLib.arrays.normalisation import normalise
    from SUREUncertaintyLib.core.resampling import model_grid, resample
    from SUREUncertaintyLib.core.volume import Grid, Volume
    from SUREUncertaintyLib.files.writing import write_volume

    array = np.random.default_rng(4).standard_normal((5, 6, 7)).astype(np.float32)
    turned = (0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
    volume = Volume(array, Grid((5, 6, 7), (1.0, 1.0, 1.0), (3.0, -4.0, 5.0), turned))
    write_volume(volume, tmp_path / "scan.nii.gz")
    found = bundle_parser(tiny_package).get_parsed_content("preprocessing")({"image": str(tmp_path / "scan.nii.gz")})
    expected = normalise(resample(volume, model_grid(volume.grid, "RAS", (1.0, 1.0, 1.0))).array, {"kind": "zscore"})
    np.testing.assert_allclose(np.asarray(found["image"])[0], expected, atol=1e-5)


def bundle_parser(package: Package) -> Any:
    from monai.bundle import ConfigParser

    parser = ConfigParser()
    parser.read_config(str(package.root / "configs/inference.json"))
    parser["bundle_root"] = str(package.root)
    return parser
