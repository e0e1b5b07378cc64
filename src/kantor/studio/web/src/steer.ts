// What is asked of the model about a piece: pure functions from a piece, a selection and locks to a request's body.
import { barsOf, endOf, inOrder, musicOf, type Note, type Piece, place, toWire, type WireScore } from "./music.ts";
import { UNMARKED_TEMPO } from "./timeline.ts";

export interface Locks {
  parts: ReadonlySet<number>;
  region: [number, number] | null;
}

export interface Selected {
  voices: number[];
  start: number;
  end: number;
}

export const isLocked = (note: Note, { parts, region }: Locks): boolean =>
  parts.has(note.part) || (region !== null && note.onset < region[1] && note.onset + note.duration > region[0]);

/** Notes in the order in which they are sent: indexes in requests and answers are places in it. */
export const sent = (piece: Piece): Note[] => [...piece.notes].sort(inOrder);

/** Each voice's stretches that the selected notes cover; what touches is one stretch. */
export function stretches(notes: readonly Note[]): Selected[] {
  const found: Selected[] = [];
  for (const note of [...notes].sort((a, b) => a.part - b.part || a.onset - b.onset)) {
    const last = found.at(-1);
    const end = note.onset + note.duration;
    if (last && last.voices[0] === note.part && note.onset <= last.end) last.end = Math.max(last.end, end);
    else found.push({ voices: [note.part], start: note.onset, end });
  }
  return found;
}

/** What is to be composed anew: the selected notes, else the loop, in voices that are free; and what stays. */
export function infillBody(piece: Piece, selection: readonly Note[], loop: [number, number] | null, locks: Locks): { score: WireScore; select: Selected[]; locked: number[] } | null {
  const free = selection.filter((note) => !isLocked(note, locks));
  let select = stretches(free);
  if (!selection.length && loop) {
    const voices = piece.parts.map((_, part) => part).filter((part) => !locks.parts.has(part));
    select = voices.length ? [{ voices, start: loop[0], end: Math.min(loop[1], endOf(piece)) }] : [];
  }
  if (!select.length) return null;
  const locked = sent(piece).flatMap((note, index) => (isLocked(note, locks) ? [index] : []));
  return { score: musicOf(piece), select, locked };
}

/** One voice alone, to be given others. */
export function lineOf(piece: Piece, part: number): WireScore {
  const score = toWire(piece);
  return {
    ...score,
    recipe: "",
    parts: [score.parts[part] ?? { name: "", program: 0, is_drum: false }],
    notes: score.notes.filter((note) => note.part === part).map((note) => ({ ...note, part: 0 })),
  };
}

/** The bar in which a tick lies, as it begins; bars count from 0 here. */
export function barAt(piece: Piece, tick: number): { index: number; start: number } {
  const bars = barsOf(piece);
  const index = Math.max(0, bars.findLastIndex((bar) => bar.start <= tick));
  return { index, start: bars[index]?.start ?? 0 };
}

/** Notes that are as they were keep their names, so that a selection survives. */
export function reconciled(piece: Piece, old: Piece): Piece {
  const known = new Map(old.notes.map((note) => [`${place(note)}:${note.duration}`, note.id]));
  const taken = new Set<number>();
  return {
    ...piece,
    notes: piece.notes.map((note) => {
      const id = known.get(`${place(note)}:${note.duration}`);
      if (id === undefined || taken.has(id)) return note;
      taken.add(id);
      return { ...note, id };
    }),
  };
}

/** The score faster or slower by a factor; at another tempo than its recipe's it has no recipe. */
export function atSpeed(score: WireScore, speed: number): WireScore {
  if (speed === 1) return score;
  const tempi = score.tempi.length ? score.tempi : [{ tick: 0, quarters_per_minute: UNMARKED_TEMPO }];
  return { ...score, tempi: tempi.map((tempo) => ({ ...tempo, quarters_per_minute: tempo.quarters_per_minute * speed })), recipe: "" };
}

/** All that comes before a tick, to be gone on from; notes that sound across it end there. */
export function before(piece: Piece, tick: number): WireScore {
  const score = toWire(piece);
  return {
    ...score,
    recipe: "",
    notes: score.notes
      .filter((note) => note.onset < tick)
      .map((note) => ({ ...note, duration: Math.min(note.duration, tick - note.onset) })),
    tempi: score.tempi.filter((event) => event.tick < tick),
    meters: score.meters.filter((event) => event.tick < tick),
    keys: score.keys.filter((event) => event.tick < tick),
    fermatas: score.fermatas.filter((at) => at < tick),
    barlines: score.barlines.filter((at) => at < tick),
    length_ticks: tick,
  };
}
