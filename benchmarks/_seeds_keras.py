"""The five seeds' networks in Keras, as their documents give them, trained and sampled a measured chunk at a time.

A program of its own: ``benchmarks.seeds`` runs it under another interpreter, which has TensorFlow and no Kantor. It
warms up (tracing and compiling are not measured), says that it is ready, and then measures one chunk for every line
it reads, or ``--chunks N`` without being asked; each is one line of JSON. Training is ``model.fit`` without a
progress bar on batches that lie ready; generating is the seed's own loop around ``model.predict``, without its
printing. Data are made up: how long a step takes does not depend on them.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

READY = 8  # batches that lie ready


@dataclass(frozen=True)
class Seed:
    """One seed's system: ``targets`` a step are the notes, events or frames whose prediction it learns from."""

    build: Callable[..., keras.Model]
    batches: Callable[..., tuple[Any, Any]]
    write: Callable[..., Iterator[None]]
    batch_size: int
    targets: int
    whole: bool = False  # a later note costs more than an earlier one, so that only whole pieces compare


# -- seed 000: convolutions and an LSTM over the cells of a chorale ------------------------------------------------


def build_000(jit: Any) -> keras.Model:
    model = keras.Sequential([layers.Input([None]), layers.Embedding(47, 5)])
    for width, dilation in ((32, 1), (48, 2), (64, 4), (96, 8), (128, 16)):
        model.add(layers.Conv1D(width, kernel_size=2, padding="causal", activation="relu", dilation_rate=dilation))
        model.add(layers.BatchNormalization())
    model.add(layers.Dropout(0.05))
    model.add(layers.LSTM(256, return_sequences=True))
    model.add(layers.Dense(47, activation="softmax"))
    model.compile(
        loss="sparse_categorical_crossentropy",
        optimizer=keras.optimizers.Nadam(1e-3),
        metrics=["accuracy"],
        jit_compile=jit,
    )
    return model


def batches_000(rng: np.random.Generator) -> tuple[Any, Any]:
    cells = rng.integers(0, 47, (READY, 32, 132))
    return cells[:, :, :-1], cells[:, :, 1:]


def write_000(model: keras.Model, rng: np.random.Generator) -> Iterator[None]:
    """56 chords after 8, note by note, the whole past read anew for every note."""
    tokens = rng.integers(0, 47, (1, 32))
    for _ in range(56 * 4):
        chances = model.predict(tokens, verbose=0)[0, -1].astype(float)
        chosen = rng.choice(47, p=chances / chances.sum())
        tokens = np.concatenate([tokens, [[chosen]]], axis=1)
        yield


# -- seed 001: three streams, three classes an event ----------------------------------------------------------------


def build_001(jit: Any, classes: list[int]) -> keras.Model:
    inputs = [layers.Input((100, 1)) for _ in classes]
    branches = [layers.Dropout(0.2)(layers.LSTM(256, return_sequences=True)(each)) for each in inputs]
    x = layers.Dropout(0.3)(layers.LSTM(512, return_sequences=True)(layers.concatenate(branches)))
    x = layers.Dropout(0.3)(layers.BatchNormalization()(layers.LSTM(512)(x)))
    x = layers.Dense(256, activation="relu")(x)
    outputs = []
    for size in classes:
        head = layers.BatchNormalization()(layers.Dense(128, activation="relu")(x))
        outputs.append(layers.Dense(size, activation="softmax")(layers.Dropout(0.3)(head)))
    model = keras.Model(inputs, outputs)
    optimizer = keras.optimizers.Adam(0.001)
    model.compile(loss=["categorical_crossentropy"] * len(classes), optimizer=optimizer, jit_compile=jit)
    return model


def batches_001(rng: np.random.Generator, classes: list[int]) -> tuple[Any, Any]:
    shown = tuple(rng.integers(0, size, (READY, 64, 100, 1)).astype("float32") / size for size in classes)
    wanted = tuple(keras.utils.to_categorical(rng.integers(0, size, (READY, 64)), size) for size in classes)
    return shown, wanted


def write_001(model: keras.Model, rng: np.random.Generator, classes: list[int]) -> Iterator[None]:
    """Event by event, each stream's likeliest class, from the last 100."""
    patterns = [list(rng.integers(0, size, 100)) for size in classes]
    while True:
        shown = [np.reshape(p, (1, 100, 1)) / float(size) for p, size in zip(patterns, classes, strict=True)]
        for pattern, chances in zip(patterns, model.predict(shown, verbose=0), strict=True):
            pattern.append(int(np.argmax(chances)))
            del pattern[0]
        yield


