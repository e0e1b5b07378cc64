"""Filling in what is open in a grid of voices, seen from both sides: blocked Gibbs sampling, under rules.

A two-sided network tells every open cell from what is known before it, after it and beside it, but each by itself. So
the cells are drawn again and again, fewer at a time: a sweep opens a share of them and draws them anew from what the
network says then. The share falls linearly from all to a few (Yao, Ozair, Cho & Bengio 2014; Huang et al., "Coconet",
2017). What is opened are spans of one voice, to the end of a note, for a lone cell between two of a held note has no
choice; :mod:`kantor.sampling._lines` draws a span. Classes far less likely than others are left out meanwhile: a rest
that is drawn by chance would be taken for a phrase's end by the voices beside it, and stay.

Rules never rest on mixing. Last sweeps go cell by cell under their masks and the grammar, with knowledge of both
sides: every open cell is drawn last in view of cells that stay as they are, and whatever then makes a new fault is not
admitted. One call of the network serves spans of one voice that lie apart; the masks are computed for every cell.
Where nothing (or next to nothing) is admitted, all voices around are opened and drawn again, in growing neighbourhoods.
One thing goes before a rule: a given note that sounds on behind a free cell is arrived at. To the rules that cell is
as good as given.

Long pieces are filled in sections that overlap, so time grows with their length and memory does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kantor.errors import DeadEndError
from kantor.representations import Ids, Mask, Representation, Situation
from kantor.representations.cells import HELD, OPEN, Cells
from kantor.representations.chorale import PITCHES, SOUNDS, STEP
from kantor.runtime import Model
from kantor.sampling._lines import Lines, pick
from kantor.sampling.fields import bent
from kantor.sampling.filters import TINY, Filters
from kantor.sampling.guard import Guard
from kantor.score import VOICES, Score

__all__ = ["SWEEPS", "Filled", "fill"]

Floats = NDArray[np.float64]

SWEEPS = 24  # annealed ones, before the last two
LIKELY = 0.3  # in them, no class is drawn that is less than so many times as likely as the likeliest
LEAST = 0.02  # the share that the last annealed sweeps open
LAST = 2  # sweeps under the rules: what they change in the first is heard in the second
FALLING = 0.75  # of the sweeps, in which the share falls
BEAT = 4  # frames of a block: spans begin with one, at random places
REACH = 16  # frames by which a span may grow to the end of its note
APART = 3  # of so many blocks of a voice, one call of the network opens one
TOGETHER = 8  # takes that share a call of the network
CELLS = 16_384  # of spans that are drawn side by side: what is held in memory
SECTION, MARGIN = 1024, 64  # frames of a long piece that are filled at a time, and that are filled once more
CONTEXT = 128  # frames around them that are seen
TRIES = 8  # neighbourhoods in which a dead end is drawn again
SCARCE = 1e-3  # what is admitted counts as nothing below this share, in the first half of the tries

CLASSES = np.arange(OPEN)
SOUND = SOUNDS[Cells.pitches(np.arange(OPEN + 1))]  # MIDI pitch of each class, SILENT or OPEN
STRIKES = (CLASSES > 0) & (CLASSES <= HELD)


@dataclass(frozen=True)
class Filled:
    """What was filled in, a row a take.

    Attributes
    ----------
    cells      (takes, frames, voices) classes of :class:`~kantor.representations.cells.Cells`.
    nats       (takes, frames, voices) surprise of each cell when it was drawn last, by the network and the grammar; 0
               where it was given. A pseudo-likelihood: each is told by all others.
    cost       (takes, frames, voices) nats that the rules took there: -log of the probability that they left.
    dead_ends  (takes,) how often nothing was left, and a neighbourhood was drawn again.
    """

    cells: Ids
    nats: Floats
    cost: Floats
    dead_ends: Ids


def fill(
    model: Model,
    representation: Representation,
    plan: Score,
    cells: Ids,
    free: Mask,
    randoms: Sequence[np.random.Generator],
    *,
    guard: Guard | None = None,
    sweeps: int = SWEEPS,
    filters: Filters | None = None,
    within: Mask | None = None,
    joints: Mask | None = None,
    bare: bool = False,
    advance: Callable[[float], None] = lambda _: None,
) -> Filled:
    """Fill the cells that are ``free``, once for each of ``randoms``; what is not stays as it is.

    Parameters
    ----------
    model    a two-sided network on ``representation``, which is ``cells``.
    plan     what is known of the piece.
    cells    (frames, voices) classes; those of free cells are not read.
    free     (frames, voices) which are to be filled.
    randoms  one generator a take: a take comes out the same whatever stands beside it.
    guard    the rules, bound to this one plan.
    sweeps   annealed ones before the last two, 0 or more.
    within   (voices, 128) the pitches that each voice may attack, where it is free.
    joints   (frames, voices) free cells into which nothing that was given before them is held over.
    bare     the given cells come from a grid that tells neither attacks nor a plan.
    advance  told how far it is, 0..1.

    Raises
    ------
    DeadEndError
        If the rules leave nothing somewhere, and drawing again what lies around has not helped.
    """
    takes, shape = len(randoms), (len(randoms), *cells.shape)
    settings = _Settings(
        model,
        guard or Guard((), (plan,), STEP, voiced=True),
        plan,
        _conditions(representation, plan, len(cells), bare),
        filters or Filters(),
        _may(within, cells.shape[1]),
        np.zeros_like(free) if joints is None else joints,
        bare,
    )
    out = Filled(np.repeat(cells[None], takes, 0), np.zeros(shape), np.zeros(shape), np.zeros(takes, dtype=np.int64))
    parts = [(*section, first) for section in _sections(free) for first in range(0, takes, TOGETHER)]
    for number, (low, start, high, first) in enumerate(parts):
        rows, frames = slice(first, first + TOGETHER), slice(low, high)
        inside = free[frames].copy()
        inside[: start - low] = False  # filled already
        desk = _Desk(settings, low, inside, out.cells[rows, frames], randoms[rows])
        desk.run(sweeps, lambda done, at=number: advance((at + done) / len(parts)))  # type: ignore[misc]
        for mine, theirs in ((desk.cells, out.cells), (desk.nats, out.nats), (desk.cost, out.cost)):
            theirs[rows, frames] = np.where(inside, mine, theirs[rows, frames])
        out.dead_ends[rows] += desk.dead_ends
    advance(1.0)
    return out


def _may(within: Mask | None, voices: int) -> Mask:
    """(voices, pitch ids) what each voice may strike, silence included."""
    pitch = SOUNDS[:PITCHES]
    if within is None:
        return np.ones((voices, PITCHES), dtype=np.bool_)
    may: Mask = (pitch < 0) | np.broadcast_to(within, (voices, within.shape[1]))[:, np.maximum(pitch, 0)]
    return may


def _sections(free: Mask) -> list[tuple[int, int, int]]:
    """(first frame seen, first frame filled, end) of each section in which anything is free."""
    found, start, end = [], 0, 0
    while end < len(free):
        end = start + SECTION + MARGIN if start + SECTION + MARGIN < len(free) else len(free)
        open_ = np.flatnonzero(free[start:end].any(1)) + start
        if len(open_):
            low = max(int(open_[0]) - CONTEXT, 0)
            found.append((low, max(start, low), min(int(open_[-1]) + 1 + CONTEXT, end)))
        start += SECTION
    return found


def _conditions(representation: Representation, plan: Score, frames: int, bare: bool) -> Ids:
    """(frames, conditions) what the network is told of each frame; of a bare piece, the key alone where it is known."""
    deriver = representation.derive(plan)
    out = np.empty((frames, len(representation.conditions)), dtype=np.int64)
    nothing = np.zeros((1, len(representation.fields)), dtype=np.int64)
    for frame in range(frames):
        out[frame] = deriver.conditions()[0]
        deriver.push(nothing)
    if bare:
        for column, condition in enumerate(representation.conditions):
            if condition.planned and condition.name != "key":
                out[:, column] = condition.unknown
    return out


@dataclass
class _Spans:
    """Spans of open cells, a row each: which take, voice, first frame, and how many frames."""

    take: Ids
    voice: Ids
    start: Ids
    length: Ids

    def __len__(self) -> int:
        return len(self.take)

    def only(self, rows: Ids | Mask) -> _Spans:
        return _Spans(self.take[rows], self.voice[rows], self.start[rows], self.length[rows])


@dataclass
class _Said:
    """What the network said of some takes from frame ``low`` on: a list of (takes, frames, classes), by voice."""

    takes: Ids
    low: int
    logits: Sequence[NDArray[np.float32]]

    def of(self, spans: _Spans) -> NDArray[np.float32]:
        """(spans, steps, classes); behind a span's own end, anything."""
        frames = self.logits[0].shape[1]
        at = np.minimum(spans.start[:, None] - self.low + np.arange(spans.length.max()), frames - 1)
        row = np.searchsorted(self.takes, spans.take)
        out = np.empty((*at.shape, OPEN), dtype=np.float32)
        for voice in np.unique(spans.voice).tolist():
            mine = spans.voice == voice
            out[mine] = self.logits[voice][row[mine][:, None], at[mine]]
        return out


