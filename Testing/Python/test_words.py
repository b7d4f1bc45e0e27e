"""Words before symbols: no code of a paper reaches people without its words, and every word has its meaning."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from ball import ball_result
from bare_codes import codes_in
from marked_texts import marked_texts
from PIL import Image
from slicer_names import ROOT
from SUREUncertaintyLib.core.glossary import TERMS
from SUREUncertaintyLib.core.wording import METRIC_NAMES
from SUREUncertaintyLib.evaluation.case_result import METRICS
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.presenters.result_sentences import NONE, RIGHT, UNKNOWN, WRONG, shown_trust
from SUREUncertaintyLib.report.words import ANCHOR, HEADINGS, meanings

MODULE = ROOT / "SUREUncertainty"
LIBRARY = MODULE / "SUREUncertaintyLib"
PAGES = ("report/*.html", "robustness/*.html", "cohort/*.html", "cine/*.html", "view/assets/*.html")
MARKUP = re.compile(r"<(style|script).*?</\1>|<[^>]*>|\{\{.*?\}\}|\$\w+", re.S)
DOCS = ("README.md", "docs/tutorial.md", "docs/view.md", "docs/accuracy.md", "docs/difficulty.md", "docs/robustness.md")


@pytest.mark.parametrize("text", ["AUV 0.3", "the gate", "UCC -0.4", "S 0.31, easy", "mutual_information", "native"])
def test_a_code_is_seen(text: str) -> None:
    assert codes_in(text)


@pytest.mark.parametrize(
    "text",
    ["Hardness (AUV)", "R, A, S (mm)", "at S -18.7 mm", "S -33.0 to 7.0 mm", "`--extractor NAME`", "auv.csv"],
)
def test_a_symbol_after_its_words_and_what_is_typed_are_none(text: str) -> None:
    assert codes_in(text) == []


def test_texts_that_are_translated_hold_no_code() -> None:
    assert {text: codes_in(text) for _, text in marked_texts() if codes_in(text)} == {}


def test_panel_and_pages_hold_no_code() -> None:
    panel = (MODULE / "Resources" / "UI" / "SUREUncertainty.ui").read_text(encoding="utf-8")
    texts = {f"panel {n}": text for n, text in enumerate(re.findall(r"<string>([^<]*)</string>", panel))}
    for pattern in PAGES:
        for path in LIBRARY.glob(pattern):
            texts[path.name] = MARKUP.sub(" ", path.read_text("utf-8"))
    assert len(texts) > 50
    assert {name: codes_in(html.unescape(text)) for name, text in texts.items() if codes_in(html.unescape(text))} == {}


def test_the_help_of_every_command_holds_no_code() -> None:
    from SUREUncertaintyLib.cli.app import app

    def walk(command: Any, name: str) -> dict[str, str]:
        lines = [command.help or "", *(str(getattr(option, "help", "") or "") for option in command.params)]
        inner = getattr(command, "commands", {})
        found = {f"{name} {number}": line for number, line in enumerate(lines)}
        for key, value in inner.items():
            found |= walk(value, f"{name} {key}")
        return found

    lines = walk(typer.main.get_command(app), "sure")
    assert len(lines) > 100
    assert {name: line for name, line in lines.items() if codes_in(line)} == {}


def test_docs_for_users_hold_no_code() -> None:
    for name in DOCS:
        text = re.sub(
            r"```.*?```|`[^`]*`|\[[^\]]*\]\([^)]*\)|arXiv\S*", " ", (ROOT / name).read_text("utf-8"), flags=re.S
        )
        assert (name, codes_in(text)) == (name, [])


def test_every_metric_of_an_evaluation_has_words() -> None:
    assert set(METRICS) <= set(METRIC_NAMES)
    assert [name for name in METRIC_NAMES.values() if codes_in(name)] == []


def test_the_page_of_words_is_what_the_program_says_and_has_a_picture_of_each() -> None:
    from glossary import PAINTERS, PICTURES, page

    assert (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8") == page()
    assert set(PAINTERS) == {term.key for term in TERMS}
    for term in TERMS:
        path = ROOT / "docs" / PICTURES / f"{term.key}.png"
        assert path.stat().st_size < 40_000
        with Image.open(path) as picture:
            assert picture.width > 200
            assert len(picture.getcolors(4096)) > 3, f"{path.name} is empty"


def test_pages_that_use_a_word_lead_to_it() -> None:
    for name in ("tutorial.md", "view.md", "difficulty.md", "accuracy.md", "comparison.md", "robustness.md", "api.md"):
        assert "glossary.md" in (ROOT / "docs" / name).read_text(encoding="utf-8"), name
    assert "docs/glossary.md" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_a_report_explains_the_words_that_it_links_and_no_others(tmp_path: Path, tiny_package: Package) -> None:
    from SUREUncertaintyLib.report.result_folder import OutputOptions, write_results

    folder = tmp_path / "out"
    folder.mkdir()
    write_results(ball_result(), folder, tiny_package, OutputOptions(pictures=False))
    text = (folder / "report.html").read_text(encoding="utf-8")
    linked = set(re.findall(rf'href="#{ANCHOR}([a-z-]+)"', text))
    explained = set(re.findall(rf'id="{ANCHOR}([a-z-]+)"', text))
    assert {"volume-range", "uncertainty", "threshold"} <= linked
    assert linked == explained
    assert "docs/glossary.md" in text
    assert codes_in(html.unescape(MARKUP.sub(" ", text))) == []


def test_a_page_without_such_words_explains_none() -> None:
    assert meanings("<p>Nothing here.</p>") == ""
    assert {term.key for term in HEADINGS.values()} <= {term.key for term in TERMS}


@pytest.mark.parametrize(
    ("ucc", "kind", "begins"),
    [
        (-0.36, RIGHT, "Uncertainty is low where edges are sharp"),
        (0.36, WRONG, "⚠ The wrong way round"),
        (0.02, NONE, "Uncertainty does not depend"),
        (float("nan"), NONE, "Uncertainty does not depend"),
    ],
)
def test_a_relation_the_wrong_way_round_is_marked(ucc: float, kind: str, begins: str) -> None:
    from SUREUncertaintyLib.analysis.edge_relation import EdgeTrust

    shown = shown_trust(EdgeTrust(ucc, 0.5, 100), str)
    assert shown.kind == kind
    assert shown.text.startswith(begins)
    assert ("color:" in shown.html()) == (kind in (RIGHT, WRONG))
    assert shown_trust(None, str).kind == UNKNOWN