# -- seed 002: a piano roll -----------------------------------------------------------------------------------------


def weighted_bce(wanted: Any, given: Any) -> Any:
    """The plan's loss, in which a key that sounds counts ten times, with the shapes mended."""
    return keras.ops.mean(keras.ops.binary_crossentropy(wanted, given) * (1.0 + 9.0 * wanted))


def build_002(jit: Any) -> keras.Model:
    model = keras.Sequential(
        [
            layers.Input((64, 88)),
            layers.LSTM(512, return_sequences=True, dropout=0.3, recurrent_dropout=0.2),
            layers.LSTM(512, dropout=0.3, recurrent_dropout=0.2),
            layers.Dense(256, activation="relu"),
            layers.Dropout(0.4),
            layers.Dense(88, activation="sigmoid"),
        ]
    )
    assert model.count_params() == 3_483_992
    optimizer = keras.optimizers.Adam(learning_rate=0.001)
    model.compile(optimizer=optimizer, loss=weighted_bce, metrics=["binary_accuracy"], jit_compile=jit)
    return model


def batches_002(rng: np.random.Generator) -> tuple[Any, Any]:
    rolls = (rng.random((READY, 64, 65, 88)) < 0.04).astype("float32")
    return rolls[:, :, :-1], rolls[:, :, -1]


def write_002(model: keras.Model, rng: np.random.Generator) -> Iterator[None]:
    """Frame by frame from the last 64, every key drawn by itself at temperature .8."""
    roll = (rng.random((64, 88)) < 0.04).astype("float32")
    while True:
        chances = model.predict(roll[None], verbose=0)[0]
        odds = (chances / (1 - chances + 1e-10)) ** (1 / 0.8)
        frame = rng.random(88) < odds / (1 + odds)
        roll = np.concatenate([roll[1:], frame[None].astype("float32")])
        yield


# -- seeds 003 and 004: pitch as a class, step and duration as numbers ------------------------------------------------


def mse_with_positive_pressure(wanted: Any, given: Any) -> Any:
    return tf.reduce_mean((wanted - given) ** 2 + 10 * tf.maximum(-given, 0.0))


def build_notes(jit: Any, length: int, learning_rate: float, weights: dict[str, float] | None) -> keras.Model:
    inputs = layers.Input((length, 3))
    x = layers.LSTM(128)(inputs)
    sizes = {"pitch": 128, "step": 1, "duration": 1}
    model = keras.Model(inputs, {name: layers.Dense(size, name=name)(x) for name, size in sizes.items()})
    assert model.count_params() == 84_354
    model.compile(
        loss={
            "pitch": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "step": mse_with_positive_pressure,
            "duration": mse_with_positive_pressure,
        },
        loss_weights=weights,
        optimizer=keras.optimizers.Adam(learning_rate=learning_rate),
        jit_compile=jit,
    )
    return model


