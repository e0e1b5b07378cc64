// The page: what was pressed becomes a message or an edit, what comes back becomes music and pictures.
import { Controls, type Settings } from "./controls.ts";
import { showChoices, showHelp, showHistory, showSaving, showVariations, type Take } from "./dialogs.ts";
import { $, make, option, settled } from "./dom.ts";
import { keep, kept } from "./draft.ts";
import { Growing } from "./growing.ts";
import { History } from "./history.ts";
import { linked, linkTo } from "./link.ts";
import { hasMidi, midiAccess, quantised, Recorder } from "./midi.ts";
import { barsOf, EMPTY, endOf, fromWire, keyName, type Note, type Piece, place, toWire, type WireScore } from "./music.ts";
import type { Fault, KantorRoll } from "./roll.ts";
import type { KantorScore } from "./score_view.ts";
import { Sound } from "./sound.ts";
import { barAt, before, infillBody, isLocked, lineOf, type Locks, sent } from "./steer.ts";
import { Timeline } from "./timeline.ts";
import { LOOK_AHEAD, type Source, Transport } from "./transport.ts";
import { Voices } from "./voices.ts";
import {
  type Choice, type Done, type Engraved, get, type Instrument, Live, type ModelInfo, post, type Preset, Refusal,
  type RuleInfo, save, type ServerMessage, type Start, type Started, type Turn, upload, type WireFault, type WirePiece,
} from "./wire.ts";

const VOICE_NAMES = ["soprano", "alto", "tenor", "bass"];
const TAKES = 3;
const PROMISE = 0.5; // seconds beyond the look-ahead that are told to the server as good as scheduled
const PLAYED_EVERY = 300; // ms between two words on where the playhead is
const FRAME = 30; // ms between two pictures: a playhead needs no more
const HOLD = 400; // ms at most that nothing more is scheduled while a turn is on its way
const ENGRAVE_EVERY = 2500; // ms between two engravings of a piece that grows

interface Draft {
  piece: Piece;
  settings: Settings;
}

export class Studio {
  readonly controls = new Controls();
  readonly voices = new Voices();
  readonly sound = new Sound();
  readonly live = new Live();
  readonly transport: Transport;
  readonly roll = $<KantorRoll>("roll");
  readonly score = $<KantorScore>("score");
  history = new History<Piece>(EMPTY, "nothing yet");
  growing: Growing | null = null;
  /** When Compose was pressed last, by performance.now(): tests measure from here. */
  pressedAt = 0;

  private starting = false;
  private held: number | null = null;
  /** Up to where the server was told that nothing may be taken back. Nothing beyond is scheduled: it might be void. */
  private promised = 0;
  private holdTimer = 0;
  private lastPlayed = 0;
  private animatedAt = 0;
  private region: [number, number] | null = null;
  private faultList: Fault[] = [];
  private showsFaults = true;
  private showsSurprise = false;
  private timeline = new Timeline([], 480);
  private audition: Piece | null = null;
  private recorder: Recorder | null = null;
  private engraving = false;
  private engraveAgain = false;
  private engravedAt = 0;
  private painting = false;
  private busy = false;

  constructor() {
    this.transport = new Transport(this.sound.context, this.sound.voice, this.source());
    this.transport.onstate = () => this.refresh();
    this.sound.onvoice = (voice) => this.transport.speak(voice);
    this.live.onmessage = (message) => this.heard(message);
    this.live.onstatus = (status, text) => this.connection(status, text);
    this.live.whereabouts = () => ({ since: this.growing?.until ?? 0, branch: this.growing?.branch ?? 0 });
    this.wireControls();
    this.wireButtons();
    this.wireRoll();
    this.wireKeys();
    this.wireFiles();
    this.wireTheme();
    window.setInterval(() => this.step(), 100);
    this.animate();
  }

  async begin(): Promise<void> {
    try {
      const [models, rules, presets, instruments] = await Promise.all([
        get<ModelInfo[]>("api/models"),
        get<RuleInfo[]>("api/rules"),
        get<Preset[]>("api/presets"),
        get<Instrument[]>("api/instruments"),
      ]);
      this.voices.instruments = instruments;
      this.controls.fill(models, rules, presets);
    } catch (error) {
      this.say(sentence(error), true);
    }
    this.voices.show(this.piece);
    await this.restore();
    document.documentElement.dataset["ready"] = "true";
    this.sound.load().then(
      () => (document.documentElement.dataset["voice"] = this.sound.name),
      () => this.say("The SoundFont could not be loaded; a plain voice plays in its place."),
    );
  }

  // -- the piece -----------------------------------------------------------------------------------------------

  get piece(): Piece {
    return this.growing && !this.growing.whole ? this.growing.piece : this.history.current.value;
  }

  get locks(): Locks {
    return { parts: this.voices.locked, region: this.region };
  }

