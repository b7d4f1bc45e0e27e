"""A stand-in for the desktop application on top of slicer-core: real MRML, no Qt.

It holds as much of ``ScriptedLoadableModule``, ``parameterNodeWrapper`` and ``slicer.util`` as the module uses, so that
SUREUncertainty.py can be imported, opened and used. It proves that the module's own code runs, not that Slicer's does.
"""

from __future__ import annotations

import importlib.util
import sys
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import slicer
import slicer.util
from marked_texts import marked_texts
from slicer_names import ROOT
from slicer_widgets import FakeUi
from SUREUncertaintyLib.mrml.headless import HeadlessScene

MODULE_FILE = ROOT / "SUREUncertainty" / "SUREUncertainty.py"


class FakeTimer:
    """A timer that ticks when the test says so."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback, self.is_active = callback, False

    def start(self) -> None:
        self.is_active = True

    def stop(self) -> None:
        self.is_active = False


class FakeDesktop:
    """Records what the panels ask of the desktop."""

    def __init__(self) -> None:
        self.timers: list[FakeTimer] = []
        self.errors: list[str] = []
        self.copied: list[str] = []
        self.tables: dict[str, tuple[Any, ...]] = {}
        self.ticked = True
        self.cross: tuple[float, float, float] | None = None
        self.path: Path | None = None
        self.dicom: list[Path] = []
        self.charts: list[Any] = []
        self.framed: list[Any] = []
        self.questions: list[str] = []
        self.agrees = True
        self.editor: Any = None
        self.edited: tuple[Any, Any] | None = None

    def create_timer(self, milliseconds: int, callback: Callable[[], None]) -> FakeTimer:
        self.timers.append(FakeTimer(callback))
        return self.timers[-1]

    def error(self, text: str, details: str = "") -> None:
        self.errors.append(text)

    def copy(self, text: str) -> None:
        self.copied.append(text)

    def save_path(self, title: str, name: str, pattern: str) -> Path | None:
        return self.path

    def choose_folder(self, title: str) -> Path | None:
        return self.path

    def choose_file(self, title: str, pattern: str) -> Path | None:
        return self.path

    def confirm(self, question: str) -> bool:
        self.questions.append(question)
        return self.agrees

    def dicom_files(self, scan: Any) -> list[Path]:
        return self.dicom

    def open_folder(self, folder: Path) -> None:
        self.path = folder

    def fill_table(self, table: Any, headers: Any, rows: Any, ticks: Any, wide: int = 0) -> None:
        self.tables[table.objectName] = (headers, rows, ticks)

    def is_ticked(self, table: Any, row: int) -> bool:
        return self.ticked

    def crosshair(self) -> tuple[float, float, float] | None:
        return self.cross

    def fit_slices(self) -> None:
        pass

    def frame_threed(self, points: Any) -> None:
        self.framed.append(points)

    def show_charts(self, charts: Any) -> None:
        self.charts.append(tuple(charts))

    def edit_segments(self, segmentation: Any, scan: Any) -> Any:
        self.edited = (segmentation, scan)
        self.editor = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
        return self.editor

    def tick(self) -> bool:
        """Let every running timer tick once; whether one still runs."""
        for timer in [timer for timer in self.timers if timer.is_active]:
            timer.callback()
        return any(timer.is_active for timer in self.timers)


class Annotation:
    """WithinRange, Choice and the like: arguments only."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments


class WithinRange(Annotation):
    def check(self, value: Any) -> None:
        low, high = self.arguments
        if not low <= value <= high:
            raise ValueError(f"{value} is not within {low} and {high}")


class Choice(Annotation):
    def check(self, value: Any) -> None:
        if value not in self.arguments[0]:
            raise ValueError(f"{value} is not one of {self.arguments[0]}")


