"""SURE Uncertainty: segmentation of medical scans with a map of where the result cannot be trusted.

The rooms of the house, from the ground up. A room imports only from rooms that are named before it here;
``Testing/Python/test_layers.py`` reads every import and guards the order.

Values and files
    ``core``         scans, grids, boxes, labels, errors, progress
    ``files``        reading and writing: DICOM, NIfTI, NRRD, MetaImage, segmentations
    ``arrays``       pure functions of arrays: normalisation, heads, noise
Mathematics
    ``metrics``      overlap, surfaces, calibration, detection, UR and UCC, bootstrap
    ``corruptions``  noise and damage by kind and strength
Networks
    ``nn``           networks and losses (torch)
    ``packages``     model packages: metadata, integrity, import
Inference
    ``analysis``     one result: structures, volume ranges, uncertain regions, warnings, difficulty
    ``inference``    a scan and a package to a result
Measurement
    ``report``       result folders, pictures and pages
    ``evaluation``   a model on a list of labelled cases
    ``robustness``   a model under damage of rising strength
    ``difficulty``   how hard the scans of a cohort are
    ``training``     recipes, objectives, the training loop
Presentation
    ``export``       DICOM, NIfTI, NRRD, tables
    ``mrml``         results in a MRML scene that the caller hands in
    ``worker``       the process that computes for a window
    ``comparison``   arms of a study side by side
Faces, which hold no algorithm
    ``presenters``   what the Slicer panel and the page share
    ``ui``           the panel in 3D Slicer
    ``view``         the page in the browser
    ``cli``          the command line
"""

__version__ = "0.1.0"
