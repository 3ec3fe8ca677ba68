"""``network=FILE task=NAME``: the application of a task around a network of one's own, with its sensor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tinysearch.analytic.latency import LatencyTable
from tinysearch.app.building.wiring import Config, build_catalog, build_latency, model_settings
from tinysearch.app.config.resources import data_dir
from tinysearch.app.config.tasks import task_of
from tinysearch.app.run.emit_settings import EmitSettings
from tinysearch.catalog.catalog import Catalog
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.platform import BoardOption
from tinysearch.distribution import installed_version
from tinysearch.evaluation.boards import PlatformWish
from tinysearch.evaluation.own_network import NetworkPoint, best_of
from tinysearch.evaluation.own_profile import OwnNetwork
from tinysearch.evaluation.own_task import OwnTaskModels, one_input, own_branch, own_classifier
from tinysearch.firmware.networks.branch import own_branch_source
from tinysearch.firmware.networks.source import NetworkSource
from tinysearch.firmware.project import emit
from tinysearch.inputs.microphone import Microphone


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnApplication:
    """A task with a network for its one input.

    Attributes:
        emission: how firmware is written.
        branch: the network as that input's branch.
        executions: of the network, from which every board takes the one that it runs fastest.
    """

    config: Config
    emission: EmitSettings
    models: OwnTaskModels
    branch: BranchSpec
    executions: tuple[OwnNetwork, ...]

    def points(self, wish: PlatformWish) -> list[NetworkPoint]:
        """The application on every board as wished that has the sensor, the cheapest first.

        Raises:
            UserError: an unknown processor, or no such board.
        """
        if wish.processor is not None:
            self.models.catalog.chip(wish.processor)
        options = self.models.options((self.branch,), wish)
        if not options:
            raise UserError(
                f"platform must be one that the catalogue sells with {self.models.task.inputs[0].kind.wanted}",
                value=", ".join(f"{key}={value}" for key, value in self.config["platform"].items() if value),
                remedy="see python -m tinysearch catalog list",
            )
        return [self._point(option) for option in options]

    def _point(self, option: BoardOption) -> NetworkPoint:
        return best_of([self._executed(replace(self.models, network=network), option) for network in self.executions])

    def _executed(self, models: OwnTaskModels, option: BoardOption) -> NetworkPoint:
        """With the chip's vector unit, unless the board is too small for its constants."""
        found = self._point_by(models, option)
        if found.feasible or found.accelerated is None:
            return found
        portable = self._point_by(replace(models, network=replace(models.network, accelerated={})), option)
        return portable if portable.feasible else found

    def _point_by(self, models: OwnTaskModels, option: BoardOption) -> NetworkPoint:
        branch = self.branch
        evaluation = models.evaluate((branch,), option)
        needed = models.require((branch,), option.processor)
        slow = not needed.placed[0]
        return NetworkPoint(
            id=evaluation.candidate.id,
            network=models.network,
            option=option,
            flash=needed.flash,
            ram_bytes=evaluation.ram_bytes,
            arena_in_psram=slow,
            latency=models.branch_latency(branch, processor=option.processor, arena_in_psram=slow),
            energy_mj=evaluation.energy_mj or 0.0,
            bom=evaluation.bom,
            order=evaluation.order,
            violations=evaluation.violations,
            evaluation=evaluation,
            accelerated=models.unit(branch, option.processor),
        )

    def emit(self, point: NetworkPoint, source: NetworkSource, out: Path, *, digest: str) -> Path:
        """Write the project of one point.

        Raises:
            UserError: too little flash, or a folder that is not a project of ours.
        """
        if point.evaluation is None:
            raise ValueError(f"{point.id} has no application")
        task, branch, emission = self.models.task, self.branch, self.emission
        if point.accelerated is not None:
            source = source.accelerate(point.accelerated)
        classifies = task.decision == "classification"
        count, heard = branch.architecture.embedding, isinstance(task.inputs[0].kind, Microphone)
        return emit(
            point.evaluation,
            {branch.modality: own_branch_source(branch.modality, source, branch.shape)},
            chip=self.models.catalog.chip(point.option.processor),
            task=task,
            out=out,
            templates=data_dir("firmware_templates"),
            version=installed_version(),
            digest=digest,
            board=point.option,
            sound=emission.audio.settings(branch.input_size) if heard else None,
            decider=own_classifier(self.models.network, branch.modality, count=count, stream=task.stream)
            if classifies
            else None,
            bmi270_config=emission.bmi270_config,
        )


def own_application(
    config: Config, executions: tuple[OwnNetwork, ...], *, emission: EmitSettings, digest: str
) -> OwnApplication:
    """The application of the configuration's task.

    Raises:
        UserError: a task that one network does not serve, or a network that does not fit its input.
    """
    network = executions[0]
    branch = own_branch(one_input(task_of(config)), network.lowered.graph, name=network.name, digest=digest)
    table = own_latency(config, build_catalog(config))
    models = OwnTaskModels(**model_settings(config), network=network, table=table)
    return OwnApplication(config=config, emission=emission, models=models, branch=branch, executions=executions)


def own_latency(config: Config, catalog: Catalog) -> LatencyTable:
    """The latency table for networks of one's own.

    Raises:
        UserError: another model is configured.
    """
    latency = build_latency(config, catalog)
    if not isinstance(latency, LatencyTable):
        raise UserError(
            "the latency of a network of one's own must come from a table",
            value=f"latency.model={config['latency']['model']}",
            remedy="leave latency.model out",
        )
    return latency
