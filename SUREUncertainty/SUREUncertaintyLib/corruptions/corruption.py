"""What a corruption is, and the recipe that replays one: what is random is drawn once, recorded, and applied later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..arrays.noise import noise_field
from ..core.errors import InputError
from ..core.translation import Text

Float32 = NDArray[np.float32]


class NotApplicable(InputError):
    """This kind of damage makes no sense for this scan; others may."""


Space = Literal["input", "scan"]
"""What a corruption changes: the network's normalised input on the model's grid, or the scan's own intensities."""


@dataclass(frozen=True, eq=False)
class CorruptionInput:
    """What a corruption may use besides the image.

    Attributes:
        physical: the parameters that the strength stands for, see ``strengths``.
        drawn: what was drawn for this case, the same at every strength.
        spacing: mm along the array's axes (k, j, i).
        seed, case_id: of the noise fields.
    """

    physical: Mapping[str, float]
    drawn: Mapping[str, Any]
    spacing: tuple[float, float, float]
    seed: int
    case_id: str

    def normal(self, shape: Sequence[int], stream: str = "") -> Float32:
        """Unit-normal field of the evaluation protocol, one a case and stream, the same for every strength."""
        return noise_field(shape, self.seed, f"{self.case_id}/{stream}" if stream else self.case_id)

    def uniform(self, shape: Sequence[int], stream: str = "") -> NDArray[np.float64]:
        """Uniform field in (0, 1): the normal one through its distribution function."""
        from scipy.special import ndtr

        return np.asarray(ndtr(self.normal(shape, stream).astype(np.float64)))


@dataclass(frozen=True)
class Corruption:
    """One kind of damage.

    Attributes:
        name: as ``--corruption`` takes it.
        title: for tables and charts.
        space: what it changes.
        act: (image (k, j, i) float32, given) to the damaged image; never called at strength 0.
        draw: (generator, spacing (k, j, i)) to the random numbers of a case, ready for JSON; none by default.
    """

    name: str
    title: Text
    space: Space
    act: Callable[[Float32, CorruptionInput], Float32]
    draw: Callable[[np.random.Generator, tuple[float, float, float]], dict[str, Any]] = field(
        default=lambda generator, spacing: {}
    )


@dataclass(frozen=True)
class Recipe:
    """One corruption of one case, complete: the same recipe on the same image gives the same result.

    Attributes:
        strength: 0 (identity) to 1.
        unit: what the strength counts in, see ``strengths.UNITS``.
        physical, drawn, seed, case_id: as ``CorruptionInput``.
        space: what it changes.
    """

    corruption: str
    strength: float
    seed: int
    case_id: str
    unit: str = "strength"
    space: Space = "scan"
    physical: Mapping[str, float] = field(default_factory=dict)
    drawn: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**vars(self), "physical": dict(self.physical), "drawn": dict(self.drawn)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Recipe:
        """The inverse of ``to_json``."""
        return cls(**document)