  private source(): Source {
    const growing = this.growing && !this.growing.whole && !this.audition ? this.growing : null;
    const piece = this.audition ?? this.piece;
    const frontier = growing ? Math.min(growing.until, this.promised) : this.starting ? 0 : Number.POSITIVE_INFINITY;
    const end = growing ? Math.max(growing.length, 1) : this.starting ? Number.POSITIVE_INFINITY : endOf(piece);
    return { notes: piece.notes, timeline: this.timeline, frontier: Math.min(frontier, this.held ?? frontier), end };
  }

  /** Another piece, or the same one changed by hand: it goes into the history. */
  commit(piece: Piece, label: string, stop = false): void {
    this.leave();
    if (stop) this.transport.stop();
    this.history.push(piece, label);
    this.changed();
  }

  /** The piece is no longer the server's: what still comes of it is not ours. */
  private leave(): void {
    if (this.growing && !this.growing.whole) this.live.say({ type: "pause" });
    this.growing = null;
    this.starting = false;
    this.release();
  }

  private changed(): void {
    const piece = this.piece;
    this.retime();
    this.voices.show(piece);
    this.show();
    this.transport.change(this.source());
    this.sound.instruments(piece.parts.map((part) => (part.is_drum ? 128 : part.program)), this.voices.volumes);
    this.engrave();
    this.check();
    this.autosave();
    this.refresh();
    if (this.showsSurprise) void this.judge();
  }

  private retime(): void {
    const { tempi, ticks_per_quarter } = this.piece;
    const first = tempi[0]?.quarters_per_minute;
    this.timeline = first
      ? new Timeline(tempi, ticks_per_quarter, this.controls.tempo / first)
      : new Timeline([{ tick: 0, quarters_per_minute: this.controls.tempo }], ticks_per_quarter);
  }

  private show(): void {
    const piece = this.piece;
    const growing = this.growing && !this.growing.whole ? this.growing : null;
    this.roll.piece = piece;
    this.roll.frontier = growing ? growing.until : Number.POSITIVE_INFINITY;
    this.roll.lockedParts = this.voices.locked;
    this.roll.lockedRegion = this.region;
    $("welcome").hidden = piece.notes.length > 0 || this.starting;
  }

  private repaint(): void {
    if (this.painting) return;
    this.painting = true;
    requestAnimationFrame(() => {
      this.painting = false;
      this.show();
    });
  }

  private readonly autosave = settled(700, () => {
    if (this.growing && !this.growing.whole) return;
    const draft: Draft = { piece: this.piece, settings: this.controls.settings };
    void keep(draft).then(() => (document.documentElement.dataset["saved"] = String(draft.piece.notes.length)));
  });

  private async restore(): Promise<void> {
    try {
      const link = await linked(location.hash);
      if (link) return await this.follow(link);
    } catch (error) {
      this.say(error instanceof Refusal ? error.message : "This link is damaged; ask for it again.", true);
      return;
    }
    const draft = await kept<Draft>();
    if (!draft) return;
    this.controls.settings = draft.settings;
    if (!draft.piece.notes.length) return;
    this.history = new History<Piece>(fromWire({ ...draft.piece, notes: [...draft.piece.notes] }), "as you left it");
    this.changed();
    this.say("Your last piece is back.");
  }

  private async follow(link: { kind: "recipe" | "score"; text: string }): Promise<void> {
    this.say("Opening the link…");
    const score = link.kind === "score"
      ? (JSON.parse(link.text) as WireScore)
      : (await post<WirePiece>("api/replay", { recipe: link.text })).score;
    this.opened(score, "from a link");
    this.say(link.kind === "recipe" ? "Made again from its recipe, note for note. Press Play." : "The piece of the link is here. Press Play.");
  }

  private opened(score: WireScore, label: string): void {
    const piece = fromWire({ ...EMPTY, ...score });
    const tempo = piece.tempi[0]?.quarters_per_minute;
    if (tempo) this.controls.tempo = tempo;
    this.voices.locked.clear();
    this.region = null;
    this.commit(piece, label, true);
    requestAnimationFrame(() => this.roll.zoomToFit(24));
  }

  // -- live ----------------------------------------------------------------------------------------------------

  compose(message: Start = this.controls.start(), from = 0): void {
    this.pressedAt = performance.now();
    this.sound.wake();
    if (this.growing && !this.growing.whole && this.growing.piece.notes.length) this.history.push(this.growing.piece, "interrupted");
    this.growing = null;
    this.starting = true;
    this.promised = 0;
    this.audition = null;
    this.region = null;
    this.roll.loop = this.transport.loop = null;
    this.release();
    this.transport.change(this.source());
    this.transport.late = this.transport.scheduled = 0;
    this.transport.play(from);
    this.live.start(message);
    this.say("Composing…");
    this.refresh();
  }

