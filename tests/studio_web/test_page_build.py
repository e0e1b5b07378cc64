"""How the page comes to be: its own tests, and the hook that builds it."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
WEB = ROOT / "src/kantor/studio/web"


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_s_own_tests_pass():
    node = shutil.which("node")
    if node is None or not (WEB / "node_modules/vite").is_dir():
        pytest.skip("there is no Node with the page's packages here")
    done = subprocess.run([node, "test/run.mjs"], cwd=WEB, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"^[^\w]*pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed
    assert int(passed[1]) > 20


def copy(tmp_path: Path) -> Path:
    web = tmp_path / "src/kantor/studio/web"
    shutil.copytree(WEB, web, ignore=shutil.ignore_patterns("node_modules"))
    return web


def test_a_page_is_stale_when_a_source_changes_and_at_no_other_time(hook, tmp_path):
    web = copy(tmp_path)
    page = hook.PageHook(str(tmp_path), {}, None, None, "", "wheel")
    assert page.dependencies() == [hook.NODE]
    static = web.parent / "static"
    static.mkdir()
    (static / hook.STAMP).write_text(hook.fingerprint(web))
    assert page.dependencies() == []
    (web / "node_modules").mkdir()
    (web / "node_modules/some.js").write_text("of no interest")
    assert page.dependencies() == []
    with (web / "src/main.ts").open("a") as source:
        source.write("// changed\n")
    assert page.dependencies() == [hook.NODE]


def test_without_a_registry_a_wheel_says_why_and_an_editable_install_goes_on(hook, tmp_path, monkeypatch):
    copy(tmp_path)

    def unreachable(*args: object, **options: object) -> None:
        raise subprocess.CalledProcessError(1, "npm", stderr="npm error network request failed")

    monkeypatch.setattr(hook, "build", unreachable)
    said: list[str] = []
    page = hook.PageHook(str(tmp_path), {}, None, None, "", "wheel")
    with pytest.raises(SystemExit, match="network request failed"):
        page.initialize("standard", {})
    monkeypatch.setattr(page.app, "display_warning", said.append)
    page.initialize("editable", {})
    assert len(said) == 1
    assert "Everything but the page" in said[0]


def test_the_lock_file_names_every_package_by_its_contents_and_no_registry():
    lock = (WEB / "package-lock.json").read_text()
    assert "resolved" not in lock
    assert lock.count('"integrity": "sha512-') > 10
