"""The sentences of the warnings, in one place for command line, Slicer panel and browser. Keys are stable codes."""

NOTHING_FOUND = "nothing-found"
IN_SOME_SAMPLES = "in-some-samples"
PART_IN_SOME_SAMPLES = "part-in-some-samples"
STRUCTURE_MISSING = "structure-missing"
CUT_BY_IMAGE = "cut-by-image"
STACK_ENDS = "stack-ends"
CUT_BY_ROI = "cut-by-roi"
VOLUME = "volume-unlike-training"
VOLUME_FAR = "volume-far-from-training"
WIDE_RANGE = "wide-volume-range"
VOLUME_UNTOLD = "volume-untold"
SEVERAL_PIECES = "several-pieces"
UNCERTAIN_ISLANDS = "uncertain-islands"
ISLANDS_BESIDE = "uncertain-islands-beside"
REGION_NEEDED = "region-needed"
EXTENT = "extent-unlike-training"
MIDDLE_ONLY = "middle-only"
CUT_BY_WINDOW = "cut-by-window"
SPACING = "spacing-unlike-training"
CONTRAST = "contrast-unlike-training"
PLACE_UNKNOWN = "place-unknown"
LETTERS_UNKNOWN = "letters-unknown"
REGIONS_OVERLAP = "regions-overlap"
SINGLE_SAMPLE = "single-sample"
SAMPLES_LEFT_OUT = "samples-left-out"
SAMPLES_DIFFER = "samples-differ"
NOT_HOUNSFIELD = "not-hounsfield"
HOUNSFIELD = "hounsfield"
READING = "reading"
DIFFICULTY = "difficulty-outside"
LATENTS_COLLAPSED = "latents-collapsed"
"""Its sentence comes with the package."""
EMPTY_MASK = "empty-mask"
SAME_CONTENT = "same-content"
LABEL_IN_SOME = "label-in-some"
TIED_VOTES = "tied-votes"
NOT_CHECKED = "not-checked"
DIFFERS_FROM_SAVED = "differs-from-saved"
REGIONS_DRAWN = "regions-drawn"
NOTHING_DRAWN = "nothing-drawn"
MEMBERS_UNCERTAIN = "members-uncertain"
EMPTY_MEMBER = "empty-member"
"""Of results of several members; their sentences stand where they are said (``fusion``, ``inference.native``)."""

TEXTS = {
    NOTHING_FOUND: (
        "Nothing was found in {where}. Check that this is the right scan and the right place for the model '{model}'."
    ),
    IN_SOME_SAMPLES: (
        "Nothing is outlined in {where}, as the samples agree on no voxel. But there is something in some of them: "
        "{names}. Look there, and check that this is the right scan and the right place for the model '{model}'."
    ),
    PART_IN_SOME_SAMPLES: "Not outlined, as the samples agree on no voxel of it, and yet there: {names}. Look there.",
    STRUCTURE_MISSING: "Not found: {names}. The structure may be absent, outside the region, or missed by the model.",
    CUT_BY_IMAGE: (
        "Cut by the edge of the image: {names}. The volume is that of the visible part only, "
        "and the result near the edge is less certain."
    ),
    STACK_ENDS: (
        "The stack of slices ends while it still shows: {names}. If it does not reach the valve, the volume is that of "
        "the imaged part."
    ),
    CUT_BY_ROI: (
        "Cut by the edge of its region: {names}. Enlarge the region by a few millimetres there and run again; "
        "the volume is that of the part inside."
    ),
    VOLUME: (
        "The size is unlike every case in the training data: {names}. Unless the patient's anatomy explains it, "
        "the result is wrong there, however sure it looks."
    ),
    SEVERAL_PIECES: "Found in separate pieces: {names}. Check the smaller ones, they may be false.",
    VOLUME_FAR: (
        "The size is far from every case in the training data: {names}. "
        "This is another structure or another kind of scan, or the model failed."
    ),
    WIDE_RANGE: "The model is less sure of the size than on any good scan: {names}. Compare the outline with the scan.",
    VOLUME_UNTOLD: (
        "The model cannot tell the size: {names}. What is possible reaches from far less to far more than what was "
        "outlined, as on scans that it does not know."
    ),
    DIFFICULTY: (
        "The network's maps of this scan{where} are unlike those of every scan that it was compared with, "
        "so how hard it is for the model cannot be said."
    ),
    UNCERTAIN_ISLANDS: (
        "{count} uncertain {regions} no structure; {first} at {position} mm. "
        "Something may have been missed there, or the scan differs from the training data."
    ),
    ISLANDS_BESIDE: (
        "{count} uncertain {regions} no structure; {first} at {position} mm. "
        "Together they are less than half as large as what was found, as is usual beside one structure in a whole scan."
    ),
    REGION_NEEDED: (
        "The whole scan was searched ({extent} mm), but the model '{model}' was trained on boxes of {expected} mm. "
        "Expect false structures elsewhere: give a region of interest around the structure."
    ),
    EXTENT: (
        "The size of {where} ({extent} mm) is unlike the training data of the model '{model}' ({expected} mm). "
        "Choose a region of that size around the structure."
    ),
    MIDDLE_ONLY: (
        "Of {where} ({found} mm) only the middle was analysed ({seen} mm): the model '{model}' outlines one structure "
        "in the middle of a box. Check that the structure lies there, all of it."
    ),
    CUT_BY_WINDOW: (
        "Reaches the edge of what the model '{model}' sees: {names}. Move the middle of the region onto the structure; "
        "what still does not fit is too large for this model."
    ),
    PLACE_UNKNOWN: (
        "The file does not say how the scan lies in the patient, so left may be right, and front may be back. "
        "Check the letters at the edges of the pictures, or export the scan again with its orientation."
    ),
    LETTERS_UNKNOWN: (
        "The file does not say how the scan lies in the patient, so the letters at the edges of the pictures may be "
        "wrong. The outlines do not depend on it, since the model takes the slices as they lie in the stack."
    ),
    READING: "{remark}.",
    REGIONS_OVERLAP: (
        "A structure lies where the regions {pairs} overlap. There each voxel belongs to the region that is surer of "
        "it, so a structure may be shared out between them: make the regions smaller, or segment them in separate runs."
    ),
    SPACING: (
        "The voxel spacing of the scan ({spacing} mm) is unlike the training data of the model '{model}' "
        "({expected} mm). Fine detail may be missing, so compare the outline with the scan."
    ),
    SINGLE_SAMPLE: (
        "Only one sample was drawn. It has nothing to differ from, so the uncertainty map is empty and says nothing. "
        "Draw more, for instance 20."
    ),
    SAMPLES_LEFT_OUT: (
        "The samples and the maps of the levels were left out, because the scan is too large to keep them in this "
        "computer's memory. To have them, crop the scan around the structure and run again."
    ),
    SAMPLES_DIFFER: (
        "The samples differ more in size than on nearly every good scan: {names}. Compare the outline with the scan, "
        "and step through the samples."
    ),
    NOT_HOUNSFIELD: (
        "No voxel of the scan lies below 0, but the model '{model}' is for CT, where air lies near -1000. "
        "Check that this is a CT, and that it was exported in Hounsfield units."
    ),
    HOUNSFIELD: (
        "{share:.0%} of the scan has the values of air and lungs on CT, but the model '{model}' is for {modality}. "
        "Check that the right scan was chosen."
    ),
    CONTRAST: (
        "The grey values in {where} are unlike the training data of the model '{model}' ({measures}), so the result "
        "may be less reliable. Check modality, sequence and contrast agent; expected is {modality}: {task}."
    ),
}
