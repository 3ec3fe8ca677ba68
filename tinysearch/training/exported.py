"""Networks of torch as lists of ONNX's operators: modules, exported programs, and ``.pt2`` files of these.

A file is opened with ``torch.export.load`` under two rules of ours: tensors only, no pickled objects; and no
expressions but those of shapes.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.export import ExportedProgram

from tinysearch.core.errors import UserError
from tinysearch.networks.file import MOST_BYTES
from tinysearch.networks.graph import Rounding
from tinysearch.networks.real.nodes import Array, RealInput, RealNetwork, RealNode, check_nodes
from tinysearch.training.aten import translation_of
from tinysearch.training.translation import AliasOf, Translation

OPSET = 18
"""Of ONNX, whose operators the nodes are named by."""

_FORCE = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
_EXPRESSION = re.compile(r"[A-Za-z0-9_+\-*/(), ]*")
_MOST_JSON = 64 << 20


def read_exported(path: Path) -> RealNetwork:
    """Read a ``.pt2`` file that ``torch.export.save`` wrote.

    Raises:
        UserError: it is damaged, or holds objects or expressions that are no part of a network.
    """
    _check_archive(path)
    try:
        with _tensors_only(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.load(str(path))
    except Exception as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from None
    return network_of_program(program, name=path.stem)


def _damaged(path: Path, why: str) -> UserError:
    return UserError(
        "a .pt2 file must be one that torch.export.save wrote, of tensors alone",
        value=f"{path}: {why}",
        remedy="export and save it again",
    )


def _check_archive(path: Path) -> None:
    """Sizes, and texts that the library would evaluate."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > 2 * MOST_BYTES:
                raise _damaged(path, f"more than {2 * MOST_BYTES >> 20} MiB")
            for entry in archive.infolist():
                if entry.filename.endswith(".json") and entry.file_size <= _MOST_JSON:
                    _check_expressions(path, json.loads(archive.read(entry)))
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, RecursionError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from None


def _check_expressions(path: Path, document: Any) -> None:
    entries = [document]
    while entries:
        found = entries.pop()
        if isinstance(found, list):
            entries += found
        elif isinstance(found, dict):
            text = found.get("expr_str")
            if isinstance(text, str) and ("__" in text or not _EXPRESSION.fullmatch(text)):
                raise _damaged(path, "an expression that is no shape")
            entries += found.values()


@contextmanager
def _tensors_only() -> Iterator[None]:
    """No pickled objects, whatever the library asks for."""
    before = os.environ.get(_FORCE)
    os.environ[_FORCE] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_FORCE]
        else:
            os.environ[_FORCE] = before


def network_of(network: object, example: Sequence[Array] | None) -> RealNetwork:
    """The operators of a module or an exported program.

    Args:
        example: an array [N, ..] for every input, which a module needs.

    Raises:
        UserError: it is neither, or cannot be exported.
    """
    if isinstance(network, ExportedProgram):
        return network_of_program(network, name="program")
    if not isinstance(network, torch.nn.Module):
        raise UserError(
            "network must be a path, a torch.nn.Module or an ExportedProgram",
            value=type(network).__name__,
            remedy="give network=PATH, or the module itself",
        )
    if example is None:
        raise UserError(
            "a module must come with an example of its input", value="no example_input", remedy="add example_input=x"
        )
    tensors = [torch.from_numpy(np.ascontiguousarray(values)) for values in example]
    return network_of_module(network, tensors, name=type(network).__name__)


