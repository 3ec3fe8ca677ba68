"""What a trainer promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from tinysearch.architectures.resnet import resnet_branch
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.program import FrozenNetwork, Program, lower
from tinysearch.core.protocols import ProgressCallback, Trainer, TrainingProgress
from tinysearch.firmware.integer_network import run
from tinysearch.firmware.packing import pack
from tinysearch.testing.laws import (
    CHANNELS,
    EMBEDDING,
    SIZE,
    WIDTH,
    SmallDataset,
    Suite,
    law,
    same_after_pickling,
    small_network,
)


class TrainerConformance(Suite):
    """``plugin(seed=..)`` makes a trainer. Settings that make it quick are bound with ``functools.partial``.

    Attributes:
        precisions: that it trains.
        exact: whether equal seeds give equal bytes, also after an interruption; only a trainer whose hardware does not
            allow it says no.
    """

    precisions: ClassVar[tuple[str, ...]] = ("float32", "int8", "xnor2/1")
    exact: ClassVar[bool] = True

    def _branch(self, precision: str, modality: str = "face") -> BranchSpec:
        return resnet_branch(
            modality,
            blocks=(1, 1),
            precision=precision,
            width=WIDTH,
            input_size=SIZE,
            channels=CHANNELS,
            embedding=EMBEDDING,
        )

    def _fit(
        self, trainer: Trainer, workspace: Path, *, precision: str, progress: ProgressCallback = lambda _: None
    ) -> FrozenNetwork:
        workspace.mkdir(parents=True, exist_ok=True)
        return trainer.fit(
            self._branch(precision), small_network(), SmallDataset(), workspace=workspace, progress=progress
        )

    def test_is_a_trainer(self, plugin: Any) -> None:
        trainer = plugin(seed=0)
        law(isinstance(trainer, Trainer), "a trainer has digest and fit", type(trainer))
        law(isinstance(trainer.digest, str) and trainer.digest, "a digest is a text, not empty", trainer.digest)

    def test_digest_is_that_of_the_settings(self, plugin: Any) -> None:
        first, again, other = plugin(seed=0), plugin(seed=0), plugin(seed=1)
        law(first.digest == again.digest, "equal settings have equal digests", (first.digest, again.digest))
        law(first.digest != other.digest, "whatever changes a result changes the digest, the seed too", first.digest)

    def test_can_go_to_another_process(self, plugin: Any) -> None:
        trainer = plugin(seed=0)
        law(
            same_after_pickling(trainer, "a trainer").digest == trainer.digest,
            "a trainer has the same digest in another process",
        )

    def test_freezes_what_it_was_asked_for(self, plugin: Any, tmp_path: Path) -> None:
        for precision in self.precisions:
            frozen = self._fit(plugin(seed=0), tmp_path, precision=precision)
            law(isinstance(frozen, FrozenNetwork), "fit returns a FrozenNetwork", type(frozen))
            law(frozen.trained, "what was trained says so: FrozenNetwork(trained=True)", precision)
            law(
                frozen.program.network == small_network() and str(frozen.program.precision) == precision,
                "the frozen network is the network asked for, in the precision asked for",
                (frozen.program.network.name, str(frozen.program.precision)),
            )
            _check_parameters(frozen)

    def test_the_oracle_runs_it(self, plugin: Any, tmp_path: Path) -> None:
        samples = SmallDataset().load("face", "test", input_size=SIZE, channels=CHANNELS)
        for precision in self.precisions:
            embeddings = run(self._fit(plugin(seed=0), tmp_path, precision=precision), samples.inputs)
            kind = np.float32 if precision == "float32" else np.int8
            law(embeddings.dtype == kind, f"embeddings of {precision} are {kind.__name__}", embeddings.dtype)
            law(
                embeddings.shape == (len(samples.inputs), EMBEDDING),
                "there is one embedding a sample",
                embeddings.shape,
            )
            law(np.isfinite(embeddings).all(), "embeddings are finite", precision)
            law((embeddings != embeddings[0]).any(), "embeddings follow the input; all samples got the same", precision)

    def test_equal_seeds_give_equal_networks(self, plugin: Any, tmp_path: Path) -> None:
        if not self.exact:
            pytest.skip("the trainer says that it is not exact")
        for precision in self.precisions:
            first = self._fit(plugin(seed=3), tmp_path / "a", precision=precision)
            again = self._fit(plugin(seed=3), tmp_path / "b", precision=precision)
            law(_same(first, again), "equal seeds and settings give equal parameters", precision)

    def test_progress_is_told(self, plugin: Any, tmp_path: Path) -> None:
        ticks: list[TrainingProgress] = []
        precision = self.precisions[-1]
        self._fit(plugin(seed=0), tmp_path, precision=precision, progress=ticks.append)
        law(ticks, "progress is called at least once an epoch", "no call")
        fractions = [tick.fraction for tick in ticks]
        law(all(0 <= f <= 1 for f in fractions), "a fraction done lies in [0, 1]", fractions)
        law(fractions == sorted(fractions), "the fraction done never falls", fractions)
        law(all(tick.branch == self._branch(precision) for tick in ticks), "progress names the branch that is trained")
        errors = [tick.eer_validation for tick in ticks if tick.eer_validation is not None]
        law(all(0 <= e <= 1 for e in errors), "an error is a fraction, not a percentage", errors)

    def test_stops_when_progress_says_so_and_goes_on_later(self, plugin: Any, tmp_path: Path) -> None:
        def interrupt(_: TrainingProgress) -> None:
            raise KeyboardInterrupt

        precision = self.precisions[-1]
        try:
            self._fit(plugin(seed=0), tmp_path / "a", precision=precision, progress=interrupt)
        except KeyboardInterrupt:
            pass
        else:
            raise AssertionError("KeyboardInterrupt out of progress must end a training; it was swallowed")
        later = self._fit(plugin(seed=0), tmp_path / "a", precision=precision)
        if self.exact:
            whole = self._fit(plugin(seed=0), tmp_path / "b", precision=precision)
            law(_same(later, whole), "a training that was stopped and goes on ends like an undisturbed one")

    def test_a_shared_workspace_changes_no_result(self, plugin: Any, tmp_path: Path) -> None:
        if not self.exact:
            pytest.skip("the trainer says that it is not exact")
        for precision in self.precisions[:-1]:
            self._fit(plugin(seed=0), tmp_path / "shared", precision=precision)
        last = self.precisions[-1]
        after = self._fit(plugin(seed=0), tmp_path / "shared", precision=last)
        alone = self._fit(plugin(seed=0), tmp_path / "alone", precision=last)
        law(_same(after, alone), "what other branches left in the workspace changes no result", last)
        other = self._fit(plugin(seed=1), tmp_path / "shared", precision=last)
        fresh = self._fit(plugin(seed=1), tmp_path / "fresh", precision=last)
        law(_same(other, fresh), "the workspace keeps the stages of different settings apart", last)

    def test_files_appear_whole(self, plugin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What the workspace holds afterwards got its name by a rename: another process never reads half a file."""
        renamed: set[str] = set()
        _watch_renames(renamed, monkeypatch)
        self._fit(plugin(seed=0), tmp_path, precision=self.precisions[-1])
        files = (path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock")
        left = {str(path) for path in files if path.stat().st_size}
        law(
            left <= renamed,
            "files in the workspace are written under another name and renamed into place",
            sorted(Path(name).name for name in left - renamed),
        )


def _watch_renames(renamed: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in ("replace", "rename"):
        original = getattr(os, name)

        def watched(source: Any, target: Any, *args: Any, _original: Any = original, **kwargs: Any) -> Any:
            renamed.add(str(target))
            return _original(source, target, *args, **kwargs)

        monkeypatch.setattr(os, name, watched)


def _same(left: FrozenNetwork, right: FrozenNetwork) -> bool:
    return left.parameters.keys() == right.parameters.keys() and all(
        arrays.keys() == right.parameters[step].keys()
        and all(np.array_equal(array, right.parameters[step][key]) for key, array in arrays.items())
        for step, arrays in left.parameters.items()
    )


def _check_parameters(frozen: FrozenNetwork) -> None:
    """Steps, types and ranges of parameters are those that FrozenNetwork documents and kernels of C take."""
    program: Program = frozen.program
    names = [step.name for step in lower(program.network, program.precision).steps]
    law([step.name for step in program.steps] == names, "the program is that of tinysearch.core.program.lower")
    for step in program.steps:
        arrays = frozen.parameters.get(step.name, {})
        if step.has_weights:
            law("weights" in arrays, "every step with weights has them", step.name)
            weights, shape = arrays["weights"], program.weight_shape(step)
            law(weights.shape == shape, f"weights of {step.name} have the shape of the step", weights.shape)
            kind = "float32" if program.precision.kind == "float32" else "int8"
            law(weights.dtype.name == kind, f"weights of {step.name} are {kind}", weights.dtype)
        for key, array in arrays.items():
            law(np.isfinite(array).all(), "parameters are finite", f"{step.name}.{key}")
        try:
            pack(frozen, step)
        except (UserError, KeyError) as error:
            raise AssertionError(f"a kernel of C must take the parameters of every step; found {error}") from error
    for name, zero in frozen.zero_points.items():
        law(-128 <= zero <= 127, "zero points are int8", (name, zero))
