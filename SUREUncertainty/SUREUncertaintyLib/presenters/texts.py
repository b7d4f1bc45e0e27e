"""What the Slicer panel, the browser and the pages say, in one place, so that all say the same. Faces translate it."""

from ..core.translation import tr as _

RUN = _("Run")
CANCEL = _("Cancel")

CHOOSE_SCAN = _("Choose the scan that is to be segmented.")
CHOOSE_FURTHER = _("Choose the further images that the model wants.")
FURTHER_HINT = _("A further image of the same patient that the model wants, on the scan's grid.")
TOO_MANY_IMAGES = _("This model wants more images than there are selectors here; run it with: sure segment --channel.")
CHOOSE_MODEL = _("There is no model. Import one into the model folder (Set-up), then choose it here.")
IS_RUNNING = _("A segmentation is running. Cancel it first.")
READY = _("Ready.")
STARTING = _("Starting the computation ...")
CANCELLING = _("Stopping ...")
DONE = _("Done on {engine} ({device}) in {seconds:.1f} s.")
RUN_TOOLTIP = _("Segment the scan and map where the result cannot be trusted. Nothing leaves this computer.")


REMAINING_SECONDS = _("about {seconds:d} s left")
REMAINING_MINUTES = _("about {minutes:d} min left")

NO_RESULT = _("There is no result yet. Press Run first.")
NO_REGIONS = _("No uncertain region above the threshold.")
REGION = _("Region {rank} of {count}: {structure}, {size:.0f} mm3, mean uncertainty {mean:.2f}.")
ALL_REVIEWED = _("All {count} uncertain regions are reviewed.")
BAND = _("In the band: {volume:.2f} ml, {share:.0%} of the uncertainty map's analysed voxels.")

SEARCHES = _("Without a region, Run searches the scan for the model's structures and analyses a box around each.")
NEEDS_CROSSHAIR = _("Hold Shift and move the mouse over the structure in a slice view, then press this.")

NO_SAMPLE = _(
    "The sample could not be downloaded: {reason}. Check the internet connection, or take one of the two beside it, "
    "which need none: the average brain, or a made-up phantom to try the controls with."
)
SHOW_3D_TOOLTIP = _("Make surfaces of the structures and turn the 3D view to them.")
EDIT_TOOLTIP = _("Go to Segment Editor. Only voxels in the uncertain band can be changed there.")
NEXT_TOOLTIP = _("Jump all slice views to the most uncertain region that is not reviewed yet.")
REVIEWED_TOOLTIP = _("Mark this region as reviewed and jump to the next one. The mark is saved with the scene.")
NO_REGION_YET = _("Jump to an uncertain region first.")
COPY_TOOLTIP = _("Copy the table for a spreadsheet.")
CSV_TOOLTIP = _("Save the table as a file.")
SAVE_TABLE = _("Save the table")
TABLES = _("Tables")
TRUST_TOOLTIP = _("Measure whether uncertainty is low at sharp edges, as it should be.")
EXPORT_TOOLTIP = _("Write the result as it is now, edits included, into a new folder.")

LIVE_TOOLTIP = _(
    "Segments the region with noise on it while the slider moves; tables follow when it rests. The scan and its result "
    "stay as they are."
)
SERIES_TOOLTIP = _("Segment at strengths 0 to 0.6 and draw how agreement and uncertainty change.")
LIVE = _(
    "{kind}, strength {strength:.2f}: agreement with the clean result {agreement:.2f}, "
    "mean uncertainty {uncertainty:.2f}."
)
SERIES_STEP = _("Level {number} of {count} (strength {level:.1f})")
SERIES_HOLDS = _("The result holds up to strength {level:.1f} (agreement 0.9 or better all along).")
SERIES_BREAKS = _("The result breaks at strength {level:.1f}: less than 0.9 agrees with the clean result.")
SERIES_NOTICED = _("It noticed: mean uncertainty had risen from {before:.3f} to {after:.3f} by then.")
SERIES_MISSED = _(
    "⚠ It did not notice: mean uncertainty was {before:.3f} without noise and {after:.3f} then, so the map does "
    "not tell that the result is wrong."
)
SERIES_CALM = _("There was nothing to notice; mean uncertainty went from {before:.3f} to {after:.3f}.")
LIVE_REGION = _("Only the region '{region}' is damaged and segmented anew; the others stay as they are.")
SERIES_EMPTY = _("Nothing was found at strength 0, so there is nothing to compare with.")

