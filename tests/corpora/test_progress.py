import io
import sys

from kantor.corpora import _progress
from kantor.corpora._progress import progress


def work(capsys, **options):
    with progress("reading", 3, **options) as advance:
        for _ in range(3):
            advance()
    return capsys.readouterr()


def test_what_is_done_in_a_moment_says_nothing(capsys):
    assert work(capsys) == ("", "")


def test_without_a_terminal_it_is_one_line_on_stderr(capsys, monkeypatch):
    monkeypatch.setattr(_progress, "_MOMENT_SECONDS", -1)
    assert work(capsys) == ("", "reading (3) ...\n")
    assert work(capsys, shown=False) == ("", "")


def test_on_a_terminal_it_is_a_bar(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(_progress, "_MOMENT_SECONDS", -1)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with progress("reading", 3) as advance:
        advance()
    assert "1/3" in terminal.getvalue()
