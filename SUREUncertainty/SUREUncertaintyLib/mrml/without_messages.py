"""VTK without its messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import vtk


@contextmanager
def quiet_vtk() -> Iterator[None]:
    """No VTK messages inside the block, errors included: for faces that check results themselves."""
    window = vtk.vtkOutputWindow.GetInstance()
    level = vtk.vtkLogger.GetCurrentVerbosityCutoff()
    shown = vtk.vtkObject.GetGlobalWarningDisplay()
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    vtk.vtkObject.GlobalWarningDisplayOff()
    vtk.vtkOutputWindow.SetInstance(vtk.vtkStringOutputWindow())
    try:
        yield
    finally:
        vtk.vtkOutputWindow.SetInstance(window)
        vtk.vtkLogger.SetStderrVerbosity(level)
        vtk.vtkObject.SetGlobalWarningDisplay(shown)
