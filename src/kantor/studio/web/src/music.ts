// A score as it goes over the wire, and as the page holds it: the same, with a name for every note.

export interface WireNote {
  part: number;
  pitch: number;
  onset: number;
  duration: number;
  velocity: number;
}

/** A note on the page. `nats` is how surprised the model was by it, where that is known. */
export interface Note extends WireNote {
  readonly id: number;
  nats?: number | null;
}

export interface Part {
  name: string;
  program: number;
  is_drum: boolean;
}

export interface Tempo {
  tick: number;
  quarters_per_minute: number;
}

export interface Meter {
  tick: number;
  numerator: number;
  denominator: number;
}

export interface Key {
  tick: number;
  fifths: number;
  mode: string;
}

/** Everything of a score but its notes. Ticks throughout; what is not known is empty. */
export interface Frame {
  ticks_per_quarter: number;
  parts: Part[];
  tempi: Tempo[];
  meters: Meter[];
  keys: Key[];
  fermatas: number[];
  barlines: number[];
  anacrusis_ticks: number;
  length_ticks: number;
  title: string;
  recipe: string;
}

export interface WireScore extends Frame {
  notes: WireNote[];
}

/** A piece on the page. Never changed in place: an edit makes another, and the old one stays for undo. */
export interface Piece extends Frame {
  readonly notes: readonly Note[];
}

export const EMPTY: Piece = {
  ticks_per_quarter: 480,
  notes: [],
  parts: [],
  tempi: [],
  meters: [],
  keys: [],
  fermatas: [],
  barlines: [],
  anacrusis_ticks: 0,
  length_ticks: 0,
  title: "",
  recipe: "",
};

let last = 0;

/** A name for a note, never used before on this page. */
export const freshId = (): number => ++last;

/** In score order: as they begin, then by part from the top, then by pitch. */
export const inOrder = (a: WireNote, b: WireNote): number =>
  a.onset - b.onset || a.part - b.part || a.pitch - b.pitch || a.duration - b.duration;

export function fromWire(score: WireScore, nats?: ReadonlyMap<string, number>): Piece {
  const notes = score.notes.map((note) => {
    const surprise = nats?.get(place(note));
    return surprise === undefined ? { ...note, id: freshId() } : { ...note, id: freshId(), nats: surprise };
  });
  return { ...score, notes };
}

export function toWire(piece: Piece): WireScore {
  const notes = [...piece.notes].sort(inOrder).map(({ part, pitch, onset, duration, velocity }) => ({
    part,
    pitch,
    onset,
    duration,
    velocity,
  }));
  return { ...piece, notes };
}

/** The same as music alone: what a recipe makes is not asked about. */
export const musicOf = (piece: Piece): WireScore => ({ ...toWire(piece), recipe: "" });

/** Where a note stands, as a key: two notes of one part, pitch and onset are one. */
export const place = (note: { part: number; pitch: number; onset: number }): string =>
  `${note.part}:${note.onset}:${note.pitch}`;

/** The tick at which the music ends: the declared length or the last note's end, whichever is later. */
export const endOf = (piece: Piece): number =>
  piece.notes.reduce((end, note) => Math.max(end, note.onset + note.duration), piece.length_ticks);

const NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"] as const;

/** A pitch as musicians write it: 60 is C4. */
export const pitchName = (pitch: number): string => `${NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;

/** A bar of a piece: its first tick, its length, its number as on paper (a pickup has number 0), a beat's length. */
export interface BarLine {
  start: number;
  length: number;
  number: number;
  beat: number;
}

/** The bars of a piece. Where nothing is known of its meter, four quarters are a bar, to count by. */
export function barsOf(piece: Piece): BarLine[] {
  const end = Math.max(endOf(piece), 1);
  const quarter = piece.ticks_per_quarter;
  const meters = piece.meters.length ? piece.meters : [{ tick: 0, numerator: 4, denominator: 4 }];
  const at = (tick: number) => meters.findLast((meter) => meter.tick <= tick) ?? meters[0]!;
  const starts: number[] = [];
  if (piece.barlines.length) {
    starts.push(...piece.barlines.filter((tick) => tick < end));
    if (starts[0] !== 0) starts.unshift(0);
  } else {
    let tick = 0;
    if (piece.anacrusis_ticks > 0) {
      starts.push(0);
      tick = piece.anacrusis_ticks;
    }
    while (tick < end && starts.length < 100_000) {
      starts.push(tick);
      const meter = at(tick);
      const full = tick + Math.max(1, Math.round((4 * quarter * meter.numerator) / meter.denominator));
      const change = meters.find((other) => other.tick > tick && other.tick < full);
      tick = change ? change.tick : full;
    }
  }
  const first = piece.anacrusis_ticks > 0 ? 0 : 1;
  return starts.map((start, index) => ({
    start,
    length: (starts[index + 1] ?? end) - start,
    number: first + index,
    beat: Math.max(1, Math.round((4 * quarter) / at(start).denominator)),
  }));
}

/** Where a tick is, for people: "bar 3, beat 2". */
export function whereIs(bars: readonly BarLine[], tick: number): string {
  const bar = bars.findLast((candidate) => candidate.start <= tick) ?? bars[0];
  if (!bar) return "the beginning";
  const beat = 1 + Math.floor((tick - bar.start) / bar.beat);
  return `${bar.number === 0 ? "pickup" : `bar ${bar.number}`}, beat ${beat}`;
}

const MAJOR_KEYS = ["C♭", "G♭", "D♭", "A♭", "E♭", "B♭", "F", "C", "G", "D", "A", "E", "B", "F♯", "C♯"] as const;
const MINOR_KEYS = ["A♭", "E♭", "B♭", "F", "C", "G", "D", "A", "E", "B", "F♯", "C♯", "G♯", "D♯", "A♯"] as const;

/** A key's name: "G minor"; nothing where its mode is not known. */
export function keyName(key: Key | undefined): string {
  if (!key?.mode) return "";
  return `${(key.mode === "minor" ? MINOR_KEYS : MAJOR_KEYS)[key.fifths + 7]} ${key.mode}`;
}
