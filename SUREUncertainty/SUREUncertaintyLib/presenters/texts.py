"""What the Slicer panel, the browser and the pages say, in one place, so that all say the same. Faces translate it."""

DISCLAIMER = "Research use only - not a medical device"

RUN = "Run"
CANCEL = "Cancel"

CHOOSE_SCAN = "Choose the scan that is to be segmented."
CHOOSE_MODEL = "There is no model. Import one into the model folder (Set-up), then choose it here."
IS_RUNNING = "A segmentation is running. Cancel it first."
READY = "Ready."
STARTING = "Starting the computation ..."
CANCELLING = "Stopping ..."
DONE = "Done on {engine} ({device}) in {seconds:.1f} s."
RUN_TOOLTIP = "Segment the scan and map where the result cannot be trusted. Nothing leaves this computer."

REMAINING_SECONDS = "about {seconds:d} s left"
REMAINING_MINUTES = "about {minutes:d} min left"

NO_RESULT = "There is no result yet. Press Run first."
NO_REGIONS = "No uncertain region above the threshold."
REGION = "Region {rank} of {count}: {structure}, {size:.0f} mm3, mean uncertainty {mean:.2f}."
ALL_REVIEWED = "All {count} uncertain regions are reviewed."
BAND = "In the band: {volume:.2f} ml, {share:.0%} of the uncertainty map's analysed voxels."

NEEDS_CROSSHAIR = "Hold Shift and move the mouse over the structure in a slice view, then press this."

NO_SAMPLE = (
    "The sample could not be downloaded ({reason}). Check the internet connection, or make a phantom, which needs none."
)
SHOW_3D_TOOLTIP = "Make surfaces of the structures and turn the 3D view to them."
EDIT_TOOLTIP = "Go to Segment Editor. Only voxels in the uncertain band can be changed there."
NEXT_TOOLTIP = "Jump all slice views to the most uncertain region that is not reviewed yet."
REVIEWED_TOOLTIP = "Mark this region as reviewed and jump to the next one. The mark is saved with the scene."
NO_REGION_YET = "Jump to an uncertain region first."
COPY_TOOLTIP = "Copy the table for a spreadsheet."
CSV_TOOLTIP = "Save the table as a file."
TRUST_TOOLTIP = "Measure whether uncertainty is low at sharp edges, as it should be (UCC and UR)."
EXPORT_TOOLTIP = "Write the result as it is now, edits included, into a new folder."

LIVE_TOOLTIP = (
    "Segments the region with noise on it while the slider moves; tables follow when it rests. The scan and its result "
    "stay as they are."
)
SERIES_TOOLTIP = "Segment at strengths 0 to 0.6 and draw how agreement and uncertainty change."
LIVE = "{kind}, strength {strength:.2f}: agreement with the clean result {agreement:.2f}, mean uncertainty {uncertainty:.2f}."
SERIES_STEP = "Level {number} of {count} (strength {level:.1f})"
SERIES_HOLDS = "The result holds up to strength {level:.1f} (agreement 0.9 or better all along)."
SERIES_BREAKS = "The result breaks at strength {level:.1f}: less than 0.9 agrees with the clean result."
SERIES_EMPTY = "Nothing was found at strength 0, so there is nothing to compare with."

NO_STEPS = "Run a series first, or a model that draws samples; then step through it here."
STEPS_TOOLTIP = "What to step through: a series of noise, or samples of a model that draws them."
STEP_TOOLTIP = "Shows one step after the other in the slice views, with its uncertainty map or its outline."
STEP_NAMES = {
    "series": "Noise of strength {value}, one of {count} steps.",
    "samples": "Sample {value}: one of {count} plausible segmentations.",
}
"""By kind of ``mrml.steps.Steps``."""

