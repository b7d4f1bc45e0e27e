"""TotalSegmentator's tasks: which data sets each is made of, and what happens around their networks.

From ``map_tasks_config.py`` and ``python_api.py`` of TotalSegmentator 2.18 (Apache-2.0, Wasserthal et al., Radiology:
AI 2023). Around every structure that a task crops by, it leaves 20 mm whatever its table says; only a task with a crop
model of its own keeps the table's margin.
"""

from __future__ import annotations

from dataclasses import dataclass

MARGIN_MM = 20.0
LUNGS = (
    "lung_upper_lobe_left",
    "lung_lower_lobe_left",
    "lung_upper_lobe_right",
    "lung_middle_lobe_right",
    "lung_lower_lobe_right",
)
NECK = ("clavicula_left", "clavicula_right", "vertebrae_C1", "vertebrae_C5", "vertebrae_T1", "vertebrae_T4")
FAST, FASTEST, MR_FAST, BODY_FAST = "total, fast", "total, fastest", "total_mr, fast", "body, fast"
HIGH = "3d_fullres_high"


@dataclass(frozen=True)
class Task:
    """One task, or one resolution of it.

    Attributes:
        datasets: in the order in which their results are joined; the label values of one follow those of the other.
        spacing: mm (x, y, z) to which the scan is resampled before nnU-Net; () to leave that to nnU-Net.
        configuration: of nnU-Net.
        every_fold: whether all folds run, instead of the first.
        crop: structures around which the scan is cropped; () for none.
        crop_task: which task finds them.
        margin_mm: around them.
        hidden: structures of the network that TotalSegmentator takes away, as they only helped in training.
        licensed: whether the weights are under a licence of their own.
        modality: CT or MR.
    """

    name: str
    datasets: tuple[int, ...]
    spacing: tuple[float, ...] = ()
    configuration: str = "3d_fullres"
    every_fold: bool = False
    crop: tuple[str, ...] = ()
    crop_task: str = FASTEST
    margin_mm: float = MARGIN_MM
    hidden: tuple[str, ...] = ()
    licensed: bool = False
    modality: str = "CT"

    @property
    def family(self) -> str:
        """The name without the resolution."""
        return self.name.partition(",")[0]

    @property
    def step(self) -> float:
        """Share of a window between neighbours."""
        return 0.8 if self.family in ("total", "total_v3", "total_mr") else 0.5


def _mm(value: float) -> tuple[float, ...]:
    return (value, value, value)


_THREE_QUARTERS = (0.75, 0.75, 1.0)
TASKS = (
    Task("total", (291, 292, 293, 294, 295), _mm(1.5)),
    Task(FAST, (297,), _mm(3.0)),
    Task(FASTEST, (298,), _mm(6.0)),
    Task("total_v3", (831, 832, 833, 834, 835), _mm(1.5)),
    Task("total_v3, fast", (836,), _mm(3.0)),
    Task("total_v3, fastest", (837,), _mm(6.0)),
    Task("total_mr", (850, 851), _mm(1.5), modality="MR"),
    Task(MR_FAST, (852,), _mm(3.0), modality="MR"),
    Task("total_mr, fastest", (853,), _mm(6.0), modality="MR"),
    Task("body", (299,), _mm(1.5)),
    Task(BODY_FAST, (300,), _mm(6.0)),
    Task("body_mr", (597,), _mm(1.5), modality="MR"),
    Task("body_mr, fast", (598,), _mm(6.0), modality="MR"),
    Task("vertebrae_mr", (756,), _mm(1.5), modality="MR"),
    Task("vertebrae_body", (305,), _mm(1.5)),
    Task("breasts", (527,), _mm(1.5)),
    Task("trunk_cavities", (343,), _mm(1.5)),
    Task("brain_aneurysm", (615,), (0.390625, 0.390625, 0.5000016391277313), every_fold=True, modality="MR"),
    Task("lung_vessels", (117,), (0.703125, 0.703125, 1.0), crop=LUNGS, crop_task=FAST),
    Task("lung_vessels_LEGACY", (258,), crop=LUNGS),
    Task("lung_nodules", (913,), _mm(1.5), crop=LUNGS),
    Task("pleural_pericard_effusion", (315,), every_fold=True, crop=LUNGS),
    Task("cerebral_bleed", (150,), crop=("brain",)),
    Task("ventricle_parts", (552,), (0.4384765625, 0.4345703125, 1.0), crop=("brain",)),
    Task("hip_implant", (260,), crop=("femur_left", "femur_right", "hip_left", "hip_right")),
    Task("liver_vessels", (8,), crop=("liver",)),
    Task("liver_segments", (570,), (0.8046879768371582, 0.8046879768371582, 1.5), crop=("liver",)),
    Task("liver_lesions", (591,), _THREE_QUARTERS, HIGH, crop=("liver",), crop_task=FAST),
    Task(
        "liver_segments_mr",
        (576,),
        (1.1250001788139343, 1.1875, 3.0),
        crop=("liver",),
        crop_task=MR_FAST,
        modality="MR",
    ),
    Task(
        "liver_lesions_mr", (589,), (0.8603515625, 0.857421875, 1.0), crop=("liver",), crop_task=MR_FAST, modality="MR"
    ),
    Task(
        "kidney_cysts",
        (789,),
        _mm(1.5),
        crop=("kidney_left", "kidney_right", "liver", "spleen", "colon"),
        hidden=("kidney_left", "kidney_right"),
    ),
    Task("head_glands_cavities", (775,), _THREE_QUARTERS, HIGH, crop=("skull",)),
    Task("head_muscles", (777,), _THREE_QUARTERS, HIGH, crop=("skull",)),
    Task("headneck_bones_vessels", (776,), _THREE_QUARTERS, HIGH, crop=NECK),
    Task("headneck_muscles", (778, 779), _THREE_QUARTERS, HIGH, crop=NECK),
    Task("oculomotor_muscles", (351,), (0.47251562774181366, 0.47251562774181366, 0.8500002026557922), crop=("skull",)),
    Task("craniofacial_structures", (115,), _mm(0.5), crop=("skull",)),
    Task("abdominal_muscles", (952,), _THREE_QUARTERS, HIGH, crop=("body_trunc",), crop_task=BODY_FAST),
    Task(
        "teeth",
        (113,),
        _mm(0.5),
        "3d_lowres_high",
        crop=("teeth_lower", "teeth_upper"),
        crop_task="craniofacial_structures",
        margin_mm=10.0,
    ),
    Task("appendicular_bones", (304,), _mm(1.5), hidden=("humerus", "femur", "liver", "spleen"), licensed=True),
    Task("appendicular_bones_mr", (855,), _mm(1.5), licensed=True, modality="MR"),
    Task("tissue_types", (481,), _mm(1.5), licensed=True),
    Task("tissue_types_mr", (925,), _mm(1.5), licensed=True, modality="MR"),
    Task("tissue_4_types", (485,), _mm(1.5), licensed=True),
    Task("face", (303,), _mm(1.5), licensed=True),
    Task("face_mr", (856,), _mm(1.5), hidden=("brain", "liver"), licensed=True, modality="MR"),
    Task("thigh_shoulder_muscles", (857,), _mm(1.5), licensed=True, modality="CT or MR"),
    Task("brain_structures", (409,), (0.5, 0.5, 1.0), HIGH, crop=("brain",), licensed=True),
    Task("coronary_arteries", (509,), _mm(0.7), HIGH, crop=("heart",), licensed=True),
    Task("coronary_arteries_LEGACY", (507,), _mm(0.7), HIGH, crop=("heart",), licensed=True),
    Task("aortic_sinuses", (920,), _mm(0.7), HIGH, crop=("heart",), licensed=True),
    Task("pulmonary_artery_landmarks", (514,), (0.7802734375, 0.7802734375, 1.0), every_fold=True, licensed=True),
)