@dataclass(frozen=True)
class _Settings:
    """What holds for a whole piece; conditions and joints are (frames, ...)."""

    model: Model
    guard: Guard
    plan: Score
    conditions: Ids
    filters: Filters
    may: Mask
    joints: Mask
    bare: bool


class _Desk:
    """One section of a piece, from frame ``first`` on, in a few takes that are filled side by side.

    Parameters
    ----------
    free   (frames, voices) which cells of the section are to be filled.
    cells  (takes, frames, voices) as they are.
    """

    def __init__(
        self, settings: _Settings, first: int, free: Mask, cells: Ids, randoms: Sequence[np.random.Generator]
    ) -> None:
        section = slice(first, first + len(free))
        self._model, self._guard, self._plan = settings.model, settings.guard, settings.plan
        self._filters, self._may, self._bare = settings.filters, settings.may, settings.bare
        self._conditions, self._joints = settings.conditions[section], settings.joints[section]
        self._first, self._free, self._randoms = first, free, randoms
        self._voices = np.flatnonzero(free.any(0)).tolist()
        self.cells = np.where(free, OPEN, cells)
        self.nats, self.cost = np.zeros(cells.shape), np.zeros(cells.shape)
        self.dead_ends = np.zeros(len(cells), dtype=np.int64)
        # Cells that a given note goes on behind, and that note: they arrive at it.
        self._behind = np.vstack([cells[0, 1:], np.zeros((1, cells.shape[2]), dtype=np.int64)])
        given = np.vstack([~free[1:], np.zeros((1, cells.shape[2]), dtype=np.bool_)])
        self._arrives = free & given & (self._behind > HELD)

    def run(self, sweeps: int, advance: Callable[[float], None]) -> None:
        """Annealed sweeps, then those under the rules."""
        calls = sweeps + LAST * APART * len(self._voices)
        bold, likely = self._filters, max(self._filters.min_p, LIKELY)
        self._filters = replace(bold, min_p=likely)
        for sweep in range(sweeps):
            self._open(max(LEAST, 1 - sweep / max(FALLING * sweeps, 1)))
            self._draw()
            advance(sweep / calls)
        self._filters = bold
        for last in range(LAST):
            self._sweep(last)
            advance((sweeps + (last + 1) * APART * len(self._voices)) / calls)

    def _sweep(self, number: int) -> None:
        """Draw every free cell under the rules, the voices in turn, every third block of one at a time."""
        uniform = self._uniform()
        block = (np.arange(len(self._free)) + number * BEAT // 2) // BEAT
        for turn in range(APART):
            for voice in self._voices:
                hidden = np.zeros(self.cells.shape, dtype=np.bool_)
                hidden[:, :, voice] = block % APART == turn
                self.cells[self._grown(hidden & self._free)] = OPEN
                spans = self._spans()
                self._guarded(spans.only(spans.voice == voice), uniform)
        for take in range(len(self.cells)):
            self._mend(take)

    # -- what is open --------------------------------------------------------------------------------------------

    def _open(self, share: float) -> None:
        """Open a share of the free cells: blocks of a beat in one voice, which begin at a random place of the beat."""
        frames, voices = self._free.shape
        hidden = np.zeros(self.cells.shape, dtype=np.bool_)
        for take, random in enumerate(self._randoms):
            block = (np.arange(frames) + int(random.integers(BEAT))) // BEAT
            hidden[take] = (random.random((frames // BEAT + 2, voices)) < share)[block]
        self.cells[self._grown(hidden & self._free)] = OPEN

    def _grown(self, hidden: Mask) -> Mask:
        """Also what of the free cells goes on holding a note behind an open cell, for some frames."""
        holds = (self.cells > HELD) & (self.cells < OPEN) & self._free
        for _ in range(REACH):
            further = np.zeros_like(hidden)
            further[:, 1:] = hidden[:, :-1] & holds[:, 1:] & ~hidden[:, 1:]
            if not further.any():
                break
            hidden = hidden | further
        return hidden

    def _spans(self) -> _Spans:
        """All that is open, longest spans first."""
        open_ = (self.cells == OPEN).swapaxes(1, 2)  # (takes, voices, frames): a voice's frames side by side
        edges = np.diff(open_.astype(np.int8), axis=2, prepend=0, append=0)
        take, voice, start = np.nonzero(edges == 1)
        length = np.nonzero(edges == -1)[2] - start
        order = np.argsort(-length, kind="stable")
        return _Spans(take, voice, start, length).only(order)

    def _uniform(self) -> Floats:
        """A random number for each cell, (takes, frames, voices)."""
        return np.stack([random.random(self._free.shape) for random in self._randoms])

    def _look(self, spans: _Spans, *, near: bool = False) -> _Said:
        """What the network says of the takes of these spans, or only of what lies ``near`` them."""
        takes, low, high = np.unique(spans.take), 0, len(self._free)
        if near:
            low = max(int(spans.start.min()) - CONTEXT, 0)
            high = int((spans.start + spans.length).max()) + CONTEXT
        seen = self.cells[takes, low:high]
        shown = Cells.shown(seen, seen == OPEN, bare=self._bare)
        conditions = np.broadcast_to(self._conditions[low:high], (*seen.shape[:2], self._conditions.shape[1]))
        features, _ = self._model.run(np.concatenate([shown, conditions], axis=2), [])
        return _Said(takes, low, features)

    def _lines(self, spans: _Spans, said: _Said) -> Lines:
        frames = len(self._free)
        behind = spans.start + spans.length
        after = self.cells[spans.take, np.minimum(behind, frames - 1), spans.voice]
        holds = (behind < frames) & (after > HELD) & (after < OPEN)
        right = np.where(holds, after - HELD, 0)
        return Lines(said.of(spans), self._before(spans), right, spans.length, self._may[spans.voice])

    def _before(self, spans: _Spans) -> Ids:
        """The pitch id that sounds before each span and may be held, 0 for none."""
        before = self.cells[spans.take, np.maximum(spans.start - 1, 0), spans.voice]
        holds = (spans.start > 0) & (before < OPEN) & ~self._joints[spans.start, spans.voice]
        return np.where(holds, Cells.pitches(before), 0)

    # -- drawing -------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        """Draw all that is open, spans independently of each other."""
        spans, uniform = self._spans(), self._uniform()
        if not len(spans):
            return
        said, begin = self._look(spans), 0
        while begin < len(spans):
            rows = max(1, CELLS // int(spans.length[begin]))
            some = spans.only(np.arange(begin, min(begin + rows, len(spans))))
            lines, before = self._lines(some, said), self._before(some)
            for step in range(int(some.length[0])):
                on = int((some.length > step).sum())  # the longest come first
                place = (some.take[:on], some.start[:on] + step, some.voice[:on])
                chosen = pick(lines.weights(step, before[:on]), uniform[place], self._filters)
                self.cells[place] = chosen
                before = Cells.pitches(chosen)
            begin += len(some)

    def _guarded(
        self, spans: _Spans, uniform: Floats, *, strict: bool = True, near: bool = False
    ) -> list[tuple[int, int]]:
        """Draw spans of one voice under the rules; (take, frame) where nothing was left: there a span stays open.

        Spans of one take that a rule could see at once are drawn one after the other.
        """
        if not len(spans):
            return []
        said = self._look(spans, near=near)
        stuck: list[tuple[int, int]] = []
        for group in self._apart(spans):
            some = spans.only(group)
            lines, before = self._lines(some, said), self._before(some)
            alive = np.ones(len(some), dtype=np.bool_)
            for step in range(int(some.length[0])):
                on = int((some.length > step).sum())
                weights = lines.weights(step, before[:on])
                place = (some.take[:on], some.start[:on] + step, some.voice[:on])
                left, kept, cost = self._admitted(weights, *place)
                enough = kept > (SCARCE if strict else 0.0)
                stuck += [(int(place[0][row]), int(place[1][row])) for row in np.flatnonzero(alive[:on] & ~enough)]
                alive = alive[:on] & enough
                goes = np.flatnonzero(alive)
                here = (place[0][goes], place[1][goes], place[2][goes])
                chosen = pick(left[goes], uniform[here], self._filters)
                self.cells[here] = chosen
                self.nats[here] = -np.log(weights[goes, chosen])
                self.cost[here] = cost[goes]
                before = np.zeros(on, dtype=np.int64)
                before[goes] = Cells.pitches(chosen)
        return stuck

    def _apart(self, spans: _Spans) -> list[Ids]:
        """The rows of spans in groups; those of a group that are one take's lie further apart than a rule can see."""
        groups: list[list[int]] = []
        last: dict[tuple[int, int], int] = {}  # (take, group): the frame up to which it is taken
        for row in np.lexsort((spans.start, spans.take)).tolist():
            take, start, group = int(spans.take[row]), int(spans.start[row]), 0
            while last.get((take, group), -1) > start:
                group += 1
            if group == len(groups):
                groups.append([])
            groups[group].append(row)
            last[take, group] = start + int(spans.length[row]) + self._guard.reach
        return [np.array(sorted(group)) for group in groups]

    def _admitted(self, weights: Floats, take: Ids, frame: Ids, voice: Ids) -> tuple[Floats, Floats, Floats]:
        """What the rules leave of the weights (rows, classes) of these cells, all of one voice.

        Beside it, (rows,) each: how much the hard ones leave, and what all cost, as :func:`fields.divergence` counts.
        """
        admitted, price = self._guard.judge(self._situation(take, frame, int(voice[0])))
        left = weights
        if admitted is not None:
            left = left * (admitted | self._arrives[frame, voice][:, None])
        kept = np.minimum(left.sum(1), 1.0)
        if price is None:
            return left, kept, -np.log(np.maximum(kept, TINY))
        least = np.where(left > 0, price, np.inf).min(1, keepdims=True)
        price = price - np.where(np.isfinite(least), least, 0.0)  # what every class pays alike changes nothing
        left, total, asked = bent(left, price)
        return left, kept, np.maximum(-np.log(total) - asked, 0.0)

    def _situation(self, take: Ids, frame: Ids, voice: int) -> Situation:
        """What sounds round these cells, before them and after."""
        reach = self._guard.reach
        near = frame[:, None] + np.arange(-reach, reach + 1)
        there = (near >= 0) & (near < len(self._free))
        at = np.clip(near, 0, len(self._free) - 1)
        cells = self.cells[take[:, None], at]
        cells = np.where((cells == OPEN) & self._arrives[at], self._behind[at], cells)
        cells = np.where(there[:, :, None], cells, OPEN)
        choices = np.repeat(SOUND[None, :OPEN, None], len(take), axis=0)
        strikes = np.repeat(STRIKES[None], len(take), axis=0)
        struck = (cells > 0) & (cells <= HELD)
        return Situation(SOUND[cells], near + self._first, reach, voice, choices, strikes, struck)

    # -- dead ends -----------------------------------------------------------------------------------------------

    def _mend(self, take: int) -> None:
        """Draw again what lies around each place that is still open, until nothing is."""
        while (left := np.argwhere(self.cells[take] == OPEN)).size:
            frame, voice = left[0].tolist()
            for attempt in range(TRIES):
                self.dead_ends[take] += 1
                stuck = self._again(take, frame, BEAT << attempt // 2, strict=attempt < TRIES // 2)
                if stuck is None:
                    break
                frame, voice = stuck
            else:
                raise DeadEndError(self._why(take, frame, voice))

    def _again(self, take: int, frame: int, around: int, *, strict: bool) -> tuple[int, int] | None:
        """Open all voices for some frames around, and draw one after the other; where that got stuck, if it did."""
        hidden = np.zeros(self.cells.shape, dtype=np.bool_)
        hidden[take, max(frame - around, 0) : frame + around + 1] = True
        self.cells[self._grown(hidden & self._free)] = OPEN
        random = self._randoms[take]
        uniform = np.zeros(self.cells.shape)
        uniform[take] = random.random(self._free.shape)
        for voice in random.permutation(self._voices).tolist():
            spans = self._spans()
            here = (spans.start <= frame + around) & (spans.start + spans.length > frame - around)
            some = spans.only(here & (spans.take == take) & (spans.voice == voice))
            stuck = self._guarded(some, uniform, strict=strict, near=True)
            if stuck:
                return stuck[0][1], voice
        return None

    def _why(self, take: int, frame: int, voice: int) -> str:
        """One sentence: which rules left nothing, for whom, and where."""
        grammar = np.concatenate([self._may[voice], np.zeros(HELD, dtype=np.bool_)])
        before = int(Cells.pitches(self.cells[take, max(frame - 1, 0), voice]))
        grammar[before + HELD if frame and 0 < before <= HELD else 0] = True
        situation = self._situation(np.array([take]), np.array([frame]), voice)
        names = self._guard.blamed(situation, 0, grammar) or [str(one) for one in self._guard.rules]
        bar = self._plan.bar_name((frame + self._first) * STEP)
        return (
            f"expected the rules to leave the {VOICES[voice].lower()} a note in {bar}, "
            f"found none under {', '.join(names)}; leave one of them out, or make it soft."
        )
