"""``sure segment``: a scan in, a segmentation and its uncertainty map out."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import InputError

if TYPE_CHECKING:
    from ..core.progress import Progress
    from ..core.volume import Volume
    from ..core.volume_sequence import VolumeSequence
    from ..inference.sampling.samples_result import SamplingOptions
    from ..location.proposal import Proposal

NOT_USABLE = 4
"""Exit code."""

NOT_OVER_TIME = (
    "Scans over time are segmented by models of one channel without samples. Give one frame with --frame, or leave "
    "--channel, --samples, --seed and --level out."
)
IMAGE_HELP = "NRRD, NIfTI, MetaImage, a DICOM folder or one of its files; one volume, or a scan over time (4D, cine)."
MODEL_HELP = (
    "Name in the catalogue ('sure models list'), or a package's folder. If left out, the one whose structures are "
    "found in the scan, or that of a beating heart for a scan over time; where that does not tell, nothing is run."
)
ROI_HELP = (
    "A box to analyse, repeatable: NAME=R0,R1,A0,A1,S0,S1 in RAS mm, or a Slicer ROI as FILE.mrk.json or "
    "NAME=FILE.mrk.json; or auto: the model searches. If left out, a model that can search does so in a scan that is "
    "larger than its boxes; another one takes the whole scan."
)

SAMPLES_HELP = "How many samples to draw, for models with latents; 20 if left out. Sizes come from at least 100."
ESTIMATOR_HELP = (
    "native (the model's own), softmax, dropout, tta (test-time augmentation) or ensemble (then --model is a folder of "
    "packages)."
)
STRICT_HELP = "Leave with exit code 4 when the verdict is 'do not use'; the results are written all the same."
CHANNEL_HELP = (
    "A further image of the patient for a model with several channels, repeatable: NAME=FILE, such as T2=t2.nii.gz."
)
FOLDS_HELP = "For a model with several folds: their numbers with commas between, or all. Each costs its own passes."
MIRRORS_HELP = "For a model with mirrored passes: all (2, 4 or 8 times the time) or none."
FRAME_HELP = "Of a scan over time, this frame alone, counted from 1, as an ordinary scan."
PHASES_HELP = (
    "Of a scan over time, the frames of end-diastole and end-systole, such as 1,12; the frames of the largest and the "
    "smallest volume if left out."
)
SPECKS_HELP = (
    "Pieces of samples with fewer voxels than this that lie beside the mean answer are taken out of sizes, contours "
    "and kept samples; 5 if left out, 1 keeps all."
)
LEVEL_HELP = "Draw only this latent level, repeatable; 0 is the finest. All of them if left out."


def segment(
    image: Annotated[Path, typer.Argument(help=IMAGE_HELP)],
    output: Annotated[Path, typer.Option(help="Folder for the results; it appears whole or not at all.")],
    model: Annotated[str | None, typer.Option(help=MODEL_HELP)] = None,
    roi: Annotated[list[str] | None, typer.Option(help=ROI_HELP)] = None,
    engine: Annotated[str, typer.Option(help="auto, torch or openvino.")] = "auto",
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 or mps; chosen if left out.")] = None,
    estimator: Annotated[str, typer.Option(help=ESTIMATOR_HELP)] = "native",
    channel: Annotated[list[str] | None, typer.Option(help=CHANNEL_HELP)] = None,
    folds: Annotated[str | None, typer.Option(help=FOLDS_HELP)] = None,
    mirrors: Annotated[str | None, typer.Option(help=MIRRORS_HELP)] = None,
    samples: Annotated[int | None, typer.Option(help=SAMPLES_HELP)] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the samples or dropout masks.")] = None,
    level: Annotated[list[int] | None, typer.Option(help=LEVEL_HELP)] = None,
    level_maps: Annotated[
        bool, typer.Option("--level-maps", help="One uncertainty map a level (takes longer).")
    ] = False,
    keep_samples: Annotated[bool, typer.Option("--keep-samples", help="Write every sample into samples/.")] = False,
    least_voxels: Annotated[int | None, typer.Option("--least-voxels", help=SPECKS_HELP)] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace earlier results in the folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json instead of a table.")] = False,
    frame: Annotated[int | None, typer.Option(min=1, help=FRAME_HELP)] = None,
    phases: Annotated[str | None, typer.Option(help=PHASES_HELP)] = None,
    strict: Annotated[bool, typer.Option("--strict", help=STRICT_HELP)] = False,
    no_scene: Annotated[bool, typer.Option("--no-scene", help="Write no scene.mrb for 3D Slicer.")] = False,
    no_pictures: Annotated[bool, typer.Option("--no-pictures", help="Draw no pictures.")] = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report.html.")] = False,
) -> None:
    """Segment a scan and map the uncertainty."""
    from ..worker.scene_process import SceneProcess

    # Slicer's libraries are loaded there while this process loads its own
    with SceneProcess(not no_scene, not no_pictures) as scene:
        from ..analysis.verdict import DO_NOT_USE
        from ..core.volume_sequence import VolumeSequence
        from ..files.reading import read_channels
        from ..files.sequence_reading import read_scan
        from ..inference.estimation.estimator_choice import create_estimator
        from ..inference.native.choice import cost_sentence, parse_choice
        from ..inference.native.engine import MemberEngine
        from ..location.choice import chosen_boxes
        from ..report.result_folder import OutputOptions
        from ..report.segment_to_folder import Job, run_job
        from .cine import one_frame, run_cine
        from .foretelling import foretell
        from .progress import terminal_progress
        from .run_summary import print_summary

        choice = parse_choice(folds, mirrors)
        make = partial(create_estimator, engine=engine, device=device, seed=seed or 0, choice=choice)
        chosen = None if model is None else make(estimator, model)
        drawn = seed if estimator == "native" else None  # otherwise the seed is that of the dropout masks
        sampling = _sampling(samples, drawn, level, level_maps, keep_samples, least_voxels)
        wanted = OutputOptions(pictures=not no_pictures, page=not no_report)
        with terminal_progress() as progress:
            progress(0.0, "reading the scan")
            scan = read_scan(image)
            proposal = _proposed(scan, frame, estimator, progress) if chosen is None else None
            if proposal is not None:
                typer.echo(proposal.sentence, err=True)
                chosen = make(estimator, proposal.package.root)
            assert chosen is not None
            if isinstance(chosen.engine, MemberEngine) and not chosen.engine.is_single:
                typer.echo(cost_sentence(chosen.engine.run), err=True)
            if isinstance(scan, VolumeSequence) and frame is None:
                if channel or sampling is not None:
                    raise InputError(NOT_OVER_TIME)
                scene.close()
                run_cine(scan, chosen, output, roi or (), phases, overwrite, wanted, not no_scene, as_json, progress)
                return
            if phases is not None:
                raise InputError(
                    "--phases is for scans over time; this scan is one volume, or one frame was asked for."
                )
            volume, channels = one_frame(scan, frame), read_channels(channel or ())
            searched = proposal.boxes if proposal is not None and not roi else None
            boxes = searched or chosen_boxes(roi or (), volume, chosen.package, progress)
            options = {
                "overwrite": overwrite,
                "wanted": wanted,
                "sampling": sampling,
                "runner": chosen.engine,
                "channels": channels,
                "turn": boxes.turn,
            }
            job = Job(volume, chosen.package, output, boxes.rois, **options)  # type: ignore[arg-type]
            foretell(volume, chosen.package, chosen.engine, boxes.rois, channels)
            document = run_job(job, scene.additions, progress)
    print_summary(document, output, as_json)
    if strict and document["status"] == DO_NOT_USE:
        raise typer.Exit(NOT_USABLE)


def _proposed(scan: Volume | VolumeSequence, frame: int | None, estimator: str, progress: Progress) -> Proposal:
    """The model that fits the scan. Raises ``InputError``: that cannot be told, or a folder of models is needed."""
    from ..core.volume_sequence import VolumeSequence
    from ..location.proposal import propose
    from ..packages.catalogue import list_packages
    from .cine import one_frame

    if estimator == "ensemble":
        raise InputError("An ensemble needs the folder of its models. Give it with --model.")
    over_time = isinstance(scan, VolumeSequence)
    first = scan.frames[0] if isinstance(scan, VolumeSequence) and frame is None else one_frame(scan, frame)
    return propose(first, over_time, list_packages(), progress)


def _sampling(
    samples: int | None,
    seed: int | None,
    level: list[int] | None,
    level_maps: bool,
    keep_samples: bool,
    least_voxels: int | None,
) -> SamplingOptions | None:
    """None unless something about samples was asked for."""
    from ..inference.sampling.samples_result import SamplingOptions

    if samples is None and seed is None and least_voxels is None and not (level or level_maps or keep_samples):
        return None
    usual = SamplingOptions()
    return SamplingOptions(
        count=usual.count if samples is None else samples,
        seed=seed or 0,
        levels=tuple(level) if level else None,
        level_maps=level_maps,
        keep_samples=keep_samples,
        least_voxels=usual.least_voxels if least_voxels is None else least_voxels,
    )
