"""``sure analyse``: masks or probability maps that exist already, as a result with its uncertainty; no network runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from ..fusion.analyse import FusionInput

IMAGE_HELP = "The scan: NRRD, NIfTI, MetaImage, a DICOM folder or one of its files."
PROBABILITIES_HELP = (
    "Probability maps of one or more networks or folds: the .npz of nnU-Net (--save_probabilities), or NIfTI, NRRD or "
    "MetaImage with one volume a class."
)
MASKS_HELP = "Two or more label maps of the same scan: readers, models or folds."
LABELS_HELP = "Names of the labels: 1=Liver,2=Tumour, or the dataset.json of nnU-Net."
REGIONS_HELP = "The channels are regions that may overlap (a sigmoid each), in the order in which they are drawn."
LISTS = ("--probabilities", "--masks")


class ManyFiles(TyperCommand):
    """Lets several files follow one option: ``--masks A B C`` is ``--masks A --masks B --masks C``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat the option before each file, then parse as usual."""
        repeated: list[str] = []
        option = ""
        for word in args:
            if word.startswith("-"):
                option = word if word in LISTS else ""
                repeated += [] if option else [word]
            else:
                repeated += [option, word] if option else [word]
        return super().parse_args(ctx, repeated)


def analyse(
    image: Annotated[Path, typer.Argument(help=IMAGE_HELP)],
    output: Annotated[Path, typer.Option(help="Folder for the results; it appears whole or not at all.")],
    probabilities: Annotated[list[Path] | None, typer.Option(help=PROBABILITIES_HELP)] = None,
    masks: Annotated[list[Path] | None, typer.Option(help=MASKS_HELP)] = None,
    labels: Annotated[str | None, typer.Option(help=LABELS_HELP)] = None,
    regions: Annotated[bool, typer.Option("--regions", help=REGIONS_HELP)] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace earlier results in the folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json instead of a table.")] = False,
    no_scene: Annotated[bool, typer.Option("--no-scene", help="Write no scene.mrb for 3D Slicer.")] = False,
    no_pictures: Annotated[bool, typer.Option("--no-pictures", help="Draw no pictures.")] = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report.html.")] = False,
) -> None:
    """Show the uncertainty of masks or probability maps that you have."""
    from ..worker.scene_process import SceneProcess

    # Slicer's libraries are loaded there while this process loads its own
    with SceneProcess(not no_scene, not no_pictures) as scene:
        from ..fusion.job import FusionJob, run_fusion
        from ..report.result_folder import OutputOptions
        from .progress import terminal_progress
        from .run_summary import print_summary

        wanted = OutputOptions(pictures=not no_pictures, page=not no_report)
        job = FusionJob(_given(image, probabilities, masks, labels, regions), bool(masks), output, overwrite, wanted)
        with terminal_progress() as progress:
            document = run_fusion(job, scene.additions, progress)
    print_summary(document, output, as_json)


def _given(
    image: Path, probabilities: list[Path] | None, masks: list[Path] | None, labels: str | None, regions: bool
) -> FusionInput:
    from ..core.errors import InputError
    from ..fusion.analyse import FusionInput
    from ..fusion.class_names import read_naming

    if bool(probabilities) == bool(masks):
        raise InputError("Give either --probabilities or --masks, with the files after it.")
    if masks and regions:
        raise InputError("--regions belongs to --probabilities: label maps hold one label a voxel.")
    naming = None if labels is None else read_naming(labels, regions)
    if masks and naming is not None and naming.regions:
        raise InputError(
            f"{naming.source} describes regions that may overlap, but label maps hold one label a voxel. "
            "Name their labels with --labels 1=NAME,2=NAME."
        )
    return FusionInput(image, masks or probabilities or (), naming, regions)
