"""Journey 6: an oblique anisotropic volume under a parent transform."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import slicer
import vtk
from journey import add_phantom, finish, open_module, run_and_wait


def journey():
    """Under a transform there is a sentence; once hardened, the result lies on the volume."""
    widget = open_module()
    scan = add_phantom(widget)
    tilt = vtk.vtkTransform()
    tilt.RotateX(20)
    tilt.RotateZ(-15)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "tilt")
    transform.SetMatrixTransformToParent(tilt.GetMatrix())
    scan.SetSpacing(1.0, 1.5, 2.5)
    scan.SetAndObserveTransformNodeID(transform.GetID())
    assert run_and_wait(widget) is None
    assert "Harden the transform" in widget.ui.statusLabel.text
    scan.HardenTransform()
    published = run_and_wait(widget)
    assert published is not None, widget.ui.statusLabel.text
    here, there = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    scan.GetIJKToRASMatrix(here)
    published.uncertainty.GetIJKToRASMatrix(there)
    assert all(abs(here.GetElement(r, c) - there.GetElement(r, c)) < 1e-4 for r in range(4) for c in range(4))


if __name__ == "__main__":
    finish(journey)