  private heard(message: ServerMessage): void {
    switch (message.type) {
      case "started":
        return this.begun(message);
      case "remark":
        return this.say(message.text);
      case "error":
        return this.refused(message.text);
    }
    const growing = this.growing;
    if (!growing) return;
    growing.take(message);
    if (message.type === "done") {
      this.release();
      return this.done(growing, message);
    }
    if (message.type === "taken_back") {
      this.release();
      this.promised = Math.min(this.promised, message.to);
    }
    this.transport.change(this.source());
    if (message.type === "taken_back" && message.to < this.transport.handed) this.goBack(message.to);
    this.tellPlayed();
    this.transport.step();
    this.repaint();
    if (message.type === "notes") this.engraveSoon();
  }

  /** What was about to sound is void. */
  private goBack(to: number): void {
    if (this.transport.state === "paused" || this.transport.state === "stopped") this.transport.seek(to);
    else this.transport.play(to);
  }

  private begun(message: Started): void {
    if (this.growing && this.growing.session === message.session && !this.starting) {
      this.growing.plan(message);
      if (message.resumed) this.say("Connected again.");
    } else if (this.starting) {
      this.starting = false;
      this.growing = new Growing(message);
      document.documentElement.dataset["seed"] = String(message.seed);
    } else {
      return;
    }
    const piece = this.growing!.piece;
    this.retime();
    this.voices.show(piece);
    this.sound.instruments(piece.parts.map((part) => (part.is_drum ? 128 : part.program)), this.voices.volumes);
    this.transport.change(this.source());
    this.faultList = [];
    this.showFaults();
    this.repaint();
    this.refresh();
  }

  private done(growing: Growing, message: Done): void {
    const nats = new Map(growing.piece.notes.flatMap((note) => (typeof note.nats === "number" ? [[place(note), note.nats] as const] : [])));
    const piece = reconciled(fromWire({ ...message.score, recipe: message.recipe || message.score.recipe }, nats), growing.piece);
    const branch = message.branch ? `, branch ${message.branch + 1}` : "";
    this.history.push(piece, `${growing.model}, seed ${growing.seed}${branch}`);
    this.changed();
    const ends = message.dead_ends ? `, ${message.dead_ends} dead ends` : "";
    this.say(`Whole: ${barsOf(piece).length} bars, ${message.nats_per_note.toFixed(2)} nats a note${ends}.`);
  }

  private refused(text: string): void {
    this.release();
    if (this.starting) {
      this.starting = false;
      this.transport.stop();
      this.transport.change(this.source());
      this.show();
    }
    this.say(text, true);
    this.refresh();
  }

  private connection(status: "open" | "lost" | "closed", text: string): void {
    if (status === "open") return;
    if (status === "lost") return this.say("The connection was lost; trying again…", true);
    this.refused(text || "The studio's server does not answer; is `kantor studio` still running?");
  }

  /** Sliders act from the first beat that is not scheduled: so nothing more is scheduled until the server has answered. */
  private turn(message: Turn | { type: "branch" }): void {
    if (!this.growing || (this.growing.whole && message.type === "turn")) return;
    this.held = this.promised = Math.ceil(this.transport.handed);
    this.sayPlayed();
    window.clearTimeout(this.holdTimer);
    this.holdTimer = window.setTimeout(() => {
      this.release();
      this.transport.change(this.source());
    }, HOLD);
    this.transport.change(this.source());
    this.live.say(message);
  }

  private release(): void {
    this.held = null;
    window.clearTimeout(this.holdTimer);
  }

  /** Every so often, and when music is about to run out: where the playhead is, and what is as good as scheduled. */
  private tellPlayed(now = false): void {
    const { growing } = this;
    if (!growing || growing.whole || this.held !== null) return;
    const wanted = Math.floor(Math.min(growing.until, this.transport.reach(LOOK_AHEAD + PROMISE)));
    const due = performance.now() - this.lastPlayed > PLAYED_EVERY;
    if (!now && !due && this.promised > Math.min(growing.until - 1, this.transport.reach(LOOK_AHEAD))) return;
    if (wanted > this.promised) {
      this.promised = wanted;
      this.transport.change(this.source());
    }
    this.sayPlayed();
  }

  private sayPlayed(): void {
    this.lastPlayed = performance.now();
    this.live.say({ type: "played", tick: Math.floor(this.transport.position), scheduled: Math.ceil(Math.max(this.promised, this.transport.handed)) });
  }

  private back(): void {
    if (this.growing && this.transport.state !== "stopped") {
      this.sayPlayed();
      this.live.say({ type: "back", bars: 1 });
      this.say("A bar back; it is composed anew.");
      return;
    }
    const at = this.transport.position;
    const bars = barsOf(this.piece);
    this.seek(bars.findLast((bar) => bar.start < at - this.piece.ticks_per_quarter / 2)?.start ?? 0);
  }

  private branch(): void {
    if (!this.growing) return this.goOn();
    this.sound.wake();
    this.turn({ type: "branch" });
    if (this.transport.state === "stopped" || this.transport.state === "paused") this.transport.play(this.transport.position);
    this.say("Another branch…");
  }

