"""SURE Uncertainty: segmentation of medical scans with an uncertainty map.

Three layers; an import may only point upwards in this list:

1. pure library: ``core`` (volumes, geometry, files), ``packages`` (model packages), ``nn``
   (networks and losses), ``inference``, ``analysis``, ``metrics``, ``training``, ``report``,
   ``worker``. NumPy, SciPy, scikit-image and SimpleITK; torch, MONAI, OpenVINO and matplotlib
   only inside the functions that need them. Never ``slicer``, ``vtk`` or ``qt``.
2. ``mrml``: arrays to and from a MRML scene that the caller hands in. ``slicer.vtk*`` only.
3. faces: ``cli``, later ``ui`` (Slicer widgets) and ``view`` (browser). They hold no algorithm.

``Testing/Python/test_layers.py`` reads every import and guards these rules.
"""

__version__ = "0.1.0"
