"""Stand-ins for Slicer's widgets: only members that the real class has, with just enough behaviour for panels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer_names import members_of, ui_properties, ui_widgets

DEFAULTS: dict[str, Any] = {
    "enabled": True,
    "visible": True,
    "text": "",
    "toolTip": "",
    "checked": False,
    "value": 0,
    "currentPath": "",
    "minimumValue": 0.0,
    "maximumValue": 1.0,
}
SIGNAL_OF = {"value": "valueChanged", "checked": "toggled"}


class FakeWidget:
    """One widget; reading or setting a name that the real class lacks is an error."""

    def __init__(self, kind: str, name: str) -> None:
        self.__dict__.update(kind=kind, names=members_of(kind), values={"objectName": name}, slots={}, blocked=False)

    def __getattr__(self, name: str) -> Any:
        if name not in self.names:
            raise AttributeError(f"{self.kind} has no member '{name}'")
        if name in self.values:
            return self.values[name]
        if name in DEFAULTS:
            return DEFAULTS[name]
        if name.startswith("set") and name[3:4].isupper():
            return lambda *values: self._store(name[3].lower() + name[4:], values)
        raise NotImplementedError(f"the stand-in of {self.kind} does not know '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.names:
            raise AttributeError(f"{self.kind} has no member '{name}'")
        self._store(name, (value,))

    def connect(self, signal: str, slot: Callable[..., Any]) -> None:
        """As PythonQt's."""
        base = signal.partition("(")[0]
        if base not in self.names:
            raise AttributeError(f"{self.kind} has no signal '{signal}'")
        self.slots.setdefault(base, []).append(slot)

    def blockSignals(self, block: bool) -> bool:
        """As Qt's: gives what was before."""
        before = self.blocked
        self.__dict__["blocked"] = block
        return bool(before)

    def emit(self, signal: str, *values: Any) -> None:
        """For tests: what the user does."""
        if not self.blocked:
            for slot in self.slots.get(signal, []):
                slot(*values)

    def click(self) -> None:
        """For tests: press a button that can be pressed."""
        assert self.enabled, self.toolTip
        self.emit("clicked", False)

    def _store(self, name: str, values: tuple[Any, ...]) -> None:
        value = values[0] if len(values) == 1 else values
        before = self.values.get(name, DEFAULTS.get(name))
        self.values[name] = value
        if name in SIGNAL_OF and before != value:
            self.emit(SIGNAL_OF[name], value)


class FakeCombo(FakeWidget):
    """A combo box with texts and data."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(kind, name)
        self.__dict__["entries"] = []
        self.values["currentIndex"] = -1

    def addItem(self, text: str, data: Any = None) -> None:
        self.entries.append((text, data))
        if len(self.entries) == 1:
            self.setCurrentIndex(0)

    def clear(self) -> None:
        self.entries.clear()
        self.setCurrentIndex(-1)

    def findData(self, data: Any) -> int:
        return next((n for n, entry in enumerate(self.entries) if entry[1] == data), -1)

    def itemData(self, index: int) -> Any:
        return self.entries[index][1] if 0 <= index < len(self.entries) else None

    def setCurrentIndex(self, index: int) -> None:
        changed = index != self.values["currentIndex"]
        self.values["currentIndex"] = index
        if changed:
            self.emit("currentIndexChanged", index)


class FakeNodeCombo(FakeWidget):
    """A node selector."""

    def currentNode(self) -> Any:
        return self.values.get("node")

    def setCurrentNode(self, node: Any) -> None:
        changed = node is not self.values.get("node")
        self.values["node"] = node
        if changed:
            self.emit("currentNodeChanged", node)

    def addAttribute(self, kind: str, name: str) -> None:
        self.values["attribute"] = (kind, name)


class FakeRange(FakeWidget):
    """ctkRangeWidget."""

    def setValues(self, low: float, high: float) -> None:
        changed = (low, high) != (self.minimumValue, self.maximumValue)
        self.values.update(minimumValue=low, maximumValue=high)
        if changed:
            self.emit("valuesChanged", low, high)


KINDS = {"QComboBox": FakeCombo, "qMRMLNodeComboBox": FakeNodeCombo, "ctkRangeWidget": FakeRange}


class FakeUi:
    """What ``slicer.util.childWidgetVariables`` gives for the .ui file."""

    def __init__(self) -> None:
        for name, kind in ui_widgets().items():
            setattr(self, name, KINDS.get(kind, FakeWidget)(kind, name))

    def parameter_widgets(self) -> dict[str, FakeWidget]:
        """Parameter name to the widget that is bound to it."""
        bound = {name: values.get("SlicerParameterName") for name, values in ui_properties().items()}
        return {parameter: getattr(self, name) for name, parameter in bound.items() if parameter}