  /** Compose on from the end of the bar of the selected note, or of the playhead. */
  private goOn(): void {
    const piece = this.piece;
    const bars = barsOf(piece);
    const chosen = this.roll.selection;
    const at = chosen.length ? Math.max(...chosen.map((note) => note.onset + note.duration - 1)) : this.transport.position || endOf(piece);
    const { index } = barAt(piece, at);
    const tick = bars[index + 1]?.start ?? endOf(piece);
    const left = bars.length - index - 1;
    const { key: _key, meter: _meter, instruments: _instruments, ...start } = this.controls.start();
    this.compose({ ...start, bars: left > 0 ? left : Math.max(1, start.bars ?? 8), prompt: before(piece, tick) }, bars[index]?.start ?? 0);
  }

  // -- playing -------------------------------------------------------------------------------------------------

  toggle(): void {
    this.sound.wake();
    const { state } = this.transport;
    if (state === "playing" || state === "buffering") {
      this.transport.pause();
      if (this.growing && !this.growing.whole) this.live.say({ type: "pause" });
    } else if (this.piece.notes.length || this.starting) {
      if (this.growing && !this.growing.whole) this.live.say({ type: "resume" });
      this.transport.change(this.source());
      this.transport.play();
    }
  }

  private seek(tick: number): void {
    this.transport.seek(Math.min(tick, this.growing && !this.growing.whole ? this.growing.until : endOf(this.piece)));
    if (this.growing && !this.growing.whole) this.tellPlayed(true);
  }

  private step(): void {
    this.transport.step();
    if (this.transport.state === "playing" || this.transport.state === "buffering") this.tellPlayed();
  }

  private animate(): void {
    requestAnimationFrame(() => this.animate());
    const now = performance.now();
    if (now - this.animatedAt < FRAME) return;
    this.animatedAt = now;
    const { state, position } = this.transport;
    const resting = state === "stopped" && position === 0;
    this.roll.follow = state === "playing";
    this.roll.playhead = resting ? -1 : position;
    this.score.light(resting ? -1 : position, state === "playing");
    this.tellWhere(position, resting);
  }

  private tellWhere(position: number, resting: boolean): void {
    const bars = this.barsShown();
    const bar = bars.findLast((each) => each.start <= position);
    const count = bars.at(-1)?.number ?? 0;
    const text = resting || !bar ? (this.piece.notes.length ? `${count} bars` : "–") : bar.number ? `Bar ${bar.number} of ${count}` : `Pickup to ${count} bars`;
    const where = $("where");
    if (where.textContent !== text) where.textContent = text;
  }

  private barsFor: { piece: Piece; bars: ReturnType<typeof barsOf> } | null = null;

  private barsShown(): ReturnType<typeof barsOf> {
    if (this.barsFor?.piece !== this.piece) this.barsFor = { piece: this.piece, bars: this.piece.notes.length ? barsOf(this.piece) : [] };
    return this.barsFor.bars;
  }

  // -- steering ------------------------------------------------------------------------------------------------

  /** Asks the server for pieces, one request at a time, and says what went wrong. */
  private async ask<T>(doing: string, what: () => Promise<T>): Promise<T | null> {
    if (this.busy) return null;
    this.busy = true;
    this.say(doing);
    this.refresh();
    try {
      return await what();
    } catch (error) {
      this.say(sentence(error), true);
      return null;
    } finally {
      this.busy = false;
      this.refresh();
    }
  }

  private async redoSelection(): Promise<void> {
    const base = this.piece;
    const body = infillBody(base, this.roll.selection, this.roll.loop, this.locks);
    if (!body) return this.say("Everything selected is locked; unlock something to have it composed anew.", true);
    const answer = await this.ask("Composing the selection anew…", () => post<{ pieces: WirePiece[] }>("api/infill", { ...body, ...this.infillOptions() }));
    const piece = answer?.pieces[0];
    if (!piece) return;
    this.commit(reconciled(fromWire(piece.score), base), "re-do selection");
    this.say(remarks(piece, "The selection is new; all else is as it was."));
  }

  private infillOptions(): Record<string, unknown> {
    return { model: this.controls.filler };
  }

  private async harmonize(): Promise<void> {
    const base = this.piece;
    const part = this.roll.selection[0]?.part ?? base.notes[0]?.part ?? 0;
    const answer = await this.ask("Writing the other voices…", () => post<{ pieces: WirePiece[] }>("api/harmonize", this.harmonizeBody(base, part)));
    const piece = answer?.pieces[0];
    if (!piece) return;
    this.commit(reconciled(fromWire(piece.score), base), "harmonise");
    this.say(remarks(piece, "Harmonised; the line is as it was."));
  }

  private harmonizeBody(piece: Piece, part: number): Record<string, unknown> {
    const voice = piece.parts.length === VOICE_NAMES.length ? { voice: VOICE_NAMES[part] } : {};
    return { score: lineOf(piece, part), ...voice, ...this.infillOptions() };
  }

