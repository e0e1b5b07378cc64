// <kantor-roll>: an editable piano roll, one canvas. It depends on nothing; give it a `piece` and listen to it.
//
// Properties: piece, playhead, selection, lockedParts, lockedRegion, loop, faults, surprise, voice (the part of new notes),
// readonly, follow. Events, all of them CustomEvents: "edit" {piece, label}, "select" {notes}, "seek" {tick},
// "from" {tick} (play from there), "region" {loop}, "pick" {note} (a click on one note), "toggle" (space bar).
//
// Mouse and touch: drag a note to move it, its end to lengthen it, empty space to select, double-click to add a note or
// take one away; drag along the ruler to loop. Keyboard: `KEYS` below, which "?" shows. Screen readers hear the note
// that is selected; arrow keys walk along voices and between them.
import {
  boxOf, extent, floorTo, hit, isBlack, keysOf, moved, neighbour, pitchAt, range, rulerOf, snap, stretched,
  tickAt, within, xOf, yOf, type View,
} from "./geometry.ts";
import { type BarLine, barsOf, EMPTY, endOf, freshId, type Note, type Piece, pitchName, whereIs } from "./music.ts";

export interface Fault {
  rule: string;
  tick: number;
  end: number;
  voices: number[];
  text: string;
  /** ids of the notes concerned, where known */
  ids?: number[];
}

/** Okabe and Ito (2008, "Color universal design"); told apart with any colour vision, as in Kantor's figures. */
export const COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8A8A00", "#777777"];

/** Cividis, for surprise: dark and expected to bright and unexpected, in order for any colour vision. */
const CIVIDIS = ["#00224e", "#2a3f6d", "#575d6d", "#7d7c78", "#a59c74", "#d2c060", "#fee838"];
export const FULL_SURPRISE = 6; // nats at which the scale ends

export const KEYS: readonly [string, string][] = [
  ["← →", "previous and next note of the voice"],
  ["↑ ↓", "to another voice"],
  ["Shift + ↑ ↓", "a semitone up or down; with Ctrl an octave"],
  ["Shift + ← →", "earlier or later by a grid step"],
  [", .", "shorter, longer"],
  ["Insert or N", "add a note after this one"],
  ["Delete", "take away"],
  ["Ctrl + A", "select all"],
  ["P", "play from this note"],
  ["L", "loop the selection, or stop looping"],
  ["Escape", "nothing selected, no loop"],
  ["+ −", "zoom"],
  ["Enter", "what else could this note be?"],
  ["Space", "play or pause"],
];