def network_of_module(module: torch.nn.Module, example: Sequence[torch.Tensor], *, name: str) -> RealNetwork:
    """Export a module for inference with a batch of 1; the module stays as it was.

    Args:
        example: a tensor [N, ..] for every input.

    Raises:
        UserError: torch cannot export it.
    """
    modes = {part: part.training for part in module.modules()}
    with contextlib.suppress(NotImplementedError):  # exported modules, as PT2E's, have one mode and refuse
        module.eval()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.export.export(module, tuple(values[:1] for values in example))
    except Exception as error:
        raise UserError(
            "network must be a module that torch.export.export can export for one sample",
            value=f"{type(module).__name__}: {type(error).__name__}: {str(error).strip().splitlines()[:1]}",
            remedy="try torch.export.export(module, (example,)), whose message says more",
        ) from None
    finally:
        for part, mode in modes.items():
            part.training = mode
    return network_of_program(program, name=name)


def network_of_program(program: ExportedProgram, *, name: str) -> RealNetwork:
    """The operators of an exported program, decomposed to torch's core.

    Raises:
        UserError: a program that torch cannot decompose.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = program.run_decompositions(_decompositions())
    except Exception as error:
        raise UserError(
            "an exported program must be one that torch can decompose",
            value=f"{name}: {type(error).__name__}: {str(error).strip().splitlines()[:1]}",
            remedy="export it again with this version of torch",
        ) from None
    return _Reading(program, name).network()


_WHOLE = ("upsample_", "lstm", "prelu")
"""Operators that have kernels, by the start of their names, which torch would take apart."""


def _decompositions() -> Any:
    """Torch's own, without those of operators that are known as they are."""
    found = torch.export.default_decompositions()
    for operator in [op for op in found if str(getattr(op, "name", str)()).removeprefix("aten::").startswith(_WHOLE)]:
        del found[operator]
    return found


class _Reading:
    """One pass over one program."""

    def __init__(self, program: ExportedProgram, name: str) -> None:
        self._program = program
        self._name = name
        self._constants: dict[str, Array] = {}
        self._nodes: list[RealNode] = []
        self._alias: dict[str, str] = {}

    def network(self) -> RealNetwork:
        graph = self._program.graph
        check_nodes(len(graph.nodes))
        stored = self._stored()
        inputs, outputs = [], []
        for node in graph.nodes:
            if node.op == "placeholder":
                if node.name in stored:
                    self._constants[node.name] = stored[node.name]
                else:
                    inputs.append(_input(node))
            elif node.op == "call_function":
                self._take(node)
            elif node.op == "output":
                outputs = [self._alias.get(entry.name, entry.name) for entry in node.args[0] if entry is not None]
        return RealNetwork(
            name=self._name,
            opset=OPSET,
            nodes=tuple(self._nodes),
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            constants=self._constants,
            rounding=Rounding.TORCH,
        )

    def _stored(self) -> dict[str, Array]:
        """Parameters, buffers and constants by the name of their placeholder."""
        found: dict[str, Array] = {}
        for entry in self._program.graph_signature.input_specs:
            if entry.target is None:
                continue
            values = self._program.state_dict.get(entry.target)
            if values is None:
                values = self._program.constants.get(entry.target)
            if isinstance(values, torch.Tensor):
                found[entry.arg.name] = values.detach().cpu().numpy()
        return found

    def _take(self, node: torch.fx.Node) -> None:
        translation = Translation(node=node, name_of=self._name_of, constant=self._constant)
        found = translation_of(translation)
        if isinstance(found, AliasOf):
            self._alias[node.name] = found.name
        else:
            self._nodes += found

    def _name_of(self, node: torch.fx.Node) -> str:
        return self._alias.get(node.name, node.name)

    def _constant(self, values: Any) -> str:
        name = f"constant {len(self._constants)}"
        self._constants[name] = np.asarray(values)
        return name


def _input(node: torch.fx.Node) -> RealInput:
    value = node.meta.get("val")
    if not isinstance(value, torch.Tensor) or not value.is_floating_point():
        raise UserError(
            "inputs of a network must be float tensors", value=node.name[:60], remedy="export it with float tensors"
        )
    shape = tuple(side if isinstance(side, int) else None for side in value.shape)
    return RealInput(name=node.name, shape=shape)