  private async vary(): Promise<void> {
    const base = this.piece;
    const [verb, body, start, what] = this.varied(base);
    const answer = await this.ask(`${what}…`, () => post<{ pieces: WirePiece[] }>("api/variations", { verb, body, count: TAKES }));
    if (!answer) return;
    const takes: Take[] = answer.pieces.map((piece, index) => ({
      title: String.fromCharCode(66 + index),
      piece: reconciled(fromWire(piece.score), base),
      about: remarks(piece, `${piece.nats_per_note.toFixed(2)} nats a note`),
    }));
    if (base.notes.length) takes.unshift({ title: "A – as it is", piece: base, about: "What you have now" });
    this.say("Listen, compare, keep one.");
    showVariations(takes, this.dark, (take) => this.auditioned(take, start), (take) => {
      this.audition = null;
      if (take.piece !== base) this.commit(take.piece, `variation ${take.title}`);
    });
  }

  private varied(piece: Piece): [verb: string, body: Record<string, unknown>, start: number, what: string] {
    const infill = infillBody(piece, this.roll.selection, this.roll.loop, this.locks);
    if (infill) {
      const start = Math.min(...infill.select.map((each) => each.start));
      return ["infill", { ...infill, ...this.infillOptions() }, barAt(piece, start).start, "Composing the selection in several ways"];
    }
    const { type: _type, ahead: _ahead, prompt: _prompt, instruments: _instruments, density: _density, ...options } = this.controls.start();
    const lines = new Set(piece.notes.map((note) => note.part));
    if (lines.size === 1) return ["harmonize", this.harmonizeBody(piece, [...lines][0]!), 0, "Harmonising in several ways"];
    return ["generate", { ...options, bars: Math.min(options.bars ?? 16, 64) }, 0, "Composing several pieces"];
  }

  private auditioned(take: Take | null, start: number): void {
    const { state, position } = this.transport;
    const going = this.audition !== null && state === "playing";
    this.audition = take?.piece ?? null;
    this.sound.wake();
    this.transport.pause();
    this.transport.change(this.source());
    if (take) this.transport.play(going ? position : start);
  }

  private async pick(note: Note): Promise<void> {
    if (this.growing && !this.growing.whole) return;
    const base = this.piece;
    const index = sent(base).findIndex((each) => each.id === note.id);
    const answer = await this.ask("Asking the model…", () =>
      post<{ choices: Choice[]; nats: number | null }>("api/choices", { score: { ...toWire(base), recipe: "" }, model: this.controls.settings.model, note: index }));
    if (!answer) return;
    this.say("");
    const swap = (pitch: number) => {
      this.commit({ ...base, recipe: "", notes: base.notes.map((each) => (each.id === note.id ? { ...each, pitch, nats: null } : each)) }, "swap a note");
      this.sound.touch(note.part, pitch);
    };
    showChoices(note, base.parts[note.part]?.name || `Part ${note.part + 1}`, answer.choices, answer.nats, isLocked(note, this.locks) ? null : swap);
  }

  private lockRegion(): void {
    const notes = this.roll.selection;
    const from = this.roll.loop ?? (notes.length ? [Math.min(...notes.map((note) => note.onset)), Math.max(...notes.map((note) => note.onset + note.duration))] as [number, number] : null);
    this.region = this.region ? null : from;
    this.show();
    this.refresh();
    this.say(this.region ? "The region stays as it is." : "The region is free again.");
  }

  // -- what the rules and the model say --------------------------------------------------------------------------

  private readonly check = settled(350, () => void this.findFaults());

  private async findFaults(): Promise<void> {
    const piece = this.piece;
    if (!this.showsFaults || !piece.notes.length || (this.growing && !this.growing.whole)) return this.showFaults();
    try {
      const { faults } = await post<{ faults: WireFault[] }>("api/check", { score: { ...toWire(piece), recipe: "" } });
      if (piece !== this.piece) return;
      const order = sent(piece);
      this.faultList = faults.map((fault) => ({ ...fault, ids: fault.notes.flatMap((index) => order[index]?.id ?? []) }));
    } catch {
      this.faultList = [];
    }
    this.showFaults();
  }

  private showFaults(): void {
    const faults = this.showsFaults ? this.faultList : [];
    this.roll.faults = faults;
    this.score.mark(new Set(faults.flatMap((fault) => fault.ids ?? [])));
    const rows = faults.slice(0, 60).map((fault) => {
      const row = make("button", { type: "button", title: fault.rule }, fault.text);
      row.addEventListener("click", () => {
        this.roll.selection = this.piece.notes.filter((note) => fault.ids?.includes(note.id));
        this.seek(barAt(this.piece, fault.tick).start);
        this.refresh();
      });
      return make("li", {}, row);
    });
    const none = !this.piece.notes.length ? "None looked for yet." : this.showsFaults ? "None: every rule holds." : "Not shown.";
    $("fault-list").replaceChildren(...(rows.length ? rows : [make("li", { className: "none" }, none)]));
  }

