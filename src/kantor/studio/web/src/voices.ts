// The list of voices: what each is played on, whether it is kept as it is, whether it is heard.
import { $, icon, make, option } from "./dom.ts";
import type { Part, Piece } from "./music.ts";
import { COLOURS, readable, voiceLetter } from "./roll.ts";
import type { Instrument } from "./wire.ts";

const FAMILIES = ["Piano", "Bells and mallets", "Organ", "Guitar", "Bass", "Strings", "Ensemble and voices", "Brass", "Reed", "Pipe", "Synth lead", "Synth pad", "Effects", "World", "Percussion", "Sounds"];

export class Voices {
  onchange: () => void = () => {};
  oninstrument: (programs: number[]) => void = () => {};
  readonly locked = new Set<number>();
  readonly muted = new Set<number>();
  /** Programs that were chosen by hand for parts of this piece, whatever the server says of it later. */
  readonly chosen = new Map<number, number>();
  instruments: Instrument[] = [];
  private shown = "";

  /** The rows of a piece; made again only when its parts are other ones, so that nobody's focus is lost. */
  show(piece: Piece): void {
    const parts = piece.parts.length ? piece.parts : [{ name: "Piano", program: 0, is_drum: false }];
    const shown = JSON.stringify([parts.map((part) => [part.name, part.is_drum]), this.instruments.length]);
    if (shown === this.shown) {
      $("voices").querySelectorAll("select").forEach((select, index) => {
        const part = parts[index];
        if (part && !part.is_drum) select.value = String(part.program);
      });
      return;
    }
    this.shown = shown;
    for (const part of [...this.locked]) if (part >= parts.length) this.locked.delete(part);
    $("voices").replaceChildren(...parts.map((part, index) => this.row(piece, part, index)));
    this.paint();
  }

  get volumes(): number[] {
    return Array.from({ length: 64 }, (_, part) => (this.muted.has(part) ? 0 : 1));
  }

  private row(piece: Piece, part: Part, index: number): HTMLElement {
    const name = part.name || `Part ${index + 1}`;
    const swatch = make("span", { className: "swatch", "aria-hidden": "true" }, voiceLetter(piece, index));
    const colour = COLOURS[index % COLOURS.length]!;
    swatch.style.background = colour;
    swatch.style.color = readable(colour);
    const choice = make("select", { "aria-label": `${name}: instrument`, title: name });
    choice.append(...this.choices(part));
    choice.addEventListener("change", () => {
      if (!part.is_drum) this.chosen.set(index, Number(choice.value));
      const programs = [...$("voices").querySelectorAll("select")].map((each) => Number(each.value));
      this.oninstrument(programs);
    });
    return make("div", { className: "voice" }, swatch, choice, this.toggle("lock", this.locked, index, `Lock ${name}`), this.toggle("mute", this.muted, index, `Mute ${name}`));
  }

  private choices(part: Part): Node[] {
    if (part.is_drum) return [option("128", "Drums", true)];
    const groups = new Map<number, HTMLOptGroupElement>();
    for (const { program, name } of this.instruments) {
      const family = Math.floor(program / 8);
      if (!groups.has(family)) groups.set(family, make("optgroup", { label: FAMILIES[family] ?? "Others" }));
      groups.get(family)!.append(option(String(program), name, program === part.program));
    }
    return groups.size ? [...groups.values()] : [option(String(part.program), `Program ${part.program}`, true)];
  }

  private toggle(kind: "lock" | "mute", set: Set<number>, index: number, label: string): HTMLButtonElement {
    const button = make("button", { type: "button", "aria-label": label, title: kind === "lock" ? `${label}: it stays as it is` : label, "data-kind": kind, "data-part": index });
    button.addEventListener("click", () => {
      if (!set.delete(index)) set.add(index);
      this.paint();
      this.onchange();
    });
    return button;
  }

  private paint(): void {
    for (const button of $("voices").querySelectorAll<HTMLButtonElement>("button")) {
      const lock = button.dataset["kind"] === "lock";
      const on = (lock ? this.locked : this.muted).has(Number(button.dataset["part"]));
      button.setAttribute("aria-pressed", String(on));
      button.replaceChildren(icon(lock ? (on ? "lock" : "unlock") : on ? "mute" : "sound"));
    }
  }
}
