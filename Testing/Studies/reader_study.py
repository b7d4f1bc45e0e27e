"""Do latents on every skip match the disagreement of four readers? All methods on one backbone and one budget.

    python Testing/Studies/reader_study.py --data DIR --work DIR [--steps 800] [--seeds 3] [--only settings]

``--data`` holds ``lidc_multirater``. Everything goes to ``--work``: networks, logs, and in its folder ``results`` the
recipe and a JSON file of every training. At the end these go into ``Testing/Studies/results/readers.json``. What has
a file or stands there is skipped when the command is started again. ``settings`` trains and scores what was tried for
ours, on the tuning patients alone, ``levels`` the same for the network whose levels add up; ``arms`` trains every
method and scores it once on the validation patients; ``fits`` fits two numbers to ours after training, on the tuning
patients; ``shift`` shows them damaged and foreign slices; ``page`` renews
``docs/hierarchical.md``. The model that ships has recipes of its own, ``lung-nodule-ct-plain`` and ``lung-nodule-ct``.
"""

from __future__ import annotations

import argparse
import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from readers.level_scores import score_levels
from readers.level_settings import LEVEL_SETTINGS, level_recipe
from readers.network_predictor import NetworkPredictor
from readers.nodule_scores import SAMPLES, score_slices
from readers.post_hoc_fit import best_post_hoc
from readers.reader_arms import ARMS, OURS, SETTINGS, SINGLE, arm_recipe, setting_recipe
from readers.reader_page import write_page
from readers.reader_profile import SIDE, base_recipe, start_recipe
from readers.reader_summary import CODEC
from readers.shifted_slices import middle, score_shift
from readers.study_parts import create_study_network, create_study_objective
from recorded_results import RecordedResults
from SUREUncertaintyLib.evaluation.raters import (
    RaterArrays,
    RaterSlice,
    find_rater_files,
    read_rater_arrays,
    read_rater_table,
)
from SUREUncertaintyLib.training.distributed import join_processes
from SUREUncertaintyLib.training.hierarchical_objective import probe_cases
from SUREUncertaintyLib.training.recipe import Recipe, parse_recipe
from SUREUncertaintyLib.training.run_manifest import claim_output, manifest_of
from SUREUncertaintyLib.training.trainer import Trainer
from SUREUncertaintyLib.training.training_cases import TrainingCase, list_cases, load_cases
from torch import Tensor, nn

DOCS = Path(__file__).resolve().parents[2] / "docs"
TUNING_STEP = 3
"""Settings are scored on every third slice of the tuning patients."""
LEVEL_STEP = 2
"""Single levels on every second of those."""


@dataclass(frozen=True)
class Comparison:
    """What the command line asked for, and the data, read once."""

    data: Path
    work: Path
    steps: int
    seeds: int

    @property
    def folder(self) -> Path:
        """Of the readers' slices."""
        inner = self.data / "lidc_multirater"
        return inner if inner.is_dir() else self.data

    @cached_property
    def results(self) -> RecordedResults:
        """What is finished, and where further results go."""
        return RecordedResults(CODEC, self.work / "results")

    @cached_property
    def arrays(self) -> RaterArrays:
        """Images and marks, the middle of every slice."""
        whole = read_rater_arrays(find_rater_files(self.folder)[0])
        return RaterArrays(middle(whole.images, SIDE), middle(whole.bits, SIDE), whole.raters)

    @cached_property
    def recipe(self) -> Recipe:
        """The shipped recipe: where the cases are."""
        return parse_recipe(base_recipe())

    @cached_property
    def cases(self) -> tuple[list[TrainingCase], list[TrainingCase]]:
        """Training and tuning cases; validation slices are in neither."""
        files = list_cases(self.recipe.data, self.data)
        return _cropped(load_cases(files.training, self.recipe.input)), _cropped(
            load_cases(files.tuning, self.recipe.input)
        )

    def slices(self, split: str) -> tuple[RaterSlice, ...]:
        """Slices of ``val``, or of the ``tuning`` patients within ``train``."""
        table = find_rater_files(self.folder)[1]
        held = {str(group) for group in self.recipe.data.tuning_groups}
        listed = read_rater_table(table, len(self.arrays.images), "val" if split == "val" else "train")
        return tuple(entry for entry in listed if split == "val" or entry.patient in held)


