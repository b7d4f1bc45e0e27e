"""What 3D Slicer installs: the files that the module, its effect and its worker reach through imports.

    python Testing/Python/slicer_package.py

writes the two lists in SUREUncertainty/CMakeLists.txt anew; test_house.py holds the file to them. The command line, the
page in the browser and the studies need no Slicer and come with pip.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

MODULE = Path(__file__).resolve().parents[2] / "SUREUncertainty"
LIBRARY = MODULE / "SUREUncertaintyLib"
ENTRIES = (
    MODULE / "SUREUncertainty.py",
    LIBRARY / "ui" / "SUREUncertaintyEffect.py",
    LIBRARY / "worker" / "__main__.py",
)
"""Started by Slicer, by Segment Editor and as a process of its own."""
OWNERS = {"models": "packages", "recipes": "training", "studies": "comparison"}
"""Folders of data, by the room that reads them."""


def scripts() -> set[str]:
    """Every Python file that an entry reaches, relative to the module's folder."""
    found: set[Path] = set()
    waiting = list(ENTRIES)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [reached for name in named_modules(path) for reached in files_of(name)]
    return {path.relative_to(MODULE).as_posix() for path in found}


def resources() -> set[str]:
    """Every other file of the module that goes with ``scripts``."""
    rooms = {PurePosixPath(script).parts[1] for script in scripts() if "/" in script}
    names = subprocess.run(["git", "ls-files"], cwd=MODULE, capture_output=True, encoding="utf-8", check=True).stdout
    return {name for name in names.split() if not name.endswith((".py", "CMakeLists.txt")) and _goes_with(name, rooms)}


def _goes_with(name: str, rooms: set[str]) -> bool:
    parts = PurePosixPath(name).parts
    return parts[0] == "Resources" or OWNERS.get(parts[1], parts[1]) in rooms


def named_modules(path: Path) -> Iterator[str]:
    """Our modules that a file imports, at its top or inside a function, or names in a string to run them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = _absolute(path, node)
            yield from (f"{base}.{alias.name}" for alias in node.names)
            yield base
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"^SUREUncertaintyLib(?:\.\w+)+$", node.value)


def _absolute(path: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = ["SUREUncertaintyLib", *path.relative_to(LIBRARY).parent.parts]
    return ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])


def files_of(name: str) -> Iterator[Path]:
    """The file of a module and those of the packages above it; nothing for what is not ours."""
    parts = name.split(".")
    if parts[0] != "SUREUncertaintyLib":
        return
    for count in range(1, len(parts) + 1):
        folder = MODULE.joinpath(*parts[:count])
        for path in (folder.with_suffix(".py"), folder / "__init__.py", folder / "__main__.py"):
            if path.is_file() and (path.name != "__main__.py" or count == len(parts)):
                yield path


def main() -> None:
    """Write the lists."""
    target = MODULE / "CMakeLists.txt"
    text = target.read_text(encoding="utf-8")
    for block, names in (("MODULE_PYTHON_SCRIPTS", scripts()), ("MODULE_PYTHON_RESOURCES", resources())):
        lines = "".join(f"  {name.replace('SUREUncertainty', '${MODULE_NAME}', 1)}\n" for name in sorted(names))
        text = re.sub(rf"set\({block}\n[^)]*\)", lambda _, b=block, x=lines: f"set({b}\n{x}  )", text)
    target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
