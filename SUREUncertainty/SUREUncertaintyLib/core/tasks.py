"""Many independent tasks on all cores of this machine, or on a Dask cluster whose address the user typed.

Nothing is lost when a process dies: what it worked on is tried again on its own, so that only a task that keeps killing
its process is given up, and no other is blamed for it.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from threading import Lock, Thread
from typing import Any

from .errors import EngineError, InputError
from .progress import IsCancelled, never, raise_if_cancelled

ATTEMPTS = 3
POLL_S = 0.2
CONNECT_S = 10
SCHEDULER_ENDED = (
    "The Dask scheduler at {address} ended or cannot be reached any more. What is finished is kept, and the same "
    "command goes on from there; start the scheduler again, or leave --scheduler out to go on with this machine alone."
)
DIED = "the process that worked on it ended without a word, {} times; the memory may be too small"
THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


_WORKER = Lock()


@dataclass(frozen=True)
class Outcome:
    """What became of one task: its ``value``, or the ``error`` in words."""

    index: int
    value: Any = None
    error: str = ""


def run_tasks(
    function: Callable[[Any], Any],
    items: Sequence[Any],
    workers: int | None = None,
    scheduler: str | None = None,
    is_cancelled: IsCancelled = never,
) -> Iterator[Outcome]:
    """Outcomes of ``function(item)``, in the order in which they are ready.

    Args:
        function: at the top level of a module; it, the items and the values travel between processes.
        workers: processes on this machine; all cores when None. One runs in this process.
        scheduler: address of a Dask scheduler (``tcp://`` or ``tls://``), in the place of local processes.

    Raises:
        InputError: nothing answers at the address. EngineError: dask is not installed, or the scheduler ended.
        Cancelled: ``is_cancelled`` said so; what was running is stopped.
    """
    if scheduler:
        yield from _on_cluster(function, items, scheduler, is_cancelled)
        return
    count = min(workers or core_count(), max(1, len(items)))
    if count <= 1:
        for index, item in enumerate(items):
            raise_if_cancelled(is_cancelled)
            yield _attempt(function, index, item)
        return
    yield from _on_cores(function, items, count, is_cancelled)


def core_count() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_of_worker() -> int | None:
    """Threads of the Dask worker that this task runs in; None outside of one."""
    if "distributed" not in sys.modules:
        return None
    from distributed import get_worker

    try:
        return int(get_worker().state.nthreads)
    except ValueError:
        return None


def _attempt(function: Callable[[Any], Any], index: int, item: Any) -> Outcome:
    try:
        return Outcome(index, function(item))
    except Exception as error:  # one broken task never stops the rest
        return Outcome(index, error=_words(error))


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _on_cores(
    function: Callable[[Any], Any], items: Sequence[Any], workers: int, is_cancelled: IsCancelled
) -> Iterator[Outcome]:
    waiting, suspects = deque(range(len(items))), deque[int]()
    while waiting or suspects:
        if suspects:
            yield _alone(function, items, suspects.popleft(), is_cancelled)
        else:
            yield from _together(function, items, waiting, suspects, workers, is_cancelled)


def _together(
    function: Callable[[Any], Any],
    items: Sequence[Any],
    waiting: deque[int],
    suspects: deque[int],
    workers: int,
    is_cancelled: IsCancelled,
) -> Iterator[Outcome]:
    """Run ``waiting`` side by side until it is empty or a process dies; what ran then becomes ``suspects``."""
    running: dict[Future[Any], int] = {}
    with _pool(workers) as pool:
        while waiting or running:
            try:
                while waiting and len(running) < workers:
                    running[pool.submit(function, items[waiting[0]])] = waiting[0]
                    waiting.popleft()
                done, _ = wait(running, POLL_S, FIRST_COMPLETED)
                raise_if_cancelled(is_cancelled)
                for future in done:
                    outcome = _outcome(future, running[future])
                    del running[future]
                    yield outcome
            except BrokenProcessPool:
                suspects.extend(running.values())
                return


def _alone(function: Callable[[Any], Any], items: Sequence[Any], index: int, is_cancelled: IsCancelled) -> Outcome:
    """Run one task in a process of its own, again and again until it is clear that it is the task that kills it."""
    for _ in range(ATTEMPTS):
        try:
            with _pool(1) as pool:
                future = pool.submit(function, items[index])
                while not wait([future], POLL_S).done:
                    raise_if_cancelled(is_cancelled)
                return _outcome(future, index)
        except BrokenProcessPool:
            continue
    return Outcome(index, error=DIED.format(ATTEMPTS))


def _outcome(future: Future[Any], index: int) -> Outcome:
    """The outcome of a finished future. Raises BrokenProcessPool when its process died."""
    error = future.exception()
    if isinstance(error, BrokenProcessPool):
        raise error
    return Outcome(index, error=_words(error)) if error else Outcome(index, future.result())


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Fresh processes with one numerical thread each; on an error or cancel they are stopped, not waited for."""
    with _single_threads():
        pool = ProcessPoolExecutor(
            workers, mp_context=get_context("spawn"), initializer=_end_with, initargs=(os.getpid(),)
        )
        try:
            yield pool
        except BaseException:
            for process in list((pool._processes or {}).values()):
                process.terminate()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()


def _end_with(parent: int) -> None:
    """Let this process end when the one that started it is gone: one that was killed cannot stop it itself."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(POLL_S)
        os._exit(1)

    Thread(target=watch, daemon=True).start()


@contextmanager
def _single_threads() -> Iterator[None]:
    """Processes started inside inherit one thread each for linear algebra, unless the user has set another number."""
    added = [name for name in THREAD_LIMITS if name not in os.environ]
    os.environ.update(dict.fromkeys(added, "1"))
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def _on_cluster(
    function: Callable[[Any], Any], items: Sequence[Any], address: str, is_cancelled: IsCancelled
) -> Iterator[Outcome]:
    try:
        from distributed import Client
    except ImportError as error:
        raise EngineError(
            "A cluster needs the package dask.distributed: pip install sure-uncertainty[cluster]."
        ) from error
    try:
        client = Client(address, timeout=CONNECT_S)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"No Dask scheduler answers at {address}. Check the address (such as tcp://host:8786), and that it runs."
        ) from error
    with client:
        run = partial(_one_at_a_time, function)
        futures = {client.submit(run, item, retries=ATTEMPTS, pure=False): n for n, item in enumerate(items)}
        try:
            yield from _gathered(client, futures, is_cancelled)
        except CancelledError as error:  # nobody here cancels a future and goes on waiting for it
            raise EngineError(SCHEDULER_ENDED.format(address=address)) from error


def _one_at_a_time(function: Callable[[Any], Any], item: Any) -> Any:
    """A worker with several threads gives them all to one task: engines are not made to be shared."""
    with _WORKER:
        return function(item)


def _gathered(client: Any, futures: dict[Any, int], is_cancelled: IsCancelled) -> Iterator[Outcome]:
    from distributed import wait as wait_for

    running = dict(futures)
    while running:
        if is_cancelled():
            client.cancel(list(running))
            raise_if_cancelled(is_cancelled)
        try:
            done = wait_for(list(running), timeout=POLL_S, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            continue
        for future in done:
            index = running.pop(future)
            error = future.exception()
            yield Outcome(index, error=_words(error)) if error else Outcome(index, future.result())
