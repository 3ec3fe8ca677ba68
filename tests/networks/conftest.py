"""Nothing here runs without the package that reads the files."""

import pytest

pytest.importorskip("tflite")
