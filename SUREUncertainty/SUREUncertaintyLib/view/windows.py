"""Which browser windows are open. The first one leads: its size is that of the pictures; the others mirror it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wslink.websocket import LinkProtocol

from .access_guard import Guard


class Windows(LinkProtocol):  # type: ignore[misc]
    """Follows connections; a link protocol of wslink, which calls ``onConnect``, ``validateToken`` and ``onClose``.

    Args:
        changed: called when a window came, went or took the lead.
    """

    def __init__(self, guard: Guard, changed: Callable[[], None]) -> None:
        super().__init__()
        self._guard, self._changed = guard, changed
        self._names: dict[str, str] = {}
        self._sizes: dict[str, dict[str, Any]] = {}
        self._adapters: dict[str, Any] = {}
        self._resize: dict[str, Callable[[Any, Any], None]] = {}
        self.current: Callable[[], str] = str
        """Gives the connection whose message is being handled."""

    @property
    def names(self) -> list[str]:
        """The windows' own names, in the order they came; the first one leads."""
        return [name for name in self._names.values() if name]

    async def validateToken(self, token: object, connection: str) -> bool:
        """Whether the window may come in."""
        if not self._guard.holds(token):
            return False
        self._names[connection] = ""
        return True

    def onClose(self, connection: str) -> None:
        """A window is gone; the next one leads."""
        was_leading = self._is_leading(connection)
        self._names.pop(connection, None)
        self._sizes.pop(connection, None)
        if was_leading:
            self._apply_sizes()
        self._changed()

    def greet(self, name: str) -> None:
        """The window whose message this is says its name."""
        connection = self.current()
        if connection in self._names:
            self._names[connection] = name[:40]
            self._changed()

    def lead(self) -> None:
        """The window whose message this is takes the lead."""
        connection = self.current()
        if connection in self._names:
            name = self._names.pop(connection)
            self._names = {connection: name, **self._names}
            self._apply_sizes()
            self._changed()

    def follow(self, adapters: dict[str, Any]) -> None:
        """Let only the leading window set the size of the pictures, and only it move them with the mouse."""
        self._adapters = adapters
        for name, adapter in adapters.items():
            self._resize[name] = adapter.update_size
            adapter.update_size = self._resizer(name)
            adapter.on_interaction = self._only_leading(adapter.on_interaction)

    def _resizer(self, view: str) -> Callable[[Any, Any], None]:
        def resize(origin: Any, size: Any) -> None:
            connection = self.current()
            self._sizes.setdefault(connection, {})[view] = size
            if self._is_leading(connection):
                self._resize[view](origin, size)
            else:
                self._adapters[view].schedule_render()  # a new window wants a picture all the same

        return resize

    def _only_leading(self, act: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
        return lambda origin, event: act(origin, event) if self._is_leading(self.current()) else None

    def _apply_sizes(self) -> None:
        leading = next(iter(self._names), "")
        for view, size in self._sizes.get(leading, {}).items():
            self._resize[view]("window", size)

    def _is_leading(self, connection: str) -> bool:
        return next(iter(self._names), connection) == connection