REFUSED = {
    803: "renumbers the vertebrae afterwards and widens them by 3 mm",
    301: "takes away what lies more than 10 mm outside of the heart afterwards",
    710: "is made for a scan that TotalSegmentator's aorta report has cropped",
    713: "is made for a scan that TotalSegmentator's aorta report has cropped",
    716: "is made for a scan that TotalSegmentator's aorta report has cropped",
    955: "was never published",
    956: "was never published",
    957: "was never published",
}
"""Data sets whose tasks are not done here, and what they do."""

FOLDERS = (
    "Dataset299_body_1559subj",
    "Dataset300_body_6mm_1559subj",
    "Dataset775_head_glands_cavities_492subj",
    "Dataset776_headneck_bones_vessels_492subj",
    "Dataset777_head_muscles_492subj",
    "Dataset778_headneck_muscles_part1_492subj",
    "Dataset779_headneck_muscles_part2_492subj",
    "Dataset351_oculomotor_muscles_18subj",
    "Dataset789_kidney_cyst_501subj",
    "Dataset527_breasts_1559subj",
    "Dataset552_ventricle_parts_38subj",
    "Dataset597_mri_body_139subj",
    "Dataset598_mri_body_6mm_139subj",
    "Dataset756_mri_vertebrae_1076subj",
    "Dataset117_lung_airways_arteries_veins_282subj",
    "Dataset258_lung_vessels_248subj",
    "Dataset150_icb_v0",
    "Dataset260_hip_implant_71subj",
    "Dataset315_thoraxCT",
    "Dataset913_lung_nodules",
    "Dataset570_ct_liver_segments",
    "Dataset576_mri_liver_segments_120subj",
    "Dataset591_ct_liver_lesions_842subj",
    "Dataset589_ct_mri_liver_lesions_750subj",
    "Dataset115_mandible",
    "Dataset952_abdominal_muscles_167subj",
    "Dataset113_ToothFairy3",
    "Dataset343_mediastinum_1786subj",
    "Dataset615_MAXIMUS",
    "Dataset305_vertebrae_discs_1559subj",
    "Dataset304_appendicular_bones_ext_1559subj",
    "Dataset301_heart_highres_1559subj",
    "Dataset303_face_1559subj",
    "Dataset481_tissue_1559subj",
    "Dataset485_tissue_4types_1559subj",
    "Dataset925_MRI_tissue_subset_903subj",
    "Dataset409_neuro_550subj",
    "Dataset507_coronary_arteries_cm_nativ_400subj",
    "Dataset509_coronary_arteries_cm_nativ_400subj_SKELETON",
    "Dataset920_aortic_sinuses_cm_nativ_400subj",
    "Dataset710_renal_arteries_127subj",
    "Dataset713_annulus_proper_48subj",
    "Dataset716_aorta_true_false_lumen_171subj",
    "Dataset514_annulus_pulmonary_70subj",
)
"""Names by which a folder is recognised wherever it lies, beyond those that hold the program's name. ``liver_vessels``
is missing: its folder has the name of a public data set that people train on themselves.
"""


def task_named(name: str) -> Task:
    """A task by its name, which must be in the table."""
    return next(task for task in TASKS if task.name == name)
