"""Many tasks on processes and on a cluster: a killed worker loses nothing, one broken task stops nothing."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from SUREUncertaintyLib.core.errors import Cancelled, InputError
from SUREUncertaintyLib.core.tasks import Outcome, run_tasks


def square(number: int) -> int:
    if number == 3:
        raise ValueError("three is not allowed")
    return number * number


def square_or_die_once(item: tuple[int, str]) -> int:
    """The process that gets number 2 for the first time is killed from outside, as by a lack of memory."""
    number, marker = item
    if number == 2 and not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def die_on_two(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def by_index(outcomes: Iterator[Outcome]) -> list[Outcome]:
    return sorted(outcomes, key=lambda outcome: outcome.index)


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_has_an_outcome_and_a_broken_one_has_its_words(workers: int) -> None:
    outcomes = by_index(run_tasks(square, range(6), workers))
    assert [outcome.value for outcome in outcomes] == [0, 1, 4, None, 16, 25]
    assert outcomes[3].error == "ValueError: three is not allowed"


def test_a_killed_worker_loses_nothing(tmp_path: Path) -> None:
    items = [(number, str(tmp_path / "killed")) for number in range(6)]
    outcomes = by_index(run_tasks(square_or_die_once, items, workers=2))
    assert (tmp_path / "killed").exists()
    assert [outcome.value for outcome in outcomes] == [0, 1, 4, 9, 16, 25]


def test_a_task_that_always_kills_its_worker_is_given_up_and_no_other_is_blamed() -> None:
    outcomes = by_index(run_tasks(die_on_two, range(5), workers=2))
    assert [outcome.value for outcome in outcomes] == [0, 1, None, 9, 16]
    assert "ended without a word, 3 times" in outcomes[2].error


@pytest.mark.parametrize("workers", [1, 2])
def test_a_cancelled_run_stops(workers: int) -> None:
    with pytest.raises(Cancelled):
        list(run_tasks(square, range(6), workers, is_cancelled=lambda: True))


def test_an_address_at_which_nothing_answers_is_refused_with_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("SUREUncertaintyLib.core.tasks.CONNECT_S", 1)
    with pytest.raises(InputError, match=r"tcp://127\.0\.0\.1:9"):
        list(run_tasks(square, range(3), scheduler="tcp://127.0.0.1:9"))


@pytest.mark.slow
def test_a_cluster_gives_the_same_outcomes_and_survives_a_killed_worker(tmp_path: Path) -> None:
    from distributed import LocalCluster

    items = [(number, str(tmp_path / "killed")) for number in range(6)]
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        survived = by_index(run_tasks(square_or_die_once, items, scheduler=cluster.scheduler_address))
        plain = by_index(run_tasks(square, range(5), scheduler=cluster.scheduler_address))
    assert [outcome.value for outcome in survived] == [0, 1, 4, 9, 16, 25]
    assert [outcome.value for outcome in plain] == [0, 1, 4, None, 16]
    assert plain[3].error == "ValueError: three is not allowed"
