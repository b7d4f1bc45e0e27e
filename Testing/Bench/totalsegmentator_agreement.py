"""Imported tasks of TotalSegmentator against TotalSegmentator itself, both in one process, on networks made here.

The published weights cannot be had by a command. Folders have their layout, names, trainers, configurations and
spacings; networks are small, and random, or, where a task crops by another network, mark what is bright. Run in an
environment with TotalSegmentator and this library; writes one JSON, whose rows are kept when it runs again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from nnunet_float32 import Float32Sums

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Testing" / "Python"), str(ROOT / "Testing" / "Bench")]
from totalsegmentator_folders import bright_network, random_network, write_dataset  # noqa: E402

OUTPUT = ROOT / "Testing" / "Bench" / "results" / "totalsegmentator-agreement.json"
CHOSEN = (
    "total",
    "total, fast",
    "total_v3, fastest",
    "total_mr",
    "body",
    "trunk_cavities",
    "brain_aneurysm",
    "appendicular_bones",
    "hip_implant",
    "pleural_pericard_effusion",
    "kidney_cysts",
    "liver_lesions",
    "liver_segments_mr",
    "headneck_muscles",
    "abdominal_muscles",
    "teeth",
)
"""Every kind: in parts, each resolution, crops by each network and by two in a row, all folds, hidden structures."""

FLIPPED = (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
SCANS = {
    "thick slices": ((20, 46, 40), (2.2, 1.9, 4.4)),
    "odd spacing": ((35, 37, 47), (1.9, 2.3, 2.5)),
}
"""Shapes (k, j, i) and mm (x, y, z); every second task has the second one."""


def write_scan(path: Path, shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> None:
    """A bright block in a darker room of 88 mm, int16, stored against two of its axes."""
    from SUREUncertaintyLib.core.volume import Grid, Volume
    from SUREUncertaintyLib.files.writing import write_volume

    array = np.random.default_rng(1).normal(120, 25, shape)
    array[tuple(slice(n // 3, n // 2) for n in shape)] += 110
    write_volume(Volume(array.astype(np.int16), Grid(shape, spacing, (40.0, -60.0, 80.0), FLIPPED), "scan"), path)


def write_task(results: Path, name: str) -> None:
    """The folders of a task and of those that it crops by."""
    from SUREUncertaintyLib.packages.totalsegmentator.tasks import task_named
    from totalsegmentator.map_tasks_config import TASK_ID_WEIGHTS_CONFIGS
    from totalsegmentator.map_to_binary import class_map
    from totalsegmentator.python_api import get_task_config

    task = task_named(name)
    mode = name.partition(", ")[2]
    settings = get_task_config(task.family, fast=mode == "fast", fastest=mode == "fastest", quiet=True)
    for number in task.datasets:
        folder = TASK_ID_WEIGHTS_CONFIGS[number]["foldername"]
        if (results / folder).exists():
            continue
        names = list(_classes(task.family, number, class_map))
        network = random_network(len(names) + 1, number)
        _write(results, folder, names, task, settings["trainer"], network)
    if task.crop:
        _write_crop(results, task, TASK_ID_WEIGHTS_CONFIGS, class_map)


def _write_crop(results: Path, task: Any, folders: Any, class_map: Any) -> None:
    from SUREUncertaintyLib.packages.totalsegmentator.tasks import task_named
    from totalsegmentator.python_api import get_task_config

    first = task_named(task.crop_task)
    folder = folders[first.datasets[0]]["foldername"]
    mode = first.name.partition(", ")[2]
    settings = get_task_config(first.family, fast=mode == "fast", fastest=mode == "fastest", quiet=True)
    names = list(_classes(first.family, first.datasets[0], class_map))
    if not (results / folder).exists():
        network = bright_network(len(names) + 1, names.index(task.crop[0]) + 1)
        _write(results, folder, names, first, settings["trainer"], network)
    if first.crop:
        _write_crop(results, first, folders, class_map)


def _write(results: Path, folder: str, names: list[str], task: Any, trainer: str, network: Any) -> None:
    spacing = task.spacing[::-1] or (1.7, 1.7, 1.7)
    folds = range(5) if task.every_fold else (0,)
    write_dataset(results, folder, names, spacing, network, trainer, task.configuration, folds)


def _classes(family: str, number: int, class_map: Any) -> list[str]:
    """What a data set's network finds, in order, with what TotalSegmentator hides."""
    from totalsegmentator import map_to_binary as maps

    parts = (
        (maps.map_taskid_to_partname_ct, maps.class_map_5_parts),
        (maps.map_taskid_to_partname_ct_v3, maps.class_map_5_parts_total_v3),
        (maps.map_taskid_to_partname_mr, maps.class_map_parts_mr),
        (maps.map_taskid_to_partname_headneck_muscles, maps.class_map_parts_headneck_muscles),
    )
    for names, classes in parts:
        if number in names:
            return [name for _, name in sorted(classes[names[number]].items())]
    return list((class_map[family] | class_map.get(f"{family}_auxiliary", {})).values())


def their_mask(scan: Path, name: str) -> np.ndarray:
    """TotalSegmentator's label map (k, j, i)."""
    from totalsegmentator.python_api import totalsegmentator

    family, _, mode = name.partition(", ")
    options = {"fast": mode == "fast", "fastest": mode == "fastest", "quiet": True, "device": "cpu"}
    found = totalsegmentator(scan, None, ml=True, task=family, nr_thr_saving=1, **options)
    return np.asarray(found.dataobj).transpose(2, 1, 0).astype(np.uint8)


