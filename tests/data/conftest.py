"""Archives of the embedded form, small enough to make for every run."""

import pytest
from sample_files import write_archives


@pytest.fixture(scope="session")
def archives(tmp_path_factory):
    """Five, two and four faces with four, one and two voices, three samples each."""
    folder = tmp_path_factory.mktemp("archives")
    write_archives(
        folder,
        faces={"train": 5, "validation": 2, "test": 4},
        voices={"train": 4, "validation": 1, "test": 2},
    )
    return folder
