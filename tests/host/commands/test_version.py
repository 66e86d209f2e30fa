"""What a report of a bug needs, in one paste, on a machine on which something may be wrong."""

import importlib.metadata
import json
from types import SimpleNamespace

from clockfree.commands import app
from clockfree.task.versions import versions


def test_a_version_is_a_line(capsys):
    assert app.status_of(["version"]) == 0
    assert capsys.readouterr().out == f"clockfree {importlib.metadata.version('clockfree')}\n"


def test_a_report_says_what_runs_where_and_who_has_the_ports(capsys, monkeypatch, tmp_path):
    """And what cannot be found out says so, in its place."""
    device = tmp_path / "ttyACM0"
    device.touch()
    port = SimpleNamespace(device=str(device), description="Board in FS mode", serial_number="e6614c311b1d2f21")
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [port])
    monkeypatch.setattr("clockfree.link.users.others", lambda devices: dict.fromkeys(devices, "screen (process 7)"))
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PIP_INDEX_URL", "https://secret@host")
    assert app.status_of(["version", "--verbose", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["code"] == versions() and found["environment"]["LC_ALL"] == "C"
    said = f"{device}: Board in FS mode, serial number e6614c311b1d2f21, open in screen (process 7)"
    assert found["ports"] == [said] and "secret" not in str(found)

    def broken():
        raise RuntimeError("no such\nkernel")

    monkeypatch.setattr("clockfree.task.versions.versions", broken)
    assert app.status_of(["version", "--verbose"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("clockfree ") and "code: not known: RuntimeError no such kernel" in lines
    assert f"  {said}" in lines
