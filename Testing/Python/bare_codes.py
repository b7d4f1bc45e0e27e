"""Codes of papers and of our own files that no clinician knows: where they may stand in a text for people."""

from __future__ import annotations

import re

BRACKETS = re.compile(r"\([^()]*\)")
OPTIONS = re.compile(r"--?[a-z][\w-]*|`[^`]*`|[\w./-]+\.(?:csv|json|md|html|nrrd|npz)\b")
"""What people type or find as a file keeps its name."""

CODES = re.compile(
    r"\b(?:mutual_information|fg_variance|class_variance|expected_entropy|UR_\w+|UCC|AUV|tau|extractors?|gate|native)\b"
    r"|\bUR\b\*?"
)
EXPLAINED = "native (the model's own)"
LONE_S = re.compile(r"(?<![\w'’])S(?![\w'’]| [-+−]?[\d.]+ (?:to|mm)| \(mm\)|-axis| superior)")
ANATOMICAL = re.compile(r"\bR, A, S\b|\bR A S\b|\bRAS\b|[RLAPSI](?:, [RLAPSI]){2,}")


def codes_in(text: str) -> list[str]:
    """Codes outside of brackets and of what is typed: a symbol may stand in brackets, after the words for it."""
    plain = text.replace(EXPLAINED, " ")
    plain = ANATOMICAL.sub(" ", OPTIONS.sub(" ", plain))
    while BRACKETS.search(plain):
        plain = BRACKETS.sub(" ", plain)
    return CODES.findall(plain) + LONE_S.findall(plain)
