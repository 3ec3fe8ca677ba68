"""Anyone's own people: ``root/<person>/face/*`` and ``root/<person>/voice/*``."""

from __future__ import annotations

import logging
from pathlib import Path

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS, Split
from tinysearch.data.pairs import listed_names, read_list
from tinysearch.data.people import find_people
from tinysearch.data.preparation import AudioOptions
from tinysearch.data.samples import FileDataset
from tinysearch.data.splits import SMALLEST_SPLIT, digest_of, draw_people, draw_splits, share_out
from tinysearch.reading import same_name

_LOG = logging.getLogger(__name__)


class FolderDataset(FileDataset):
    """One folder a person, with a folder ``face``, ``voice`` or both.

    Splits: a file ``train.txt``, ``validation.txt`` or ``test.txt`` in ``root`` names the people of a split, one a
    line, or is a list of pairs ``label path path``, whose paths start with the person; the split is then judged by
    these pairs, each line judging the modality that its paths are of; a modality without lines, and a fusion, is judged
    by drawn pairs. Without any such file all splits are drawn by ``split_seed``. With ``test.txt`` alone, validation
    people are drawn from the rest; with one more file, the third split is the rest. Where ``train.txt`` and
    ``test.txt`` leave nobody to validate, validation people are drawn from those of ``train.txt``.

    Args:
        root: the folder.
        split_seed, validation_share, test_share: of the drawing; shares of all people.
        audio, cache_dir, broken_limit: see :class:`~tinysearch.data.samples.FileDataset`.

    Attributes:
        unread: files below ``root`` that are no samples, by the reason why.

    Raises:
        UserError: no such folder, no people, or lists that do not fit them.
    """

    def __init__(
        self,
        *,
        root: Path | str,
        split_seed: int = 0,
        validation_share: float = 0.2,
        test_share: float = 0.3,
        audio: AudioOptions | None = None,
        cache_dir: Path | str | None = None,
        broken_limit: float = 0.05,
    ) -> None:
        folder = Path(root)
        tree = find_people(folder)
        found = tree.found
        names = sorted({person for by_person in found.values() for person in by_person})
        listed = {split: _listed_people(folder / f"{split}.txt", names) for split in SPLITS}
        splits = _splits(names, listed, split_seed=split_seed, shares=(validation_share, test_share))
        shared = share_out(found, splits)
        paths = {split: folder / f"{split}.txt" for split in SPLITS}
        lists = {split: path for split, path in paths.items() if path.is_file() and listed_names(path) is not None}
        self.unread = tree.unread
        super().__init__(
            name="folder",
            digest=digest_of(found, splits, contents=True),
            files=shared.files,
            people=shared.people,
            lists=lists,
            lists_name_modalities=True,
            audio=audio,
            cache_dir=cache_dir,
            broken_limit=broken_limit,
            one_of_each=True,
        )


def _listed_people(path: Path, names: list[str]) -> list[str] | None:
    """People that a split file names; None without the file.

    Raises:
        UserError: an empty file, or a person who has no files.
    """
    if not path.exists():
        return None
    pairs = listed_names(path)
    lines = [same_name(line.strip()).rstrip("/") for line in read_list(path).splitlines() if line.strip()]
    listed = list(dict.fromkeys(name.split("/")[0] for name in pairs) if pairs else dict.fromkeys(lines))
    unknown = [name for name in listed if name not in names]
    if unknown or not listed:
        raise UserError(
            "a split file must name people who have files",
            value=f"{unknown[0] if unknown else 'nothing'} in {path}",
            remedy="write one folder name a line, or pairs `label path path`",
        )
    return listed


def _splits(
    names: list[str], listed: dict[Split, list[str] | None], *, split_seed: int, shares: tuple[float, float]
) -> dict[Split, tuple[str, ...]]:
    validation_share, test_share = shares
    if listed["test"] is None:
        if any(people is not None for people in listed.values()):
            raise UserError(
                "split files must include test.txt", value="train.txt or validation.txt alone", remedy="add test.txt"
            )
        return draw_splits(names, seed=split_seed, validation_share=validation_share, test_share=test_share)
    taken = {name for people in listed.values() if people is not None for name in people}
    free = [name for name in names if name not in taken]
    train, validation = listed["train"], listed["validation"]
    if train is None and validation is None:
        validation = draw_people(free, max(SMALLEST_SPLIT, round(validation_share * len(names))), seed=split_seed)
        train = [name for name in free if name not in validation]
    elif validation is None:
        validation = free
        if train is not None and len(free) < SMALLEST_SPLIT:
            drawn = draw_people(train, max(SMALLEST_SPLIT, round(validation_share * len(names))), seed=split_seed)
            _LOG.warning("train.txt and test.txt leave nobody to validate: %d people of train.txt do", len(drawn))
            validation, train = [*free, *drawn], [name for name in train if name not in drawn]
    elif train is None:
        train = free
    return {"train": tuple(train or ()), "validation": tuple(validation), "test": tuple(listed["test"])}
