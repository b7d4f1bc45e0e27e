"""A result without a voxel has a painted surface without a point, and VTK says nothing about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import vtk
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.painted_surface import paint_surface
from SUREUncertaintyLib.mrml.publish import publish
from two_blobs import two_blobs


@pytest.fixture
def said() -> Iterator[vtk.vtkStringOutputWindow]:
    window, earlier = vtk.vtkStringOutputWindow(), vtk.vtkOutputWindow.GetInstance()
    vtk.vtkOutputWindow.SetInstance(window)
    yield window
    vtk.vtkOutputWindow.SetInstance(earlier)


def test_nothing_to_paint_is_no_complaint(said: vtk.vtkStringOutputWindow) -> None:
    result: Any = two_blobs()
    empty = replace(result, labels=result.labels.with_array(np.zeros_like(result.labels.array)))
    with HeadlessScene() as here:
        published = publish(here.scene, empty)
        model = paint_surface(here.scene, published, published.uncertainty)
        assert model.GetPolyData().GetNumberOfPoints() == 0
    assert "vtkAppendPolyData" not in said.GetOutput()
