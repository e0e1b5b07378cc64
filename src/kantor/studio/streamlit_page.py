"""A page on Streamlit: the demo that seed 002 sketches, with its controls, ranges and defaults, on the studio's verbs.

Streamlit runs :func:`show` from top to bottom whenever a visitor moves something. What is on the controls is
:class:`Settings`; :func:`start_of` and :func:`settings_of` translate it to and from the studio's ``start`` message, so
presets are the studio's own. Kantor is heard whole here; ``kantor studio`` plays while it composes.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import asdict, dataclass
from typing import Any

from kantor.errors import KantorError, MissingExtraError
from kantor.io import READABLE
from kantor.render.instruments import INSTRUMENTS
from kantor.score import Score
from kantor.studio import catalog
from kantor.studio.bodies import PresetJson
from kantor.studio.finished import Finished, finished, given_in
from kantor.studio.messages import Start
from kantor.studio.presets import PRESETS
from kantor.theory import parse_key, tonic

try:
    import streamlit as st
except ImportError as error:
    raise MissingExtraError("the Streamlit page", "streamlit") from error

__all__ = ["Settings", "given", "settings_of", "show", "start_of"]

ANY, OWN = "any", "as they come"
MODEL = "roll"
BARS, TEMPERATURES, TEMPI, MOST_DENSE = (4, 32), (0.3, 1.5), (40, 160), 16
TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")  # by pitch class
SCALES = ("major", "minor", "pentatonic")
METERS = (ANY, "4/4", "3/4")
#: Keys that are written otherwise, for want of signatures.
_SPELT = {("C#", "major"): "Db", ("C#", "pentatonic"): "Db", ("Ab", "minor"): "G#"}


@dataclass(frozen=True)
class Settings:
    """What is on the controls; at first what seed 002 has.

    Attributes
    ----------
    model        a model of the package.
    temperature  0.3 to 1.5.
    bars         4 to 32: of the piece, or what is added to given music.
    tonic        one of :data:`TONICS`, or "any": drawn as the training pieces have it.
    scale        one of :data:`SCALES`, of the tonic.
    in_key       whether no other note than those of the key sounds; in the pentatonic scale none does in any case.
    tempo        quarters a minute.
    meter        "4/4", "3/4", or "any".
    density      how many notes may begin within a quarter; 0: any number.
    instrument   a General MIDI name, or "as they come".
    seed         of the random numbers; drawn unless given.
    """

    model: str = MODEL
    temperature: float = 0.8
    bars: int = 16
    tonic: str = "C"
    scale: str = "major"
    in_key: bool = True
    tempo: int = 90
    meter: str = ANY
    density: int = 0
    instrument: str = OWN
    seed: int | None = None


def start_of(settings: Settings, *, from_nothing: bool = True) -> Start:
    """The message that asks for these settings; given music brings key, meter and tempo itself."""
    asked: dict[str, Any] = {"model": settings.model, "bars": settings.bars, "temperature": settings.temperature}
    asked |= {"seed": settings.seed, "density": settings.density or None}
    if settings.instrument != OWN:
        asked["instruments"] = [INSTRUMENTS.index(settings.instrument)]
    if from_nothing:
        asked |= {"tempo": float(settings.tempo), "meter": None if settings.meter == ANY else settings.meter}
        asked |= _key(settings)
    return Start.model_validate({"type": "start", **asked})


def _key(settings: Settings) -> dict[str, Any]:
    """Key, scale, and whether they bind."""
    if settings.tonic == ANY:
        return {"in_key": settings.in_key}
    name = _SPELT.get((settings.tonic, settings.scale), settings.tonic)
    if settings.scale == "pentatonic":
        return {"key": name, "rules": [f"in-key={name} pentatonic"]}
    return {"key": f"{name}m" if settings.scale == "minor" else name, "in_key": settings.in_key}


def settings_of(start: Start) -> Settings:
    """Where the controls stand when a preset has been chosen; within their ranges, whatever it asks for."""
    own, key = Settings(), parse_key(start.key) if start.key else None
    tempo = own.tempo if start.tempo is None else round(start.tempo)
    temperature = own.temperature if start.temperature is None else start.temperature
    return Settings(
        model=start.model,
        temperature=min(max(temperature, TEMPERATURES[0]), TEMPERATURES[1]),
        bars=min(max(start.bars, BARS[0]), BARS[1]),
        tonic=TONICS[tonic(key)] if key else ANY,
        scale=key.mode if key and key.mode in SCALES else "major",
        in_key=start.in_key,
        tempo=min(max(tempo, TEMPI[0]), TEMPI[1]),
        meter=start.meter if start.meter in METERS else ANY,
        density=min(start.density or 0, MOST_DENSE),
        instrument=INSTRUMENTS[start.instruments[0]] if start.instruments else OWN,
        seed=start.seed,
    )


def given(data: bytes, name: str) -> Score | None:
    """The music of an uploaded file; where it cannot be used, None, and the page says why in one sentence.

    A file is read once for as long as it stays on the page, whatever else is moved there.
    """
    key = (hashlib.sha256(data).hexdigest(), name)
    if st.session_state.get("read", (None,))[0] != key:
        st.session_state["read"] = (key, *_read(data, name))
    score: Score | None
    _, score, said = st.session_state["read"]
    if score is None:
        st.error(said)
        return None
    st.caption(f"{said} What follows has its key, meter and tempo.".strip())
    return score


def _read(data: bytes, name: str) -> tuple[Score | None, str]:
    """The music and what to say of it, or what is wrong with it."""
    try:
        return given_in(data, name)
    except KantorError as error:
        return None, str(error)


# -- the page ----------------------------------------------------------------------------------------------------------


def show() -> None:
    """The page, from top to bottom."""
    st.set_page_config("Kantor")  # with an icon of its own the page would ask for a font elsewhere
    st.title("Kantor")
    st.write("Learns from scores and composes. Choose a beginning, or set it up at the side and press *Compose*.")
    for name, value in asdict(Settings()).items():
        st.session_state.setdefault(name, value)
    with st.container(horizontal=True):
        for preset in PRESETS:
            st.button(preset.name, help=preset.about, on_click=_chosen, args=(preset,))
    kinds = [suffix.removeprefix(".") for suffix in READABLE]
    file = st.file_uploader("Or go on from music of your own", kinds, max_upload_size=10)
    score = None if file is None else given(file.getvalue(), file.name)
    settings = _controls(from_nothing=file is None)
    asked = st.button("Compose", type="primary", disabled=file is not None and score is None)
    asked = st.session_state.pop("chosen", False) or asked
    if asked and (file is None or score is not None):
        _compose(start_of(settings, from_nothing=score is None), score)
    if "made" in st.session_state:
        _result(st.session_state["made"])


def _chosen(preset: PresetJson) -> None:
    """A preset was clicked: move the controls, and compose."""
    for name, value in asdict(settings_of(preset.start)).items():
        st.session_state[name] = value
    st.session_state["chosen"] = True


def _controls(*, from_nothing: bool) -> Settings:
    """The controls at the side, and what is on them; those that given music decides are at rest."""
    models = {model.name: model.about for model in catalog.models() if not model.fills}
    with st.sidebar:
        st.selectbox("Model", sorted(models, key=lambda name: (name != MODEL, name)), key="model")
        st.caption(models[st.session_state["model"]])
        st.slider("Temperature", *TEMPERATURES, step=0.05, key="temperature", help="Low: safe; high: bold.")
        st.slider("Length in bars" if from_nothing else "Bars to add", *BARS, key="bars")
        left, right = st.columns(2)
        left.selectbox("Key", (*TONICS, ANY), key="tonic", disabled=not from_nothing)
        bound = from_nothing and st.session_state["tonic"] != ANY
        right.selectbox("Scale", SCALES, key="scale", disabled=not bound)
        free = from_nothing and not (bound and st.session_state["scale"] == "pentatonic")
        st.checkbox("No notes outside the key", key="in_key", disabled=not free)
        st.slider("Tempo, quarters a minute", *TEMPI, key="tempo", disabled=not from_nothing)
        st.selectbox("Meter", METERS, key="meter", disabled=not from_nothing)
        st.slider("Most notes a quarter, 0 for any number", 0, MOST_DENSE, key="density")
        st.selectbox("Instrument", (OWN, *INSTRUMENTS), key="instrument")
        st.number_input("Seed, to have a piece again", 0, 2**31, key="seed", placeholder="drawn")
    return Settings(**{name: st.session_state[name] for name in asdict(Settings())})


def _compose(start: Start, score: Score | None) -> None:
    """Compose, and keep what was made for as long as the visitor stays; or say why not."""
    st.session_state.pop("made", None)
    try:
        with st.spinner("Composing ..."), _turn():
            st.session_state["made"] = finished(start, score)
    except KantorError as error:
        st.error(str(error))


@st.cache_resource
def _turn() -> threading.Lock:
    """One piece at a time, for all visitors: neither figures nor sound are made for several threads at once."""
    return threading.Lock()


def _result(made: Finished) -> None:
    """What was made: to hear, to see, to take home."""
    piece = made.piece
    st.audio(made.wav, format="audio/wav")
    st.image(made.picture, width="stretch", alt="Piano roll: time to the right, pitch upwards.")
    with st.container(horizontal=True):
        st.download_button("Download MIDI", made.midi, "kantor.mid", "audio/midi", on_click="ignore")
        st.download_button("Download WAV", made.wav, "kantor.wav", "audio/wav", on_click="ignore")
    model, seed = piece.recipe["model"], piece.recipe["seed"]
    st.caption(f"{model}, seed {seed}; {len(piece.score)} notes, {piece.nats_per_note:.2f} nats a note composed")
    for remark in piece.remarks:
        st.info(f"{remark[0].upper()}{remark[1:]}.")
