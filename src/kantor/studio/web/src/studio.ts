// The page: what was pressed becomes a message or an edit, what comes back becomes music and pictures.
import { Controls, type Settings } from "./controls.ts";
import { showHelp, showHistory, showSaving } from "./dialogs.ts";
import { $, settled } from "./dom.ts";
import { keep, kept } from "./draft.ts";
import { Engraving, type Sheet } from "./engraving.ts";
import { handOver, wireFiles } from "./files.ts";
import { Growing, playedOn } from "./growing.ts";
import { History } from "./history.ts";
import { Judging } from "./judging.ts";
import { isLink, linked, LinkError, linkTo, scoreIn } from "./link.ts";
import { Live } from "./live.ts";
import { quantised, type Struck } from "./midi.ts";
import { MidiPanel } from "./midi_panel.ts";
import { barsOf, EMPTY, endOf, fromWire, keyName, musicOf, type Note, type Piece, place, toWire, type WireScore } from "./music.ts";
import type { Page } from "./page.ts";
import type { KantorRoll } from "./roll.ts";
import type { KantorScore } from "./score_view.ts";
import { Sound } from "./sound.ts";
import { atSpeed, barAt, before, type Locks, reconciled, sent } from "./steer.ts";
import { Steering } from "./steering.ts";
import { wireTheme } from "./theme.ts";
import { Timeline, UNMARKED_TEMPO } from "./timeline.ts";
import { LOOK_AHEAD, type Source, Transport } from "./transport.ts";
import { Voices } from "./voices.ts";
import {
  type Done, get, GONE, type Instrument, type ModelInfo, post, type Preset, Refusal,
  type RuleInfo, save, sentence, type ServerMessage, type Start, type Started, type Turn, upload, type WirePiece,
} from "./wire.ts";

const PROMISE = 0.5; // seconds beyond the look-ahead that are told to the server as good as scheduled
const PLAYED_EVERY = 300; // ms between two words on where the playhead is
const FRAME = 30; // ms between two pictures: a playhead needs no more
const HOLD = 400; // ms at most that nothing more is scheduled while a turn is on its way
const SAVE_EVERY = 3000; // ms between two savings of a piece that grows
const PIANO = { name: "Piano", program: 0, is_drum: false };

interface Draft {
  piece: Piece;
  settings: Settings;
  /** How many times as fast as written it was played. */
  speed?: number;
  /** What was on the page before a link was followed. */
  aside?: Piece | null;
}

export class Studio implements Page {
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
  private timeline = new Timeline([], 480);
  private audition: Piece | null = null;
  private readonly judging = new Judging(this);
  private readonly steering = new Steering(this);
  private readonly engraving = new Engraving(this.score, () => this.sheet(), () => this.judging.show());
  /** How many times as fast as written the piece is played. */
  private speed = 1;
  private tempoMoved = false;
  private recordedFrom = 0;
  private savedAt = 0;
  private aside: Piece | null = null;
  /** What was kept has been put back: before, there is nothing to keep in its place. */
  private restored = false;
  /** The socket is lost: until it is back, nothing else is said of composing. */
  private lost = false;
  /** A session is being taken up again: what comes is what is already heard. */
  private resuming = false;
  private painting = false;
  private busy = false;

  constructor() {
    this.transport = new Transport(this.sound.context, this.sound.voice, this.source());
    this.transport.onstate = () => this.refresh();
    this.sound.onvoice = (voice) => this.transport.speak(voice);
    this.live.onmessage = (message) => this.heard(message);
    this.live.onstatus = (status, text) => this.connection(status, text);
    this.live.composing = () => this.unfinished !== null;
    this.live.whereabouts = () => ({ since: this.growing?.until ?? 0, branch: this.growing?.branch ?? 0 });
    this.wireControls();
    this.wireButtons();
    this.wireRoll();
    this.wireKeys();
    this.wireFiles();
    wireTheme((dark) => this.roll.toggleAttribute("dark", dark));
    this.wireMidi();
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
    return this.unfinished?.piece ?? this.history.current.value;
  }

  /** The piece that is being composed, if one is. */
  get unfinished(): Growing | null {
    return this.growing && !this.growing.whole ? this.growing : null;
  }

