"""What `kantor plot` makes of what it is given: rolls, distributions, curves; and what it refuses."""

import json
import math
import warnings

import matplotlib.image
import numpy as np
import pytest

from kantor import io
from kantor.errors import FileFormatError, InputError, KantorError, OptionError, OutputError
from kantor.evaluation.histograms import histograms, intersection
from kantor.render import pianoroll
from kantor.score import Meter, Score
from kantor.verbs.plot import SUFFIXES, plot

Q = 480
HEADER = "epoch,step,train_nats,valid_accuracy,valid_nats\n"
BEGINNINGS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF-"}


def tune(count, pitch=60, step=Q // 2, **known):
    return Score.from_notes([(at * step, step, pitch + at % 7, 80, 0) for at in range(count)], **known)


def epochs(*figures, start=0):
    """Rows as Lightning's CSVLogger writes them: first what validation gave, then the mean over the epoch."""
    return "".join(
        f"{epoch},{10 * epoch + 9},,{0.5 + nats / 10},{nats}\n{epoch},{10 * epoch + 9},{nats + 0.1},,\n"
        for epoch, nats in enumerate(figures, start)
    )


@pytest.fixture
def piece(tmp_path):
    io.save(tune(150, meters=(Meter(0, 4, 4),)), tmp_path / "piece.mid")
    return tmp_path / "piece.mid"


@pytest.fixture
def folder(tmp_path):
    for name, pitch in (("a", 48), ("b", 60), ("sub/c", 65)):
        io.save(tune(20, pitch), tmp_path / "music" / f"{name}.mid")
    return tmp_path / "music"


@pytest.fixture
def run(tmp_path):
    """``run(text, ...)``: the folder of a training; the last text is metrics.csv, those before were put aside."""

    def write(*parts):
        logs = tmp_path / "run" / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(parts[:-1], 1):
            (logs / f"metrics-{number}.csv").write_text(text)
        (logs / "metrics.csv").write_text(parts[-1])
        return logs.parent

    return write


def size(path):
    return matplotlib.image.imread(path).shape[:2]


# -- what is drawn ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".PNG"])
def test_the_suffix_says_what_is_written_and_it_is_the_same_each_time(tmp_path, piece, folder, run, suffix):
    for target in (piece, folder, run(HEADER + epochs(2.0, 1.0))):
        first, again = tmp_path / "new" / f"a{suffix}", tmp_path / f"b{suffix}"
        assert plot(target, [first, again], force=True)["files"] == [str(first), str(again)]
        assert first.read_bytes() == again.read_bytes()
        assert first.read_bytes().startswith(BEGINNINGS[suffix.lower()])


def test_several_formats_come_from_one_call(tmp_path, folder):
    paths = [tmp_path / f"x{suffix}" for suffix in SUFFIXES]
    assert plot(folder, paths)["files"] == list(map(str, paths))
    assert all(path.exists() for path in paths)


def test_a_file_of_music_becomes_a_piano_roll(tmp_path, piece):
    told = plot(piece, [tmp_path / "x.png"])
    assert (told["kind"], told["title"]) == ("roll", "piece: 150 notes")
    assert (told["notes"], told["notes_in_file"], told["lowest"], told["highest"]) == (150, 150, 60, 66)
    assert (told["bars"], told["seconds"]) == (19, 37.5)
    assert size(tmp_path / "x.png")[1] == 1200


def test_the_first_notes_are_those_that_sound_first_and_their_bars_are_all_there_is(tmp_path, piece):
    told = plot(piece, [tmp_path / "x.svg"], first=100)
    assert told["title"] == "piece: first 100 of 150 notes"
    assert (told["notes"], told["notes_in_file"], told["bars"], told["seconds"]) == (100, 150, 13, 25.0)
    first = tune(100, meters=(Meter(0, 4, 4),), title=told["title"], parts=io.load(piece).parts)
    assert (tmp_path / "x.svg").read_bytes() == pianoroll.draw(first.replace(tempi=io.load(piece).tempi), "svg")


def test_more_notes_than_there_are_is_the_whole(piece):
    assert plot(piece, first=151) == plot(piece, first=150) == plot(piece)


def test_a_long_piece_is_seen_at_one_glance(tmp_path):
    io.save(tune(1600, meters=(Meter(0, 4, 4),)), tmp_path / "long.mid")
    plot(tmp_path / "long.mid", [tmp_path / "x.png"])
    height, width = size(tmp_path / "x.png")
    assert width == 2400
    assert height < width


def test_a_title_in_the_file_is_the_name_and_a_long_one_is_cut(tmp_path):
    io.save(tune(8, title="Ein Lied von der Freude und von der Traurigkeit"), tmp_path / "x.musicxml")
    assert plot(tmp_path / "x.musicxml")["title"] == "Ein Lied von der Freude …: 8 notes"


def test_a_folder_becomes_the_distributions_of_its_notes(folder):
    told = plot(folder)
    assert (told["kind"], told["title"]) == ("distributions", "music: 3 pieces, 60 notes")
    assert told["sets"] == [{"name": "music", "pieces": 3, "notes": 60, "left_out": []}]
    assert told["intersection"] is None
    counted = histograms([tune(20, pitch) for pitch in (48, 60, 65)])
    for name, numbers in told["histograms"].items():
        assert numbers["counts"] == [counted[name].tolist()]
        assert numbers["bins"] == list(range(len(counted[name])))
        assert numbers["unit"] == ("MIDI pitch" if name == "pitch" else "24ths of a quarter")
    json.dumps(told, allow_nan=False)


@pytest.mark.corpus
def test_a_corpus_is_known_by_its_name(bach):
    told = plot("bach")
    notes = sum(len(member.score) for member in bach.members)
    assert told["sets"][0]["name"] == "bach"
    assert (told["sets"][0]["pieces"], told["sets"][0]["notes"]) == (len(bach), notes)
    assert sum(told["histograms"]["duration"]["counts"][0]) == notes


def test_two_sets_are_laid_over_each_other_with_what_they_share(tmp_path, folder):
    io.save(tune(30, 62, step=Q), tmp_path / "generated" / "x.mid")
    told = plot(folder, [tmp_path / "x.png"], against=tmp_path / "generated")
    assert told["title"] == "music against generated"
    assert [(s["name"], s["pieces"], s["notes"]) for s in told["sets"]] == [("music", 3, 60), ("generated", 1, 30)]
    a, b = histograms([tune(20, pitch) for pitch in (48, 60, 65)]), histograms([tune(30, 62, step=Q)])
    assert told["intersection"] == {name: intersection(a[name], b[name]) for name in a}
    assert told["intersection"]["step"] == 0
    assert 0 < told["intersection"]["pitch"] < 1
    assert size(tmp_path / "x.png") == (600, 1200)
    other = plot(tmp_path / "generated", against=folder)
    assert other["intersection"] == told["intersection"]


def test_a_file_is_counted_where_it_is_asked_for_or_compared(piece, folder):
    assert plot(piece, distributions=True)["sets"][0]["notes"] == 150
    for told in (plot(piece, against=folder), plot(folder, against=piece)):
        assert {s["name"] for s in told["sets"]} == {"piece.mid", "music"}
    assert plot(piece, against=piece)["intersection"] == {"pitch": 1.0, "step": 1.0, "duration": 1.0}


def test_what_a_folder_leaves_out_is_said(folder):
    (folder / "broken.mid").write_bytes(b"no music")
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        (told,) = plot(folder)["sets"]
    assert told["pieces"] == 3
    (line,) = told["left_out"]
    assert line.startswith("broken.mid: ")


# -- a training ------------------------------------------------------------------------------------------------------


def test_a_training_becomes_its_curves(tmp_path, run):
    told = plot(run(HEADER + epochs(3.0, 1.0, 2.0)), [tmp_path / "x.png"])
    assert told["title"] == "Training of run: 3 epochs, epoch 2 is best with 1.0000 nats on valid"
    assert (told["kind"], told["epochs"], told["best_epoch"], told["best_valid_nats"]) == ("training", 3, 2, 1.0)
    assert told["curves"] == {
        "train_nats": [3.1, 1.1, 2.1],
        "valid_accuracy": [0.8, 0.6, 0.7],
        "valid_nats": [3.0, 1.0, 2.0],
    }
    assert size(tmp_path / "x.png") == (600, 1200)


def test_parts_of_a_resumed_training_are_joined_and_the_later_one_holds(run):
    parts = [epochs(9.0, 8.0, 7.5), epochs(7.0, 6.0, start=2), epochs(5.0, start=3)]
    told = plot(run(*(HEADER + part for part in parts)))
    assert told["curves"]["valid_nats"] == [9.0, 8.0, 7.0, 5.0]


def test_parts_are_joined_in_the_order_of_their_numbers_beyond_ten(run):
    parts = [HEADER + epochs(20.0 - epoch, start=epoch) for epoch in range(12)]
    assert plot(run(*parts))["curves"]["valid_nats"] == [20.0 - epoch for epoch in range(12)]


def test_a_training_that_was_begun_anew_voids_the_old_figures(run):
    assert plot(run(HEADER + epochs(9.0, 8.0, 7.0), HEADER + epochs(6.0)))["curves"]["valid_nats"] == [6.0]


def test_a_part_that_was_put_aside_is_enough(run):
    folder = run(HEADER + epochs(3.0, 2.0))
    (folder / "logs" / "metrics.csv").rename(folder / "logs" / "metrics-1.csv")
    assert plot(folder)["epochs"] == 2


def test_a_training_can_be_watched_while_it_writes(run):
    text = HEADER + epochs(3.0, 2.0)
    seen = [plot(run(text[:length])) for length in range(len(HEADER + epochs(3.0)), len(text))]
    assert {told["epochs"] for told in seen} == {1, 2}
    assert {tuple(told["curves"]["valid_nats"]) for told in seen} == {(3.0,), (3.0, 2.0)}
    half = next(told for told in seen if told["epochs"] == 2)
    assert half["curves"]["train_nats"] == [3.1, None]


def test_the_learning_rate_belongs_to_the_epoch_in_which_it_was(run):
    rows = "epoch,lr-NAdam,step,train_nats,valid_nats\n"
    for epoch in range(3):
        rows += f",{0.1 / 2**epoch},{10 * epoch},,\n{epoch},,{10 * epoch + 9},,2.5\n{epoch},,{10 * epoch + 9},2.0,\n"
    assert plot(run(rows + ",0.9,30,,\n"))["curves"]["learning_rate"] == [0.1, 0.05, 0.025]


def test_figures_that_are_no_numbers_are_null_and_never_the_best(tmp_path, run):
    told = plot(run(HEADER + epochs(math.nan, 3.0, math.inf)), [tmp_path / "x.svg"])
    assert told["curves"]["valid_nats"] == [None, 3.0, None]
    assert told["best_epoch"] == 2
    json.dumps(told, allow_nan=False)
    diverged = plot(run(HEADER + "0,9,,0.5,nan\n"), [tmp_path / "y.svg"])
    assert (diverged["best_epoch"], diverged["best_valid_nats"]) == (None, None)
    assert "none with a finite figure" in diverged["title"]


def test_what_lightning_logs_is_what_is_read(tmp_path):
    from lightning.pytorch.loggers import CSVLogger

    logger = CSVLogger(str(tmp_path / "run" / "logs"), name="", version="")
    for epoch, nats in enumerate([2.0, 1.5, 1.75]):
        logger.log_metrics({"lr-AdamW": 0.1 * (epoch + 1)}, step=10 * epoch)
        logger.log_metrics({"valid_nats": nats, "valid_accuracy": 0.5, "epoch": epoch}, step=10 * epoch + 9)
        logger.save()
        assert plot(tmp_path / "run")["epochs"] == epoch + 1
        logger.log_metrics({"train_nats": nats + 1, "epoch": epoch}, step=10 * epoch + 9)
        logger.save()
    told = plot(tmp_path / "run")
    assert told["curves"]["valid_nats"] == [2.0, 1.5, 1.75]
    assert told["curves"]["train_nats"] == [3.0, 2.5, 2.75]
    assert np.allclose(told["curves"]["learning_rate"], [0.1, 0.2, 0.3])
    assert told["best_epoch"] == 2


# -- what is refused -------------------------------------------------------------------------------------------------


def test_what_is_not_there_is_refused(tmp_path, tiny_bundle):
    refusals = {
        tmp_path / "none.mid": (FileFormatError, "there is no file"),
        "nobody": (OptionError, r"a corpus by name \(bach.*\); got 'nobody', which is none of them"),
        tmp_path / "nowhere" / "at all": (OptionError, "which is none of them"),
        "chorale": (OptionError, "got the name of a model, 'chorale', which comes without the logs"),
        tiny_bundle.path: (InputError, r"figures in .*logs, found none; try the folder it was trained in"),
    }
    for target, (kind, said) in refusals.items():
        with pytest.raises(kind, match=said):
            plot(target)


def test_what_is_no_music_is_refused(tmp_path, run, folder):
    (tmp_path / "x.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    with pytest.raises(OptionError, match=r"ending in one of \.mid .*; got 'x.txt'"):
        plot(tmp_path / "x.txt")
    with pytest.raises(InputError, match="nothing that can be read"):
        plot(tmp_path / "empty")
    for again in ({"against": run(HEADER + epochs(1.0))}, {"against": "chorale"}, {"against": "nobody"}):
        with pytest.raises(OptionError, match="expected"):
            plot(folder, **again)
    with pytest.raises(OptionError, match="got the folder of a training"):
        plot(run(HEADER + epochs(1.0)), distributions=True)


def test_music_without_notes_is_refused(tmp_path, folder):
    silent = tmp_path / "silent" / "x.mid"
    io.save(Score.from_notes([], length_ticks=1920), silent)
    for options in ({}, {"distributions": True}, {"against": folder}):
        with pytest.raises(InputError, match="expected notes to plot, got none in"):
            plot(silent, **options)
    with pytest.raises(InputError, match="expected notes to plot, got none in"):
        plot(folder, against=silent)
    with pytest.raises(InputError, match="has no notes"):
        plot(silent.parent)


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "none has ended yet"), (HEADER, "none has ended yet"), (HEADER + "0,9,2.5,,", "none has ended yet"),
     (HEADER + "0,9,2.5,,\n", "none has ended yet"), ("a,b\n1,2\n", "got the columns a, b"),
     (HEADER + "0,9,much,,\n", "could not convert string to float: 'much'"), (HEADER + "-1,9,1,1,1\n", "epoch -1"),
     (HEADER + "99999999999,9,1,1,1\n", "got the epoch 99999999999"), (HEADER + "one,9,1,1,1\n", "'one'")],
)  # fmt: skip
def test_logs_that_say_nothing_are_refused(run, text, said):
    with pytest.raises(InputError, match=said):
        plot(run(text))