FRAMES = _("Frames")
CINE_EDITED = _(
    "Curve and ejection fraction are those of the run: the outline of end-diastole was changed by hand since. Run "
    "again for new ones."
)
FRAMES_HINT = _(
    "Shows one frame after the other in the slice views, with its outline and its uncertainty map; "
    "3D shows end-diastole."
)
TOOLS = {
    "look": (_("Look"), _("The wheel scrolls, the right button zooms, the middle button moves.")),
    "cross": (_("Crosshair"), _("Click or drag in a slice: the other slices follow to that point.")),
    "window": (_("Brightness"), _("Drag in a slice: sideways for contrast, up and down for brightness.")),
    "measure": (_("Measure"), _("Drag in a slice from one point to another: their distance in mm.")),
}
"""What the mouse does in the page's slice views: name and hint."""
FOR_SLICER = _("Edit in 3D Slicer")
FOR_SLICER_TOOLTIP = _(
    "Scan, result and where you are looking, in one file. Open it in 3D Slicer: structures are edited there."
)

PICTURES_OF_WORDS = _("A picture of each word, in the glossary")
WORDS_TITLE = _("What the words mean")

CONTOURS = _("Contours")
CONTOURS_TOOLTIP = _(
    "Lines around the voxels that at least 10, 50 and 90 % of the samples mark, thin to thick, in place of the outline."
)
NO_CONTOURS = _("The model of this result draws no samples, so there are no contours of them.")
NO_STEPS = _("Run a series first, or a model that draws samples; then step through it here.")
STEPS_TOOLTIP = _("What to step through: a series of noise, samples of a model that draws them, or a scan over time.")
STEP_TOOLTIP = _(
    "Shows one step after the other in the slice views, with its uncertainty map or its outline. Samples run from the "
    "smallest to the largest volume."
)
THREED_NAMES = {
    "painted": _("Painted by uncertainty"),
    "cloud": _("Cloud of uncertain voxels"),
    "plain": _("Structures alone"),
}
"""Keys of ``mrml.chosen_map.THREED``."""

STEP_NAMES = {
    "series": _("Noise of strength {value}, one of {count} steps."),
    "frames": _("Frame {value} of {count}."),
    "samples": _("Sample {value}: one of {count} plausible segmentations."),
}
"""By kind of ``mrml.steps.Steps``."""
SAMPLE_STEP = _("Sample {value}, number {rank} of {count} from the smallest: {volume} ml.")

ENGINE_NAMES = {"auto": _("Automatic"), "openvino": _("OpenVINO (processor)"), "torch": _("PyTorch (graphics card)")}

PASSES = {
    "all": _("All: {passes} passes"),
    "folds": _("Not mirrored: {folds} passes"),
    "mirrors": _("One fold: {copies} passes"),
    "one": _("One pass"),
}

EDGES_RIGHT = _("Uncertainty is low where edges are sharp, as it should be: correlation {value:+.2f} (UCC).")
EDGES_NEITHER = _("Uncertainty does not depend on how sharp edges are: correlation {value:+.2f} (UCC).")
EDGES_WRONG = _(
    "⚠ The wrong way round: uncertainty is high where edges are sharp, so this map does not show unclear edges. "
    "Correlation {value:+.2f}, where -1 is perfect (UCC)."
)
EDGE_PAIRS = _(
    "Of two boundary voxels the one at the sharper edge is the more certain in {value:.0%} of all pairs; half is "
    "chance (UR*)."
)
NO_BOUNDARY = _("Nothing was segmented, so uncertainty at edges cannot be judged.")

TRAIN = _("Train")
GO_ON_TRAINING = _("Go on training")
TRAIN_TOOLTIP = _("Train a model on these scans, in the background. You can go on working, and stop and go on later.")
TRAIN_SOURCES = {"folder": _("Folder of scans and labels"), "scene": _("What is in this scene")}
TRAIN_RECIPES = {
    "quick": _("Quick (minutes)"),
    "standard": _("Standard (1 to 2 hours)"),
    "thorough": _("Thorough (overnight)"),
    "file": _("A recipe file of mine"),
}
OWN_NAME = "my-model"
NEEDS_PAIRS = _("Choose scans with labels first: a folder, or segmentations in this scene that were drawn on a volume.")
NEEDS_RECIPE = _("Choose the recipe file, and the folder that its case table lies in.")
NEEDS_START = _(
    "This recipe goes on from a model of the recipe '{before}'. Train that one first, then write its name into this "
    "recipe as start_from."
)
FOUND_PAIRS = _("Found {count}: {names}")
TRAINED = _(
    "The model '{model}' is ready and chosen above. Its numbers are only as good as your scans: check its results."
)
TRAINING_KEPT = _("Stopped. What was learnt is kept: press the button again to go on.")

