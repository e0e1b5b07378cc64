// What the rules and the model say of a piece: faults, marked and listed, and how unlikely each note was.
import { $, make, settled } from "./dom.ts";
import type { Page } from "./page.ts";
import { musicOf } from "./music.ts";
import type { Fault } from "./roll.ts";
import { barAt, sent } from "./steer.ts";
import { post, sentence, type WireFault } from "./wire.ts";

const MOST = 60; // faults that are listed

export class Judging {
  showsFaults = true;
  showsSurprise = false;
  private faults: Fault[] = [];
  private readonly page: Page;
  private readonly check = settled(350, () => void this.find());

  constructor(page: Page) {
    this.page = page;
  }

  /** Another piece, or the same one changed. */
  changed(): void {
    this.check();
    if (this.showsSurprise) void this.judge();
  }

  /** What was found is of no piece any more. */
  forget(): void {
    this.faults = [];
    this.show();
  }

  toggleFaults(): void {
    this.showsFaults = !this.showsFaults;
    if (this.showsFaults) this.check();
    this.show();
    this.page.refresh();
  }

  toggleSurprise(): void {
    this.showsSurprise = !this.showsSurprise;
    this.page.roll.surprise = this.showsSurprise;
    if (this.showsSurprise) void this.judge();
    this.page.say(this.showsSurprise ? "Bright notes surprised the model, by 6 nats and more; dark ones it expected." : "");
    this.page.refresh();
  }

  show(): void {
    const { page } = this;
    const faults = this.showsFaults ? this.faults : [];
    page.roll.faults = faults;
    page.score.mark(new Set(faults.flatMap((fault) => fault.ids ?? [])));
    const rows = faults.slice(0, MOST).map((fault) => {
      const row = make("button", { type: "button", title: fault.rule }, fault.text);
      row.addEventListener("click", () => this.lead(fault));
      return make("li", {}, row);
    });
    const none = !page.piece.notes.length ? "None looked for yet." : this.showsFaults ? "None: every rule holds." : "Not shown.";
    $("fault-list").replaceChildren(...(rows.length ? rows : [make("li", { className: "none" }, none)]));
  }

  private lead(fault: Fault): void {
    const { page } = this;
    page.roll.selection = page.piece.notes.filter((note) => fault.ids?.includes(note.id));
    page.seek(barAt(page.piece, fault.tick).start);
    page.refresh();
  }

  private async find(): Promise<void> {
    const { piece, unfinished } = this.page;
    if (!this.showsFaults || !piece.notes.length || unfinished) return this.show();
    try {
      const { faults } = await post<{ faults: WireFault[] }>("api/check", { score: musicOf(piece) });
      if (piece !== this.page.piece) return;
      const order = sent(piece);
      this.faults = faults.map((fault) => ({ ...fault, ids: fault.notes.flatMap((index) => order[index]?.id ?? []) }));
    } catch {
      this.faults = [];
    }
    this.show();
  }

  private async judge(): Promise<void> {
    const { page } = this;
    const { piece } = page;
    if (piece.notes.length && piece.notes.every((note) => typeof note.nats === "number")) return;
    try {
      const { nats } = await post<{ nats: (number | null)[] }>("api/surprise", { score: musicOf(piece), model: page.controls.settings.model });
      if (piece !== page.piece || page.unfinished) return;
      const by = new Map(sent(piece).map((note, index) => [note.id, nats[index] ?? null]));
      page.amend({ ...piece, notes: piece.notes.map((note) => ({ ...note, nats: by.get(note.id) ?? null })) });
    } catch (error) {
      page.say(sentence(error), true);
    }
  }
}
