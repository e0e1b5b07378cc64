// Where notes lie on a piano roll: time to the right, pitch upwards. Pure functions of a view.
import type { Note } from "./music.ts";

const KEYS = 44; // px: the keyboard at the left
const RULER = 24; // px: bar numbers at the top
const HANDLE = 9; // px at a note's end that lengthen it
const THICK = 11; // px: a note is no thinner, though its row may be

export interface View {
  /** px a tick. */
  scale: number;
  /** px a semitone. */
  row: number;
  /** Lowest and highest pitch shown, both included. */
  low: number;
  high: number;
  /** px scrolled. */
  left: number;
  top: number;
  /** px of the canvas. */
  width: number;
  height: number;
  /** How large all is drawn: 1 where text is 16 px high. */
  unit: number;
}

export const keysOf = (view: View): number => KEYS * view.unit;
export const rulerOf = (view: View): number => RULER * view.unit;

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export const xOf = (view: View, tick: number): number => keysOf(view) + tick * view.scale - view.left;
export const yOf = (view: View, pitch: number): number => rulerOf(view) + (view.high - pitch) * view.row - view.top;
export const tickAt = (view: View, x: number): number => (x - keysOf(view) + view.left) / view.scale;
export const pitchAt = (view: View, y: number): number =>
  view.high - Math.floor((y - rulerOf(view) + view.top) / view.row);

export function boxOf(view: View, note: Note): Box {
  const height = Math.max(THICK * view.unit, view.row);
  const y = yOf(view, note.pitch) - (height - view.row) / 2;
  return { x: xOf(view, note.onset), y, width: Math.max(3, note.duration * view.scale), height };
}

/** px of all music in both directions, gutters included. */
export const extent = (view: View, end: number): { width: number; height: number } => ({
  width: keysOf(view) + end * view.scale + 24,
  height: rulerOf(view) + (view.high - view.low + 1) * view.row,
});

export type Part = "body" | "end";

/** The note under a point, the last one drawn first, and whether it is held at its end. */
export function hit(view: View, notes: readonly Note[], x: number, y: number, slack = 0): [Note, Part] | null {
  for (let index = notes.length - 1; index >= 0; index--) {
    const note = notes[index]!;
    const box = boxOf(view, note);
    if (x < box.x - slack || x > box.x + box.width + slack || y < box.y - slack || y > box.y + box.height + slack) continue;
    const handle = Math.min(HANDLE * view.unit + slack, box.width / 2.5);
    return [note, x > box.x + box.width - handle ? "end" : "body"];
  }
  return null;
}

/** Notes that touch a rectangle given by two corners. */
export function within(view: View, notes: readonly Note[], a: [number, number], b: [number, number]): Note[] {
  const [x0, x1] = [Math.min(a[0], b[0]), Math.max(a[0], b[0])];
  const [y0, y1] = [Math.min(a[1], b[1]), Math.max(a[1], b[1])];
  return notes.filter((note) => {
    const box = boxOf(view, note);
    return box.x < x1 && box.x + box.width > x0 && box.y < y1 && box.y + box.height > y0;
  });
}

/** The nearest multiple of the grid. */
export const snap = (tick: number, grid: number): number => Math.round(tick / grid) * grid;

/** The multiple of the grid at or before a tick. */
export const floorTo = (tick: number, grid: number): number => Math.floor(tick / grid) * grid;

/** Pitches to show: all that sound and a little room, two octaves at least. */
export function range(notes: readonly Note[]): [number, number] {
  let [low, high] = [127, 0];
  for (const { pitch } of notes) {
    low = Math.min(low, pitch);
    high = Math.max(high, pitch);
  }
  if (low > high) [low, high] = [48, 72];
  low -= 3;
  high += 3;
  const more = Math.max(0, 24 - (high - low));
  low -= Math.ceil(more / 2);
  high += Math.floor(more / 2);
  const shift = low < 0 ? -low : high > 127 ? 127 - high : 0;
  return [Math.max(0, low + shift), Math.min(127, high + shift)];
}

/** Moves notes by ticks and semitones, all together, and no farther than the edges. */
export function moved<N extends Note>(notes: readonly N[], ticks: number, semitones: number): N[] {
  const first = Math.min(...notes.map((note) => note.onset));
  const low = Math.min(...notes.map((note) => note.pitch));
  const high = Math.max(...notes.map((note) => note.pitch));
  const dt = Math.max(ticks, -first);
  const dp = Math.min(Math.max(semitones, -low), 127 - high);
  return notes.map((note) => ({ ...note, onset: note.onset + dt, pitch: note.pitch + dp }));
}

/** Lengthens notes by ticks; none gets shorter than the grid. */
export const stretched = <N extends Note>(notes: readonly N[], ticks: number, grid: number): N[] =>
  notes.map((note) => ({ ...note, duration: Math.max(Math.min(grid, note.duration), note.duration + ticks) }));

const BLACK = new Set([1, 3, 6, 8, 10]);
export const isBlack = (pitch: number): boolean => BLACK.has(pitch % 12);

/** The note that arrow keys go to: along its own part for left and right, to another part for up and down. */
export function neighbour(notes: readonly Note[], from: Note | undefined, way: "left" | "right" | "up" | "down"): Note | undefined {
  if (!notes.length) return undefined;
  const sorted = [...notes].sort((a, b) => a.onset - b.onset || b.pitch - a.pitch);
  if (!from) return sorted[0];
  if (way === "left" || way === "right") {
    const line = sorted.filter((note) => note.part === from.part);
    const at = line.findIndex((note) => note.id === from.id);
    return line[at + (way === "right" ? 1 : -1)] ?? from;
  }
  const sign = way === "up" ? 1 : -1;
  const others = notes.filter((note) => note.id !== from.id && note.onset < from.onset + from.duration && note.onset + note.duration > from.onset);
  const beyond = others.filter((note) => sign * (note.pitch - from.pitch) > 0 || (note.pitch === from.pitch && sign * (from.part - note.part) > 0));
  return beyond.sort((a, b) => sign * (a.pitch - b.pitch) || Math.abs(a.onset - from.onset) - Math.abs(b.onset - from.onset))[0] ?? from;
}