def _cropped(cases: Sequence[TrainingCase]) -> list[TrainingCase]:
    return [
        replace(
            case,
            image=np.ascontiguousarray(middle(case.image, SIDE)),
            label=middle(case.label, SIDE),
            readings=middle(case.readings, SIDE),
        )
        for case in cases
        if case.readings is not None
    ]


def network_of(plan: Comparison, document: dict[str, Any]) -> nn.Module:
    """Trained, resumed or found finished; its recipe and manifest are kept."""
    recipe = parse_recipe(document)
    plan.results.save_recipe(document)
    output = plan.work / recipe.name
    claim_output(output, manifest_of(recipe, list_cases(recipe.data, plan.data)))
    start = None
    if document["name"] != f"start-{recipe.seed}":
        start = start_weights(recipe, network_of(plan, start_recipe(recipe.seed)))
    cases = plan.cases[0]
    parts: dict[str, Any] = {
        "make_network": create_study_network,
        "make_objective": partial(create_study_objective, cases),
    }
    network = Trainer(recipe, cases, [], output, join_processes("cpu"), start=start, **parts).run()
    print(f"{recipe.name}: trained", flush=True)
    return network.to(memory_format=torch.channels_last)  # type: ignore[no-any-return,call-overload]


def start_weights(recipe: Recipe, trained: nn.Module) -> dict[str, Tensor]:
    """Weights of an arm before its training: those of the common network where it has the same part, else its own.

    More latent channels than one make a convolution wider at its end; what is new there stays as it was made.
    """
    torch.manual_seed(recipe.seed)
    fresh = create_study_network(recipe.network.name, recipe.network.arguments).state_dict()
    for name, tensor in trained.state_dict().items():
        for target in (name, f"backbone.{name}", f"prior.backbone.{name}"):
            if target in fresh:
                fresh[target][tuple(slice(0, n) for n in tensor.shape)] = tensor
    return fresh


def predictor_of(plan: Comparison, arm: str, seed: int) -> NetworkPredictor:
    """A method with one of its seeds."""
    chosen = ARMS[arm]
    if chosen.members:
        members = range(ARMS[chosen.members].seeds)
        return NetworkPredictor(
            [network_of(plan, arm_recipe(chosen.members, member, plan.steps)) for member in members], chosen.reading
        )
    return NetworkPredictor([network_of(plan, arm_recipe(arm, seed, plan.steps))], chosen.reading, SAMPLES)


def probe_of(plan: Comparison, predictor: NetworkPredictor) -> list[dict[str, Any]]:
    """The collapse probe on tuning cases; empty for methods without a prior."""
    network: Any = predictor.networks[0]
    if predictor.reading != "latents" or network.posterior_kind == "none":
        return []
    probes = probe_cases(network, plan.cases[1], (SIDE, SIDE))
    return [{**vars(probe), "collapsed": probe.collapsed} for probe in probes]


def seeds_of(plan: Comparison, arm: str) -> range:
    """Seeds of an arm: all that its ensemble needs, else as many as are asked for."""
    needed = any(other.members == arm for other in ARMS.values())
    return range(ARMS[arm].seeds if needed else min(plan.seeds, ARMS[arm].seeds))


def run_settings(plan: Comparison) -> None:
    """Everything that was tried for ours, and softmax to hold it against, on the tuning patients."""
    for setting, seed in [(setting, seed) for seed in range(plan.seeds) for setting in (*SETTINGS, SINGLE)]:
        target = f"setting-{setting}-{seed}"
        if target in plan.results:
            continue
        predictor = _predictor_of_setting(plan, setting, seed)
        found = score_slices(plan.arrays, plan.slices("tuning")[::TUNING_STEP], predictor)
        facts = {"setting": setting, "seed": seed, "loss": SETTINGS.get(setting, {}), "steps": plan.steps}
        save(plan, target, {**facts, "probe": probe_of(plan, predictor), **found})


def _predictor_of_setting(plan: Comparison, setting: str, seed: int) -> NetworkPredictor:
    if setting == SINGLE:
        return predictor_of(plan, SINGLE, seed)
    return NetworkPredictor([network_of(plan, setting_recipe(setting, seed, plan.steps))], "latents", SAMPLES)


