"""On an NVIDIA GPU a released model answers as on the CPU. Skipped where torch has no CUDA."""

import numpy as np
import pytest
from phantoms import asymmetric_volume, tilted_grid
from SUREUncertaintyLib.inference.engine_choice import create_engine, cuda_is_available
from SUREUncertaintyLib.inference.sampling.encoding import has_latents
from SUREUncertaintyLib.inference.sampling.samples_result import SamplingOptions
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.catalogue import find_package

DEVICE = "cuda"
pytestmark = pytest.mark.skipif(not cuda_is_available(), reason="torch has no CUDA here")


@pytest.mark.parametrize("model", ["hippocampus-t1", "lung-nodule-ct"])
def test_the_same_mask_and_the_same_uncertainty_on_gpu_and_cpu(model: str) -> None:
    package, volume = find_package(model), asymmetric_volume(tilted_grid())
    sampling = SamplingOptions(count=8, seed=3) if has_latents(package.metadata) else None
    on_gpu, on_cpu = (
        segment(volume, package, create_engine(package, "torch", device), sampling=sampling)
        for device in (DEVICE, "cpu")
    )
    assert np.mean(on_gpu.labels.array != on_cpu.labels.array) <= 1e-4
    assert np.abs(on_gpu.uncertainty.array - on_cpu.uncertainty.array).max() <= 1e-3
    assert np.abs(on_gpu.entropy.array - on_cpu.entropy.array).max() <= 1e-3
    assert on_cpu.entropy.array.max() > 0.1
