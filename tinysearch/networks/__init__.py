"""A network that somebody brings: read from a file, executed by an oracle, lowered to kernels, placed in an arena.

``tflite_file`` reads a file to a :class:`~tinysearch.networks.graph.Graph`; one module of ``operators`` per kind of
operator knows everything about it (what it must have, its reference arithmetic, the kernel that computes it);
``oracle`` executes a graph as tflite-micro's reference kernels do, bit for bit; ``lowering`` turns it into calls of the
C runtime, ``arena`` gives every tensor its place.
"""