  get locks(): Locks {
    return { parts: this.voices.locked, region: this.region };
  }

  private source(): Source {
    const growing = this.audition ? null : this.unfinished;
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

  amend(piece: Piece): void {
    this.history.amend(piece);
    this.show();
  }

  /** The piece is no longer the server's: what still comes of it is not ours. What there is of it stays in the history. */
  private leave(): void {
    if (this.unfinished || this.starting) this.live.leave();
    if (this.starting) this.transport.stop();
    this.setAside();
    this.starting = this.lost = this.resuming = false;
    this.release();
  }

  private setAside(): void {
    const growing = this.unfinished;
    this.growing = null;
    if (growing?.piece.notes.length) this.history.push(growing.part, "interrupted");
  }

  private changed(): void {
    const piece = this.piece;
    this.retime();
    this.voices.show(piece);
    this.show();
    this.transport.change(this.source());
    this.tellInstruments();
    this.engraving.ask();
    this.judging.changed();
    this.autosave();
    this.refresh();
  }

  private retime(): void {
    const { tempi, ticks_per_quarter } = this.piece;
    this.timeline = new Timeline(tempi, ticks_per_quarter, this.speed);
  }

  /** Another piece is on the page: it is played as it is written. */
  private asWritten(piece: Piece): void {
    this.speed = 1;
    this.voices.chosen.clear();
    if (piece.notes.length) this.controls.tempo = piece.tempi[0]?.quarters_per_minute ?? UNMARKED_TEMPO;
  }

  /** The piece at the tempo that is heard; at another tempo than its recipe's it has no recipe. */
  private outgoing(): WireScore {
    return atSpeed(toWire(this.unfinished?.part ?? this.piece), this.speed);
  }

  private tellInstruments(): void {
    this.sound.instruments(this.piece.parts.map((part) => (part.is_drum ? 128 : part.program)), this.voices.volumes);
  }

  /** A piece that hands begin has a part to play on, and the tempo of the slider. */
  private founded(piece: Piece): Piece {
    const begun = this.piece.notes.length > 0 || piece.tempi.length > 0;
    const tempi = begun ? piece.tempi : [{ tick: 0, quarters_per_minute: this.controls.tempo }];
    return { ...piece, tempi, parts: piece.parts.length ? piece.parts : [PIANO] };
  }

  private show(): void {
    const piece = this.piece;
    const growing = this.unfinished;
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

  private readonly autosave = settled(700, () => this.save());

  private save(): void {
    if (!this.restored) return;
    this.savedAt = performance.now();
    const growing = this.unfinished?.piece.notes.length ? this.unfinished : null;
    const { speed, aside } = this;
    const draft: Draft = { piece: growing?.part ?? this.history.current.value, settings: this.controls.settings, speed, aside };
    void keep(draft).then(() => (document.documentElement.dataset["saved"] = String(draft.piece.notes.length)));
  }

  /** What was on the page when it was left; then, as a child of it, what the address holds. */
  private async restore(): Promise<void> {
    const draft = await kept<Draft>();
    if (draft) this.putBack(draft);
    this.restored = true;
    await this.follow();
  }

  private putBack(draft: Draft): void {
    this.controls.settings = draft.settings;
    const again = (piece: Piece) => fromWire({ ...piece, notes: [...piece.notes] });
    if (!draft.piece.notes.length) return;
    this.aside = draft.aside ?? null;
    this.history = this.aside ? new History<Piece>(again(this.aside), "before the link") : new History<Piece>(again(draft.piece), "as you left it");
    if (this.aside) this.history.push(again(draft.piece), "as you left it");
    this.speed = draft.speed ?? 1;
    this.changed();
    this.say("Your last piece is back.");
  }

  /** Opens the piece that the address holds, if it holds one: a place on the page is none. */
  private async follow(): Promise<void> {
    const { hash } = location;
    if (!isLink(hash)) return;
    this.say("Opening the link…");
    try {
      const link = (await linked(hash))!;
      const score = link.kind === "score" ? scoreIn(link.text) : (await post<WirePiece>("api/replay", { recipe: link.text })).score;
      const before = this.piece;
      this.opened(score, "from a link");
      this.aside = before.notes.length ? before : null;
      // The piece is kept from here on, with what is done to it: opening the page anew is not to begin from the link again.
      if (location.hash === hash) window.history.replaceState(null, "", location.pathname + location.search);
      this.say(link.kind === "recipe" ? "Made again from its recipe, note for note. Press Play." : "The piece of the link is here. Press Play.");
    } catch (error) {
      this.say(error instanceof Refusal || error instanceof LinkError ? error.message : "This link is damaged; ask for it again.", true);
    }
  }

  private opened(score: WireScore, label: string): void {
    const piece = fromWire({ ...EMPTY, ...score });
    this.asWritten(piece);
    this.voices.locked.clear();
    this.region = this.aside = null;
    this.roll.loop = this.transport.loop = null;
    this.commit(piece, label, true);
    requestAnimationFrame(() => this.roll.zoomToFit(24));
  }

  // -- live ----------------------------------------------------------------------------------------------------

  compose(message: Start = this.controls.start(), from = 0): void {
    this.pressedAt = performance.now();
    this.sound.wake();
    this.setAside();
    this.starting = true;
    this.speed = 1;
    this.tempoMoved = this.lost = this.resuming = false;
    this.voices.chosen.clear();
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
    const told = growing.whole && message.type === "done"; // the end again, to a page that came again
    growing.take(message);
    if (message.type === "done") {
      this.release();
      return told ? undefined : this.done(growing, message);
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
    if (message.type !== "notes") return;
    this.resuming = false;
    this.engraving.soon();
    if (performance.now() - this.savedAt > SAVE_EVERY) this.save();
  }

  /** What was about to sound is void; what sounds need not be. Taking up a session again, it is about to come anew. */
  private goBack(to: number): void {
    const { state, position } = this.transport;
    const at = this.resuming ? position : Math.min(to, position);
    if (state === "paused" || state === "stopped") this.transport.seek(at);
    else this.transport.play(at);
  }

  private begun(message: Started): void {
    if (this.growing && this.growing.session === message.session && !this.starting) {
      this.growing.plan(message);
      if (message.resumed) this.resumed();
    } else if (this.starting) {
      this.starting = false;
      this.growing = new Growing(message);
      const first = message.tempi[0]?.quarters_per_minute;
      if (this.tempoMoved && first) this.speed = this.controls.tempo / first;
      document.documentElement.dataset["seed"] = String(message.seed);
    } else {
      return;
    }
    this.growing!.programs = this.voices.chosen;
    this.retime();
    this.voices.show(this.growing!.piece);
    this.tellInstruments();
    this.transport.change(this.source());
    this.judging.forget();
    this.repaint();
    this.refresh();
  }

  /** A session was taken up again: the server may have missed a pause, and where the playhead is. */
  private resumed(): void {
    this.lost = false;
    this.resuming = true;
    this.live.say({ type: this.transport.state === "paused" ? "pause" : "resume" });
    this.sayPlayed();
    this.say("Connected again.");
  }

  private done(growing: Growing, message: Done): void {
    const nats = new Map(growing.piece.notes.flatMap((note) => (typeof note.nats === "number" ? [[place(note), note.nats] as const] : [])));
    const parts = playedOn(message.score.parts, this.voices.chosen);
    const same = parts.every((part, index) => part.program === message.score.parts[index]?.program);
    const recipe = same ? message.recipe || message.score.recipe : ""; // on other instruments it is not what its recipe makes
    const piece = reconciled(fromWire({ ...message.score, parts, recipe }, nats), growing.piece);
    this.aside = null;
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
    this.lost = status === "lost";
    if (status === "open") return;
    if (this.lost) return this.say(`${text || "The connection was lost."} Trying again…`, true);
    // What there is of the piece is kept, and can be gone on from.
    if (this.starting || (this.unfinished && !this.unfinished.piece.notes.length)) this.transport.stop();
    this.setAside();
    this.starting = this.resuming = false;
    this.release();
    this.changed();
    this.say(text || GONE, true);
  }

  /** Sliders act from the first beat that is not scheduled: so nothing more is scheduled until the server has answered. */
  private turn(message: Turn | { type: "branch" }): void {
    if (this.starting && message.type === "turn") return this.live.say(message); // it waits for the piece to begin
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
    const scheduled = Math.ceil(Math.max(this.promised, this.transport.handed));
    this.live.say({ type: "played", tick: Math.floor(this.transport.position), scheduled, branch: this.growing?.branch ?? 0 });
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
    const { key: _key, meter: _meter, tempo: _tempo, instruments: _instruments, ...start } = this.controls.start();
    const prompt = atSpeed(before(piece, tick), this.speed); // it brings its own tempi
    this.compose({ ...start, bars: left > 0 ? left : Math.max(1, start.bars ?? 8), prompt }, bars[index]?.start ?? 0);
  }

  // -- playing -------------------------------------------------------------------------------------------------

  toggle(): void {
    this.sound.wake();
    const { state } = this.transport;
    if (state === "playing" || state === "buffering") {
      this.transport.pause();
      if (this.unfinished) this.live.say({ type: "pause" });
    } else if (this.piece.notes.length || this.starting) {
      if (this.unfinished) this.live.say({ type: "resume" });
      this.transport.change(this.source());
      this.transport.play();
    }
  }

  seek(tick: number): void {
    this.transport.seek(Math.min(tick, this.unfinished?.until ?? endOf(this.piece)));
    if (this.unfinished) this.tellPlayed(true);
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
  async ask<T>(doing: string, what: () => Promise<T>): Promise<T | null> {
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

  audit(piece: Piece | null, from: number): void {
    const { state, position } = this.transport;
    const going = this.audition !== null && state === "playing";
    if (!piece && !this.audition) return;
    this.audition = piece;
    this.sound.wake();
    this.transport.pause();
    this.transport.change(this.source());
    if (piece) this.transport.play(going ? position : from);
  }

  private lockRegion(): void {
    const notes = this.roll.selection;
    const from = this.roll.loop ?? (notes.length ? [Math.min(...notes.map((note) => note.onset)), Math.max(...notes.map((note) => note.onset + note.duration))] as [number, number] : null);
    this.region = this.region ? null : from;
    this.show();
    this.refresh();
    this.say(this.region ? "The region stays as it is." : "The region is free again.");
  }

  // -- engraving -------------------------------------------------------------------------------------------------

  /** As far as whole bars of it are there. */
  private sheet(): Sheet | null {
    const { piece, unfinished } = this;
    if (!piece.notes.length) return null;
    if (!unfinished) return { score: musicOf(piece), notes: sent(piece) };
    const score = before(piece, Math.max(1, barAt(piece, unfinished.until).start || unfinished.until));
    return { score, notes: sent({ ...piece, notes: piece.notes.filter((note) => note.onset < score.length_ticks) }) };
  }

  // -- what is pressed -------------------------------------------------------------------------------------------

  private wireControls(): void {
    this.controls.onturn = (turn) => this.turn(turn);
    this.controls.onchange = () => this.autosave();
    this.controls.ontempo = (tempo) => {
      this.tempoMoved = this.starting; // it is for the piece to come
      if (this.starting || !this.piece.notes.length) return;
      const own = this.piece.tempi[0]?.quarters_per_minute ?? UNMARKED_TEMPO;
      this.speed = Math.abs(tempo - own) < 0.5 ? 1 : tempo / own;
      this.retime();
      this.transport.change(this.source());
    };
    this.voices.onchange = () => {
      this.show();
      this.tellInstruments();
    };
    this.voices.oninstrument = (programs) => {
      this.controls.playOn(programs.filter((program) => program < 128));
      if (this.growing) this.growing.programs = this.voices.chosen;
      if (!this.unfinished && !this.starting) {
        const { value } = this.history.current;
        // On other instruments it is not what its recipe makes.
        this.history.amend({ ...value, parts: playedOn(value.parts, this.voices.chosen), recipe: "" });
      }
      this.tellInstruments();
      this.autosave();
    };
  }

  private wireButtons(): void {
    const press = (id: string, what: () => void) => $(id).addEventListener("click", what);
    press("compose", () => this.compose());
    $("compose").addEventListener("pointerdown", () => this.live.warm()); // who points at it may not mean to press it
    press("play", () => this.toggle());
    press("back", () => this.back());
    press("branch", () => this.branch());
    press("undo", () => this.undo());
    press("redo", () => this.redo());
    press("history", () => showHistory(this.history, (id) => this.move(() => this.history.visit(id))));
    press("take", () => showSaving(this.outgoing(), (kind) => this.take(kind), () => this.link()));
    press("help", showHelp);
    press("open", () => $("file").click());
    press("redo-selection", () => void this.steering.redoSelection());
    press("vary", () => void this.steering.vary());
    press("harmonize", () => void this.steering.harmonize());
    press("continue", () => this.goOn());
    press("lock-region", () => this.lockRegion());
    press("zoom-in", () => this.roll.zoom(1.25));
    press("zoom-out", () => this.roll.zoom(0.8));
    press("zoom-fit", () => this.roll.zoomToFit());
    press("surprise", () => this.judging.toggleSurprise());
    press("faults", () => this.judging.toggleFaults());
  }

  private wireRoll(): void {
    const on = <T>(name: string, what: (detail: T) => void) =>
      this.roll.addEventListener(name, (event) => what((event as CustomEvent<T>).detail));
    on<{ piece: Piece; label: string }>("edit", ({ piece, label }) => this.commit(this.founded(this.unfinished ? { ...this.unfinished.part, notes: piece.notes } : piece), label));
    on<{ notes: Note[] }>("select", ({ notes }) => {
      const [note] = notes;
      if (notes.length === 1 && note && this.transport.state !== "playing") this.sound.touch(note.part, note.pitch);
      this.refresh();
    });
    on<{ tick: number }>("seek", ({ tick }) => this.seek(tick));
    on<{ loop: [number, number] | null }>("region", ({ loop }) => {
      this.transport.repeat(loop);
      if (this.unfinished) this.tellPlayed(true);
      this.refresh();
    });
    on<{ tick: number }>("from", ({ tick }) => {
      this.seek(tick);
      const { state } = this.transport;
      if (state !== "playing" && state !== "buffering") this.toggle();
    });
    on<{ note: Note }>("pick", ({ note }) => void this.steering.pick(note));
    on("toggle", () => this.toggle());
    this.score.addEventListener("pick", (event) => {
      const note = this.piece.notes.find((each) => each.id === (event as CustomEvent<{ id: number }>).detail.id);
      if (!note) return;
      this.roll.selection = [note];
      this.refresh();
      void this.steering.pick(note);
    });
  }

  private wireKeys(): void {
    document.addEventListener("keydown", (event) => {
      const target = event.target as Element;
      const typing = target.closest("input:not([type=range], [type=checkbox]), textarea, dialog[open]") !== null;
      const pressing = target.closest("button, summary, a, select, [type=checkbox]") !== null; // the space bar is theirs
      const command = event.ctrlKey || event.metaKey;
      const key = event.key.toLowerCase();
      if (command && key === "enter") this.compose();
      else if (command && !typing && key === "z") event.shiftKey ? this.redo() : this.undo();
      else if (command && !typing && key === "y") this.redo();
      else if (key === " " && !command && !typing && !pressing) this.toggle();
      else return;
      event.preventDefault();
    });
  }

  /** While a piece is composed, that is what is undone; where there is something of it, redo brings it back. */
  private undo(): void {
    const composing = this.unfinished !== null || this.starting;
    const some = this.unfinished === null || this.unfinished.piece.notes.length > 0;
    this.move(() => (!composing || (some && !this.starting)) && this.history.undo());
  }

  private redo(): void {
    if (!this.unfinished && !this.starting) this.move(() => this.history.redo());
  }

  private move(how: () => unknown): void {
    this.leave();
    how();
    this.asWritten(this.history.current.value);
    this.changed();
    this.say(this.history.current.label);
  }

  // -- bring and take ----------------------------------------------------------------------------------------------

  private wireFiles(): void {
    wireFiles((file) => void this.bring(file));
    window.addEventListener("hashchange", () => void this.follow());
    window.addEventListener("pagehide", () => this.save());
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.save());
  }

  async bring(file: File): Promise<void> {
    const answer = await this.ask(`Reading ${file.name}…`, () => upload(file));
    if (!answer) return;
    this.opened(answer.score, `open ${answer.name}`);
    this.say(answer.remarks[0] ?? `${answer.name}: ${answer.score.notes.length} notes.`);
  }

  private async take(kind: string): Promise<void> {
    const blob = await save(kind, { score: this.outgoing() });
    handOver(blob, `kantor.${kind}`);
  }

  private link(): Promise<string> {
    const score = this.outgoing();
    return linkTo(score.recipe ? { kind: "recipe", text: score.recipe } : { kind: "score", text: JSON.stringify(score) });
  }

  private wireMidi(): void {
    new MidiPanel({
      sound: this.sound,
      voice: () => this.roll.voice,
      where: () => (this.transport.state === "playing" ? this.transport.position : null),
      begin: () => (this.recordedFrom = barAt(this.piece, this.transport.position).start),
      take: (struck) => this.recorded(struck),
      say: (text, warn) => this.say(text, warn),
    });
  }

  private recorded(struck: Struck[]): void {
    const piece = this.founded(this.unfinished?.part ?? this.piece);
    const { ticks_per_quarter: quarter } = piece;
    const timeline = new Timeline(piece.tempi, quarter, this.speed);
    const secondsPerTick = (timeline.seconds(this.recordedFrom + quarter) - timeline.seconds(this.recordedFrom)) / quarter;
    const notes = quantised(struck, secondsPerTick, Math.max(1, Math.round(quarter / 4)), this.roll.voice, this.recordedFrom);
    this.commit({ ...piece, recipe: "", notes: [...piece.notes, ...notes] }, "record");
    this.say(`${notes.length} notes recorded, set on the grid of sixteenths.`);
  }

  // -- looks -------------------------------------------------------------------------------------------------------

  say(text: string, warn = false): void {
    const status = $("status");
    status.textContent = text;
    status.classList.toggle("warn", warn);
  }

  /** What can be pressed now, and how it looks. */
  refresh(): void {
    const { state } = this.transport;
    const piece = this.piece;
    const some = piece.notes.length > 0;
    const live = this.unfinished !== null;
    const composing = live || this.starting;
    const playing = state === "playing" || state === "buffering";
    const chosen = this.roll.selection;
    const enable = (id: string, on: boolean) => ($<HTMLButtonElement>(id).disabled = !on);
    enable("play", some || composing);
    enable("back", some);
    enable("branch", some);
    enable("undo", this.history.canUndo || composing);
    enable("redo", this.history.canRedo && !composing);
    enable("redo-selection", !this.busy && !composing && (chosen.length > 0 || this.roll.loop !== null));
    enable("vary", !this.busy && !composing);
    enable("harmonize", !this.busy && !composing && some);
    enable("continue", !this.busy && some && !composing);
    enable("lock-region", this.region !== null || chosen.length > 0 || this.roll.loop !== null);
    enable("surprise", some);
    enable("faults", some);
    pressed("lock-region", this.region !== null);
    pressed("surprise", this.judging.showsSurprise);
    pressed("faults", this.judging.showsFaults);
    const play = $("play");
    if (play.getAttribute("aria-label") !== (playing ? "Pause" : "Play")) {
      play.setAttribute("aria-label", playing ? "Pause" : "Play");
    }
    play.querySelector("use")?.setAttribute("href", playing ? "#i-pause" : "#i-play");
    document.documentElement.dataset["state"] = state;
    document.documentElement.dataset["composing"] = String(composing);
    if (this.lost) return;
    if (state === "buffering" && composing && !this.starting) this.say("Buffering…");
    else if (state === "playing" && live) this.say(`Composing${inKey(piece)} while you listen. Turn what you like.`);
  }
}

function inKey(piece: Piece): string {
  const key = keyName(piece.keys[0]);
  return key && ` in ${key}`;
}

const pressed = (id: string, on: boolean): void => $(id).setAttribute("aria-pressed", String(on));
