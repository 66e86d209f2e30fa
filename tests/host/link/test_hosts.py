from pathlib import Path

from clockfree.link import hosts
from clockfree.link.benchfile import BenchFile

BENCH = BenchFile.model_validate({
    "supervisor": {"id": "0" * 16}, "boards": [{"id": "1" * 16, "edges": [{"edge": "A-B"}]}]
})  # fmt: skip


def test_a_user_without_a_home_has_notes_where_all_processes_find_them(monkeypatch, tmp_path):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("XDG_RUNTIME_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    note = hosts.Note(BENCH)
    assert [path for path in tmp_path.rglob("*") if path.is_file()]
    monkeypatch.setattr("os.getpid", lambda: 1)  # another process looks
    assert hosts.host_of(BENCH) is not None
    note.close()
    assert hosts.host_of(BENCH) is None
