"""Errors whose text a clinician can act on: what is wrong, what was expected, what to do."""


class SureError(Exception):
    """Base of every error that the product raises on purpose. ``str(error)`` is one plain sentence or two."""

    exit_code = 1


class InputError(SureError):
    """The scan, region, case list or option cannot be used as given."""

    exit_code = 2


class PackageError(SureError):
    """A model package is unknown, malformed, tampered with or needs a format that is refused."""

    exit_code = 2


class OutputError(SureError):
    """Results cannot be written: folder not writable, already in use, or the disk is full."""

    exit_code = 1


class EngineError(SureError):
    """The engine or device that was asked for is not available, or it failed while running."""

    exit_code = 1


class Cancelled(SureError):
    """The user stopped the run; nothing was written."""

    exit_code = 130

    def __init__(self, message: str = "The run was cancelled; nothing was written.") -> None:
        super().__init__(message)
