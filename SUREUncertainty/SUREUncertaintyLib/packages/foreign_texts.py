"""What a package says of weights that other people trained and that came without a licence."""

LICENCE = "as stated by its makers, unknown to us"
LICENCE_TEXT = (
    "The licence of these weights is as stated by their makers; it is unknown to SURE Uncertainty.\n"
    "Ask whoever trained the model before you use or share it.\n"
)
