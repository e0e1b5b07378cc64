// What the parts of the page need of it; the studio is it.
import type { Controls } from "./controls.ts";
import type { Growing } from "./growing.ts";
import type { Piece } from "./music.ts";
import type { KantorRoll } from "./roll.ts";
import type { KantorScore } from "./score_view.ts";
import type { Sound } from "./sound.ts";
import type { Locks } from "./steer.ts";
import type { Transport } from "./transport.ts";

export interface Page {
  readonly roll: KantorRoll;
  readonly score: KantorScore;
  readonly controls: Controls;
  readonly sound: Sound;
  readonly transport: Transport;
  /** What is on the page. */
  readonly piece: Piece;
  /** The piece that is being composed, if one is. */
  readonly unfinished: Growing | null;
  readonly locks: Locks;
  /** Another piece, or the same one changed: it goes into the history. */
  commit(piece: Piece, label: string): void;
  /** The piece as it is, with more known of it: no undo of its own. */
  amend(piece: Piece): void;
  /** Plays another piece in place of the one on the page, from a tick on, so that it can be told apart; null: no more. */
  audit(piece: Piece | null, from: number): void;
  seek(tick: number): void;
  /** Asks the server, one thing at a time; null where that went wrong, and was said. */
  ask<T>(doing: string, what: () => Promise<T>): Promise<T | null>;
  say(text: string, warn?: boolean): void;
  /** What can be pressed has changed. */
  refresh(): void;
}