  private async judge(): Promise<void> {
    const piece = this.piece;
    if (piece.notes.length && piece.notes.every((note) => typeof note.nats === "number")) return;
    try {
      const { nats } = await post<{ nats: (number | null)[] }>("api/surprise", { score: { ...toWire(piece), recipe: "" }, model: this.controls.settings.model });
      if (piece !== this.piece) return;
      const by = new Map(sent(piece).map((note, index) => [note.id, nats[index] ?? null]));
      this.history.amend({ ...piece, notes: piece.notes.map((note) => ({ ...note, nats: by.get(note.id) ?? null })) });
      this.show();
    } catch (error) {
      this.say(sentence(error), true);
    }
  }

  // -- engraving -------------------------------------------------------------------------------------------------

  private readonly engrave = settled(120, () => void this.engraveNow());

  private engraveSoon(): void {
    if (performance.now() - this.engravedAt > ENGRAVE_EVERY) void this.engraveNow();
  }

  private async engraveNow(): Promise<void> {
    if (this.engraving) {
      this.engraveAgain = true;
      return;
    }
    const piece = this.piece;
    if (!piece.notes.length) return this.score.clear();
    this.engraving = true;
    this.engravedAt = performance.now();
    try {
      const growing = this.growing && !this.growing.whole ? this.growing : null;
      const score = growing ? before(piece, Math.max(1, barAt(piece, growing.until).start || growing.until)) : { ...toWire(piece), recipe: "" };
      const engraved = await post<Engraved>("api/engrave", { score });
      const notes = growing ? sent({ ...piece, notes: piece.notes.filter((note) => note.onset < score.length_ticks) }) : sent(piece);
      this.score.show(engraved, notes);
      this.showFaults();
    } catch {
      this.score.clear(); // the roll still shows it
    } finally {
      this.engraving = false;
      if (this.engraveAgain) {
        this.engraveAgain = false;
        this.engrave();
      }
    }
  }

  // -- what is pressed -------------------------------------------------------------------------------------------

  private wireControls(): void {
    this.controls.onturn = (turn) => this.turn(turn);
    this.controls.onchange = () => this.autosave();
    this.controls.ontempo = () => {
      this.retime();
      this.transport.change(this.source());
    };
    this.voices.onchange = () => {
      this.show();
      this.sound.instruments(this.piece.parts.map((part) => (part.is_drum ? 128 : part.program)), this.voices.volumes);
    };
    this.voices.oninstrument = (programs) => {
      const piece = this.piece;
      const parts = piece.parts.map((part, index) => ({ ...part, program: part.is_drum ? part.program : (programs[index] ?? part.program) }));
      this.sound.instruments(parts.map((part) => (part.is_drum ? 128 : part.program)), this.voices.volumes);
      this.controls.playOn(programs);
      // On other instruments it is not what its recipe makes.
      if (!this.growing || this.growing.whole) this.history.amend({ ...this.history.current.value, parts, recipe: "" });
      this.autosave();
    };
  }

  private wireButtons(): void {
    const press = (id: string, what: () => void) => $(id).addEventListener("click", what);
    press("compose", () => this.compose());
    for (const coming of ["pointerenter", "focus"]) $("compose").addEventListener(coming, () => this.live.warm());
    press("play", () => this.toggle());
    press("back", () => this.back());
    press("branch", () => this.branch());
    press("undo", () => this.move(() => this.history.undo()));
    press("redo", () => this.move(() => this.history.redo()));
    press("history", () => showHistory(this.history, (id) => this.move(() => this.history.visit(id))));
    press("take", () => showSaving(this.piece, (kind) => this.take(kind), () => this.link()));
    press("help", showHelp);
    press("open", () => $("file").click());
    press("redo-selection", () => void this.redoSelection());
    press("vary", () => void this.vary());
    press("harmonize", () => void this.harmonize());
    press("continue", () => this.goOn());
    press("lock-region", () => this.lockRegion());
    press("zoom-in", () => this.roll.zoom(1.25));
    press("zoom-out", () => this.roll.zoom(0.8));
    press("zoom-fit", () => this.roll.zoomToFit());
    press("surprise", () => {
      this.showsSurprise = !this.showsSurprise;
      this.roll.surprise = this.showsSurprise;
      if (this.showsSurprise) void this.judge();
      this.say(this.showsSurprise ? "Bright notes surprised the model, by 6 nats and more; dark ones it expected." : "");
      this.refresh();
    });
    press("faults", () => {
      this.showsFaults = !this.showsFaults;
      if (this.showsFaults) this.check();
      this.showFaults();
      this.refresh();
    });
    if (hasMidi()) this.wireMidi();
  }

