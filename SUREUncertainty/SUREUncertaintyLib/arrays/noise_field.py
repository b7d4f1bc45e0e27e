"""The noise of the evaluation protocol: one unit-normal field a case, the same for every level.

x_s = x + s n on the normalised input; s is the spread. The field follows from the base seed and the id of the case,
so that it can be drawn again anywhere, in any order of cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray


def noise_field(shape: Sequence[int], base_seed: int, case_id: str) -> NDArray[np.float32]:
    """Unit-normal float32 field of ``shape``, independent per voxel and channel, drawn from [base_seed, crc32(id)]."""
    generator = np.random.default_rng([base_seed, crc32(case_id.encode("utf-8"))])
    return generator.standard_normal(tuple(shape), dtype=np.float32)