def notes(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Pitch (scaled), step and duration (seconds) of made-up notes."""
    pitch, times = rng.integers(30, 100, shape) / 128, rng.exponential(0.3, (*shape, 2))
    return np.concatenate([pitch[..., None], times], axis=-1).astype("float32")


def batches_notes(rng: np.random.Generator, length: int) -> tuple[Any, Any]:
    last = notes(rng, READY, 64)
    wanted = {"pitch": np.round(last[..., :1] * 128).astype("int64"), "step": last[..., 1:2], "duration": last[..., 2:]}
    return notes(rng, READY, 64, length), wanted


def write_notes(model: keras.Model, rng: np.random.Generator, length: int, temperature: float) -> Iterator[None]:
    """Note by note from the last ``length``, as the tutorial does it."""
    shown = notes(rng, length)
    while True:
        given = model.predict(tf.expand_dims(shown, 0), verbose=0)
        pitch = tf.squeeze(tf.random.categorical(given["pitch"] / temperature, num_samples=1), axis=-1)
        step = tf.maximum(0, tf.squeeze(given["step"], axis=-1))
        duration = tf.maximum(0, tf.squeeze(given["duration"], axis=-1))
        note = (int(pitch[0]) / 128, float(step[0]), float(duration[0]))
        shown = np.append(np.delete(shown, 0, axis=0), np.expand_dims(note, 0), axis=0)
        yield


def system(seed: str, classes: list[int]) -> Seed:
    """The system of one seed; ``classes`` are the vocabularies of seed 001, which depend on its corpus."""
    weights = {"pitch": 0.05, "step": 1.0, "duration": 1.0}
    systems = {
        "000": Seed(build_000, batches_000, write_000, 32, 32 * 131, whole=True),
        "001": Seed(
            lambda jit: build_001(jit, classes),
            lambda rng: batches_001(rng, classes),
            lambda model, rng: write_001(model, rng, classes),
            64,
            64,
        ),
        "002": Seed(build_002, batches_002, write_002, 64, 64),
        "003": Seed(
            lambda jit: build_notes(jit, 25, 0.005, weights),
            lambda rng: batches_notes(rng, 25),
            lambda model, rng: write_notes(model, rng, 25, 2.0),
            64,
            64,
        ),
        "004": Seed(
            lambda jit: build_notes(jit, 50, 0.0025, None),
            lambda rng: batches_notes(rng, 50),
            lambda model, rng: write_notes(model, rng, 50, 4.0),
            64,
            64,
        ),
    }
    return systems[seed]


# -- measuring ------------------------------------------------------------------------------------------------------


def say(**figures: Any) -> None:
    print(json.dumps(figures), flush=True)


class Chunks(keras.callbacks.Callback):
    """Measures between epochs, which are short: a chunk is as many of them as fill ``seconds``, and the first is lost.

    Only the hooks of epochs are used: with a hook at every batch Keras would wait for the figures of each.
    """

    def __init__(self, seed: Seed, seconds: float, requests: Iterator[object]) -> None:
        super().__init__()
        self.seed, self.seconds, self.requests = seed, seconds, requests

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == 0:
            say(ready=True, parameters=self.model.count_params(), jit=bool(self.model.jit_compile))
            return self.wait()
        self.steps += self.params["steps"]
        seconds = time.perf_counter() - self.began
        if seconds >= self.seconds:
            windows, targets = self.steps * self.seed.batch_size, self.steps * self.seed.targets
            cpu = time.process_time() - self.cpu
            say(seconds=seconds, cpu=cpu, steps=self.steps, windows=windows, targets=targets)
            self.wait()
        return None

    def wait(self) -> None:
        self.model.stop_training = next(self.requests, None) is None
        self.steps, self.began, self.cpu = 0, time.perf_counter(), time.process_time()


def train(seed: Seed, model: keras.Model, seconds: float, requests: Iterator[object]) -> None:
    """Answer every request with one chunk of training steps."""
    data = tf.data.Dataset.from_tensor_slices(seed.batches(np.random.default_rng(0))).repeat().prefetch(2)
    options = {"verbose": 0, "shuffle": False}
    model.fit(data, steps_per_epoch=2, **options)
    began = time.perf_counter()
    model.fit(data, steps_per_epoch=2, **options)
    steps = max(1, round(0.5 / (time.perf_counter() - began)))
    model.fit(data, steps_per_epoch=steps, epochs=10**6, callbacks=[Chunks(seed, seconds, requests)], **options)


def generate(seed: Seed, model: keras.Model, seconds: float, requests: Iterator[object]) -> None:
    """Answer every request with one chunk of notes (events, frames)."""
    rng = np.random.default_rng(0)
    written(seed, model, rng, 1.0)
    say(ready=True, parameters=model.count_params(), jit=bool(model.jit_compile))
    for _ in requests:
        say(**written(seed, model, rng, seconds))


def written(seed: Seed, model: keras.Model, rng: np.random.Generator, seconds: float) -> dict[str, float]:
    units, began, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        for _ in seed.write(model, rng):
            units += 1
            if not seed.whole and time.perf_counter() - began >= seconds:
                break
    return {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu, "units": units}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seed", choices=["000", "001", "002", "003", "004"])
    parser.add_argument("what", choices=["train", "generate"])
    parser.add_argument("--seconds", type=float, default=3.0, help="how long a chunk lasts, about")
    parser.add_argument("--threads", type=int, default=0, help="0: as TensorFlow likes")
    parser.add_argument("--classes", type=int, nargs=3, default=[3000, 60, 60], help="vocabularies of seed 001")
    parser.add_argument("--jit", choices=["auto", "on", "off"], default="auto", help="XLA; auto is Keras's default")
    parser.add_argument("--chunks", type=int, default=0, help="measure so many without being asked")
    options = parser.parse_args()
    if options.threads:
        tf.config.threading.set_intra_op_parallelism_threads(options.threads)
        tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    keras.utils.set_random_seed(0)
    seed = system(options.seed, options.classes)
    model = seed.build({"auto": "auto", "on": True, "off": False}[options.jit])
    requests = iter(range(options.chunks)) if options.chunks else iter(sys.stdin.readline, "")
    {"train": train, "generate": generate}[options.what](seed, model, options.seconds, requests)


if __name__ == "__main__":
    main()
