"""A question is remembered once it was answered, and only that question."""

from tinysearch.app.run.asked import asked_before, remember_asked


def test_a_question_is_remembered_by_its_digest(tmp_path):
    assert not asked_before(tmp_path, "15usd")
    remember_asked(tmp_path, "15usd")
    assert asked_before(tmp_path, "15usd")
    assert not asked_before(tmp_path, "10usd")


def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path, caplog):
    (tmp_path / "asked").write_text("a file where a folder should be")
    remember_asked(tmp_path, "15usd")
    assert not asked_before(tmp_path, "15usd")
    assert "will not know" in caplog.text
