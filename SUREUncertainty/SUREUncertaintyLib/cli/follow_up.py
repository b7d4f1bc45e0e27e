"""``sure follow-up``: two scans of a patient, what changed, and how sure that is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

BEFORE_HELP = "Results folder of the earlier scan, from a model that draws samples ('sure segment')."
AFTER_HELP = "Results folder of the later scan, from the same model and options."
DAYS_HELP = (
    "Days between the scans; if left out, by the dates that DICOM files told. Without any there is no volume-doubling "
    "time."
)
LEAST_HELP = "Change of the volume in percent that counts as real."
STRUCTURE_HELP = "Compare this structure only, repeatable; all of them if left out."


def follow_up(
    before: Annotated[Path, typer.Argument(help=BEFORE_HELP)],
    after: Annotated[Path, typer.Argument(help=AFTER_HELP)],
    output: Annotated[Path, typer.Option(help="Folder for the report; it appears whole or not at all.")],
    days: Annotated[float | None, typer.Option(help=DAYS_HELP)] = None,
    least_change: Annotated[float, typer.Option(help=LEAST_HELP)] = 25.0,
    structure: Annotated[list[str] | None, typer.Option(help=STRUCTURE_HELP)] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace earlier results in the folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print follow-up.json instead of sentences.")] = False,
) -> None:
    """Compare the results of two scans: growth with its range, and the probability that it is real."""
    import json

    from ..follow_up.compare import Settings
    from ..follow_up.page import FILE
    from ..follow_up.run import follow_up as compare
    from ..follow_up.sentences import DAYS_UNKNOWN, days_words, sentences

    settings = Settings(days, least_change / 100.0, tuple(structure or ()))
    document = compare(before, after, output, settings, overwrite)
    if as_json:
        typer.echo(json.dumps(document, indent=2))
        return
    for text in sentences(document):
        typer.echo(text)
    if told := days_words(document):
        typer.echo(f"The scans have {told}.")
    else:
        typer.echo(DAYS_UNKNOWN)
    for text in document["cautions"]:
        typer.echo(f"! {text}")
    typer.echo(f"Report  {output / FILE}")
