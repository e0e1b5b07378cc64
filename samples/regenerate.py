"""Make the samples again: for every preset a MIDI file, a picture and a sound.

    python samples/regenerate.py [PRESET ...]

A preset whose model is in the package is played from there; the seeds' own are played from ``runs/PRESET``, where
``make seeds`` leaves them. The commands stand in README.md beside the files.
"""

from __future__ import annotations

import sys
from pathlib import Path

import kantor
from kantor import bundle, registry
from kantor.errors import KantorError

HERE = Path(__file__).parent
SEED = 1
SOUND = {"sample_rate": 22050}


def main() -> int:
    """Make the samples of the presets named, or of all; 2 if one has no model."""
    wanted = sys.argv[1:] or registry.names("presets")
    missing = 0
    lines = []
    for name in wanted:
        model = name if name in bundle.shipped() else str(Path("runs") / name)
        try:
            piece, command = _made(name, model)
        except KantorError as error:
            print(f"{name}: {error}", file=sys.stderr)  # noqa: T201
            missing = 2
            continue
        stem = HERE / name
        piece.save(f"{stem}.mid", f"{stem}.png", force=True)
        piece.save(f"{stem}.ogg", force=True, **SOUND)
        command += f" --seed {SEED} -o {name}.mid -o {name}.png -o {name}.ogg"
        lines.append(f"| [{name}.mid]({name}.mid) | [picture]({name}.png) | [sound]({name}.ogg) | `kantor {command}` |")
    if not sys.argv[1:]:
        head = "# Samples\n\nEight bars of every preset, from nothing or to a melody; the first seed, none chosen."
        note = "The seeds' models are those of `make seeds`. `python samples/regenerate.py` makes this page.\n\n"
        table = "| music | picture | sound | command |\n|---|---|---|---|\n" + "\n".join(lines) + "\n"
        (HERE / "README.md").write_text(head + "\n\n" + note + table, encoding="utf-8")
    return missing


def _made(name: str, model: str) -> tuple[kantor.Piece, str]:
    """The piece, and the command that makes it: eight bars from nothing, or voices to the melody of the samples."""
    if registry.part("presets", name).network.two_sided:
        return kantor.harmonize(HERE / "melody.mid", model, seed=SEED)[0], "harmonize melody.mid"
    return kantor.generate(model, bars=8, seed=SEED)[0], f"generate --model {model} --bars 8"


if __name__ == "__main__":
    sys.exit(main())
