"""Journey 17: every uncertain region is looked at and marked; the marks are in the scene."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from journey import add_phantom, finish, measured, open_module, run_and_wait


def journey():
    """*Next* and *Reviewed* until nothing is left."""
    from SUREUncertaintyLib.mrml.review import is_reviewed, read_regions

    widget = open_module()
    add_phantom(widget)
    published = run_and_wait(widget)
    assert published is not None, widget.ui.statusLabel.text
    regions = read_regions(published.regions)
    widget.ui.nextUncertainButton.click()
    for _ in regions:
        widget.ui.reviewedButton.click()
    assert all(is_reviewed(published.regions, region) for region in regions)
    assert "reviewed" in widget.ui.regionLabel.text, widget.ui.regionLabel.text
    measured("regions", ", ".join(f"{region.structure} ({region.reason})" for region in regions))


if __name__ == "__main__":
    finish(journey)
