// <kantor-score>: the engraved pages. Notes that sound are lit, faulty ones marked, and a click on one tells which.
import type { Note } from "./music.ts";
import { unstyled } from "./plain_svg.ts";
import type { Engraved } from "./wire.ts";

export class KantorScore extends HTMLElement {
  private ids = new Map<number, Element[]>();
  private byElement = new WeakMap<Element, number>();
  private lit: Element[] = [];
  private marked: Element[] = [];
  private times: { from: number; to: number; id: number }[] = [];
  private shownLine = -1;
  private readonly observer = new ResizeObserver(() => this.fit());

  connectedCallback(): void {
    this.observer.observe(this);
    this.addEventListener("click", (event) => {
      for (let at = event.target as Element | null; at && at !== this; at = at.parentElement) {
        const id = this.byElement.get(at);
        if (id !== undefined) {
          this.dispatchEvent(new CustomEvent("pick", { detail: { id } }));
          return;
        }
      }
    });
  }

  /** New pages for these notes, in the order in which they were sent. */
  show(engraved: Engraved, notes: readonly Note[]): void {
    const scroll = this.scrollTop;
    this.replaceChildren(...engraved.pages.map((page, index) => picture(page, index, engraved.pages.length)));
    this.ids.clear();
    this.byElement = new WeakMap();
    this.lit = [];
    this.marked = [];
    for (const [name, index] of Object.entries(engraved.notes)) {
      const note = notes[index];
      const element = this.querySelector(`[id="${CSS.escape(name)}"]`) ?? this.querySelector(`#${CSS.escape(name)}`);
      if (!note || !element) continue;
      this.ids.set(note.id, [...(this.ids.get(note.id) ?? []), element]);
      this.byElement.set(element, note.id);
    }
    this.times = notes.map((note) => ({ from: note.onset, to: note.onset + note.duration, id: note.id }));
    this.fit();
    this.scrollTop = scroll;
  }

  /** Pages are as wide as there is room, but a whole system is to be seen at once if it can be read then. */
  private fit(): void {
    const system = this.querySelector("g.system");
    const pages = [...this.querySelectorAll<SVGElement>("svg.page")];
    if (!system || !pages[0]) return;
    const ratio = system.getBoundingClientRect().height / Math.max(1, pages[0].getBoundingClientRect().width);
    const width = Math.min(this.clientWidth, Math.max(560, (this.clientHeight - 20) / ratio));
    for (const page of pages) page.style.width = `${width}px`;
  }

  clear(): void {
    this.replaceChildren();
    this.ids.clear();
    this.times = [];
  }

  /** Lights what sounds at a tick; -1 for nothing. */
  light(tick: number, follow: boolean): void {
    const now = tick < 0 ? [] : this.times.filter(({ from, to }) => from <= tick && tick < to);
    const elements = now.flatMap(({ id }) => this.ids.get(id) ?? []);
    for (const element of this.lit) if (!elements.includes(element)) element.classList.remove("sounds");
    for (const element of elements) element.classList.add("sounds");
    this.lit = elements;
    if (follow && elements[0]) this.reveal(elements[0]);
  }

  mark(ids: ReadonlySet<number>): void {
    for (const element of this.marked) element.classList.remove("faulty");
    this.marked = [...ids].flatMap((id) => this.ids.get(id) ?? []);
    for (const element of this.marked) element.classList.add("faulty");
  }

  /** Turns to the system that sounds, at once: scrolling that glides is hard to read by. */
  private reveal(element: Element): void {
    const system = element.closest("g.system") ?? element;
    const box = system.getBoundingClientRect();
    const mine = this.getBoundingClientRect();
    const line = Math.round(box.top + this.scrollTop);
    if (line === this.shownLine && box.top >= mine.top && box.top < mine.bottom) return;
    if (box.top < mine.top || box.bottom > mine.bottom) this.scrollTop += box.top - mine.top - 8;
    this.shownLine = Math.round(system.getBoundingClientRect().top + this.scrollTop);
  }
}

/** Note values before tempi, which the engraver's own font has in its private area, as all fonts have them. */
const TEMPO_SIGNS: Record<string, string> = { "\ueca3": "𝅗𝅥", "\ueca5": "♩", "\ueca7": "♪", "\uecb7": "." };

/** An SVG from the server as elements. */
function picture(source: string, index: number, count: number): Element {
  const plain = unstyled(source).replace(/[\ueca2-\uecb7]/g, (sign) => TEMPO_SIGNS[sign] ?? "");
  const parsed = new DOMParser().parseFromString(plain, "image/svg+xml");
  const svg = document.importNode(parsed.documentElement, true);
  const [width, height] = [svg.getAttribute("width"), svg.getAttribute("height")].map((size) => Number.parseFloat(size ?? ""));
  if (!svg.hasAttribute("viewBox") && width && height) svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.removeAttribute("width");
  svg.removeAttribute("height");
  for (const element of svg.querySelectorAll(":scope > rect, script")) element.remove(); // the page's own ground is ours
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", count > 1 ? `Score, page ${index + 1} of ${count}` : "Score");
  svg.classList.add("page");
  return svg;
}

export function defineScore(): void {
  if (!customElements.get("kantor-score")) customElements.define("kantor-score", KantorScore);
}
