"""Conformance suites for plug-ins, one a kind: subclass it, give the one fixture ``plugin``, and run pytest.

``plugin`` returns what the configuration names (the class or function, with settings of its own bound by
``functools.partial`` where it needs any). The suite calls it with the arguments with which tinysearch does::

    from tinysearch.testing import TrainerConformance

    class TestMyTrainer(TrainerConformance):
        @pytest.fixture
        def plugin(self):
            return MyTrainer

Attributes of a suite say what it tries: narrow ``precisions`` or ``processors`` to those that the plug-in is for.
"""

try:
    import pytest as _pytest  # noqa: F401 - asked for here, so that its absence is one clear line
except ImportError:
    raise ImportError("tinysearch.testing runs its suites by pytest: pip install pytest") from None

from tinysearch.testing.architectures import ArchitectureConformance
from tinysearch.testing.backends import BackendConformance
from tinysearch.testing.datasets import DatasetConformance
from tinysearch.testing.inputs import InputConformance
from tinysearch.testing.latency_models import LatencyModelConformance
from tinysearch.testing.operators import OperatorConformance
from tinysearch.testing.samplers import SamplerConformance
from tinysearch.testing.trainers import TrainerConformance

__all__ = [
    "ArchitectureConformance",
    "BackendConformance",
    "DatasetConformance",
    "InputConformance",
    "LatencyModelConformance",
    "OperatorConformance",
    "SamplerConformance",
    "TrainerConformance",
]
