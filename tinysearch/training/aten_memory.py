"""Torch's LSTM as ONNX's: a node a layer, with torch's order of gates."""

from __future__ import annotations

from tinysearch.networks.real.nodes import RealNode
from tinysearch.training.translation import Translation


def lstm(t: Translation) -> list[RealNode]:
    """A node a layer; an output has the steps or, with the batch first, the batch as its first axis."""
    states, weights = (t.argument(position) for position in (1, 2))
    biased, layers, both, batch_first = (int(t.argument(position)) for position in (3, 4, 7, 8))
    names = [t.name_of(node) for node in weights]
    name, nodes, each = t.value(0), list[RealNode](), 4 if biased else 2
    if both or len(names) != each * layers:
        return t.make("LSTM of two directions or with a projection", [name])
    if batch_first:
        nodes, name = t.make("Transpose", [name], outputs=[t.part(3)], perm=(1, 0, 2)), t.part(3)
    for layer in range(layers):
        part, mark = names[each * layer : each * (layer + 1)], 10 * (layer + 1)
        unsqueezed = [t.part(mark + number) for number in range(2)]
        for source, result in zip(part[:2], unsqueezed, strict=True):
            nodes += t.make("Unsqueeze", [source], outputs=[result], axes=(0,))
        bias = ""
        if biased:
            bias = t.part(mark + 2)
            nodes += t.make("Concat", part[2:], outputs=[bias], axis=0)
        given = [t.name_of(state) for state in states]
        outputs = [t.part(mark + 3), t.part(mark + 4)] + ([t.part(2)] if _reads(t, 2) else [])
        units = int(t.node.meta["val"][0].shape[-1])
        inputs = [name, *unsqueezed, bias, "", *given]
        nodes += t.make("LSTM", inputs, outputs=outputs, hidden_size=units, gates="ifco")
        name = t.part(mark + 5)
        nodes += t.make("Squeeze", [outputs[0]], outputs=[name], axes=(1,))
    if batch_first:
        nodes += t.make("Transpose", [name], outputs=[t.part(0)], perm=(1, 0, 2))
    else:
        nodes += t.make("Identity", [name], outputs=[t.part(0)])
    last = [t.part(10 * (layer + 1) + 4) for layer in range(layers)]
    return nodes + (t.make("Concat", last, outputs=[t.part(1)], axis=0) if _reads(t, 1) else [])


def _reads(t: Translation, number: int) -> bool:
    """Whether anybody reads one of several outputs."""
    return any("getitem" in str(user.target) and user.args[1] == number and user.users for user in t.node.users)
