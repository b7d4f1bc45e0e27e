"""The model card and the page about packages follow from what a package holds."""

import json
from pathlib import Path

from package_files import document_of
from SUREUncertaintyLib.core.labels import Code
from SUREUncertaintyLib.packages.metadata_parsing import parse_metadata
from SUREUncertaintyLib.packages.model_card import model_card
from SUREUncertaintyLib.packages.package import Package


def test_the_card_follows_from_the_metadata(tiny_package: Package) -> None:
    card = (tiny_package.root / "docs/README.md").read_text(encoding="utf-8")
    assert card == model_card(tiny_package.metadata.raw)
    assert card.startswith("# tiny\n\nUntrained network for tests\n")
    assert "| 2 | core |  |" in card
    assert "voxels above 0.5 count as uncertain. Also given: entropy." in card
    assert "Research only" in card


def test_the_card_survives_awkward_texts_and_lists(tiny_package: Package) -> None:
    document = document_of(tiny_package) | {
        "training": {"attribution": "a | b\nc", "training_ids": list(range(20)), "seed": 3},
        "references": ["First", "Second"],
        "limits": "Adults only.",
    }
    card = model_card(document)
    assert r"| Attribution | a \| b c |" in card
    assert "| Cases trained on | 20, listed in metadata.json |" in card
    assert "## References\n\n- First\n- Second" in card
    assert "## Limits\n\nAdults only." in card


ROOT = Path(__file__).resolve().parents[2]


def packages_page() -> str:
    return (ROOT / "docs" / "packages.md").read_text(encoding="utf-8")


def test_the_example_in_the_documentation_is_valid() -> None:
    example = packages_page().split("```json\n")[1].split("```")[0]
    facts = parse_metadata(json.loads(example))
    assert (facts.name, facts.spacing, facts.foreground[0].type) == (
        "liver-ct",
        (1.5, 1.5, 2.0),
        Code("10200004", "SCT", "Liver"),
    )


def test_the_documentation_names_every_field_that_a_package_holds_and_every_allowed_network(
    tiny_package: Package,
) -> None:
    from SUREUncertaintyLib.nn.registry import MONAI_NETWORKS

    fields = set(tiny_package.metadata.raw) - {"schema"}
    assert [name for name in sorted(fields) if f"`{name}" not in packages_page()] == []
    foreign = (ROOT / "docs" / "foreign.md").read_text(encoding="utf-8")
    assert [name for name in sorted(MONAI_NETWORKS) if f"`{name}`" not in foreign] == []
