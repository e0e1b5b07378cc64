// A piece that is being composed, as the server's messages tell it. Pure: messages in, a piece out.
import { EMPTY, freshId, type Note, type Part, type Piece } from "./music.ts";
import type { Started, ServerMessage } from "./wire.ts";

export class Growing {
  readonly session: string;
  readonly model: string;
  seed: number;
  branch: number;
  /** All music before this tick is composed. */
  until = 0;
  whole = false;
  givenUntil: number;
  length: number;
  private frame: Piece;
  private played: ReadonlyMap<number, number> = new Map();
  private readonly notes = new Map<number, Note>();
  private made: Piece | null = null;

  constructor(started: Started) {
    this.session = started.session;
    this.model = started.model;
    this.seed = started.seed;
    this.branch = started.branch;
    this.givenUntil = started.given_until;
    this.length = started.length_ticks;
    this.frame = frameOf(started);
  }

  /** The piece as far as it is composed. */
  get piece(): Piece {
    this.made ??= { ...this.frame, parts: playedOn(this.frame.parts, this.played), notes: [...this.notes.values()] };
    return this.made;
  }

  /** What there is by now, as a piece of its own: it ends where the music ends. */
  get part(): Piece {
    const { piece, until } = this;
    const begun = <T extends { tick: number }>(events: T[]): T[] => events.filter((event) => event.tick < until);
    return {
      ...piece,
      tempi: begun(piece.tempi),
      meters: begun(piece.meters),
      keys: begun(piece.keys),
      fermatas: piece.fermatas.filter((tick) => tick < until),
      barlines: piece.barlines.filter((tick) => tick < until),
      length_ticks: until,
    };
  }

  /** Parts on other instruments than the server knows of: programs by part. */
  set programs(chosen: ReadonlyMap<number, number>) {
    this.played = new Map(chosen);
    this.made = null;
  }

  /** The same piece with another plan, as after a change of key. */
  plan(started: Started): void {
    this.branch = started.branch;
    this.length = started.length_ticks;
    this.frame = frameOf(started);
    this.made = null;
  }

  /** What a message says of the notes; others are not for here. */
  take(message: ServerMessage): void {
    if (message.type === "notes") {
      if (message.branch < this.branch) return; // of a branch that was given up
      this.branch = message.branch;
      for (const { id, ...note } of message.notes)
        this.notes.set(id, { ...note, id: this.notes.get(id)?.id ?? freshId() });
      this.until = message.until;
    } else if (message.type === "taken_back") {
      this.branch = message.branch;
      this.until = Math.min(this.until, message.to);
      this.whole = false;
      for (const [id, note] of this.notes) {
        if (note.onset >= message.to) this.notes.delete(id);
        else if (note.onset + note.duration > message.to) this.notes.set(id, { ...note, duration: message.to - note.onset });
      }
    } else if (message.type === "done") {
      this.branch = message.branch;
      this.whole = true;
      this.until = Math.max(this.until, this.length);
    }
    this.made = null;
  }
}

/** Parts on the instruments that were chosen for them; drums stay drums. */
export const playedOn = (parts: readonly Part[], chosen: ReadonlyMap<number, number>): Part[] =>
  parts.map((part, index) => (part.is_drum ? part : { ...part, program: chosen.get(index) ?? part.program }));

const frameOf = (started: Started): Piece => ({
  ...EMPTY,
  ticks_per_quarter: started.ticks_per_quarter,
  parts: started.parts,
  keys: started.keys,
  meters: started.meters,
  tempi: started.tempi,
  fermatas: started.fermatas,
  barlines: started.bars.map((bar) => bar.start),
  anacrusis_ticks: started.bars[0] && (started.bars[0].offset ?? 0) > 0 ? started.bars[0].length : 0,
  length_ticks: started.length_ticks,
});
