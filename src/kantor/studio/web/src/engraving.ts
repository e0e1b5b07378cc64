// When the engraved score is asked for: once things are quiet, every so often while a piece grows, one request at a time.
import { settled } from "./dom.ts";
import type { Note, WireScore } from "./music.ts";
import type { KantorScore } from "./score_view.ts";
import { type Engraved, isPassing, post } from "./wire.ts";

const EVERY = 2500; // ms between two engravings of a piece that grows
const PATIENCE = 2000; // ms until a busy server is asked again; each wait is twice as long as the one before,
const SLOWEST = 30_000; // but no longer than this

/** What is to be engraved, and its notes in the order in which they are sent. */
export interface Sheet {
  score: WireScore;
  notes: readonly Note[];
}

export class Engraving {
  /** Called in a moment: what is on the page has changed. */
  readonly ask = settled(120, () => void this.draw());
  private readonly view: KantorScore;
  private readonly sheet: () => Sheet | null;
  private readonly drawn: () => void;
  private busy = false;
  private again = false;
  private at = 0;
  private wait = PATIENCE;
  private timer = 0;

  constructor(view: KantorScore, sheet: () => Sheet | null, drawn: () => void) {
    this.view = view;
    this.sheet = sheet;
    this.drawn = drawn;
  }

  /** The same of a piece that grows: not with every note. */
  soon(): void {
    if (performance.now() - this.at > EVERY && !this.timer) void this.draw();
  }

  private async draw(): Promise<void> {
    if (this.busy) {
      this.again = true;
      return;
    }
    window.clearTimeout(this.timer);
    this.timer = 0;
    const sheet = this.sheet();
    if (!sheet) return this.view.clear();
    this.busy = true;
    this.at = performance.now();
    try {
      this.view.show(await post<Engraved>("api/engrave", { score: sheet.score }), sheet.notes);
      this.wait = PATIENCE;
      this.drawn();
    } catch (error) {
      if (isPassing(error)) this.later();
      else this.view.clear(); // the roll still shows it
    } finally {
      this.busy = false;
      if (this.again) {
        this.again = false;
        this.ask();
      }
    }
  }

  /** The pages that are there stay; it is tried again after a while. */
  private later(): void {
    this.timer = window.setTimeout(() => void this.draw(), this.wait);
    this.wait = Math.min(this.wait * 2, SLOWEST);
  }
}