MAP_NAMES = {
    "vacuity": "Vacuity: lack of evidence",
    "entropy": "Entropy: how undecided",
    "variance": "Variance between samples",
}
LEVEL_NAME = "Level {number} of the latents (0 finest, {last} coarsest)"
ENGINE_NAMES = {"auto": "Automatic", "openvino": "OpenVINO (processor)", "torch": "PyTorch (graphics card)"}

UCC_GRADIENT = (
    "UCC {value:.2f}: -1 means that uncertainty is lowest at the sharpest edges, as it should be; "
    "0 means that uncertainty does not care about edges."
)
UR_GRADIENT = (
    "UR {value:.2f}: in this share of all pairs of boundary voxels the one at the sharper edge is the more certain; "
    "1 is perfect, 0.5 is chance."
)
NO_BOUNDARY = "Nothing was segmented, so uncertainty at edges cannot be judged."

TRAIN = "Train"
GO_ON_TRAINING = "Go on training"
TRAIN_TOOLTIP = "Train a model on these scans, in the background. You can go on working, and stop and go on later."
TRAIN_SOURCES = {"folder": "A folder of scans and labels", "scene": "Scans and segmentations in this scene"}
TRAIN_RECIPES = {
    "quick": "Quick: a first try, minutes on a processor",
    "standard": "Standard: an hour or two on a processor",
    "thorough": "Thorough: for a graphics card, or overnight",
    "file": "A recipe file of my own",
}
OWN_NAME = "my-model"
NEEDS_PAIRS = "Choose scans with labels first: a folder, or segmentations in this scene that were drawn on a volume."
NEEDS_RECIPE = "Choose the recipe file, and the folder that its case table lies in."
NEEDS_START = (
    "This recipe goes on from a model of the recipe '{before}'. Train that one first, then write its name into this "
    "recipe as start_from."
)
FOUND_PAIRS = "Found {count}: {names}"
TRAINED = (
    "The model '{model}' is ready and chosen above. Its numbers are only as good as your scans: check its results."
)
TRAINING_KEPT = "Stopped. What was learnt is kept: press the button again to go on."

NO_PROXY = "Downloads go straight to the internet (no proxy is set)."
THROUGH_PROXY = "Downloads go through the proxy {proxy}."
OWN_CERTIFICATES = "Certificates: those of pip."
WITH_CERTIFICATES = "Certificates: {bundle}."
ALL_WORKS = "Everything that a run needs is installed and works."
REPAIR_FAILED = (
    "{name} is installed but does not start: {reason} Choose a wheel folder or check the connection, then try again."
)
REPAIRED = "{names} was installed again and works."
IMPORT_MODEL = "Choose the folder of a model package or of a MONAI Bundle"
IMPORTED = "The model '{name}' is in the list."

SLICER_TOO_OLD = "SURE Uncertainty needs 3D Slicer 5.10 or newer, this is {found}. Please install a current 3D Slicer."
STILL_MISSING = (
    "{names} could not be installed. Open Set-up for the log; without an internet connection choose a folder "
    "with the packages' wheel files there and try again."
)
INSTALL_DECLINED = "{names} must be installed before the first run. Press Run again when you want to install."
INSTALL_QUESTION = "SURE Uncertainty needs {names}, which will be downloaded and installed into this 3D Slicer. Go on?"
PYTORCH_EXTENSION = (
    "PyTorch comes through the PyTorch extension: install it in the Extensions Manager and restart 3D Slicer. "
    "Without a graphics card it is not needed, OpenVINO is faster."
)
PYTORCH_OUTDATED = (
    "The PyTorch extension is too old for this 3D Slicer's pip. Update it in the Extensions Manager and try again."
)

EXPORT_FOLDER = "Choose where the exported folder goes"
EXPORTED = "Exported to {folder}."
EXPORT_NAMES = {
    "dicom": "DICOM: segmentation and uncertainty maps",
    "nrrd": "NRRD: segmentation and maps",
    "nifti": "NIfTI: label map and maps",
    "csv": "CSV: tables",
    "html": "Report (HTML)",
}
"""Keys of ``export.formats.CHOICES``."""

