"""A head for tests of the search: the template that a package carries, as a scan."""

from __future__ import annotations

from SUREUncertaintyLib.core.resampling import model_grid, resample
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.packages.package import Package


def template_head(package: Package) -> Volume:
    """The template of the package's locator with voxels of 2 mm."""
    assert package.metadata.locator is not None
    template = read_volume(package.file_path(package.metadata.locator.template))
    return resample(template, model_grid(template.grid, "RAS", (2.0, 2.0, 2.0)))
