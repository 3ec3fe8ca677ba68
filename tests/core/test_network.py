from __future__ import annotations

import pytest

from tinysearch.architectures.resnet import resnet
from tinysearch.core.errors import UserError
from tinysearch.core.network import INPUT, Addition, Convolution, NetworkSpec, Shape
from tinysearch.core.program import Element, Operator, lower
from tinysearch.core.quantization import Precision

PAPER = {
    (1, 1): (380864, 829.4),
    (2, 1): (454976, 1044.4),
    (1, 2): (676544, 1044.4),
    (2, 2): (750656, 1259.4),
    (2, 2, 2): (2917184, 1670.5),
    (2, 2, 2, 2): (11444544, 2081.6),
}


@pytest.mark.parametrize("blocks", PAPER)
def test_paper_layouts_have_the_papers_parameters_and_macs(blocks: tuple[int, ...]) -> None:
    network = resnet(blocks=blocks, width=64, input_size=224, channels=3, embedding=512)
    params, mmacs = PAPER[blocks]
    assert network.params == params
    assert network.macs / 1e6 == pytest.approx(mmacs, abs=0.05)
    assert network.embedding == 512


@pytest.mark.parametrize("bad", [{"blocks": []}, {"blocks": [0]}, {"width": 0}, {"input_size": 9}])
def test_impossible_layouts_are_refused(bad: dict) -> None:
    options = {"blocks": [1], "width": 4, "input_size": 24, "channels": 3, "embedding": 8} | bad
    with pytest.raises(UserError):
        resnet(**options)


def test_units_must_be_connected_and_match() -> None:
    shape = Shape(height=16, width=16, channels=3)
    with pytest.raises(UserError, match="must read"):
        NetworkSpec(name="n", input_shape=shape, units=(Convolution(name="a", input="b", out_channels=2, kernel=3),))
    halved = Convolution(name="a", input=INPUT, out_channels=3, kernel=3, stride=2, padding=1)
    with pytest.raises(UserError, match="one shape"):
        NetworkSpec(name="n", input_shape=shape, units=(halved, Addition(name="s", left="a", right=INPUT)))


@pytest.mark.parametrize("precision", ["float32", "int8", "xnor2/1"])
@pytest.mark.parametrize("blocks", PAPER)
def test_lowering_keeps_shapes_and_folds_every_batch_norm_once(blocks: tuple[int, ...], precision: str) -> None:
    network = resnet(blocks=blocks, width=4, input_size=32, channels=3, embedding=8)
    program = lower(network, Precision.parse(precision))
    shapes = network.shapes()
    for unit in network.units:
        assert program.tensors[unit.name].shape == shapes[unit.name]
    folded = [name for step in program.steps for name in step.folded]
    normalized = [unit.name for unit in network.units if unit.batch_norm]
    assert set(folded) == set(normalized)
    additions = {unit.name for unit in network.units if isinstance(unit, Addition)}
    assert all(folded.count(name) == (2 if name in additions else 1) for name in normalized)
    written = [step.output for step in program.steps]
    assert len(set(written)) == len(written)


def test_stages_before_the_first_binary_one_are_int8() -> None:
    network = resnet(blocks=(1, 1), width=8, input_size=32, channels=3, embedding=16)
    bits = {
        name: {step.unit: step.weight_bits for step in lower(network, Precision.parse(name)).steps if step.weight_bits}
        for name in ("int8", "xnor2/1", "xnor2/1from1", "xnor2/1from2", "xnor2/1from3")
    }
    assert set(bits["int8"].values()) == {8}
    binary = {name: {unit for unit, own in found.items() if own == 1} for name, found in bits.items()}
    assert binary["xnor2/1"] - binary["xnor2/1from1"] == {"stem"}
    assert binary["xnor2/1from1"] - binary["xnor2/1from2"] == {"s1b1_conv1", "s1b1_conv2"}
    assert binary["xnor2/1from2"] == {"s2b1_conv1", "s2b1_conv2", "s2b1_skip", "embed"}
    assert binary["xnor2/1from3"] == {"embed"}
    with pytest.raises(UserError, match="the last of which is 3; got xnor2/1from4"):
        lower(network, Precision.parse("xnor2/1from4"))


def test_xnor_keeps_bit_planes_between_binary_layers_and_int8_on_the_stream() -> None:
    network = resnet(blocks=(1, 1), width=40, input_size=32, channels=3, embedding=8)
    program = lower(network, Precision.parse("xnor3/2"))
    inner = program.tensors["s1b1_conv1"]
    assert inner.element is Element.BITS
    assert inner.size_bytes == inner.shape.height * inner.shape.width * 3 * 2 * 4
    assert program.tensors["s1b1"].element is Element.INT8
    assert program.output.element is Element.INT8
    packs = [step for step in program.steps if step.operator is Operator.PACK]
    assert len({step.inputs for step in packs}) == len(packs)
