"""The pages docs/benchmarks.md and docs/accuracy.md, made from JSON alone; a test compares page and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def benchmarks_page(document: Mapping[str, Any]) -> str:
    """Markdown of all tables."""
    machine, engines, uncertainty = document["machine"], document["engines"], document["uncertainty"]
    ranks = document["ranks"]
    lines = [
        "# Benchmarks",
        "",
        f"Made by `make bench` at commit {_commits(document)} on {machine['cpu']}, {machine['cores']} cores, "
        f"Python {machine['python']}, model `{document['model']}`. Ratios are medians of interleaved pairs with the "
        "95 % interval of the median; absolute times belong to this machine.",
        "",
        "| What | Ours | Compared with | Ratio (95 % interval) | Pairs |",
        "| --- | --- | --- | --- | --- |",
        f"| OpenVINO path, 96^3, against MONAI's inferer + eager PyTorch, 2 threads | {engines['ours_s']:.3f} s "
        f"| {engines['baseline_s']:.3f} s | {_ratio(engines, 'ratio')} x faster | {engines['pairs']:.0f} |",
        f"| Segmentation with uncertainty against plain softmax, one window "
        f"| {uncertainty['with_uncertainty_s']:.4f} s | {uncertainty['plain_s']:.4f} s "
        f"| {_ratio(uncertainty, 'cost')} x the time | {uncertainty['pairs']:.0f} |",
        f"| UR, UR*, UCC of {ranks['voxels']:,} voxels against scipy.stats.kendalltau | {ranks['ours_s']:.3f} s "
        f"| {ranks['baseline_s']:.3f} s | {1 / ranks['ratio']:.2f} ({1 / ranks['high']:.2f} to {1 / ranks['low']:.2f}) "
        f"x the time | {ranks['pairs']:.0f} |",
        *_training_rows(document.get("training", {})),
        *_run_rows(document.get("runs", {})),
        *_frozen_rows(document.get("frozen_head", {})),
        "",
        f"Largest difference in probability between the two engines: {engines['largest_probability_difference']:.1e}.",
        "",
        "`sure segment` on int16 noise at the model's own spacing, 3 classes, without scene, pictures and report:",
        "",
        "| Size | Seconds | Peak memory (GiB) | Bytes a voxel |",
        "| --- | --- | --- | --- |",
        *(f"| {r['size']} | {r['seconds']} | {r['peak_gib']} | {r['bytes_per_voxel']} |" for r in document["memory"]),
        *(live_lines(document["live"]) if "live" in document else ()),
        *(preview_lines(document["previews"]) if "previews" in document else ()),
        *(_sample_lines(document["samples"]) if "samples" in document else ()),
        *(difficulty_lines(document["difficulty"]) if "difficulty" in document else ()),
        *(cohort_lines(document["cohort"]) if "cohort" in document else ()),
        *(browser_lines(document["browser"]) if "browser" in document else ()),
    ]
    return "\n".join(lines) + "\n"


def live_lines(live: Mapping[str, Any]) -> list[str]:
    """The noise slider of the module, and publishing."""
    stages, large = live["stages_s"], live["publish"]
    return [
        "",
        f"Live noise slider on {live['region']} voxels, {live['updates']} positions, without the desktop (drawn by: "
        f"{live['drawn']}); times are of one position after the other, the rate is that of a hand that keeps moving, "
        "while the next position is computed as the last one is drawn:",
        "",
        "| From hand to picture | Median | 95th percentile | Updates a second |",
        "| --- | --- | --- | --- |",
        f"| whole update | {live['median_s']:.3f} s | {live['p95_s']:.3f} s | {live['updates_per_s']:.1f} |",
        *(f"| of it {name} | {seconds:.3f} s | | |" for name, seconds in stages.items()),
        *([f"| full result with tables, at rest | {live['rest_s']:.3f} s | | |"] if "rest_s" in live else []),
        "",
        f"Publishing a result of {large['size']} voxels into the scene, without surfaces: {large['first_s']:.2f} s the "
        f"first time, {large['again_s']:.2f} s when it replaces an earlier one.",
    ]


def cohort_lines(found: Mapping[str, Any]) -> list[str]:
    """A cohort of many scans, killed on the way."""
    memory, workers = found["memory"], found["workers"]
    return [
        "",
        "## Many scans",
        "",
        f"`sure cohort` on {found['scans']} damaged copies of one hippocampus of the size of a training crop, one "
        f"worker, without pictures, killed (SIGKILL) after {found['killed_at']} and started again: "
        f"{found['finished']} finished, {found['run_twice']} run twice. The second command took {found['seconds']} s: "
        f"{found['start_s']} s to start, then {found['over_network']:.2f} times the seconds of the network alone.",
        "",
        f"Memory of all its processes at their most: {memory['first_quarter_mib']} MiB in the first quarter of its "
        f"cases, {memory['last_quarter_mib']} MiB in the last ({memory['ratio']:.2f} times).",
        "",
        f"Two workers against one on {found['few']} scans, start included, one thread each: "
        f"{_ratio(workers, 'ratio')} x faster, {workers['pairs']:.0f} pairs.",
        "",
        f"When this began, {found['load']} other processes wanted the cores: times say little, and a second worker "
        "also takes its share from the others."
        if found["load"] > 0.5
        else "Nothing else ran.",
    ]


def preview_lines(found: Mapping[str, Any]) -> list[str]:
    """What the lower precision of the live slider changes."""
    return [
        "",
        f"Previews of that slider compute in {found['precision']} where the processor has it. Against float32 on "
        f"{found['scans']} tuning scans, undamaged and at noise {found['levels'][-1]}: Dice of the two masks at least "
        f"{found['least_dice']:.4f} (median {found['median_dice']:.4f}), at most {found['most_voxels']} voxels differ, "
        f"largest difference in uncertainty {found['largest_uncertainty']:.4f}. The result at rest is float32.",
    ]


def _frozen_rows(found: Mapping[str, Any]) -> list[str]:
    """What the head of sure fit costs a pass."""
    return [
        f"| Head of `sure fit` ({one['head_parameters'] / 1000:.0f} thousand weights) on a {name} "
        f"({one['parameters'] / 1e6:.1f} M), one window, 1 thread | {one['joined_s']:.3f} s | {one['plain_s']:.3f} s "
        f"| {_ratio(one, 'cost')} x the time | {one['pairs']} |"
        for name, one in found.items()
    ]


def _training_rows(found: Mapping[str, Any]) -> list[str]:
    """What supervision costs a training step."""
    words = {
        "one_graph": "one graph",
        "pass_by_pass": "pass by pass",
        "as_shipped": "the head alone, as the model ships",
    }
    return [
        f"| Training step of SURE, {words[name]}, against plain evidential | {row['sure_s']:.2f} s "
        f"| {row['plain_s']:.2f} s | {_ratio(row, 'cost')} x the time | {row['pairs']:.0f} |"
        for name, row in found.items()
    ]


def _run_rows(found: Mapping[str, Any]) -> list[str]:
    """Whole runs of the command line; their ratio is stored the other way round."""
    words = {"crop": "a crop of the template", "demo": "both sides of the template, as `sure demo` does"}
    return [
        f"| `sure segment` on {words[name]}, all in all, against the same without scene and pictures "
        f"| {row['ours_s']:.2f} s | {row['baseline_s']:.2f} s | {1 / row['ratio']:.2f} "
        f"({1 / row['high']:.2f} to {1 / row['low']:.2f}) x the time | {row['pairs']:.0f} |"
        for name, row in found.items()
    ]


def _commits(document: Mapping[str, Any]) -> str:
    """The commit of all parts, or of each."""
    by_part = document.get("commits", {"": document.get("commit")})
    if len(set(by_part.values())) == 1:
        return f"`{next(iter(by_part.values()))}`"
    return ", ".join(f"`{commit}` ({part})" for part, commit in by_part.items())


BROWSER_WORDS = {
    "ready_s": "Server ready, with the demo's result open",
    "pictures_s": "First four pictures after the page opens",
    "slider_s": "Noise slider, from the hand to the new picture (left region of the demo)",
    "cancel_s": "Cancel, from the click to Run again",
}


def browser_lines(found: Mapping[str, Any]) -> list[str]:
    """The page in the browser."""
    memory = found["memory_mb"]
    growth = memory["after"] - memory["before"]
    return [
        "",
        "## In the browser",
        "",
        "`sure view` on the demo's result, drawn without a graphics card, in headless Chromium on the same machine:",
        "",
        "| What | Median (s) | Range (s) | n | Target (s) |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {words} | {found[name]['median']:.2f} | {found[name]['low']:.2f} to {found[name]['high']:.2f} "
            f"| {found[name]['n']} | {found['targets'][name]} |"
            for name, words in BROWSER_WORDS.items()
        ),
        "",
        f"Resident memory of server and worker over {found['moves']} moves of the noise slider: "
        f"{memory['before']:.0f} MB before, {memory['after']:.0f} MB after ({growth:+.0f} MB).",
    ]


def difficulty_lines(found: Mapping[str, Any]) -> list[str]:
    """The perception scale, and more workers."""
    gram, streamed = found["gram"], found["streamed"]
    shape = " x ".join(map(str, streamed["shape"]))
    return [
        "",
        "## Difficulty of scans",
        "",
        f"S of a {gram['shape'][0]} x {gram['shape'][1]} float32 matrix on one thread: {1000 * gram['ours_s']:.1f} ms "
        f"by the eigenvalues of its Gram matrix, {1000 * gram['baseline_s']:.1f} ms by `numpy.linalg.svd` without "
        f"vectors: {_ratio(gram, 'ratio')} x faster, {gram['pairs']:.0f} pairs. The results differ by "
        f"{gram['difference']:.0e}.",
        "",
        f"{streamed['classes']} classes of {shape} logits ({streamed['float32_gib']} GiB in float32), streamed slab by "
        f"slab: {streamed['peak_gib']:.2f} GiB at the peak of the process, {streamed['seconds']:.0f} s on one thread; "
        f"after the first class {streamed['peak_first_gib']:.2f} GiB.",
        "",
        "Cases on a Dask cluster whose workers are up (`--scheduler`). Efficiency is the share of the ideal, the speed "
        "of one worker times their number; beyond the cores of this machine waiting stands in the place of work:",
        "",
        "| Work | Workers | Seconds | Efficiency |",
        "| --- | --- | --- | --- |",
        *(f"| {r['work']} | {r['workers']} | {r['seconds']} | {r['efficiency']:.0%} |" for r in found["workers"]),
    ]


def _sample_lines(samples: Mapping[str, Any]) -> list[str]:
    """What 20 samples of one window cost."""
    rows = [
        f"| {name} | {1000 * found['encoder_s']:.1f} ms | {1000 * found['decoder_s']:.1f} ms | "
        f"{1000 * found['samples_s']:.1f} ms | {_ratio(found['share'], 'ratio')} | {_ratio(found['passes'], 'ratio')} |"
        for name, found in samples.items()
        if name != "model"
    ]
    return [
        "",
        "## Samples",
        "",
        f"20 samples of one window by `{samples['model']}`, 2 threads; wanted are at most 1.1 times the encoder and 20 "
        "decoders by themselves, and at most 14 passes:",
        "",
        "| Engine | Encoder | Decoder | 20 samples | Times (encoder + 20 decoders) | Times one pass |",
        "| --- | --- | --- | --- | --- | --- |",
        *rows,
    ]


def _ratio(result: Mapping[str, Any], name: str) -> str:
    return f"{result[name]:.2f} ({result['low']:.2f} to {result['high']:.2f})"


WORDS = {
    "dice": "Dice",
    "hd95_mm": "95 % Hausdorff distance (mm)",
    "assd_mm": "Mean surface distance (mm)",
    "iou": "Intersection over union",
    "ece": "Calibration error (ECE)",
    "brier": "Brier score",
    "auroc_error": "Uncertainty finds wrong voxels (AUROC)",
    "aupr_error": "Uncertainty finds wrong voxels (AUPR)",
    "aurc": "Area under the risk-coverage curve",
    "ueo": "Best overlap of uncertainty and error (UEO)",
    "ucc_gradient": "Uncertainty follows sharpness of edges, wants -1 (UCC)",
    "ur_gradient": "Certain at sharp edges, share of pairs, wants 1 (UR)",
    "ur_star_gradient": "Certain at sharp edges, share of pairs, chance 0.5, wants 1 (UR*)",
    "ucc_distance": "Uncertainty follows distance to edges, wants -1 (UCC)",
    "ur_distance": "Certain far from edges, share of pairs, wants 1 (UR)",
    "ur_star_distance": "Certain far from edges, share of pairs, chance 0.5, wants 1 (UR*)",
    "ur_sigma": "Uncertain under noise, share of pairs, wants 1 (UR)",
    "ur_star_sigma": "Uncertain under noise, share of pairs, chance 0.5, wants 1 (UR*)",
    "tau_sigma": "Uncertainty follows noise, wants +1 (tau)",
    "far_uncertainty": "Mean uncertainty far from the boundary",
    "volume_range_coverage": "Share of cases whose volume range holds the reference",
}


def accuracy_page(summary: Mapping[str, Any]) -> str:
    """Markdown of one evaluation: a row a metric and structure."""
    lines = [
        f"# Accuracy of `{summary['model']}`",
        "",
        f"Made by `make accuracy`: {summary['n_cases']} validation scans of {summary['n_groups']} subjects of the "
        "Medical Segmentation Decathlon (Task04 Hippocampus) that the network was neither trained nor tuned on. "
        f"Means over subjects with the {summary['interval']['level']:.0%} bootstrap interval over subjects; engine "
        f"{summary['engine']}, seed {summary['seed']}. The measures are explained in the [glossary](glossary.md).",
        "",
        "| Metric | Structure | Mean | Interval | n |",
        "| --- | --- | --- | --- | --- |",
    ]
    for metric, entry in summary["metrics"].items():
        for structure, numbers in entry.items():
            interval = f"{_number(numbers['low'])} to {_number(numbers['high'])}"
            name = WORDS.get(metric, metric)
            lines.append(f"| {name} | {structure} | {_number(numbers['mean'])} | {interval} | {numbers['n']} |")
    difficulty = _difficulty_worth(summary["difficulty"]) if "difficulty" in summary else []
    return "\n".join([*lines, "", *_other_kinds(summary["other_kinds"]), *difficulty]) + "\n"


def _other_kinds(found: Mapping[str, Any]) -> list[str]:
    return [
        "## Scans of another kind",
        "",
        f"{found['scans']} T2 and FLAIR crops of the hippocampus region (Lesjak et al. 2017, 3 patients), a kind of "
        "scan that the network never saw. The score is the mean uncertainty over the predicted structures and 5 voxels "
        "around them.",
        "",
        "| Question | Answer |",
        "| --- | --- |",
        f"| Pairs in which T2 or FLAIR scores above the T1 of the same patient and side | {found['pairs_ordered']} of "
        f"{found['pairs']} |",
        f"| AUROC of the score against the validation scans (chance 0.5) | {found['auroc_against_validation']:.2f} |",
        f"| Mean score, there and on the validation scans | {found['mean_score']:.3f} and "
        f"{found['mean_score_validation']:.3f} |",
        f"| Scans for which the report warns that grey values are unlike the training data | {found['warned']} of "
        f"{found['scans']} |",
    ]


def _difficulty_worth(gate: Mapping[str, Any]) -> list[str]:
    """What the score of difficulty, by which new scans are placed among these, is worth."""
    return [
        "",
        "## How hard a scan is",
        "",
        "The report places a new scan among the validation scans by the perception scale of the network's maps (see "
        "[difficulty](difficulty.md)). What that is worth on these scans:",
        "",
        *(f"- {sentence}" for sentence in gate["verdict"]),
    ]


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
