// <kantor-player>: a piano roll with a play button, for notebooks and other pages; the studio has its own transport.
//
//   <kantor-player src="piece.json"></kantor-player>      a score as JSON (docs/studio.md)
//   <kantor-player><script type="application/json">{...}</script></kantor-player>
//
// or set its property `piece`. It sounds by two oscillators a note, so that it needs nothing from anywhere.
import { EMPTY, endOf, freshId, type Piece, type WireScore } from "./music.ts";
import { OscillatorVoice } from "./oscillator.ts";
import { defineRoll, type KantorRoll } from "./roll.ts";
import { Timeline } from "./timeline.ts";
import { type Source, Transport } from "./transport.ts";

const STYLE = `
:host { display: grid; grid-template-rows: auto 1fr; height: 360px; gap: 8px; font: 15px system-ui, sans-serif; color-scheme: light dark; }
div { display: flex; gap: 12px; align-items: center; }
button { font: inherit; min-width: 88px; min-height: 40px; border-radius: 8px; border: 1px solid #8a93a0; cursor: pointer; }
button:focus-visible { outline: 3px solid #0059b3; outline-offset: 2px; }
kantor-roll { border: 1px solid #c5cad3; border-radius: 8px; }
`;

export class KantorPlayer extends HTMLElement {
  static observedAttributes = ["src", "dark", "editable"];

  readonly roll: KantorRoll;
  private readonly button = document.createElement("button");
  private readonly clock = document.createElement("span");
  private transport: Transport | null = null;
  private timer = 0;
  private steps = 0;
  private context: AudioContext | null = null;
  private begun = false;

  constructor() {
    super();
    defineRoll();
    const root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    this.roll = document.createElement("kantor-roll") as KantorRoll;
    const bar = document.createElement("div");
    bar.append(this.button, this.clock);
    root.append(bar, this.roll);
    this.button.type = "button";
    this.button.textContent = "Play";
    this.button.addEventListener("click", () => this.toggle());
    this.roll.addEventListener("toggle", () => this.toggle());
    this.roll.addEventListener("seek", (event) => this.seek((event as CustomEvent<{ tick: number }>).detail.tick));
    this.roll.addEventListener("region", () => this.transport?.repeat(this.roll.loop));
    this.roll.addEventListener("from", (event) => this.playFrom((event as CustomEvent<{ tick: number }>).detail.tick));
    this.roll.addEventListener("edit", () => this.transport?.change(this.source()));
  }

  connectedCallback(): void {
    this.roll.toggleAttribute("readonly", !this.hasAttribute("editable"));
    const script = this.begun ? null : this.querySelector('script[type="application/json"]');
    this.begun = true; // moved to another place it keeps what it has
    if (script?.textContent) this.piece = named(JSON.parse(script.textContent) as WireScore);
    else this.show();
  }

  disconnectedCallback(): void {
    this.transport?.stop();
    this.transport = null; // another one is made should it come back
    window.clearInterval(this.steps);
    void this.context?.close();
    this.context = null;
    cancelAnimationFrame(this.timer);
  }

  attributeChangedCallback(name: string, _: string | null, value: string | null): void {
    if (name === "dark") this.roll.toggleAttribute("dark", value !== null);
    if (name === "editable") this.roll.toggleAttribute("readonly", value === null);
    if (name === "src" && value) void this.load(value);
  }

  get piece(): Piece {
    return this.roll.piece;
  }

  set piece(piece: Piece) {
    this.transport?.stop();
    this.roll.piece = piece;
    this.roll.playhead = -1;
    this.transport?.change(this.source());
    this.show();
  }

  toggle(): void {
    this.transport ??= this.wake();
    const { state } = this.transport;
    if (state === "playing" || state === "buffering") this.transport.pause();
    else this.transport.play();
    this.tick();
  }

  seek(tick: number): void {
    this.transport ??= this.wake();
    this.transport.seek(tick);
    this.roll.playhead = tick;
  }

  private playFrom(tick: number): void {
    this.seek(tick);
    if (this.transport?.state === "stopped" || this.transport?.state === "paused") this.toggle();
  }

  private wake(): Transport {
    const context = new AudioContext();
    this.context = context;
    const transport = new Transport(context, new OscillatorVoice(context), this.source());
    transport.onstate = () => this.show();
    transport.loop = this.roll.loop;
    this.steps = window.setInterval(() => transport.step(), 100);
    void context.resume();
    return transport;
  }

  private source(): Source {
    const piece = this.roll.piece;
    const timeline = new Timeline(piece.tempi, piece.ticks_per_quarter);
    return { notes: piece.notes, timeline, frontier: Number.POSITIVE_INFINITY, end: endOf(piece) };
  }

  private tick(): void {
    cancelAnimationFrame(this.timer);
    const state = this.transport?.state;
    if (this.transport) this.roll.playhead = state === "stopped" ? -1 : this.transport.position;
    this.show();
    if (state === "playing" || state === "buffering") this.timer = requestAnimationFrame(() => this.tick());
  }

  private show(): void {
    const playing = this.transport?.state === "playing" || this.transport?.state === "buffering";
    this.button.textContent = playing ? "Pause" : "Play";
    const { timeline, end } = this.source();
    const at = Math.max(0, this.roll.playhead);
    this.clock.textContent = `${minutes(timeline.seconds(at))} / ${minutes(timeline.seconds(end))}`;
  }

  private async load(address: string): Promise<void> {
    const answer = await fetch(address);
    if (answer.ok) this.piece = named((await answer.json()) as WireScore);
  }
}

const named = (score: Partial<WireScore>): Piece => ({
  ...EMPTY,
  ...score,
  notes: (score.notes ?? []).map((note) => ({ ...note, id: freshId() })),
});

const minutes = (seconds: number): string => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

export function definePlayer(): void {
  if (!customElements.get("kantor-player")) customElements.define("kantor-player", KantorPlayer);
}