const STYLE = `
:host { display: block; position: relative; overflow: hidden; min-height: 120px; contain: strict;
  --roll-bg: #ffffff; --roll-row: #f3f4f6; --roll-line: #dfe2e7; --roll-bar: #a9afb9; --roll-ink: #1d2430; --roll-faint: #5a6473;
  --roll-loop: #0072b226; --roll-head: #b3261e; --roll-focus: #0059b3; }
:host([dark]) { --roll-bg: #14181f; --roll-row: #1a1f28; --roll-line: #29303c; --roll-bar: #4d5768; --roll-ink: #e8ecf2; --roll-faint: #a3adbb;
  --roll-loop: #56b4e926; --roll-head: #ff8a80; --roll-focus: #7cc4ff; }
.scroll { position: absolute; inset: 0; overflow: auto; outline: none; scrollbar-width: thin; background: var(--roll-bg); }
.scroll:focus-visible { box-shadow: inset 0 0 0 3px var(--roll-focus); }
canvas { position: sticky; top: 0; left: 0; display: block; touch-action: none; }
.size { position: absolute; top: 0; left: 0; pointer-events: none; }
.said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;
let sheet: CSSStyleSheet | undefined; // made once; a constructed sheet is no inline style, so a strict policy allows it

type Drag =
  | { kind: "move" | "end"; x: number; y: number; notes: Note[]; ticks: number; semitones: number; note: Note; was: boolean }
  | { kind: "box"; x: number; y: number; toX: number; toY: number; keep: Note[] }
  | { kind: "pan"; x: number; y: number; left: number; top: number; moved: boolean }
  | { kind: "loop"; from: number; to: number };

export class KantorRoll extends HTMLElement {
  static observedAttributes = ["dark", "readonly", "label"];

  follow = true;
  /** Always show the whole piece: for a picture rather than a workplace. */
  fitted = false;
  /** Which part new notes go to. */
  voice = 0;
  /** Ticks between grid lines; notes snap to them. 0: a sixteenth. */
  gridTicks = 0;

  private _piece: Piece = EMPTY;
  private _playhead = -1;
  private _selection = new Set<number>();
  private _lockedParts = new Set<number>();
  private _lockedRegion: [number, number] | null = null;
  private _loop: [number, number] | null = null;
  private _faults: Fault[] = [];
  private _surprise = false;
  private _frontier = Infinity;
  private bars: BarLine[] = [];
  private view: View = { scale: 0.08, row: 10, low: 36, high: 84, left: 0, top: 0, width: 0, height: 0, unit: 1 };
  private zoomed = 0; // px a quarter; 0: not chosen yet
  private rowChosen = 0;
  private drag: Drag | null = null;
  private wanted = false;
  private pinch = 0;
  private readonly pointers = new Map<number, [number, number]>();
  private readonly scroller = document.createElement("div");
  private readonly canvas = document.createElement("canvas");
  private readonly size = document.createElement("div");
  private readonly said = document.createElement("div");
  private readonly observer = new ResizeObserver(() => this.fit());

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
    }
    root.adoptedStyleSheets = [sheet];
    this.scroller.className = "scroll";
    this.scroller.tabIndex = 0;
    this.scroller.setAttribute("role", "application");
    this.scroller.setAttribute("aria-roledescription", "piano roll");
    this.scroller.setAttribute("aria-label", "Piano roll. Arrow keys walk through the notes.");
    this.size.className = "size";
    this.said.className = "said";
    this.said.setAttribute("aria-live", "polite");
    this.scroller.append(this.canvas, this.size);
    root.append(this.scroller, this.said);
    this.scroller.addEventListener("scroll", () => this.scrolled());
    this.scroller.addEventListener("keydown", (event) => this.keyed(event));
    this.canvas.addEventListener("pointerdown", (event) => this.down(event));
    this.canvas.addEventListener("pointermove", (event) => this.moving(event));
    this.canvas.addEventListener("pointerup", (event) => this.up(event));
    this.canvas.addEventListener("pointercancel", (event) => this.up(event));
    this.canvas.addEventListener("dblclick", (event) => this.doubled(event));
    this.scroller.addEventListener("wheel", (event) => this.wheeled(event), { passive: false });
  }

  connectedCallback(): void {
    this.observer.observe(this);
    this.fit();
  }

  disconnectedCallback(): void {
    this.observer.disconnect();
  }

  attributeChangedCallback(): void {
    const label = this.getAttribute("label");
    if (label) this.scroller.setAttribute("aria-label", `${label}. Arrow keys walk through the notes.`);
    this.draw();
  }

  // -- what is shown -------------------------------------------------------------------------------------------

  get piece(): Piece {
    return this._piece;
  }

  set piece(piece: Piece) {
    // From other pages and notebooks: notes need no ids, and a frame may be sparse.
    const notes = piece.notes.some((note) => note.id === undefined)
      ? piece.notes.map((note) => ({ ...note, id: note.id ?? freshId() }))
      : piece.notes;
    this._piece = { ...EMPTY, ...piece, notes };
    const there = new Set(notes.map((note) => note.id));
    for (const id of this._selection) if (!there.has(id)) this._selection.delete(id);
    this.bars = barsOf(this._piece);
    this.voice = Math.min(this.voice, Math.max(0, this._piece.parts.length - 1)); // the piece before may have had more
    this.fit();
  }

  get playhead(): number {
    return this._playhead;
  }

  set playhead(tick: number) {
    if (tick === this._playhead) return;
    this._playhead = tick;
    if (this.follow && tick >= 0 && !this.drag) this.reveal(tick);
    this.draw();
  }

  /** Up to which tick the music is composed; what is beyond is shaded. */
  set frontier(tick: number) {
    this._frontier = tick;
    this.draw();
  }

  get selection(): Note[] {
    return this._piece.notes.filter((note) => this._selection.has(note.id));
  }

  set selection(notes: readonly Note[]) {
    this._selection = new Set(notes.map((note) => note.id));
    this.draw();
  }

  set lockedParts(parts: ReadonlySet<number>) {
    this._lockedParts = new Set(parts);
    this.draw();
  }

  set lockedRegion(region: [number, number] | null) {
    this._lockedRegion = region;
    this.draw();
  }

  get loop(): [number, number] | null {
    return this._loop;
  }

  set loop(loop: [number, number] | null) {
    this._loop = loop;
    this.draw();
  }

  set faults(faults: readonly Fault[]) {
    this._faults = [...faults];
    this.draw();
  }

  /** Colour notes by how unlikely they were, rather than by part. */
  set surprise(on: boolean) {
    this._surprise = on;
    this.draw();
  }

  get readonly(): boolean {
    return this.hasAttribute("readonly");
  }

  isLocked(note: Note): boolean {
    const [from, to] = this._lockedRegion ?? [0, 0];
    return this._lockedParts.has(note.part) || (note.onset < to && note.onset + note.duration > from);
  }

  zoom(factor: number, atX = this.view.width / 2): void {
    const tick = tickAt(this.view, atX);
    this.zoomed = Math.min(400, Math.max(4, this.view.scale * this._piece.ticks_per_quarter * factor));
    this.fit();
    this.scroller.scrollLeft = keysOf(this.view) + tick * this.view.scale - atX;
    this.scrolled();
  }

  /** All of the piece in view, but a quarter no narrower than so many px. */
  zoomToFit(least = 4): void {
    const room = this.view.width - keysOf(this.view) - 24;
    this.zoomed = Math.min(200, Math.max(least, (room / Math.max(1, endOf(this._piece))) * this._piece.ticks_per_quarter));
    this.rowChosen = 0;
    this.fit();
  }

  // -- size ----------------------------------------------------------------------------------------------------

  private get grid(): number {
    return this.gridTicks || Math.max(1, Math.round(this._piece.ticks_per_quarter / 4));
  }

  private fit(): void {
    const { clientWidth: width, clientHeight: height } = this.scroller;
    if (!width || !height) return;
    const [low, high] = this.drag ? [this.view.low, this.view.high] : range(this._piece.notes);
    const unit = Math.max(1, Number.parseFloat(getComputedStyle(this).fontSize) / 16 || 1);
    this.view.unit = unit;
    const row = this.rowChosen || Math.max(this.fitted ? 2 : 6, Math.min(22, (height - rulerOf(this.view)) / unit / (high - low + 1))) * unit;
    const whole = ((width - keysOf(this.view) - 24) / Math.max(1, endOf(this._piece))) * this._piece.ticks_per_quarter;
    const quarter = this.fitted ? Math.min(60, whole) : this.zoomed || (width < 600 ? 34 : 44) * unit;
    Object.assign(this.view, { width, height, low, high, row, scale: quarter / this._piece.ticks_per_quarter });
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    const all = extent(this.view, Math.max(endOf(this._piece), this.bars.at(-1)?.start ?? 0));
    this.size.style.width = `${all.width}px`;
    this.size.style.height = `${Math.max(height, all.height)}px`;
    this.scrolled();
  }

  private scrolled(): void {
    this.view.left = this.scroller.scrollLeft;
    this.view.top = this.scroller.scrollTop;
    this.draw();
  }

  /** Scrolls by pages, so that the eye finds the music at rest. */
  private reveal(tick: number): void {
    const x = xOf(this.view, tick);
    if (x > this.view.width - 40 || x < keysOf(this.view))
      this.scroller.scrollLeft = Math.max(0, tick * this.view.scale - 24);
  }

  // -- drawing -------------------------------------------------------------------------------------------------

  private draw(): void {
    if (this.wanted || !this.isConnected) return;
    this.wanted = true;
    requestAnimationFrame(() => {
      this.wanted = false;
      this.paint();
    });
  }

  private paint(): void {
    const context = this.canvas.getContext("2d");
    const { view } = this;
    if (!context || !view.width) return;
    const style = getComputedStyle(this);
    const ink = (name: string) => style.getPropertyValue(`--roll-${name}`).trim();
    const ratio = window.devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = ink("bg");
    context.fillRect(0, 0, view.width, view.height);
    this.paintGrid(context, ink);
    const shown = this.dragged();
    for (const note of shown) this.paintNote(context, ink, note);
    this.paintFaults(context, ink, shown);
    this.paintOver(context, ink);
    this.paintRuler(context, ink);
    this.paintKeys(context, ink);
  }

  private paintGrid(context: CanvasRenderingContext2D, ink: (name: string) => string): void {
    const { view } = this;
    for (let pitch = view.low; pitch <= view.high; pitch++) {
      const y = yOf(view, pitch);
      if (isBlack(pitch)) {
        context.fillStyle = ink("row");
        context.fillRect(keysOf(view), y, view.width, view.row);
      }
      if (pitch % 12 === 0) {
        context.fillStyle = ink("line");
        context.fillRect(keysOf(view), y + view.row - 1, view.width, 1);
      }
    }
    for (const bar of this.bars) {
      if (xOf(view, bar.start + bar.length) < 0 || xOf(view, bar.start) > view.width) continue;
      for (let tick = bar.start; tick < bar.start + bar.length; tick += bar.beat) {
        context.fillStyle = ink(tick === bar.start ? "bar" : "line");
        context.fillRect(Math.round(xOf(view, tick)), rulerOf(view), 1, view.height);
      }
    }
    if (this._lockedRegion) {
      context.fillStyle = ink("line");
      context.globalAlpha = 0.55;
      const [from, to] = this._lockedRegion.map((tick) => xOf(view, tick)) as [number, number];
      context.fillRect(from, rulerOf(view), to - from, view.height);
      context.globalAlpha = 1;
    }
  }

  private paintNote(context: CanvasRenderingContext2D, ink: (name: string) => string, note: Note): void {
    const { view } = this;
    const box = boxOf(view, note);
    if (box.x + box.width < keysOf(view) || box.x > view.width || box.y + box.height < 0 || box.y > view.height) return;
    const [x, y, w, h] = [box.x + 0.5, box.y + 0.5, Math.max(2, box.width - 1), Math.max(3, box.height - 1)];
    const colour = this.colour(note);
    context.fillStyle = colour;
    context.beginPath();
    context.roundRect(x, y, w, h, Math.min(3, h / 3));
    context.fill();
    if (this.isLocked(note)) hatch(context, x, y, w, h, ink("bg"));
    const on = this._playhead >= note.onset && this._playhead < note.onset + note.duration;
    const chosen = this._selection.has(note.id);
    context.strokeStyle = chosen || on ? ink("ink") : ink("bg");
    context.lineWidth = chosen ? 2.5 : on ? 2 : 1;
    context.stroke();
    if (chosen) {
      context.strokeStyle = ink("bg");
      context.lineWidth = 1;
      context.strokeRect(x + 2, y + 2, Math.max(0, w - 4), Math.max(0, h - 4));
    }
    if (w >= 12) {
      context.fillStyle = readable(colour);
      context.font = `600 ${Math.min(12 * view.unit, h - 1)}px system-ui, sans-serif`;
      context.textBaseline = "middle";
      const voice = voiceLetter(this._piece, note.part);
      const text = w >= 44 ? `${voice} ${pitchName(note.pitch)}` : voice;
      if (context.measureText(text).width < w - 5) context.fillText(text, x + 4, y + h / 2 + 0.5);
    }
  }

  private colour(note: Note): string {
    if (!this._surprise) return COLOURS[note.part % COLOURS.length]!;
    if (note.nats === undefined || note.nats === null) return "#9aa1ab";
    return between(CIVIDIS, Math.min(1, note.nats / FULL_SURPRISE));
  }

  private paintFaults(context: CanvasRenderingContext2D, ink: (name: string) => string, notes: readonly Note[]): void {
    const { view } = this;
    const concerned = new Set(this._faults.flatMap((fault) => fault.ids ?? []));
    context.strokeStyle = ink("head");
    context.setLineDash([3, 2]);
    context.lineWidth = 2;
    for (const note of notes) {
      if (!concerned.has(note.id)) continue;
      const box = boxOf(view, note);
      context.strokeRect(box.x - 2, box.y - 2, box.width + 4, box.height + 4);
    }
    context.setLineDash([]);
  }

  private paintOver(context: CanvasRenderingContext2D, ink: (name: string) => string): void {
    const { view, drag } = this;
    if (this._frontier < endOf(this._piece)) {
      const x = Math.max(keysOf(view), xOf(view, this._frontier));
      context.fillStyle = ink("row");
      context.globalAlpha = 0.7;
      context.fillRect(x, rulerOf(view), view.width - x, view.height);
      context.globalAlpha = 1;
    }
    const loop = drag?.kind === "loop" ? ([Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)] as const) : this._loop;
    if (loop) {
      context.fillStyle = ink("loop");
      context.fillRect(xOf(view, loop[0]), rulerOf(view), (loop[1] - loop[0]) * view.scale, view.height);
    }
    if (this._playhead >= 0) {
      context.fillStyle = ink("head");
      context.fillRect(xOf(view, this._playhead) - 1, rulerOf(view), 2, view.height);
    }
    if (drag?.kind === "box") {
      context.strokeStyle = ink("focus");
      context.lineWidth = 1.5;
      context.setLineDash([4, 3]);
      context.strokeRect(drag.x, drag.y, drag.toX - drag.x, drag.toY - drag.y);
      context.setLineDash([]);
    }
  }

  private paintRuler(context: CanvasRenderingContext2D, ink: (name: string) => string): void {
    const { view } = this;
    context.fillStyle = ink("bg");
    context.fillRect(0, 0, view.width, rulerOf(view));
    context.fillStyle = ink("bar");
    context.fillRect(0, rulerOf(view) - 1, view.width, 1);
    context.font = `${12 * view.unit}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    let free = keysOf(view);
    for (const bar of this.bars) {
      const x = xOf(view, bar.start);
      if (x < keysOf(view) - 1 || x > view.width || x < free || !bar.number) continue;
      context.fillStyle = ink("faint");
      context.fillText(String(bar.number), x + 4, rulerOf(view) * 0.42);
      free = x + 30 * view.unit;
    }
    for (const fermata of this._piece.fermatas) {
      const x = xOf(view, fermata);
      if (x < keysOf(view)) continue;
      context.strokeStyle = ink("faint");
      context.lineWidth = 1.5;
      context.beginPath();
      const [middle, size] = [x + 6 * view.unit, 5 * view.unit];
      context.arc(middle, rulerOf(view) - size, size, Math.PI, 0);
      context.moveTo(middle + 1, rulerOf(view) - size - 1);
      context.arc(middle, rulerOf(view) - size - 1, view.unit, 0, 7);
      context.stroke();
    }
    context.fillStyle = ink("head");
    for (const fault of this._faults) {
      const x = xOf(view, fault.tick);
      if (x < keysOf(view)) continue;
      context.beginPath();
      const [top, size] = [rulerOf(view) * 0.6, 4 * view.unit];
      context.moveTo(x + 1, top);
      context.lineTo(x + 1 + 2 * size, top);
      context.lineTo(x + 1 + size, top + 2 * size);
      context.fill();
    }
    if (this._loop) {
      context.fillStyle = ink("focus");
      context.fillRect(Math.max(keysOf(view), xOf(view, this._loop[0])), rulerOf(view) - 5, Math.max(0, xOf(view, this._loop[1]) - Math.max(keysOf(view), xOf(view, this._loop[0]))), 4);
    }
  }

  private paintKeys(context: CanvasRenderingContext2D, ink: (name: string) => string): void {
    const { view } = this;
    context.fillStyle = ink("bg");
    context.fillRect(0, rulerOf(view), keysOf(view), view.height);
    context.font = `${11 * view.unit}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    for (let pitch = view.low; pitch <= view.high; pitch++) {
      const y = yOf(view, pitch);
      if (y + view.row < rulerOf(view)) continue;
      if (isBlack(pitch)) {
        context.fillStyle = ink("faint");
        context.fillRect(0, Math.max(rulerOf(view), y), keysOf(view) * 0.5, view.row - 1);
      }
      if (pitch % 12 === 0) {
        context.fillStyle = ink("faint");
        if (y > rulerOf(view) - 4) context.fillText(pitchName(pitch), keysOf(view) * 0.52, y + view.row / 2);
      }
    }
    context.fillStyle = ink("bar");
    context.fillRect(keysOf(view) - 1, 0, 1, view.height);
    context.fillStyle = ink("bg");
    context.fillRect(0, 0, keysOf(view) - 1, rulerOf(view) - 1);
  }

  /** The notes as they would be if the pointer were let go now. */
  private dragged(): readonly Note[] {
    const drag = this.drag;
    if (drag?.kind !== "move" && drag?.kind !== "end") return this._piece.notes;
    const changed = new Map(this.changed(drag).map((note) => [note.id, note]));
    return this._piece.notes.map((note) => changed.get(note.id) ?? note);
  }

  private changed(drag: Drag & { kind: "move" | "end" }): Note[] {
    if (drag.kind === "end") return stretched(drag.notes, drag.ticks, this.grid);
    return moved(drag.notes, drag.ticks, drag.semitones);
  }

  // -- editing -------------------------------------------------------------------------------------------------

  private edit(notes: readonly Note[], label: string): void {
    this._piece = { ...this._piece, notes, recipe: "" }; // an edited piece is nobody's recipe any more
    this.bars = barsOf(this._piece);
    this.emit("edit", { piece: this._piece, label });
    this.fit();
  }

  private replace(changed: readonly Note[], label: string): void {
    const by = new Map(changed.map((note) => [note.id, note]));
    this.edit(this._piece.notes.map((note) => by.get(note.id) ?? note), label);
    this.say();
  }

  private free(notes: readonly Note[]): Note[] {
    return this.readonly ? [] : notes.filter((note) => !this.isLocked(note));
  }

  add(tick: number, pitch: number, part = this.voice, duration?: number): void {
    if (this.readonly || pitch < 0 || pitch > 127) return;
    const bar = this.bars.findLast((candidate) => candidate.start <= tick);
    const note: Note = { id: freshId(), part, pitch, onset: tick, duration: duration ?? bar?.beat ?? this._piece.ticks_per_quarter, velocity: 80 };
    if (this.isLocked(note)) return;
    this._selection = new Set([note.id]);
    this.edit([...this._piece.notes, note], "add a note");
    this.selected();
  }

  remove(): void {
    const gone = new Set(this.free(this.selection).map((note) => note.id));
    if (!gone.size) return;
    const next = this.selection[0] && neighbour(this._piece.notes, this.selection[0], "left");
    this._selection = new Set(next && !gone.has(next.id) ? [next.id] : []);
    this.edit(this._piece.notes.filter((note) => !gone.has(note.id)), gone.size === 1 ? "take away a note" : `take away ${gone.size} notes`);
    this.selected();
  }

  private selected(): void {
    this.emit("select", { notes: this.selection });
    this.say();
    this.draw();
  }

  private say(): void {
    const notes = this.selection;
    if (notes.length > 1) this.said.textContent = `${notes.length} notes selected`;
    const note = notes.length === 1 ? notes[0] : undefined;
    if (!note) return;
    const quarters = note.duration / this._piece.ticks_per_quarter;
    const voice = this._piece.parts[note.part]?.name || `Part ${note.part + 1}`;
    const locked = this.isLocked(note) ? ", locked" : "";
    const faults = this._faults.filter((fault) => fault.ids?.includes(note.id)).map((fault) => `, fault: ${fault.text}`);
    this.said.textContent = `${voice} ${pitchName(note.pitch)}, ${whereIs(this.bars, note.onset)}, ${+quarters.toFixed(2)} quarters${locked}${faults.join("")}`;
  }

  private emit(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  // -- keyboard ------------------------------------------------------------------------------------------------

  private keyed(event: KeyboardEvent): void {
    if (this.handled(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  private handled(event: KeyboardEvent): boolean {
    const chosen = this.selection;
    const command = event.ctrlKey || event.metaKey;
    const way = ({ ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" } as const)[event.key];
    if (way && event.shiftKey && chosen.length) return this.nudge(way, command);
    if (way && !command && !event.altKey) return this.walk(way);
    if (event.altKey) return false;
    if (command) {
      if (event.key.toLowerCase() !== "a") return false;
      this._selection = new Set(this._piece.notes.map((note) => note.id));
      this.selected();
      return true;
    }
    switch (event.key) {
      case ",":
      case ".": {
        const free = this.free(chosen);
        if (free.length) this.replace(stretched(free, event.key === "." ? this.grid : -this.grid, this.grid), event.key === "." ? "lengthen" : "shorten");
        return true;
      }
      case "Delete":
      case "Backspace":
        this.remove();
        return true;
      case "Insert":
      case "n":
      case "N":
        return this.addAfter(chosen.at(-1));
      case "Escape":
        if (!chosen.length && !this._loop) return false;
        this._selection.clear();
        this.selected();
        if (this._loop) this.loopOver(null);
        return true;
      case "p":
      case "P":
        if (chosen.length) this.emit("from", { tick: Math.min(...chosen.map((note) => note.onset)) });
        return true;
      case "Enter":
        if (chosen.length === 1) this.emit("pick", { note: chosen[0] });
        return true;
      case " ":
        this.emit("toggle", null);
        return true;
      case "l":
      case "L":
        return this.loopSelection();
      case "+":
      case "=":
        this.zoom(1.25);
        return true;
      case "-":
        this.zoom(0.8);
        return true;
      case "Home":
      case "End":
        this.scroller.scrollLeft = event.key === "Home" ? 0 : this.scroller.scrollWidth;
        return true;
      default:
        return false;
    }
  }

  private nudge(way: "left" | "right" | "up" | "down", far: boolean): boolean {
    const free = this.free(this.selection);
    if (!free.length) return true;
    const sign = way === "up" || way === "right" ? 1 : -1;
    if (way === "up" || way === "down") this.replace(moved(free, 0, sign * (far ? 12 : 1)), "move");
    else this.replace(moved(free, sign * (far ? this._piece.ticks_per_quarter : this.grid), 0), "move");
    return true;
  }

  private walk(way: "left" | "right" | "up" | "down"): boolean {
    const next = neighbour(this._piece.notes, this.selection.at(-1), way);
    if (!next) return true;
    this._selection = new Set([next.id]);
    this.voice = next.part;
    const x = xOf(this.view, next.onset);
    if (x < keysOf(this.view) || x > this.view.width - 40) this.scroller.scrollLeft = next.onset * this.view.scale - this.view.width / 3;
    const y = yOf(this.view, next.pitch);
    if (y < rulerOf(this.view) || y > this.view.height - this.view.row) this.scroller.scrollTop += y - this.view.height / 2;
    this.selected();
    return true;
  }

  private addAfter(note: Note | undefined): boolean {
    if (note) this.add(note.onset + note.duration, note.pitch, note.part, note.duration);
    else this.add(Math.max(0, floorTo(Math.max(0, this._playhead), this.grid)), 60);
    return true;
  }

  private loopSelection(): boolean {
    const notes = this.selection;
    const loop: [number, number] | null = this._loop || !notes.length
      ? null
      : [Math.min(...notes.map((note) => note.onset)), Math.max(...notes.map((note) => note.onset + note.duration))];
    this.loopOver(loop);
    return true;
  }

  private loopOver(loop: [number, number] | null): void {
    this._loop = loop;
    this.emit("region", { loop });
    this.draw();
  }

  // -- pointer -------------------------------------------------------------------------------------------------

  private at(event: { clientX: number; clientY: number }): [number, number] {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0) return;
    const [x, y] = this.at(event);
    this.pointers.set(event.pointerId, [x, y]);
    this.canvas.setPointerCapture(event.pointerId);
    this.scroller.focus({ preventScroll: true });
    if (this.pointers.size === 2) {
      this.drag = null;
      this.pinch = this.spread();
      return;
    }
    if (y < rulerOf(this.view)) {
      const tick = snap(Math.max(0, tickAt(this.view, x)), this.grid * 4);
      this.drag = { kind: "loop", from: tick, to: tick };
      return;
    }
    const found = x > keysOf(this.view) ? hit(this.view, this._piece.notes, x, y, event.pointerType === "touch" ? 6 : 0) : null;
    if (found) return this.grab(found, x, y, event);
    if (event.pointerType === "touch") {
      this.drag = { kind: "pan", x: event.clientX, y: event.clientY, left: this.scroller.scrollLeft, top: this.scroller.scrollTop, moved: false };
      return;
    }
    this.drag = { kind: "box", x, y, toX: x, toY: y, keep: event.shiftKey ? this.selection : [] };
    if (!event.shiftKey && this._selection.size) {
      this._selection.clear();
      this.selected();
    }
  }

  private grab([note, part]: [Note, "body" | "end"], x: number, y: number, event: PointerEvent): void {
    const was = this._selection.has(note.id);
    if (event.shiftKey || event.ctrlKey || event.metaKey) {
      if (was) this._selection.delete(note.id);
      else this._selection.add(note.id);
      this.selected();
      return;
    }
    if (!was) this._selection = new Set([note.id]);
    this.voice = note.part;
    this.selected();
    const notes = this.free(this.selection);
    this.drag = { kind: part === "end" ? "end" : "move", x, y, notes, ticks: 0, semitones: 0, note, was };
  }

  private moving(event: PointerEvent): void {
    const [x, y] = this.at(event);
    if (this.pointers.has(event.pointerId)) this.pointers.set(event.pointerId, [x, y]);
    if (this.pointers.size === 2 && this.pinch) {
      const spread = this.spread();
      this.zoom(spread / this.pinch, x);
      this.pinch = spread;
      return;
    }
    const drag = this.drag;
    if (!drag) {
      const found = y > rulerOf(this.view) && x > keysOf(this.view) ? hit(this.view, this._piece.notes, x, y) : null;
      this.canvas.style.cursor = found && !this.readonly ? (found[1] === "end" ? "ew-resize" : "grab") : y < rulerOf(this.view) ? "text" : "default";
      return;
    }
    if (drag.kind === "pan") {
      const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
      drag.moved ||= Math.hypot(dx, dy) > 6;
      this.scroller.scrollLeft = drag.left - dx;
      this.scroller.scrollTop = drag.top - dy;
    } else if (drag.kind === "loop") {
      drag.to = snap(Math.max(0, tickAt(this.view, x)), this.grid * 4);
    } else if (drag.kind === "box") {
      [drag.toX, drag.toY] = [x, y];
      const notes = within(this.view, this._piece.notes, [drag.x, drag.y], [x, y]);
      this._selection = new Set([...drag.keep, ...notes].map((note) => note.id));
    } else if (drag.notes.length) {
      drag.ticks = snap((x - drag.x) / this.view.scale, this.grid);
      drag.semitones = -Math.round((y - drag.y) / this.view.row);
    }
    this.draw();
  }

  private up(event: PointerEvent): void {
    this.pointers.delete(event.pointerId);
    if (this.pointers.size < 2) this.pinch = 0;
    const drag = this.drag;
    this.drag = null;
    if (!drag || event.type === "pointercancel") return this.draw();
    if (drag.kind === "loop") return this.ruled(drag, event);
    if (drag.kind === "box") return this.selected();
    if (drag.kind === "pan") {
      if (!drag.moved && this._selection.size) {
        this._selection.clear();
        this.selected();
      }
      return;
    }
    const moves = drag.ticks || (drag.kind === "move" && drag.semitones);
    if (moves && drag.notes.length) this.replace(this.changed(drag), drag.kind === "end" ? "lengthen" : "move");
    else if (drag.was) this.emit("pick", { note: drag.note });
    this.draw();
  }

  private ruled(drag: Drag & { kind: "loop" }, event: PointerEvent): void {
    const [from, to] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
    if (from === to) {
      const tick = Math.max(0, floorTo(tickAt(this.view, this.at(event)[0]), this.grid));
      if (this._loop && (tick < this._loop[0] || tick > this._loop[1])) this.loopOver(null);
      this.emit("seek", { tick });
    } else {
      this.loopOver([from, to]);
    }
    this.draw();
  }

  private doubled(event: MouseEvent): void {
    const [x, y] = this.at(event);
    if (y < rulerOf(this.view) || x < keysOf(this.view)) return;
    if (hit(this.view, this._piece.notes, x, y)) return;
    this.add(Math.max(0, floorTo(tickAt(this.view, x), this.grid)), pitchAt(this.view, y));
  }

  private wheeled(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY / 300), this.at(event)[0]);
  }

  private spread(): number {
    const [a, b] = [...this.pointers.values()];
    return a && b ? Math.max(20, Math.abs(a[0] - b[0])) : 0;
  }
}

/** One letter that tells a voice: its initial, or its number where initials are not told apart. */
export function voiceLetter(piece: Piece, part: number): string {
  const initials = piece.parts.map((each) => each.name.charAt(0).toUpperCase());
  const mine = initials[part];
  return mine && initials.filter((each) => each === mine).length === 1 ? mine : String(part + 1);
}

/** Black or white, whichever is read more easily on a colour (contrast as in WCAG 2). */
export function readable(colour: string): string {
  const [r, g, b] = channels(colour).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  const light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 ? "#ffffff" : "#000000";
}

function between(scale: readonly string[], share: number): string {
  const at = share * (scale.length - 1);
  const low = Math.min(scale.length - 2, Math.floor(at));
  const [a, b] = [channels(scale[low]!), channels(scale[low + 1]!)];
  return `#${a.map((value, index) => Math.round(value + (b[index]! - value) * (at - low)).toString(16).padStart(2, "0")).join("")}`;
}

const channels = (colour: string): number[] => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));

function hatch(context: CanvasRenderingContext2D, x: number, y: number, w: number, h: number, ink: string): void {
  context.save();
  context.clip();
  context.strokeStyle = ink;
  context.globalAlpha = 0.55;
  context.lineWidth = 1.5;
  const path = new Path2D();
  for (let at = x - h; at < x + w; at += 6) {
    path.moveTo(at, y + h);
    path.lineTo(at + h, y);
  }
  context.stroke(path);
  context.restore();
  context.beginPath();
  context.roundRect(x, y, w, h, Math.min(3, h / 3));
}

export function defineRoll(): void {
  if (!customElements.get("kantor-roll")) customElements.define("kantor-roll", KantorRoll);
}