def parameter_node_wrapper(kind: type) -> type:
    """The class with a typed property for every annotation, kept in a vtkMRMLScriptedModuleNode."""
    hints = typing.get_type_hints(kind, include_extras=True)
    defaults = {name: vars(kind).get(name) for name in hints}

    def init(self: Any, node: Any) -> None:
        self.parameterNode, self._bindings = node, {}

    members: dict[str, Any] = {"__init__": init, "connectGui": _connect_gui, "disconnectGui": _disconnect_gui}
    members |= {name: _property(name, hint, defaults[name]) for name, hint in hints.items()}
    members |= {name: _forward(name) for name in ("AddObserver", "RemoveObserver", "HasObserver")}
    members["parameters"] = tuple(hints)
    return type(kind.__name__, (), members)


def _forward(name: str) -> Any:
    return lambda self, *arguments: getattr(self.parameterNode, name)(*arguments)


def _property(name: str, hint: Any, default: Any) -> property:
    kind = typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint
    checks = typing.get_args(hint)[1:] if typing.get_origin(hint) is typing.Annotated else ()
    is_node = hasattr(kind, "IsTypeOf")

    def read(self: Any) -> Any:
        if is_node:
            return self.parameterNode.GetNodeReference(name)
        text = self.parameterNode.GetParameter(name)
        if text == "" and not self.parameterNode.HasParameter(name):
            return default
        return text == "True" if kind is bool else kind(text)

    def write(self: Any, value: Any) -> None:
        if is_node:
            self.parameterNode.SetNodeReferenceID(name, None if value is None else value.GetID())
            return
        assert isinstance(value, kind), f"{name} must be {kind.__name__}, not {value!r}"
        for check in checks:
            check.check(value)
        self.parameterNode.SetParameter(name, str(value))

    return property(read, write)


def _connect_gui(self: Any, ui: FakeUi) -> int:
    tag = len(self._bindings) + 1
    updates = []
    for name, widget in ui.parameter_widgets().items():
        assert name in self.parameters, f"the .ui file binds {name}, which is no parameter"
        updates.append(_bind(self, name, widget))

    def refresh(*_: Any) -> None:
        for update in updates:
            update()

    refresh()
    observer = self.parameterNode.AddObserver("ModifiedEvent", refresh)
    self._bindings[tag] = observer
    return tag


def _bind(self: Any, name: str, widget: Any) -> Callable[[], None]:
    if widget.kind == "qMRMLNodeComboBox":
        widget.connect("currentNodeChanged()", lambda node: setattr(self, name, node))
        return lambda: widget.setCurrentNode(getattr(self, name))
    attribute, kind, signal = {
        "ctkSliderWidget": ("value", float, "valueChanged"),
        "QSpinBox": ("value", int, "valueChanged"),
        "QCheckBox": ("checked", bool, "toggled"),
    }[widget.kind]
    widget.connect(f"{signal}()", lambda *_: setattr(self, name, kind(getattr(widget, attribute))))
    return lambda: setattr(widget, attribute, getattr(self, name))


def _disconnect_gui(self: Any, tag: int) -> None:
    self.parameterNode.RemoveObserver(self._bindings.pop(tag))


class ScriptedLoadableModule:
    def __init__(self, parent: Any) -> None:
        self.parent = parent


class ScriptedLoadableModuleWidget:
    def __init__(self, parent: Any = None) -> None:
        self.parent = parent or SimpleNamespace(isEntered=True)
        self.layout = SimpleNamespace(addWidget=lambda widget: None)

    def setup(self) -> None:
        pass

    def onReload(self) -> None:
        """Slicer runs the module's file again, then closes this widget."""
        import_module_file()
        self.cleanup()  # type: ignore[attr-defined]

    def resourcePath(self, name: str) -> str:
        return str(MODULE_FILE.parent / "Resources" / name)


class ScriptedLoadableModuleLogic:
    def __init__(self, parent: Any = None) -> None:
        self.moduleName = "SUREUncertainty"

    def getParameterNode(self) -> Any:
        scene = slicer.mrmlScene
        node = scene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        if node is None:
            node = scene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
            node.UnRegister(None)
            node.SetSingletonTag(self.moduleName)
            node.SetModuleName(self.moduleName)
            node = scene.AddNode(node)
        return node


class ScriptedLoadableModuleTest:
    def delayDisplay(self, text: str) -> None:
        pass


def module(name: str, **members: Any) -> ModuleType:
    """A module that holds ``members``."""
    made = ModuleType(name)
    made.__dict__.update(members)
    return made