def run_levels(plan: Comparison) -> None:
    """Everything that was tried for the network whose levels add up, on the tuning patients, and each level alone."""
    for setting, seed in [(setting, seed) for seed in range(plan.seeds) for setting in LEVEL_SETTINGS]:
        target = f"residual-{setting}-{seed}"
        if target not in plan.results:
            save(plan, target, _scored_levels(plan, setting, seed))


def _scored_levels(plan: Comparison, setting: str, seed: int) -> dict[str, Any]:
    network = network_of(plan, level_recipe(setting, seed, plan.steps))
    entries = plan.slices("tuning")[::TUNING_STEP]
    predictor = NetworkPredictor([network], "latents", SAMPLES)
    found = score_slices(plan.arrays, entries, predictor)
    answer = score_slices(plan.arrays, entries, NetworkPredictor([network], "single"))
    found["values"]["dice_answer"] = answer["values"]["dice_majority"]
    chosen = LEVEL_SETTINGS[setting]
    facts = {"setting": setting, "seed": seed, "steps": plan.steps, "loss": chosen.told, "network": chosen.network}
    levels = score_levels(plan.arrays, entries[::LEVEL_STEP], predictor)
    return {**facts, "weights": chosen.weights, "probe": probe_of(plan, predictor), "levels": levels, **found}


def run_arms(plan: Comparison) -> None:
    """Train every method and score it once on the validation patients."""
    for arm, seed in [(arm, seed) for seed in range(max(a.seeds for a in ARMS.values())) for arm in ARMS]:
        target = f"{arm}-{seed}"
        if seed not in seeds_of(plan, arm) or target in plan.results:
            continue
        predictor = predictor_of(plan, arm, seed)
        found = score_slices(plan.arrays, held_out(plan, plan.slices("val")), predictor)
        facts = {"arm": arm, "seed": seed, "steps": plan.steps, "probe": probe_of(plan, predictor)}
        save(plan, target, {**facts, **found})


def run_fits(plan: Comparison) -> None:
    """What the tuning patients say of a temperature of our samples and of the own answer's share."""
    entries = plan.slices("tuning")[::TUNING_STEP]
    for seed in range(plan.seeds):
        target = f"fit-{seed}"
        if target not in plan.results:
            drawn = predictor_of(plan, OURS, seed)
            found = best_post_hoc(plan.arrays, entries, drawn, replace(drawn, reading="single"))
            save(plan, target, {"seed": seed, "steps": plan.steps, **vars(found)})


def run_shift(plan: Comparison) -> None:
    """Damaged and foreign slices, first seed of every method."""
    for arm in ARMS:
        target = f"shift-{arm}"
        if target not in plan.results:
            found = score_shift(plan.arrays, plan.slices("val"), plan.data, predictor_of(plan, arm, 0))
            save(plan, target, {"arm": arm, "seed": 0, "steps": plan.steps, **found})


def held_out(plan: Comparison, slices: Sequence[RaterSlice]) -> Sequence[RaterSlice]:
    """The slices, when none of their patients was trained or tuned on."""
    seen = {case.group for part in plan.cases for case in part}
    shared = sorted({entry.patient for entry in slices} & seen)
    if shared:
        raise SystemExit(f"Not held-out: {', '.join(shared)}.")
    return slices


def save(plan: Comparison, name: str, document: dict[str, Any]) -> None:
    """Keep a result and say so."""
    plan.results.save(name, document)
    print(f"{name}: written", flush=True)


@contextmanager
def alone_in(work: Path) -> Iterator[None]:
    """Two runs would write the same networks: the second one ends at once."""
    work.mkdir(parents=True, exist_ok=True)
    with (work / "in-use").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"Another run works in {work}; wait for it or choose another --work.") from None
        yield


PARTS = {"settings": run_settings, "levels": run_levels, "arms": run_arms, "fits": run_fits, "shift": run_shift}


def main() -> None:
    """Run what is not finished and renew the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", choices=(*PARTS, "page"))
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    plan = Comparison(asked.data, asked.work.absolute(), asked.steps, asked.seeds)
    with alone_in(plan.work):
        for name, run in PARTS.items():
            if asked.only in (None, name):
                run(plan)
    plan.results.summarise()
    write_page(plan.results, DOCS)


if __name__ == "__main__":
    main()
