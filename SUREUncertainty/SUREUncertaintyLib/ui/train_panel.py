"""Train your own: scans with labels, a recipe, a name; then curves while it runs, and a model in the list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..core.errors import SureError
from ..mrml.curves import CurveNodes
from ..mrml.training_pairs import scene_pairs, write_scene_pairs
from ..packages.catalogue import user_folder
from ..presenters import texts
from ..presenters.remaining_time import remaining_text
from ..presenters.train_controller import TrainController, TrainRequest
from ..presenters.worker_bridge import WorkerBridge
from ..training.own_cases import find_pairs, package_name
from ..training.recipe import load_recipe
from ..worker.failures import Failure
from .context import PanelContext, chosen, fill_combo, tell
from .work_button import WorkButton

FOLDER, SCENE = "folder", "scene"
OWN_RECIPE = "file"
SHOWN = 5
"""Names that are listed; the count says how many there are."""


class TrainPanel:
    """A ``TrainView`` with its own controller.

    Args:
        require: has what training needs installed, and raises ``SureError`` when it is not.
        trained: called with the name of a model that has come.
        report: called with a failure that deserves a message.
    """

    def __init__(
        self,
        context: PanelContext,
        bridge: WorkerBridge,
        require: Callable[[], None],
        trained: Callable[[str], None],
        report: Callable[[Failure], None],
    ) -> None:
        self._context, self.ui = context, context.ui
        self.controller = TrainController(bridge, context.scene, self)
        self._button = WorkButton(context, self.ui.trainButton, self.ui.trainProgressBar, self.ui.trainLabel)
        self._require, self._trained, self._report = require, trained, report

    def connect(self) -> None:
        """Fill the lists and listen to the widgets."""
        say = self._context.translate
        fill_combo(self.ui.trainSourceSelector, {key: say(text) for key, text in texts.TRAIN_SOURCES.items()}, FOLDER)
        fill_combo(self.ui.trainRecipeSelector, {key: say(text) for key, text in texts.TRAIN_RECIPES.items()}, "quick")
        self.ui.trainCollapsibleButton.connect("contentsCollapsed(bool)", self.update)
        for combo in (self.ui.trainSourceSelector, self.ui.trainRecipeSelector):
            combo.connect("currentIndexChanged(int)", self.update)
        for path in (self.ui.trainFolder, self.ui.trainRecipeFile):
            path.connect("currentPathChanged(QString)", self.update)
        self.ui.trainNameEdit.connect("textChanged(QString)", self.update)
        self._button.connect(self.controller, self._prepare, self.update)
        self.update()

    def update(self, *_: Any) -> None:
        """Say what was found and whether a training can begin."""
        from_folder, own = self._is_from_folder(), chosen(self.ui.trainRecipeSelector) == OWN_RECIPE
        self.ui.trainFolder.enabled = from_folder or own
        self.ui.trainRecipeFile.setVisible(own)
        self.ui.recipeFileLabel.setVisible(own)
        found, obstacle = self._look()
        tell(self.ui.trainFoundLabel, found)
        begin = texts.GO_ON_TRAINING if not obstacle and self._has_begun() else texts.TRAIN
        self._button.update(self.controller.is_running, obstacle, texts.TRAIN_TOOLTIP, begin)

    def show_training(self, fraction: float, text: str, elapsed: float) -> None:
        """For ``TrainController``."""
        rest = remaining_text(fraction, elapsed, self._context.translate)
        self._button.show(fraction, f"{text} - {rest}" if rest else text)

    def show_curves(self, nodes: CurveNodes) -> None:
        """For ``TrainController``."""
        self._context.desktop.show_charts([nodes.chart])

    def show_trained(self, answer: Mapping[str, Any]) -> None:
        """For ``TrainController``."""
        self._end(self._context.translate(texts.TRAINED).format(model=answer["model"]))
        self._trained(str(answer["model"]))

    def show_training_failure(self, why: Failure) -> None:
        """For ``TrainController``."""
        self._end(self._context.translate(texts.TRAINING_KEPT) if why.kind == "cancelled" else why.text)
        self._report(why)

    def _end(self, text: str) -> None:
        self._button.end(text)
        self.update()

    def _prepare(self) -> Callable[[], None]:
        self._require()
        return partial(self.controller.start, self._request())

    def _request(self) -> TrainRequest:
        output, profile = self._output(), chosen(self.ui.trainRecipeSelector)
        if profile == OWN_RECIPE:
            return TrainRequest(
                self._folder(), self._name(), "", output, Path(str(self.ui.trainRecipeFile.currentPath))
            )
        folder = self._folder()
        if not self._is_from_folder():
            folder = output.parent / f"{output.name}-scans"
            if not self._has_begun():
                write_scene_pairs(scene_pairs(self._context.scene()), folder)
        return TrainRequest(folder, self._name(), profile, output)

    def _look(self) -> tuple[str, str]:
        """What was found, and why training cannot begin now (empty when it can), in the user's language."""
        say = self._context.translate
        try:
            self._name()
            names = self._names()
        except SureError as error:
            return str(error), str(error)
        if names is None:
            return "", say(texts.NEEDS_RECIPE)
        if not names:
            return "", say(texts.NEEDS_PAIRS)
        obstacle = self._lacks_start()
        if obstacle:
            return obstacle, obstacle
        shown = ", ".join(names[:SHOWN]) + (" ..." if len(names) > SHOWN else "")
        return say(texts.FOUND_PAIRS).format(count=len(names), names=shown), ""

    def _names(self) -> list[str] | None:
        """Names of the pairs to train on; None where a recipe of the user's is still to be chosen."""
        has_folder = bool(str(self.ui.trainFolder.currentPath))
        if chosen(self.ui.trainRecipeSelector) == OWN_RECIPE:
            return [self._folder().name] if has_folder and str(self.ui.trainRecipeFile.currentPath) else None
        if self._is_from_folder():
            return [pair.id for pair in find_pairs(self._folder())] if has_folder else []
        scene = self._context.scene()
        return [] if scene is None else [pair.name for pair in scene_pairs(scene)]

    def _lacks_start(self) -> str:
        """Why the user's recipe cannot run from here; empty when it can, or when only the worker can read it."""
        path = Path(str(self.ui.trainRecipeFile.currentPath))
        if chosen(self.ui.trainRecipeSelector) != OWN_RECIPE or not path.is_file():
            return ""
        try:
            recipe = load_recipe(path)
        except (SureError, ImportError, OSError):
            return ""
        before = recipe.loss.continues
        return self._context.translate(texts.NEEDS_START).format(before=before) if recipe.lacks_start() else ""

    def _is_from_folder(self) -> bool:
        return chosen(self.ui.trainSourceSelector) == FOLDER

    def _folder(self) -> Path:
        return Path(str(self.ui.trainFolder.currentPath))

    def _name(self) -> str:
        return package_name(str(self.ui.trainNameEdit.text) or texts.OWN_NAME)

    def _output(self) -> Path:
        return user_folder().parent / "trainings" / self._name()

    def _has_begun(self) -> bool:
        return (self._output() / "checkpoint").is_dir()
