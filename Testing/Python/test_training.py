"""Training: the same seed gives the same network, a killed run continues where it was, tuning cases stay out."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from needed_torch import torch
from SUREUncertaintyLib.core.errors import Cancelled, InputError
from SUREUncertaintyLib.training.augmentation import Augmentation
from SUREUncertaintyLib.training.case_order import case_index, positions
from SUREUncertaintyLib.training.distributed import Processes
from SUREUncertaintyLib.training.learning_loop import learning_rate
from SUREUncertaintyLib.training.recipe import AugmentationSection, DataSection, Recipe, load_recipe
from SUREUncertaintyLib.training.trainer import Trainer
from SUREUncertaintyLib.training.training_cases import TrainingCase, list_cases

PATCH = (16, 16, 16)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Networks this small are slower on two threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def small_recipe(steps: int = 6) -> Recipe:
    full = load_recipe("hippocampus-t1-plain")
    arguments = {**full.network.arguments, "channels": [4, 8]}
    return dataclasses.replace(
        full,
        network=dataclasses.replace(full.network, arguments=arguments),
        input=dataclasses.replace(full.input, patch=PATCH),
        optimisation=dataclasses.replace(full.optimisation, steps=steps, warmup_steps=2, mixed_precision=False),
    )


def balls(count: int = 3) -> list[TrainingCase]:
    grid = np.indices(PATCH).astype(np.float32)
    cases = []
    for number in range(count):
        distance = np.sqrt(((grid - 7.5 - 0.5 * number) ** 2).sum(0))
        label = (distance < 5).astype(np.uint8) + (distance < 2.5).astype(np.uint8)
        noise = np.random.default_rng(number).normal(0, 0.1, PATCH)
        cases.append(TrainingCase(str(number), str(number), (label + noise).astype(np.float32), label, (1, 1, 1)))
    return cases


def trainer(output: Path, steps: int = 6, save_every: int = 2) -> Trainer:
    output.mkdir(parents=True, exist_ok=True)
    one = Processes(0, 1, torch.device("cpu"))
    return Trainer(small_recipe(steps), balls(), balls(1), output, one, log_every=1, save_every=save_every)


def test_a_run_stopped_in_the_middle_ends_with_the_weights_of_one_never_stopped(tmp_path: Path) -> None:
    whole = trainer(tmp_path / "whole").run().state_dict()
    calls = iter(range(100))
    with pytest.raises(Cancelled):
        trainer(tmp_path / "parts").run(is_cancelled=lambda: next(calls) >= 5)
    resumed = trainer(tmp_path / "parts").run().state_dict()
    for name, tensor in whole.items():
        assert torch.equal(tensor, resumed[name]), name
    logs = [(tmp_path / run / "log.csv").read_text(encoding="utf-8") for run in ("whole", "parts")]
    assert logs[0] == logs[1]


def test_training_lowers_the_loss_and_finds_the_balls(tmp_path: Path) -> None:
    plain = small_recipe(steps=80)
    settings = dataclasses.replace(plain.optimisation, learning_rate=0.02, ema=0.9)
    recipe = dataclasses.replace(plain, augmentation=AugmentationSection(), optimisation=settings)
    Trainer(recipe, balls(), balls(1), tmp_path, Processes(0, 1, torch.device("cpu")), log_every=1).run()
    rows = [line.split(",") for line in (tmp_path / "log.csv").read_text(encoding="utf-8").splitlines()]
    losses = [float(row[rows[0].index("loss")]) for row in rows[1:]]
    assert np.mean(losses[-5:]) < 0.75 * np.mean(losses[:5])
    assert float(rows[-1][rows[0].index("tuning_dice")]) > 0.9


def test_a_checkpoint_that_is_damaged_is_named(tmp_path: Path) -> None:
    trainer(tmp_path, steps=2).run()
    (tmp_path / "checkpoint" / "network.safetensors").write_bytes(b"no")
    with pytest.raises(InputError, match=r"checkpoint.*Remove it"):
        trainer(tmp_path, steps=4).run()


def test_no_file_of_a_checkpoint_is_a_pickle(tmp_path: Path) -> None:
    trainer(tmp_path, steps=2).run()
    suffixes = {p.suffix for p in (tmp_path / "checkpoint").iterdir()}
    assert suffixes == {".safetensors", ".json"}


def test_every_epoch_visits_each_case_once_and_processes_share_the_work() -> None:
    epoch = [case_index(place, 7, seed=3) for place in range(7, 14)]
    assert sorted(epoch) == list(range(7))
    drawn = [place for step in range(2) for rank in range(3) for place in positions(step, 2, rank, 3)]
    assert drawn == list(range(12))


def test_augmentation_repeats_with_the_seed_and_keeps_labels_whole() -> None:
    augment = Augmentation(load_recipe("hippocampus-t1-plain").augmentation, PATCH)
    case = balls(1)[0]
    before = case.image.copy()
    image, label = augment(case, (1, 2))
    again, _ = augment(case, (1, 2))
    other, _ = augment(case, (1, 3))
    assert torch.equal(image, again)
    assert not torch.equal(image, other)
    assert set(label.unique().tolist()) <= {0.0, 1.0, 2.0}
    assert image.shape == label.shape == (1, *PATCH)
    assert np.array_equal(case.image, before)


def test_without_augmentation_the_patch_is_the_scan() -> None:
    case = balls(1)[0]
    image, label = Augmentation(AugmentationSection(), PATCH)(case, (0,))
    np.testing.assert_allclose(image[0].numpy(), case.image, atol=1e-4)
    assert np.array_equal(label[0].numpy(), case.label)


def test_the_learning_rate_warms_up_then_falls_to_zero() -> None:
    settings = small_recipe(steps=100).optimisation
    assert learning_rate(0, settings) == pytest.approx(settings.learning_rate / 2)
    assert learning_rate(2, settings) == pytest.approx(settings.learning_rate)
    assert learning_rate(51, settings) == pytest.approx(settings.learning_rate / 2)
    assert learning_rate(100, settings) == pytest.approx(0.0, abs=1e-12)


def test_a_warm_restart_leaves_the_first_part_of_the_schedule_as_it_was() -> None:
    plain = small_recipe(steps=50).optimisation
    restarted = dataclasses.replace(plain, steps=80, restart_step=50, restart_learning_rate=1e-4)
    assert [learning_rate(s, restarted) for s in range(50)] == [learning_rate(s, plain) for s in range(50)]
    assert learning_rate(50, restarted) == pytest.approx(1e-4)
    assert learning_rate(65, restarted) == pytest.approx(5e-5)


def test_tuning_groups_and_other_splits_stay_out_of_training(tmp_path: Path) -> None:
    rows = ["file,id,subject_group,split", "a,1,A,train", "b,2,A,train", "c,3,B,train", "d,4,C,val"]
    (tmp_path / "splits.csv").write_text("\n".join(rows))
    section = DataSection("splits.csv", image_column="file", group_column="subject_group", tuning_groups=("A",))
    files = list_cases(section, tmp_path)
    assert [case.id for case in files.training] == ["3"]
    assert [case.id for case in files.tuning] == ["1", "2"]


def test_a_folder_without_the_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no case table.*splits\.csv"):
        list_cases(DataSection("splits.csv"), tmp_path)


@pytest.mark.parametrize(("ema", "decays"), [(0.998, [1 / 10, 2 / 11, 3 / 12, 4 / 13]), (0.2, [0.1, 2 / 11, 0.2, 0.2])])
def test_the_averaged_weights_follow_closely_at_first_and_then_with_their_own_decay(
    tmp_path: Path, ema: float, decays: list[float]
) -> None:
    plain = small_recipe(steps=4)
    recipe = dataclasses.replace(plain, optimisation=dataclasses.replace(plain.optimisation, ema=ema))
    running = Trainer(recipe, balls(), [], tmp_path, Processes(0, 1, torch.device("cpu")), log_every=1)
    expected = [{name: tensor.clone().double() for name, tensor in running.network.state_dict().items()}]

    def follow(fraction: float, text: str) -> None:
        decay = decays[len(expected) - 1]
        now = running.network.state_dict()
        expected.append({name: decay * old + (1 - decay) * now[name].double() for name, old in expected[-1].items()})
        for name, tensor in expected[-1].items():
            torch.testing.assert_close(running.average[name].double(), tensor, atol=1e-6, rtol=1e-5)

    shipped = running.run(follow).state_dict()
    assert len(expected) == 5
    assert all(torch.equal(shipped[name], tensor) for name, tensor in running.average.items())
    assert any(not torch.equal(shipped[name], tensor) for name, tensor in running.network.state_dict().items())