def our_mask(scan: Path, package: Any) -> np.ndarray:
    """This library's label map (k, j, i)."""
    from SUREUncertaintyLib.files.reading import read_volume
    from SUREUncertaintyLib.inference.engine_choice import create_engine
    from SUREUncertaintyLib.inference.segmenter import segment

    return segment(read_volume(scan), package, create_engine(package, "openvino", threads=1)).labels.array


def compare(name: str, kind: str, home: Path) -> dict[str, Any]:
    """Both masks of one scan."""
    from SUREUncertaintyLib.packages.importing import import_package
    from SUREUncertaintyLib.packages.totalsegmentator.tasks import task_named
    from totalsegmentator.map_tasks_config import TASK_ID_WEIGHTS_CONFIGS

    results = home / "nnunet" / "results"
    write_task(results, name)
    first = TASK_ID_WEIGHTS_CONFIGS[task_named(name).datasets[0]]["foldername"]
    package = import_package(results / first)
    scan = home / "scan.nii.gz"
    write_scan(scan, *SCANS[kind])
    theirs, ours = their_mask(scan, name), our_mask(scan, package)
    row = {"task": name, "scan": kind, "voxels": theirs.size, "marked": int((theirs != 0).sum())}
    row |= {
        "structures": len(np.unique(theirs)) - 1,
        "crop": task_named(name).crop_task if task_named(name).crop else "",
    }
    return {**row, "differing": int((theirs != ours).sum())}


def check_table() -> int:
    """Every task here is set up as in TotalSegmentator's own table. Returns how many there are."""
    from SUREUncertaintyLib.packages.totalsegmentator.tasks import FOLDERS, TASKS
    from totalsegmentator.map_tasks_config import TASK_ID_WEIGHTS_CONFIGS
    from totalsegmentator.map_to_binary import class_map
    from totalsegmentator.python_api import get_task_config

    for task in TASKS:
        mode = task.name.partition(", ")[2]
        theirs = get_task_config(task.family, fast=mode == "fast", fastest=mode == "fastest", quiet=True)
        wanted = theirs["resample"] or ()
        spacing = tuple(wanted) if isinstance(wanted, list | tuple) else (float(wanted),) * 3
        numbers = theirs["task_id"] if isinstance(theirs["task_id"], list) else [theirs["task_id"]]
        hidden = class_map.get(f"{task.family}_auxiliary", {}).values()
        ours = (task.datasets, task.spacing, task.configuration, task.every_fold, task.crop, set(task.hidden))
        every = theirs["folds"] is None or len(theirs["folds"]) > 1
        assert ours == (tuple(numbers), spacing, theirs["model"], every, tuple(theirs["crop"] or ()), set(hidden)), task
        assert (theirs["remove_outside"], theirs["cascade"]) == (None, None), task
        robust = {"CT": "total, fast" if theirs["robust_crop"] else "total, fastest", "MR": "total_mr, fast"}
        by_body = "body_trunc" in task.crop
        own = theirs["crop_model"] or ("body, fast" if by_body else robust[task.modality[:2]])
        assert not task.crop or own == task.crop_task, task
        assert not task.crop or task.margin_mm == (theirs["crop_addon"][0] if theirs["crop_model"] else 20.0), task
    names = {str(entry["foldername"]) for entry in TASK_ID_WEIGHTS_CONFIGS.values()}
    assert set(FOLDERS) <= names, set(FOLDERS) - names
    return len(TASKS)


def prepare_program() -> None:
    """Nobody is asked for a licence, as the networks are made here, and no step has a process of its own.

    nnU-Net adds up in float16, in which random networks of many classes have ties; here its sums are float32.
    """
    import nnunetv2.inference.predict_from_raw_data as predicting
    import totalsegmentator.python_api as program

    def one_by_one(self: Any, source: str, target: str, save_probabilities: bool, overwrite: bool, **_: Any) -> None:
        self.predict_from_files_sequential(source, target, save_probabilities, overwrite)

    program.show_license_info = lambda: None
    program.convert_device_to_string = program.device_to_str  # knows no plain "cpu", so that 'teeth' would end there
    predicting.torch = Float32Sums()
    predicting.nnUNetPredictor.predict_from_files = one_by_one


def main() -> None:
    """Compare the chosen tasks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=CHOSEN)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    prepare_program()
    checked = check_table()
    earlier = json.loads(options.output.read_text(encoding="utf-8"))["rows"] if options.output.is_file() else []
    rows = {row["task"]: row for row in earlier}
    for name in options.only:
        if name not in rows:
            rows[name] = _in_a_home_of_its_own(name)
            print(json.dumps(rows[name]), flush=True)
        listed = [rows[task] for task in CHOSEN if task in rows]
        document = {"tasks": checked, "rows": listed, "versions": _versions()}
        options.output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _in_a_home_of_its_own(name: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        os.environ.update(TOTALSEG_HOME_DIR=folder, SURE_MODELS=str(home / "models"))
        quiet = {"totalseg_id": "bench", "send_usage_stats": False, "prediction_counter": 0}
        (home / "config.json").write_text(json.dumps({**quiet, "statistics_disclaimer_shown": True}))
        return compare(name, list(SCANS)[CHOSEN.index(name) % 2], home)


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    packages = ("TotalSegmentator", "nnunetv2", "torch", "openvino", "nibabel", "scipy", "numpy")
    return {package: version(package) for package in packages}


if __name__ == "__main__":
    main()
