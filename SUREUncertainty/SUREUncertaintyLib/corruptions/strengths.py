"""The one table that says what a strength means: strength 0..1 to physical parameters, linear, 0 the identity.

"SD of the scan" is the standard deviation of its voxels that are not zero. The normalised input is what the network
sees; after a z-score its unit is one standard deviation.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..core.errors import InputError

STRENGTH = "strength"
SCAN_NOISE = "scan_noise"
UNITS = (STRENGTH, SCAN_NOISE)
"""What strengths count in: the table below, or (Gaussian and Rician) multiples of the scan's own noise."""


@dataclass(frozen=True)
class Scale:
    """One physical parameter: its value at strength 0 and at strength 1, and what follows the number in words."""

    parameter: str
    at_zero: float
    at_one: float
    unit: str

    @property
    def title(self) -> str:
        """The parameter's name for people; the unit has its length."""
        return self.parameter.removesuffix("_mm").replace("_", " ")

    def at(self, strength: float) -> float:
        """The value at a strength."""
        return self.at_zero + (self.at_one - self.at_zero) * strength


TABLE: dict[str, Scale] = {
    "gaussian": Scale("spread", 0.0, 1.0, "in units of the normalised input"),
    "rician": Scale("spread", 0.0, 1.0, "SD of the scan"),
    "poisson": Scale("relative_noise", 0.0, 0.5, "of the signal, at the mean brightness"),
    "speckle": Scale("relative_spread", 0.0, 0.5, "of the signal"),
    "salt_and_pepper": Scale("fraction", 0.0, 0.2, "of all voxels"),
    "blur": Scale("sigma_mm", 0.0, 3.0, "mm"),
    "bias_field": Scale("octaves", 0.0, 1.0, "octave of brightness, up and down"),
    "gamma": Scale("octaves", 0.0, 1.5, "octaves of the exponent, up or down"),
    "thick_slices": Scale("factor", 1.0, 6.0, "times the slice thickness"),
    "ghosting": Scale("amplitude_mm", 0.0, 4.0, "mm of motion during the read-out"),
    "spike": Scale("amplitude", 0.0, 2.0, "SD of the scan"),
    "brightness": Scale("shift", 0.0, 1.0, "in units of the normalised input"),
}
OWN_NOISE: dict[str, Scale] = {
    name: Scale("noise_multiples", 0.0, 10.0, "times the noise that the scan already has")
    for name in ("gaussian", "rician")
}


def scale_of(name: str, unit: str = STRENGTH) -> Scale:
    """The row of a corruption.

    Raises:
        InputError: unknown unit, or one that the corruption does not have.
    """
    if unit not in UNITS:
        raise InputError(f"There is no unit of strength called '{unit}'. Choose one of: {', '.join(UNITS)}.")
    if unit == SCAN_NOISE and name not in OWN_NOISE:
        raise InputError(
            f"The corruption '{name}' cannot be counted in the scan's own noise; only {' and '.join(OWN_NOISE)} can."
        )
    return OWN_NOISE[name] if unit == SCAN_NOISE else TABLE[name]


def check_strength(strength: float) -> float:
    """The strength, checked.

    Raises:
        InputError: outside 0..1, or not a number.
    """
    if not 0.0 <= strength <= 1.0:
        raise InputError(f"The corruption strength {strength:g} is not possible; give a number from 0 (none) to 1.")
    return float(strength)


def physical_parameters(name: str, strength: float, unit: str = STRENGTH) -> dict[str, float]:
    """What a strength means for a corruption. Raises ``InputError`` as above."""
    scale = scale_of(name, unit)
    return {scale.parameter: scale.at(check_strength(strength))}
