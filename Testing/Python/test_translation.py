"""Every text that panel or page shows is a literal that translators find; names that programs need are not."""

from __future__ import annotations

import ast
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from marked_texts import MODULE, calls, context_of, found_by_pattern, literals_of, marked_files, marked_texts
from SUREUncertaintyLib.core import wording
from SUREUncertaintyLib.core.translation import EMPTY, Text, tr, translated
from SUREUncertaintyLib.corruptions.registry import CORRUPTIONS
from SUREUncertaintyLib.presenters import texts
from SUREUncertaintyLib.ui import dependencies, model_panel, setup_panel

LIBRARY = MODULE / "SUREUncertaintyLib"
UI = MODULE / "Resources" / "UI" / "SUREUncertainty.ui"
SPOKEN = {"text", "toolTip", "title", "placeholderText", "windowTitle"}
"""Properties of widgets that people read; all other texts in a .ui file are for programs."""

NAMES_FOR_PROGRAMS = {"OWN_NAME"}
"""Constants of ``presenters.texts`` that are no words."""

PANELS = sorted([*(LIBRARY / "ui").glob("*.py"), LIBRARY / "mrml" / "chosen_map.py"])
TRANSLATORS = {"say", "translate", "_say"}
HANDED_ON = {("context.py", "meaning if allowed else obstacle")}
"""Where a translator gets what a caller gave: typed as ``Text``, so that mypy looks at the callers."""


def spoken(value: Any) -> Iterator[Any]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from spoken(part)
    elif isinstance(value, tuple):
        for part in value:
            yield from spoken(part)


def test_every_text_of_the_common_list_is_marked_where_it_stands() -> None:
    constants = {n: v for n, v in (vars(wording) | vars(texts)).items() if n.isupper() and n not in NAMES_FOR_PROGRAMS}
    found = [text for value in constants.values() for text in spoken(value) if text]
    assert len(found) > 150
    assert [text for text in found if not isinstance(text, Text)] == []
    assert {(text.context, str(text)) for text in found} <= marked_texts()


def test_titles_of_corruptions_and_purposes_of_packages_are_marked() -> None:
    found = [corruption.title for corruption in CORRUPTIONS.values()]
    found += [item.purpose for item in (*dependencies.INFERENCE, *dependencies.GRAPHICS, *dependencies.TRAINING)]
    found += [*setup_panel.HEADERS, *model_panel.HEADERS]
    assert {(text.context, str(text)) for text in found} <= marked_texts()


@pytest.mark.parametrize("file", marked_files(), ids=lambda file: context_of(file))
def test_slicer_s_pattern_cuts_out_what_the_parser_sees(file: Path) -> None:
    """A comma after the literal, an f-string or a quotation mark before a bracket would lead the tools astray."""
    source = file.read_text(encoding="utf-8")
    parsed = [ast.literal_eval(call.args[0]) for call in calls(ast.parse(source), "_")]
    assert sorted(found_by_pattern(file)) == sorted(parsed)
    assert literals_of(file)


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="xgettext is not installed: apt-get install gettext")
def test_gettext_finds_the_same_texts() -> None:
    command = ["xgettext", "--language=Python", "--keyword=_", "--from-code=UTF-8", "--no-wrap", "--output=-"]
    done = subprocess.run([*command, *map(str, marked_files())], capture_output=True, encoding="utf-8", check=True)
    entries = [entry for entry in done.stdout.split("\n\n") if "\nmsgid " in entry][1:]
    found = {"".join(ast.literal_eval(line) for line in _lines(entry)) for entry in entries}
    by_underscore = {
        ast.literal_eval(c.args[0])
        for f in marked_files()
        for c in calls(ast.parse(f.read_text(encoding="utf-8")), "_")
    }
    assert found == by_underscore


def _lines(entry: str) -> list[str]:
    after = entry.split("\nmsgid ", 1)[1].split("\nmsgstr ")[0]
    return after.splitlines()


