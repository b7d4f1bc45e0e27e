"""Training in two processes, as torchrun starts them: one network, one log."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SCRIPT = """
import hashlib, json, sys
from pathlib import Path
import torch
from SUREUncertaintyLib.training.distributed import join_processes
from SUREUncertaintyLib.training.trainer import Trainer
from test_training import balls, small_recipe

torch.set_num_threads(1)
torch.manual_seed(100 + int(__import__("os").environ["RANK"]))
processes = join_processes("cpu")
output = Path(sys.argv[1]) / str(processes.rank)
output.mkdir()
network = Trainer(small_recipe(steps=3), balls(), [], output, processes, log_every=1).run()
weights = b"".join(tensor.numpy().tobytes() for tensor in network.state_dict().values())
processes.close()
found = {"weights": hashlib.sha256(weights).hexdigest(), "files": sorted(p.name for p in output.iterdir())}
(Path(sys.argv[1]) / f"{processes.rank}.json").write_text(json.dumps(found))
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.torch
def test_two_processes_end_with_the_same_network_and_only_the_first_writes(tmp_path: Path) -> None:
    paths = os.pathsep.join([str(HERE), str(HERE.parents[1] / "SUREUncertainty")])
    group = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "PYTHONPATH": paths}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(tmp_path)],
            env={**os.environ, **group, "RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in (0, 1)
    ]
    assert [process.wait(timeout=300) for process in running] == [0, 0]
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text(encoding="utf-8")) for rank in (0, 1))
    assert first["weights"] == second["weights"]
    assert first["files"] == ["checkpoint", "log.csv"]
    assert second["files"] == []