FIT = _("Fit")
GO_ON_FITTING = _("Go on fitting")
FIT_TOOLTIP = _(
    "Give the model a map of uncertainty from these scans, in the background. No labels are needed, and its "
    "segmentation stays the same. You can stop and go on later."
)
FIT_NEEDS_MODEL = _("Bring a model in first: 'Add a model ...' in Set-up.")
FIT_NEEDS_SCANS = _("Choose a folder with five or more of your own scans of the model's kind. No labels are needed.")
FIT_REPORT = _("Report: {page}")
FIT_LEFT_OUT = _("Left out: {names}.")
FIT_KEPT = _("Stopped, and the model is as it was. What was found is kept: press the button again to go on.")

NO_PROXY = _("Downloads go straight to the internet (no proxy is set).")
THROUGH_PROXY = _("Downloads go through the proxy {proxy}.")
OWN_CERTIFICATES = _("Certificates: those of pip.")
WITH_CERTIFICATES = _("Certificates: {bundle}.")
ALL_WORKS = _("Everything that a run needs is installed and works.")
REPAIR_FAILED = _(
    "{name} is installed but does not start: {reason} Choose a wheel folder or check the connection, then try again."
)
REPAIRED = _("{names} was installed again and works.")
IMPORT_MODEL = _("Choose a model's folder: nnU-Net, MONAI Bundle, Auto3DSeg or a model package")
IMPORT_ZIP = _("Choose the zip of a model")
IMPORTED = _("The model '{name}' is in the list and chosen: {summary} Try it on the open scan.")
TRY_FIRST = _("Choose a scan and a model under Input first.")
TRYING = _("The model '{name}' runs on the open scan; its progress and result are shown above.")
RECOGNISED = {
    "package": _("a model package"),
    "bundle": _("a MONAI Bundle"),
    "nnunet": _("a training of nnU-Net v2"),
    "auto3dseg": _("a model of MONAI Auto3DSeg"),
    "totalsegmentator": _("a task of TotalSegmentator"),
    "zip": _("a zip, which is unpacked first"),
}
IMPORTING = _("This is {what}. {percent} %: {text}")
NOT_RECOGNISED = _("There is no model that is known here in {path}.")
ADD_MODEL, ADD_ZIP = _("Add a model ..."), _("From a zip ...")
REMOVE_FIRST = _("Choose a model of your own under Input first; those that come with the program stay.")
REMOVE_MODEL = _("Remove the model '{name}' and its files from {folder}?")
MODEL_HEADERS = (_("Model"), _("Version"), _("MB"), _("Licence"))
REMOVED = _("The model '{name}' is gone.")

SLICER_TOO_OLD = _(
    "SURE Uncertainty needs 3D Slicer 5.10 or newer, this is {found}. Please install a current 3D Slicer."
)
STILL_MISSING = _(
    "{names} could not be installed. Open Set-up for the log; without an internet connection choose a folder "
    "with the packages' wheel files there and try again."
)
INSTALL_DECLINED = _("{names} must be installed before the first run. Press Run again when you want to install.")
INSTALL_QUESTION = _(
    "SURE Uncertainty needs {names}, which will be downloaded and installed into this 3D Slicer. Go on?"
)
PYTORCH_EXTENSION = _(
    "PyTorch comes through the PyTorch extension: install it in the Extensions Manager and restart 3D Slicer. "
    "Without a graphics card it is not needed, OpenVINO is faster."
)
PYTORCH_OUTDATED = _(
    "The PyTorch extension is too old for this 3D Slicer's pip. Update it in the Extensions Manager and try again."
)

EXPORT_FOLDER = _("Choose where the exported folder goes")
EXPORTED = _("Exported to {folder}.")
EXPORT_NAMES = {
    "dicom": _("DICOM"),
    "nrrd": _("NRRD"),
    "nifti": _("NIfTI"),
    "csv": _("Tables (CSV)"),
    "html": _("Report (HTML)"),
}
"""Keys of ``export.formats.CHOICES``."""

