import subprocess
import sys

import pytest

from kantor import io
from kantor.corpora import _reader
from kantor.corpora.bach import _folder
from kantor.score import Score

NAMES = ["bwv269.mxl", "bwv253.mxl", "bwv414.mxl"]


def counter():
    calls = []
    return calls, lambda: calls.append(1)


@pytest.fixture
def serial(monkeypatch):
    """What is read in this process, as names; nothing is read in earnest."""
    done = []
    monkeypatch.setattr(io, "load", lambda path: done.append(path.name) or Score.from_notes([]))
    return done


@pytest.mark.parametrize("program", ["", "/no/such/python", "/bin/false"])
def test_without_processes_the_files_are_read_one_by_one(monkeypatch, serial, program):
    monkeypatch.setattr(_reader, "_processors", lambda: 2)
    monkeypatch.setattr(sys, "executable", program)
    calls, advance = counter()
    assert list(_reader.read_files(_folder(), NAMES, advance)) == serial == NAMES
    assert len(calls) == 3


def test_one_processor_takes_no_further_process(monkeypatch, serial):
    monkeypatch.setattr(_reader, "_processors", lambda: 1)
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **more: pytest.fail("a process"))
    _reader.read_files(_folder(), NAMES, lambda: None)
    assert serial == NAMES


@pytest.mark.corpus
def test_processes_read_what_one_reads(monkeypatch, tmp_path):
    monkeypatch.setattr(_reader, "_processors", lambda: 2)
    alone = {name: io.load(_folder() / name) for name in NAMES}
    monkeypatch.setattr(io, "load", lambda path: pytest.fail("read in this process"))
    calls, advance = counter()
    together = _reader.read_files(_folder(), NAMES, advance)
    assert together == alone
    assert list(together) == NAMES
    assert len(calls) == 3


@pytest.mark.corpus
def test_a_script_needs_no_guard(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "print('once')\n"
        "from kantor.corpora import _reader, bach\n"
        "_reader._processors = lambda: 2\n"
        "_reader.io = None\n"
        f"print(len(_reader.read_files(bach._folder(), {NAMES!r}, lambda: None)))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "once\n3\n", done.stderr