def look_up(context: str, text: str) -> str:
    """Slicer's ``translate`` without a language: what it is asked for must be among what translators get to see."""
    assert (context, text) in marked_texts(), f"no translator can find '{text}' in {context}"
    return str(text)


def stub_modules() -> dict[str, ModuleType]:
    """What the desktop has and slicer-core lacks."""
    samples: list[dict[str, Any]] = []

    def register(**fields: Any) -> None:
        assert isinstance(fields["uris"], str), "Sample Data counts the files, also of what a function brings"
        samples.append(fields)

    logic = type("SampleDataLogic", (), {"registerCustomSampleDataSource": staticmethod(register)})
    wrapper = module(
        "slicer.parameterNodeWrapper",
        parameterNodeWrapper=parameter_node_wrapper,
        WithinRange=WithinRange,
        Choice=Choice,
    )
    loadable = {
        kind.__name__: kind
        for kind in (
            ScriptedLoadableModule,
            ScriptedLoadableModuleWidget,
            ScriptedLoadableModuleLogic,
            ScriptedLoadableModuleTest,
        )
    }
    return {
        "slicer.ScriptedLoadableModule": module("slicer.ScriptedLoadableModule", **loadable),
        "slicer.i18n": module("slicer.i18n", tr=str, translate=look_up),
        "slicer.parameterNodeWrapper": wrapper,
        "SampleData": module("SampleData", SampleDataLogic=logic, samples=samples),
    }


class FakeApplication:
    """slicer.app of a 5.12."""

    majorVersion, minorVersion, applicationVersion = 5, 12, "5.12.3"

    def __init__(self, folder: Path) -> None:
        self.temporaryPath = str(folder)
        self.startup: list[Callable[[], None]] = []

    def connect(self, signal: str, slot: Callable[[], None]) -> None:
        assert signal == "startupCompleted()"
        self.startup.append(slot)


@contextmanager
def desktop_slicer(folder: Path) -> Iterator[SimpleNamespace]:
    """A scene, the stubs in place and the module imported: ``.module``, ``.desktop``, ``.headless``, ``.samples``.

    The panel's desktop is a ``FakeDesktop``; the library's own ``ui.desktop``, which imports Qt, is not imported.
    """
    modules, desktop = stub_modules(), FakeDesktop()
    library_desktop = module("SUREUncertaintyLib.ui.desktop", SlicerDesktop=lambda: desktop)
    root = SimpleNamespace(setMRMLScene=lambda scene: None)
    util = {"loadUI": lambda path: _existing(path, root), "childWidgetVariables": lambda widget: FakeUi()}
    earlier = {name: sys.modules.get(name) for name in (*modules, "SUREUncertainty")}
    library = {name: loaded for name, loaded in sys.modules.items() if name.split(".")[0] == "SUREUncertaintyLib"}
    with HeadlessScene() as headless:
        sys.modules.update(modules)
        for name, loaded in modules.items():
            if name.startswith("slicer."):
                setattr(slicer, name.removeprefix("slicer."), loaded)
        slicer.app = FakeApplication(folder)
        for name, value in util.items():
            setattr(slicer.util, name, value)
        try:
            made = import_module_file()
            sys.modules["SUREUncertaintyLib.ui.desktop"] = library_desktop
            yield SimpleNamespace(
                module=made, desktop=desktop, headless=headless, samples=modules["SampleData"].samples, app=slicer.app
            )
        finally:
            for name in [name for name in sys.modules if name.split(".")[0] == "SUREUncertaintyLib"]:
                del sys.modules[name]
            sys.modules.update(library)
            for name, loaded in earlier.items():
                if loaded is None:
                    sys.modules.pop(name, None)
                else:
                    sys.modules[name] = loaded
            del slicer.app


def import_module_file() -> Any:
    """Run SUREUncertainty.py as Slicer does."""
    spec = importlib.util.spec_from_file_location("SUREUncertainty", MODULE_FILE)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["SUREUncertainty"] = made
    spec.loader.exec_module(made)
    return made


def _existing(path: str, widget: Any) -> Any:
    assert Path(path).is_file(), path
    return widget