WIDGETS = {
    "inputCollapsibleButton": ("Input and model", ""),
    "resultsCollapsibleButton": ("Results", ""),
    "uncertaintyCollapsibleButton": ("Uncertainty", ""),
    "noiseCollapsibleButton": ("Noise", ""),
    "numbersCollapsibleButton": ("Numbers", ""),
    "inputSelector": ("Scan", "The scan that is segmented. It is never changed."),
    "regionSelector": (
        "Region",
        "The box that is segmented; most models want one structure in the middle of a box. None: the model searches "
        "for it where it can, else the whole scan.",
    ),
    "placeRegionButton": (
        "Place around the crosshair",
        "Put a box of the size that the model was trained on around the crosshair. Hold Shift and move the "
        "mouse in a slice view to move the crosshair.",
    ),
    "suggestRegionButton": (
        "Suggest",
        "Let the model search for its structures now. You see the boxes, and can move them, before anything runs.",
    ),
    "modelSelector": ("Model", "The network that segments. The text below says what it was made for."),
    "engineSelector": (
        "Runs on",
        "What computes. Automatic takes a graphics card when PyTorch can use one, else OpenVINO on the processor.",
    ),
    "runButton": ("Run", "Choose the scan that is to be segmented."),
    "resultSelector": ("Result", "Which result the panels below show. Every scan and model has one of its own."),
    "segmentsTable": ("", "The structures that were found: show, hide, recolour."),
    "show3DButton": ("Show 3D", SHOW_3D_TOOLTIP),
    "exportSelector": ("Export as", "What to write. DICOM objects refer to the series that the scan was loaded from."),
    "mapSelector": (
        "Map",
        "Lack of evidence: the network has seen nothing like this. Entropy: the network cannot decide.",
    ),
    "bandRange": (
        "Band",
        "Only uncertainty in this range is drawn, on slices and in 3D. 0: certain, 1: no evidence at all.",
    ),
    "histogramLabel": (
        "",
        "How often each degree of uncertainty occurs (logarithmic), from 0 on the left to 1 on the right, in the colours of "
        "the map. Grey: outside the band, not drawn.",
    ),
    "opacitySlider": ("Opacity", "How strongly the map covers the scan."),
    "legendCheckBox": ("Colour legend", "Show what the colours mean."),
    "renderingCheckBox": ("Uncertainty in 3D", "Draw the uncertainty inside the band as a cloud in 3D."),
    "nextUncertainButton": (
        "Next uncertain region",
        "Jump all slice views to the most uncertain region that is not reviewed yet.",
    ),
    "regionsTable": ("", "Uncertain regions, the most uncertain first. Click to jump there; tick when reviewed."),
    "noiseSelector": ("Kind", "How the scan is damaged."),
    "strengthSlider": ("Strength", "0: none. 1: as strong as the contrast of the scan itself (blur: 3 mm)."),
    "seedSpinBox": ("Seed", "The same number gives the same noise again."),
    "liveCheckBox": ("Live while the slider moves", LIVE_TOOLTIP),
    "seriesButton": ("Run the series", SERIES_TOOLTIP),
    "numbersTable": ("", "One line a structure: volume with its range (90 %), and uncertainty."),
    "copyButton": ("Copy", "Copy the table for a spreadsheet."),
    "csvButton": ("Save as CSV ...", "Save the table as a file."),
    "trustButton": (
        "Uncertainty at edges",
        "Measure whether uncertainty is low at sharp edges, as it should be (UCC and UR).",
    ),
}
"""Label (or button) and hint of each part of the panel, by its name in the .ui file of the Slicer module."""


def in_words(kind: str) -> str:
    """A kind of uncertainty as people write it: ``mutual_information`` as "mutual information"."""
    return kind.replace("_", " ")
