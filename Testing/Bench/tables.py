"""The pages docs/benchmarks.md and docs/accuracy.md, made from JSON alone; a test compares page and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def benchmarks_page(document: Mapping[str, Any]) -> str:
    """Markdown of all tables."""
    machine, engines, doubt = document["machine"], document["engines"], document["doubt"]
    ranks = document["ranks"]
    lines = [
        "# Benchmarks",
        "",
        f"Made by `make bench` at commit `{document['commit']}` on {machine['cpu']}, {machine['cores']} cores, "
        f"Python {machine['python']}, model `{document['model']}`. Ratios are medians of interleaved pairs with the "
        "95 % interval of the median; absolute times belong to this machine.",
        "",
        "| What | Ours | Compared with | Ratio (95 % interval) | Pairs |",
        "| --- | --- | --- | --- | --- |",
        f"| OpenVINO path, 96^3, against MONAI's inferer + eager PyTorch, 2 threads | {engines['ours_s']:.3f} s "
        f"| {engines['baseline_s']:.3f} s | {_ratio(engines, 'ratio')} x faster | {engines['pairs']:.0f} |",
        f"| Segmentation with doubt against plain softmax, one window | {doubt['with_doubt_s']:.4f} s "
        f"| {doubt['plain_s']:.4f} s | {_ratio(doubt, 'cost')} x the time | {doubt['pairs']:.0f} |",
        f"| UR, UR*, UCC of {ranks['voxels']:,} voxels against scipy.stats.kendalltau | {ranks['ours_s']:.3f} s "
        f"| {ranks['baseline_s']:.3f} s | {1 / ranks['ratio']:.2f} ({1 / ranks['high']:.2f} to {1 / ranks['low']:.2f}) "
        f"x the time | {ranks['pairs']:.0f} |",
        *_training_rows(document.get("training", {})),
        "",
        f"Largest difference in probability between the two engines: {engines['largest_probability_difference']:.1e}.",
        "",
        "`sure segment` on int16 noise at the model's own spacing, 3 classes, without scene, pictures and report:",
        "",
        "| Size | Seconds | Peak memory (GiB) | Bytes a voxel |",
        "| --- | --- | --- | --- |",
        *(f"| {r['size']} | {r['seconds']} | {r['peak_gib']} | {r['bytes_per_voxel']} |" for r in document["memory"]),
    ]
    return "\n".join(lines) + "\n"


def _training_rows(found: Mapping[str, Any]) -> list[str]:
    """What supervision costs a training step."""
    words = {"one_graph": "one graph", "pass_by_pass": "pass by pass"}
    return [
        f"| Training step of SURE, {words[name]}, against plain evidential | {row['sure_s']:.2f} s "
        f"| {row['plain_s']:.2f} s | {_ratio(row, 'cost')} x the time | {row['pairs']:.0f} |"
        for name, row in found.items()
    ]


def _ratio(result: Mapping[str, Any], name: str) -> str:
    return f"{result[name]:.2f} ({result['low']:.2f} to {result['high']:.2f})"


WORDS = {
    "dice": "Dice",
    "hd95_mm": "HD95 (mm)",
    "assd_mm": "ASSD (mm)",
    "iou": "IoU",
    "ece": "ECE",
    "brier": "Brier score",
    "auroc_error": "AUROC, doubt finds wrong voxels",
    "aupr_error": "AUPR, doubt finds wrong voxels",
    "aurc": "Area under the risk-coverage curve",
    "ueo": "UEO, best overlap of doubt and error",
    "ucc_gradient": "UCC, gradient (wants -1)",
    "ur_gradient": "UR, gradient (wants 1)",
    "ur_star_gradient": "UR*, gradient (chance 0.5, wants 1)",
    "ucc_distance": "UCC, distance (wants -1)",
    "ur_distance": "UR, distance (wants 1)",
    "ur_star_distance": "UR*, distance (chance 0.5, wants 1)",
    "ur_sigma": "UR, noise level (wants 1)",
    "ur_star_sigma": "UR*, noise level (chance 0.5, wants 1)",
    "tau_sigma": "tau, noise level (wants +1)",
    "far_uncertainty": "Mean doubt far from the boundary",
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
        f"{summary['engine']}, seed {summary['seed']}.",
        "",
        "| Metric | Structure | Mean | Interval | n |",
        "| --- | --- | --- | --- | --- |",
    ]
    for metric, entry in summary["metrics"].items():
        for structure, numbers in entry.items():
            interval = f"{_number(numbers['low'])} to {_number(numbers['high'])}"
            name = WORDS.get(metric, metric)
            lines.append(f"| {name} | {structure} | {_number(numbers['mean'])} | {interval} | {numbers['n']} |")
    return "\n".join([*lines, "", *_other_kinds(summary["other_kinds"])]) + "\n"


def _other_kinds(found: Mapping[str, Any]) -> list[str]:
    return [
        "## Scans of another kind",
        "",
        f"{found['scans']} T2 and FLAIR crops of the hippocampus region (Lesjak et al. 2017, 3 patients), a kind of "
        "scan that the network never saw. The score is the mean doubt over the predicted structures and 5 voxels "
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


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