FOLLOW_UP_TOOLTIP = _(
    "Growth between both scans with its range, the probability that it is real, and the volume-doubling time."
)
FOLLOW_UP_REPORT_TOOLTIP = _("Write a page with tables and charts, and the numbers as files, into a new folder.")
FOLLOW_UP_NEEDS_TWO = _(
    "Growth needs the results of two scans in this scene, from a model that draws samples such as lung-nodule-ct. Run "
    "both scans, or open the results folders of both."
)
FOLLOW_UP_NEEDS_COMPARISON = _("Press Compare first.")
FOLLOW_UP_SAME = _("Choose two different results.")
FOLLOW_UP_DAYS = _("The scans have {days}.")
FOLLOW_UP_NO_DAYS = _("How many days lie between the scans is not known: type them to see the volume-doubling time.")
FOLLOW_UP_NOT_AFTER = _("not after the earlier one, by the dates")
FOLLOW_UP_BY_DATES = _("{days} by the dates of the scans")
FOLLOW_UP_UNKNOWN = _("not known")
FOLLOW_UP_SIZES = (_("Structure"), _("First scan"), _("Second scan"))
FOLLOW_UP_CHANGES = (_("What changed"), _("With its range"))
FOLLOW_UP_FOLDER = _("Folder for the report")
FOLLOW_UP_SAVED = _("The report is in {folder}.")

WIDGETS = {
    "inputCollapsibleButton": (_("Input and model"), ""),
    "resultsCollapsibleButton": (_("Results"), ""),
    "uncertaintyCollapsibleButton": (_("Uncertainty"), ""),
    "noiseCollapsibleButton": (_("Noise"), ""),
    "numbersCollapsibleButton": (_("Numbers"), ""),
    "followCollapsibleButton": (_("Follow-up"), ""),
    "inputSelector": (_("Scan"), _("The scan that is segmented. It is never changed.")),
    "allFramesCheckBox": (
        _("All frames"),
        _(
            "Measure every frame of this scan over time: a volume curve, end-diastolic and end-systolic volume, and "
            "the ejection fraction with its interval (90 %) where the model knows it. Otherwise the frame that is "
            "shown is segmented."
        ),
    ),
    "regionSelector": (
        _("Region"),
        _(
            "The box that is segmented; most models want one structure in the middle of a box. None: the model "
            "searches for it where it can, else the whole scan."
        ),
    ),
    "placeRegionButton": (
        _("Place around the crosshair"),
        _(
            "Put a box of the size that the model was trained on around the crosshair. Hold Shift and move the "
            "mouse in a slice view to move the crosshair."
        ),
    ),
    "suggestRegionButton": (
        _("Suggest"),
        _("Let the model search for its structures now. You see the boxes, and can move them, before anything runs."),
    ),
    "modelSelector": (_("Model"), _("The network that segments. The text below says what it was made for.")),
    "engineSelector": (
        _("Runs on"),
        _("What computes. Automatic takes a graphics card when PyTorch can use one, else OpenVINO on the processor."),
    ),
    "passesSelector": (
        _("Passes"),
        _(
            "How often the network runs each window. Fewer passes take less time; only several passes can disagree, "
            "and only one pass shows the map that Fit has added."
        ),
    ),
    "runButton": (_("Run"), _("Choose the scan that is to be segmented.")),
    "resultSelector": (_("Result"), _("Which result the panels below show. Every scan and model has one of its own.")),
    "segmentsTable": ("", _("The structures that were found: show, hide, recolour.")),
    "show3DButton": (_("Show 3D"), SHOW_3D_TOOLTIP),
    "exportSelector": (
        _("Export as"),
        _(
            "What to write. DICOM, NRRD, NIfTI: segmentation and uncertainty maps; DICOM objects refer to the scan's "
            "series. Tables: structures and uncertain regions. Report: a page with pictures."
        ),
    ),
    "mapSelector": (
        _("Map"),
        _(
            "Lack of evidence: the network has seen nothing like this. Entropy: the network cannot decide. Which "
            "parts, how far, rim: what the samples' levels make, coarse to fine."
        ),
    ),
    "bandRange": (
        _("Band"),
        _("Only uncertainty in this range is drawn, on slices and in 3D. 0: certain, 1: no evidence at all."),
    ),
    "histogramLabel": (
        "",
        _(
            "How often each degree of uncertainty occurs (logarithmic), from 0 on the left to 1 on the right, in the "
            "colours of the map. Grey: outside the band, not drawn."
        ),
    ),
    "opacitySlider": (_("Opacity"), _("How strongly the map covers the scan.")),
    "legendCheckBox": (_("Colour legend"), _("Show what the colours mean.")),
    "contoursCheckBox": (CONTOURS, CONTOURS_TOOLTIP),
    "smoothCheckBox": (
        _("Smooth outlines"),
        _("Outlines from smoothed surfaces. The result itself follows the voxels."),
    ),
    "threedSelector": (
        _("In 3D"),
        _("Surfaces painted by the uncertainty at them, in a cloud of the uncertain voxels, or alone."),
    ),
    "nextUncertainButton": (
        _("Next uncertain region"),
        _("Jump all slice views to the most uncertain region that is not reviewed yet."),
    ),
    "regionsTable": ("", _("Uncertain regions, the most uncertain first. Click to jump there; tick when reviewed.")),
    "noiseSelector": (_("Kind"), _("How the scan is damaged.")),
    "strengthSlider": (_("Strength"), _("0: none. 1: as strong as the contrast of the scan itself (blur: 3 mm).")),
    "seedSpinBox": (_("Seed"), _("The same number gives the same noise again.")),
    "liveCheckBox": (_("Live while the slider moves"), LIVE_TOOLTIP),
    "seriesButton": (_("Run the series"), SERIES_TOOLTIP),
    "numbersTable": ("", _("One line a structure: volume with its range (90 %), and uncertainty.")),
    "copyButton": (_("Copy"), _("Copy the table for a spreadsheet.")),
    "csvButton": (_("CSV ..."), _("Save the table as a file.")),
    "trustButton": (
        _("Uncertainty at edges"),
        _("Measure whether uncertainty is low at sharp edges, as it should be."),
    ),
    "followBeforeSelector": (_("Earlier"), _("Result of the earlier scan, from a model that draws samples.")),
    "followAfterSelector": (_("Later"), _("Result of the later scan of the same patient, from the same model.")),
    "followDaysEdit": (
        _("Days"),
        _("Days between the scans, for the volume-doubling time. Empty: by the dates that their DICOM files told."),
    ),
    "followButton": (_("Compare"), FOLLOW_UP_TOOLTIP),
    "followReportButton": (_("Report ..."), FOLLOW_UP_REPORT_TOOLTIP),
}
"""Label (or button) and hint of each part of the panel, by its name in the .ui file of the Slicer module."""

