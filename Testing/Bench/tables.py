"""The page docs/benchmarks.md, made from bench.json alone; a test compares the two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def benchmarks_page(document: Mapping[str, Any]) -> str:
    """Markdown of all tables."""
    machine, engines, doubt = document["machine"], document["engines"], document["doubt"]
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


def _ratio(result: Mapping[str, Any], name: str) -> str:
    return f"{result[name]:.2f} ({result['low']:.2f} to {result['high']:.2f})"
