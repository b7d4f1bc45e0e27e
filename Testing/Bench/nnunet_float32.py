"""nnU-Net's predictor with sums in float32 instead of float16, so that what is left to differ is not its rounding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Float32Sums:
    """PyTorch for one module, with float32 where it asks for float16."""

    def __getattr__(self, name: str) -> Any:
        import torch

        return torch.float32 if name == "half" else getattr(torch, name)


@contextmanager
def float32_sums() -> Iterator[None]:
    """For as long as the block runs."""
    import nnunetv2.inference.predict_from_raw_data as predicting

    own = predicting.torch
    predicting.torch = Float32Sums()
    try:
        yield
    finally:
        predicting.torch = own