CHOOSE_COHORT = _("Folder that 'sure cohort' wrote")
NO_WORKLIST = _("Open the folder of a cohort first ('sure cohort' makes one).")
NOTHING_DECIDED = _("Nobody has decided about this case yet.")
WORKLIST_PROGRESS = _("Case {number} of {count}, {decided} decided.")
WORKLIST_DONE = _("Every case has a decision.")
WORKLIST_DICE = _("Predicted Dice {value} ({low} to {high}).")
WORKLIST_DECIDED = {
    "accepted": _("Accepted on {when}."),
    "edited": _("Edited on {when}."),
    "rejected": _("Rejected on {when}."),
}
WORKLIST_PREVIOUS_TOOLTIP = _("Go to the case before (Alt+Left).")
WORKLIST_NEXT_TOOLTIP = _("Go to the next case (Alt+Right).")
WORKLIST_NEXT_OPEN_TOOLTIP = _("Go to the next case that nobody has decided about (Alt+N).")
WORKLIST_ACCEPT_TOOLTIP = _("The result is good as it is; an edited outline is kept as edited (Alt+A).")
WORKLIST_EDITED_TOOLTIP = _("Keep the outline as you changed it, beside the original (Alt+E).")
WORKLIST_REJECT_TOOLTIP = _("The result is not to be used (Alt+R).")
WORKLIST_UNDO_TOOLTIP = _("Take the last decision about this case back (Alt+Z).")
WORKLIST_RESET_TOOLTIP = _("Load this case again and drop changes of its outline (Alt+L).")
WORKLIST_DICOM_TOOLTIP = _("Write a DICOM segmentation of every accepted or edited case, and a table of their volumes.")
TRAINING_TABLE = _("To train a model on what you accepted and edited, choose {folder} in 'Train your own'.")
WORKLIST_EXPORT_TOOLTIP = _("Write reviews.csv: every case with its decision and the segmentation that counts.")