def arguments_of_translators() -> Iterator[tuple[Path, ast.Call]]:
    for file in PANELS:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in TRANSLATORS and len(node.args) == 1:
                yield file, node


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _is_known(argument: ast.expr, local: set[str]) -> bool:
    """A constant of the list, an entry of one, a choice between such, or an attribute or item typed as ``Text``."""
    if isinstance(argument, ast.IfExp):
        return _is_known(argument.body, local) and _is_known(argument.orelse, local)
    if isinstance(argument, ast.BoolOp):
        return all(_is_known(value, local) for value in argument.values)
    if isinstance(argument, ast.Subscript):
        return _is_known(argument.value, local)
    if isinstance(argument, ast.Attribute):
        return (isinstance(argument.value, ast.Name) and argument.value.id == "texts") or argument.attr in local
    return isinstance(argument, ast.Name) and argument.id in local


def test_no_translator_gets_a_text_that_only_a_variable_knows() -> None:
    """Names on the right are entries of marked tables, or parameters whose type is ``Text``."""
    tables = {"MAP_NAMES", "MAP_MEANINGS", "KIND_NAMES"}
    typed = {*tables, "title", "purpose", "header", "name", "text", "obstacle", "begin"}
    wrong = [
        f"{file.name}:{call.lineno} {ast.unparse(call.args[0])}"
        for file, call in arguments_of_translators()
        if not _is_known(call.args[0], typed) and (file.name, ast.unparse(call.args[0])) not in HANDED_ON
    ]
    assert wrong == []
    assert len(list(arguments_of_translators())) > 50


def test_mypy_refuses_a_text_that_is_not_marked(tmp_path: Path) -> None:
    """What holds every caller: a translator takes a ``Text``, and nothing but the mark makes one."""
    pytest.importorskip("mypy", reason="mypy is not installed: pip install '.[test]'")
    from mypy import api

    source = tmp_path / "caller.py"
    source.write_text(
        "from SUREUncertaintyLib.presenters import texts\n"
        "from SUREUncertaintyLib.core.translation import Translate\n\n\n"
        "def shown(say: Translate, words: str) -> list[str]:\n"
        "    found = [say(texts.READY)]\n"
        "    found.append(say(words))\n"
        "    found.append(say(texts.DONE.format(engine=1)))\n"
        "    found.append(say('Ready.'))\n"
        "    return found\n",
        encoding="utf-8",
    )
    told, _, _ = api.run(["--strict", "--no-incremental", "--follow-imports=silent", str(source)])
    assert told.count('expected "Text"') == 3, told


def test_a_text_is_looked_up_under_the_context_of_its_own_file() -> None:
    held = {("presenters.texts", "Ready."): "Bereit.", ("test_translation", "Ready."): "wrong"}
    asked: list[tuple[str, str]] = []

    def look_up(context: str, text: str) -> str:
        asked.append((context, text))
        return held.get((context, text), text)

    assert translated(texts.READY, look_up) == "Bereit."
    assert translated(EMPTY, look_up) == ""
    assert asked == [("presenters.texts", "Ready.")]
    assert tr("x").context.endswith("test_translation")


@pytest.mark.parametrize("wrong", ["{compte} lieux", "lieux", "{count} {rank}", "{count} lieux }"])
def test_a_translation_with_other_placeholders_is_not_used(wrong: str) -> None:
    text = tr("{count} places")
    assert translated(text, lambda context, text: wrong) == "{count} places"
    assert translated(text, lambda context, text: "{count} lieux").format(count=3) == "3 lieux"


def test_only_what_people_read_in_the_ui_file_is_translatable() -> None:
    translatable, kept = set(), set()
    for owner in ElementTree.parse(UI).iter():
        for entry in [*owner.findall("property"), *owner.findall("attribute")]:
            for kind in ("string", "stringlist"):
                for value in entry.findall(kind):
                    (kept if value.get("notr") == "true" else translatable).add(entry.get("name"))
    assert translatable <= SPOKEN
    assert {"nodeTypes", "settingKey", "SlicerParameterName", "nameFilters"} <= kept
    assert not kept & SPOKEN