  private wireRoll(): void {
    const on = <T>(name: string, what: (detail: T) => void) =>
      this.roll.addEventListener(name, (event) => what((event as CustomEvent<T>).detail));
    on<{ piece: Piece; label: string }>("edit", ({ piece, label }) => this.commit(piece.parts.length ? piece : { ...piece, parts: [{ name: "Piano", program: 0, is_drum: false }] }, label));
    on<{ notes: Note[] }>("select", ({ notes }) => {
      const [note] = notes;
      if (notes.length === 1 && note && this.transport.state !== "playing") this.sound.touch(note.part, note.pitch);
      this.refresh();
    });
    on<{ tick: number }>("seek", ({ tick }) => this.seek(tick));
    on<{ loop: [number, number] | null }>("region", ({ loop }) => {
      this.transport.loop = loop;
      if (loop && this.transport.state === "playing" && (this.transport.position > loop[1] || this.transport.position < loop[0])) this.seek(loop[0]);
      this.refresh();
    });
    on<{ note: Note }>("pick", ({ note }) => void this.pick(note));
    on("toggle", () => this.toggle());
    this.score.addEventListener("pick", (event) => {
      const note = this.piece.notes.find((each) => each.id === (event as CustomEvent<{ id: number }>).detail.id);
      if (!note) return;
      this.roll.selection = [note];
      this.refresh();
      void this.pick(note);
    });
  }

  private wireKeys(): void {
    document.addEventListener("keydown", (event) => {
      const target = event.target as Element;
      const typing = target.closest("input, select, textarea, dialog[open]") !== null;
      const command = event.ctrlKey || event.metaKey;
      const key = event.key.toLowerCase();
      if (command && key === "enter") this.compose();
      else if (command && !typing && key === "z") this.move(() => (event.shiftKey ? this.history.redo() : this.history.undo()));
      else if (command && !typing && key === "y") this.move(() => this.history.redo());
      else if (key === " " && !command && !typing && !target.closest("button, summary, a")) this.toggle();
      else return;
      event.preventDefault();
    });
  }

  private move(how: () => unknown): void {
    this.leave();
    how();
    this.changed();
    this.say(this.history.current.label);
  }

  // -- bring and take ----------------------------------------------------------------------------------------------

