"""Import of checkpoints: tensors come in after conversion, and no code in them ever runs."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from foreign import assert_nothing_came_in
from needed_torch import torch
from SUREUncertaintyLib.core.errors import PackageError
from SUREUncertaintyLib.packages.importing import import_package
from SUREUncertaintyLib.packages.weights import load_network

pytestmark = pytest.mark.usefixtures("user_models")


class Payload:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.marker),))


@pytest.mark.parametrize(
    "wrap", [lambda s: s, lambda s: {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in s.items()}}]
)
def test_the_tensors_of_a_checkpoint_come_in_without_a_flag(
    wrap: Callable[[Any], Any], bundle: Path, foreign_network: torch.nn.Module
) -> None:
    torch.save(wrap(foreign_network.state_dict()), bundle / "models" / "model.pt")
    package = import_package(bundle)
    assert not list(package.root.rglob("*.pt"))
    found = load_network(package).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in foreign_network.state_dict().items())


@pytest.mark.parametrize("legacy", [False, True], ids=["torch.save", "plain pickle"])
def test_code_in_a_pickle_is_refused_and_never_runs(
    legacy: bool, bundle: Path, tmp_path: Path, user_models: Path
) -> None:
    file, marker = bundle / "models" / "model.pt", tmp_path / "it ran"
    if legacy:
        file.write_bytes(pickle.dumps({"weight": Payload(marker)}))
    else:
        torch.save({"weight": Payload(marker)}, file)
    with pytest.raises(PackageError, match="Python objects beside tensors"):
        import_package(bundle)
    assert not marker.exists()
    assert_nothing_came_in(user_models)


@pytest.mark.parametrize("name", ["model.ts", "model.pt"])
def test_torchscript_is_refused_under_any_name(
    name: str, bundle: Path, foreign_network: torch.nn.Module, user_models: Path
) -> None:
    torch.jit.trace(torch.nn.Conv3d(1, 2, 1), torch.zeros(1, 1, 4, 4, 4)).save(str(bundle / "models" / name))
    with pytest.raises(PackageError, match="TorchScript"):
        import_package(bundle)
    assert_nothing_came_in(user_models)


@pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x03\x04 half a zip"])
def test_a_broken_checkpoint_gets_a_sentence(content: bytes, bundle: Path, user_models: Path) -> None:
    (bundle / "models" / "model.pt").write_bytes(content)
    with pytest.raises(PackageError, match=r"model\.pt cannot be converted"):
        import_package(bundle)
    assert_nothing_came_in(user_models)


def test_a_checkpoint_without_a_state_dict_gets_a_sentence(bundle: Path) -> None:
    torch.save({"epoch": 3}, bundle / "models" / "model.pt")
    with pytest.raises(PackageError, match="holds no state dict"):
        import_package(bundle)


def test_a_bundle_without_weights_says_what_is_needed(bundle: Path) -> None:
    with pytest.raises(
        PackageError,
        match=r"holds no weights. Needed is models/model\.safetensors, models/model\.pt .* or models/model\.onnx",
    ):
        import_package(bundle)