def test_logs_that_are_no_text_are_refused(run):
    folder = run("")
    (folder / "logs" / "metrics.csv").write_bytes(b"\xff\xfe\x00\n")
    with pytest.raises(FileFormatError, match=r"by epoch in .*metrics\.csv"):
        plot(folder)


def test_options_that_do_not_go_together_are_refused(piece, folder, run):
    for target, options in (
        (folder, {}),
        (run(HEADER + epochs(1.0)), {}),
        (piece, {"distributions": True}),
        (piece, {"against": folder}),
    ):
        with pytest.raises(OptionError, match="--first with the piano roll of one file"):
            plot(target, first=10, **options)
    with pytest.raises(OptionError, match="at least 1 note, got 0"):
        plot(piece, first=0)


def test_an_output_that_cannot_be_is_refused_before_anything_is_read(tmp_path):
    nowhere = tmp_path / "none.mid"
    (tmp_path / "file").write_text("")
    for name in ("x.jpg", "x.mid", "x", "x.roll"):
        with pytest.raises(OptionError, match=rf"ending in one of \.png \.svg \.pdf; got '{name}'"):
            plot(nowhere, [tmp_path / name])
    with pytest.raises(OptionError, match="every output once"):
        plot(nowhere, [tmp_path / "x.png", tmp_path / "x.png"])
    with pytest.raises(OutputError, match="is a file, not a folder"):
        plot(nowhere, [tmp_path / "file" / "x.png"])


def test_each_refusal_is_one_sentence_without_a_line_break(tmp_path, run, folder):
    for target, options in (("nobody", {}), (tmp_path / "no.mid", {}), (run(""), {}), (folder, {"first": 1})):
        with pytest.raises(KantorError) as refused:
            plot(target, [tmp_path / "x.png"], **options)
        assert "\n" not in str(refused.value)
    assert not (tmp_path / "x.png").exists()