  private wireFiles(): void {
    const input = $<HTMLInputElement>("file");
    input.addEventListener("change", () => {
      const [file] = input.files ?? [];
      if (file) void this.bring(file);
      input.value = "";
    });
    const over = (event: DragEvent, on: boolean) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      document.body.classList.toggle("dropping", on);
    };
    document.addEventListener("dragover", (event) => over(event, true));
    document.addEventListener("dragleave", (event) => event.relatedTarget === null && over(event, false));
    document.addEventListener("drop", (event) => {
      over(event, false);
      const file = event.dataTransfer?.files[0];
      if (file) void this.bring(file);
    });
    window.addEventListener("hashchange", () => location.hash && void this.restore());
  }

  async bring(file: File): Promise<void> {
    const answer = await this.ask(`Reading ${file.name}…`, () => upload(file));
    if (!answer) return;
    this.opened(answer.score, `open ${answer.name}`);
    this.say(answer.remarks[0] ?? `${answer.name}: ${answer.score.notes.length} notes.`);
  }

  /** The piece at the tempo that the slider says; a piece at another tempo than its recipe's has no recipe. */
  private outgoing(): WireScore {
    const score = toWire(this.piece);
    const first = score.tempi[0]?.quarters_per_minute;
    const { tempo } = this.controls;
    if (first !== undefined && Math.abs(first - tempo) < 0.5) return score;
    const tempi = first === undefined
      ? [{ tick: 0, quarters_per_minute: tempo }]
      : score.tempi.map((each) => ({ ...each, quarters_per_minute: (each.quarters_per_minute * tempo) / first }));
    return { ...score, tempi, recipe: "" };
  }

  private async take(kind: string): Promise<void> {
    const blob = await save(kind, { score: this.outgoing() });
    const address = URL.createObjectURL(blob);
    make("a", { href: address, download: `kantor.${kind}` }).click();
    window.setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }

  private link(): Promise<string> {
    const { recipe } = this.piece;
    return linkTo(recipe ? { kind: "recipe", text: recipe } : { kind: "score", text: JSON.stringify(this.outgoing()) });
  }

  private wireMidi(): void {
    $("midi").hidden = false;
    $("record").addEventListener("click", () => void this.record());
    const outputs = $<HTMLSelectElement>("output");
    let access: MIDIAccess | null = null;
    const look = () => {
      if (access) return;
      void midiAccess().then((given) => {
        access = given;
        outputs.append(...[...given.outputs.values()].map((output) => option(output.id, output.name ?? "MIDI")));
      }, () => this.say("The browser does not let this page reach MIDI instruments."));
    };
    outputs.addEventListener("pointerdown", look);
    outputs.addEventListener("keydown", (event) => event.key !== "Tab" && look());
    outputs.addEventListener("change", () => this.sound.out(access?.outputs.get(outputs.value) ?? null));
  }

  private async record(): Promise<void> {
    const button = $("record");
    if (this.recorder) {
      const struck = this.recorder.stop();
      this.recorder = null;
      button.setAttribute("aria-pressed", "false");
      button.textContent = "Record";
      if (!struck.length) return this.say("Nothing was played.");
      const piece = this.piece.parts.length ? this.piece : { ...this.piece, parts: [{ name: "Piano", program: 0, is_drum: false }] };
      const at = barAt(piece, this.transport.position).start;
      const notes = quantised(struck, 60 / this.controls.tempo / piece.ticks_per_quarter, Math.round(piece.ticks_per_quarter / 4), this.roll.voice, at);
      this.commit({ ...piece, recipe: "", notes: [...piece.notes, ...notes] }, "record");
      return this.say(`${notes.length} notes recorded, set on the grid of sixteenths.`);
    }
    try {
      const access = await midiAccess();
      if (!access.inputs.size) return this.say("No MIDI keyboard is plugged in.");
      this.sound.wake();
      this.recorder = new Recorder(access, (pitch, velocity) => velocity && this.sound.touch(this.roll.voice, pitch));
      button.setAttribute("aria-pressed", "true");
      button.textContent = "Stop recording";
      this.say("Recording; play at the tempo of the slider.");
    } catch {
      this.say("The browser does not let this page reach MIDI instruments.");
    }
  }

  // -- looks -------------------------------------------------------------------------------------------------------

  private get dark(): boolean {
    return document.documentElement.dataset["theme"] === "dark";
  }

  private wireTheme(): void {
    const system = matchMedia("(prefers-color-scheme: dark)");
    let wanted = read("theme") ?? "auto";
    const apply = () => {
      const dark = wanted === "dark" || (wanted === "auto" && system.matches);
      document.documentElement.dataset["theme"] = dark ? "dark" : "light";
      this.roll.toggleAttribute("dark", dark);
      $("theme").setAttribute("aria-label", `Theme: ${wanted === "auto" ? "as the system" : wanted}`);
    };
    system.addEventListener("change", apply);
    $("theme").addEventListener("click", () => {
      wanted = wanted === "auto" ? (system.matches ? "light" : "dark") : wanted === "light" ? "dark" : "light";
      write("theme", wanted);
      apply();
    });
    apply();
  }

  say(text: string, warn = false): void {
    const status = $("status");
    status.textContent = text;
    status.classList.toggle("warn", warn);
  }

  /** What can be pressed now, and how it looks. */
  private refresh(): void {
    const { state } = this.transport;
    const piece = this.piece;
    const some = piece.notes.length > 0;
    const live = this.growing !== null && !this.growing.whole;
    const composing = live || this.starting;
    const playing = state === "playing" || state === "buffering";
    const chosen = this.roll.selection;
    const enable = (id: string, on: boolean) => ($<HTMLButtonElement>(id).disabled = !on);
    enable("play", some || composing);
    enable("back", some);
    enable("branch", some);
    enable("undo", this.history.canUndo);
    enable("redo", this.history.canRedo);
    enable("redo-selection", !this.busy && !composing && (chosen.length > 0 || this.roll.loop !== null));
    enable("vary", !this.busy && !composing);
    enable("harmonize", !this.busy && !composing && some);
    enable("continue", !this.busy && some && !composing);
    enable("lock-region", this.region !== null || chosen.length > 0 || this.roll.loop !== null);
    enable("surprise", some);
    enable("faults", some);
    pressed("lock-region", this.region !== null);
    pressed("surprise", this.showsSurprise);
    pressed("faults", this.showsFaults);
    const play = $("play");
    if (play.getAttribute("aria-label") !== (playing ? "Pause" : "Play")) {
      play.setAttribute("aria-label", playing ? "Pause" : "Play");
    }
    play.querySelector("use")?.setAttribute("href", playing ? "#i-pause" : "#i-play");
    document.documentElement.dataset["state"] = state;
    document.documentElement.dataset["composing"] = String(composing);
    if (state === "buffering" && composing && !this.starting) this.say("Buffering…");
    else if (state === "playing" && live) this.say(`Composing${inKey(piece)} while you listen. Turn what you like.`);
  }
}

/** Notes that are as they were keep their names, so that a selection survives. */
function reconciled(piece: Piece, old: Piece): Piece {
  const known = new Map(old.notes.map((note) => [`${place(note)}:${note.duration}`, note.id]));
  const taken = new Set<number>();
  return {
    ...piece,
    notes: piece.notes.map((note) => {
      const id = known.get(`${place(note)}:${note.duration}`);
      if (id === undefined || taken.has(id)) return note;
      taken.add(id);
      return { ...note, id };
    }),
  };
}

const remarks = (piece: WirePiece, otherwise: string): string => piece.remarks[0] ?? otherwise;

const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function inKey(piece: Piece): string {
  const key = keyName(piece.keys[0]);
  return key && ` in ${key}`;
}

const pressed = (id: string, on: boolean): void => $(id).setAttribute("aria-pressed", String(on));

function read(name: string): string | null {
  try {
    return localStorage.getItem(`kantor.${name}`);
  } catch {
    return null;
  }
}

function write(name: string, text: string): void {
  try {
    localStorage.setItem(`kantor.${name}`, text);
  } catch {
    // a private window: it is forgotten
  }
}

