// What is composed anew within a piece: the selection, other voices to a line, several takes to choose from, one note.
import { showChoices, showVariations, type Take } from "./dialogs.ts";
import { fromWire, musicOf, type Note, type Piece } from "./music.ts";
import type { Page } from "./page.ts";
import { barAt, infillBody, isLocked, lineOf, reconciled, sent } from "./steer.ts";
import { type Choice, post, type WirePiece } from "./wire.ts";

const VOICE_NAMES = ["soprano", "alto", "tenor", "bass"];
const TAKES = 3;
const MOST_BARS = 64; // of a take from nothing

interface Pieces {
  pieces: WirePiece[];
}

export class Steering {
  private readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async redoSelection(): Promise<void> {
    const { page } = this;
    const base = page.piece;
    const body = infillBody(base, page.roll.selection, page.roll.loop, page.locks);
    if (!body) return page.say("Everything selected is locked; unlock something to have it composed anew.", true);
    const answer = await page.ask("Composing the selection anew…", () => post<Pieces>("api/infill", { ...body, ...this.model }));
    this.take(answer, base, "re-do selection", "The selection is new; all else is as it was.");
  }

  async harmonize(): Promise<void> {
    const { page } = this;
    const base = page.piece;
    const part = page.roll.selection[0]?.part ?? base.notes[0]?.part ?? 0;
    const answer = await page.ask("Writing the other voices…", () => post<Pieces>("api/harmonize", this.harmonizeBody(base, part)));
    this.take(answer, base, "harmonise", "Harmonised; the line is as it was.");
  }

  async vary(): Promise<void> {
    const { page } = this;
    const base = page.piece;
    const [verb, body, start, what] = this.varied(base);
    const answer = await page.ask(`${what}…`, () => post<Pieces>("api/variations", { verb, body, count: TAKES }));
    if (!answer) return;
    const takes: Take[] = answer.pieces.map((piece, index) => ({
      title: String.fromCharCode(66 + index),
      piece: reconciled(fromWire(piece.score), base),
      about: piece.remarks[0] ?? `${piece.nats_per_note.toFixed(2)} nats a note`,
    }));
    if (base.notes.length) takes.unshift({ title: "A – as it is", piece: base, about: "What you have now" });
    page.say("Listen, compare, keep one.");
    showVariations(takes, page.roll.hasAttribute("dark"), (take) => page.audit(take?.piece ?? null, start), (take) => {
      page.audit(null, start);
      if (take.piece !== base) page.commit(take.piece, `variation ${take.title}`);
    });
  }

  /** What else the model might have chosen for one note. */
  async pick(note: Note): Promise<void> {
    const { page } = this;
    if (page.unfinished) return;
    const base = page.piece;
    const index = sent(base).findIndex((each) => each.id === note.id);
    const body = { score: musicOf(base), model: page.controls.settings.model, note: index };
    const answer = await page.ask("Asking the model…", () => post<{ choices: Choice[]; nats: number | null }>("api/choices", body));
    if (!answer) return;
    page.say("");
    const swap = (pitch: number) => {
      page.commit({ ...base, recipe: "", notes: base.notes.map((each) => (each.id === note.id ? { ...each, pitch, nats: null } : each)) }, "swap a note");
      page.sound.touch(note.part, pitch);
    };
    showChoices(note, base.parts[note.part]?.name || `Part ${note.part + 1}`, answer.choices, answer.nats, isLocked(note, page.locks) ? null : swap);
  }

  private take(answer: Pieces | null, base: Piece, label: string, otherwise: string): void {
    const piece = answer?.pieces[0];
    if (!piece) return;
    this.page.commit(reconciled(fromWire(piece.score), base), label);
    this.page.say(piece.remarks[0] ?? otherwise);
  }

  private get model(): { model: string } {
    return { model: this.page.controls.filler };
  }

  private harmonizeBody(piece: Piece, part: number): Record<string, unknown> {
    const voice = piece.parts.length === VOICE_NAMES.length ? { voice: VOICE_NAMES[part] } : {};
    return { score: lineOf(piece, part), ...voice, ...this.model };
  }

  /** Of the selection where there is one, of the voices to a single line, else from nothing. */
  private varied(piece: Piece): [verb: string, body: Record<string, unknown>, start: number, what: string] {
    const { page } = this;
    const infill = infillBody(piece, page.roll.selection, page.roll.loop, page.locks);
    if (infill) {
      const start = Math.min(...infill.select.map((each) => each.start));
      return ["infill", { ...infill, ...this.model }, barAt(piece, start).start, "Composing the selection in several ways"];
    }
    const lines = new Set(piece.notes.map((note) => note.part));
    if (lines.size === 1) return ["harmonize", this.harmonizeBody(piece, [...lines][0]!), 0, "Harmonising in several ways"];
    const { type: _type, ahead: _ahead, prompt: _prompt, instruments: _instruments, density: _density, ...options } = page.controls.start();
    return ["generate", { ...options, bars: Math.min(options.bars ?? 16, MOST_BARS) }, 0, "Composing several pieces"];
  }
}
