"""VTK without its messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vtkmodules.vtkCommonCore import vtkLogger, vtkObject, vtkOutputWindow, vtkStringOutputWindow


@contextmanager
def quiet_vtk() -> Iterator[None]:
    """No VTK messages inside the block, errors included: for faces that check results themselves."""
    window = vtkOutputWindow.GetInstance()
    level = vtkLogger.GetCurrentVerbosityCutoff()
    shown = vtkObject.GetGlobalWarningDisplay()
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    vtkObject.GlobalWarningDisplayOff()
    vtkOutputWindow.SetInstance(vtkStringOutputWindow())
    try:
        yield
    finally:
        vtkOutputWindow.SetInstance(window)
        vtkLogger.SetStderrVerbosity(level)
        vtkObject.SetGlobalWarningDisplay(shown)
