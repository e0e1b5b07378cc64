// Plays notes on the audio clock, whether all of them are there or the model is still composing.
//
// The idea: a *frontier* says up to which tick the music is decided. Every tenth of a second, what lies between the
// *horizon* (up to where notes were handed to the synthesiser) and a point one second ahead, but never past the frontier, is
// scheduled with its exact time. Where the frontier is too near, the clock stands still ("buffering") and is set on
// again when there is music: so a note is either on time or not yet begun, and never late.
//
// A note that lasts up to the frontier may still grow. So a note's end is scheduled apart from its beginning, once the
// frontier has passed it.
import type { Note } from "./music.ts";
import { Timeline } from "./timeline.ts";

/** Whatever can sound: times are those of the audio clock, in seconds. */
export interface Voice {
  on(time: number, part: number, pitch: number, velocity: number): void;
  off(time: number, part: number, pitch: number): void;
  /** Ends every note, and forgets what was scheduled. */
  silence(): void;
}

export interface Clock {
  readonly currentTime: number;
}

export type State = "stopped" | "playing" | "paused" | "buffering";

export interface Source {
  readonly notes: readonly Note[];
  readonly timeline: Timeline;
  /** Up to which tick the music is decided; Infinity where all of it is there. */
  readonly frontier: number;
  /** Where it ends. */
  readonly end: number;
}

export const LOOK_AHEAD = 1; // seconds: enough for a busy page, little enough for sliders to act within a bar
const LEAD = 0.06; // seconds from "now" to the first note: time for a message to the audio thread
const FILL = 0.2; // seconds of music to have before beginning,
const REFILL = 0.8; // and before going on after a stall: who was slow once will be again
const MARGIN = 0.005; // a note less than this before its time counts as late

export class Transport {
  state: State = "stopped";
  loop: [number, number] | null = null;
  /** Notes that were handed over after their time. Stays 0; tests look at it. */
  late = 0;
  scheduled = 0;
  /** When the first note since `play` was handed over, by performance.now(). */
  firstNoteAt: number | null = null;
  onstate: (state: State) => void = () => {};
  onend: () => void = () => {};

  private readonly clock: Clock;
  private voice: Voice;
  private source: Source;
  private horizon = 0;
  private from = 0;
  /** Where ticks lie on the audio clock: one anchor a jump, a stall or a change of tempo. */
  private anchors: { time: number; tick: number; timeline: Timeline }[] = [];
  private sounding = new Map<string, number>();

  constructor(clock: Clock, voice: Voice, source: Source) {
    this.clock = clock;
    this.voice = voice;
    this.source = source;
  }

  /** Where the music is, in ticks. */
  get position(): number {
    if (this.state === "stopped" || this.state === "paused" || !this.anchors.length) return this.from;
    const now = this.clock.currentTime;
    const anchor = this.anchors.findLast((candidate) => candidate.time <= now) ?? this.anchors[0]!;
    const next = this.anchors[this.anchors.indexOf(anchor) + 1];
    const tick = anchor.timeline.tick(anchor.timeline.seconds(anchor.tick) + Math.max(0, now - anchor.time));
    const limit = next ? (next.tick > anchor.tick ? next.tick : Infinity) : Math.max(this.horizon, anchor.tick);
    return Math.min(tick, limit, this.state === "buffering" ? Math.max(this.horizon, anchor.tick) : Infinity);
  }

  /** Up to which tick notes have been handed to the synthesiser. */
  get handed(): number {
    return this.state === "stopped" || this.state === "paused" ? this.from : this.horizon;
  }

  /** Where the music will be so many seconds from now, if nothing holds it up. */
  reach(seconds: number): number {
    const { timeline } = this.source;
    const rested = timeline.tick(timeline.seconds(this.horizon) + seconds);
    const anchor = this.anchors.at(-1);
    if (!anchor || this.state !== "playing") return rested;
    return Math.min(rested, anchor.timeline.tick(anchor.timeline.seconds(anchor.tick) + this.clock.currentTime + seconds - anchor.time));
  }

  /** What is played from now on; what is already handed over stays. */
  change(source: Source): void {
    const turned = source.timeline !== this.source.timeline;
    this.source = source;
    this.release();
    if (turned && this.anchors.length && this.state === "playing")
      this.anchors.push({ time: this.timeOf(this.horizon), tick: this.horizon, timeline: source.timeline });
  }

  /** Plays this stretch over and over, or nothing over and over; what lies beyond it and was handed over is void. */
  repeat(loop: [number, number] | null): void {
    this.loop = loop;
    if (!loop || (this.state !== "playing" && this.state !== "buffering")) return;
    const { position } = this;
    if (position < loop[0] || position >= loop[1]) this.play(loop[0]);
    else if (this.horizon > loop[1]) this.restart();
  }

  /** Ends what sounds and is no longer there, or ends before the horizon by now: no end of it will ever be handed over. */
  private release(): void {
    if (!this.sounding.size) return;
    const held = new Set(this.source.notes.filter((note) => note.onset < this.horizon && note.onset + note.duration >= this.horizon).map(key));
    const time = Math.max(this.timeOf(this.horizon), this.clock.currentTime);
    for (const sounding of [...this.sounding.keys()]) {
      if (held.has(sounding)) continue;
      const [part, pitch] = sounding.split(":").map(Number);
      this.voice.off(time, part!, pitch!);
      this.sounding.delete(sounding);
    }
  }

  speak(voice: Voice): void {
    this.voice.silence();
    this.voice = voice;
    if (this.state === "playing") this.restart();
  }

  play(from = this.from): void {
    this.firstNoteAt = null;
    this.jump(from);
    this.set("buffering");
    this.step();
  }

  pause(): void {
    if (this.state === "stopped" || this.state === "paused") return;
    this.from = this.position;
    this.voice.silence();
    this.sounding.clear();
    this.set("paused");
  }

  stop(): void {
    this.voice.silence();
    this.sounding.clear();
    this.from = 0;
    this.set("stopped");
  }

  seek(tick: number): void {
    this.from = Math.max(0, tick);
    if (this.state === "playing" || this.state === "buffering") this.play(this.from);
  }

  /** Notes from `tick` on are other ones now: silence, and go on from where the music is. */
  restart(): void {
    if (this.state === "playing" || this.state === "buffering") {
      const at = this.position;
      this.jump(at);
      this.set("buffering");
      this.step();
    }
  }

  /** Hand over what is due. Call it about ten times a second. */
  step(): void {
    if (this.state !== "playing" && this.state !== "buffering") return;
    const now = this.clock.currentTime;
    // A page that was asleep for longer than it looks ahead has missed the moment: the music waits for it.
    if (this.state === "playing" && this.horizon < this.until()[0] && this.timeOf(this.horizon) < now + LEAD / 2) this.set("buffering");
    if (this.state === "buffering" && !this.refilled(now)) return;
    let guard = 64;
    while (guard-- > 0) {
      const limit = this.source.frontier;
      const [stop, wrap] = this.until();
      const anchor = this.anchors.at(-1)!;
      const ahead = anchor.timeline.tick(anchor.timeline.seconds(anchor.tick) + (now + LOOK_AHEAD - anchor.time));
      const to = Math.min(ahead, stop, limit);
      if (to > this.horizon) this.hand(this.horizon, to);
      if (this.horizon >= stop && wrap !== null && stop > wrap && ahead > stop) {
        this.close(stop);
        this.anchors.push({ time: this.timeOf(stop), tick: wrap, timeline: this.source.timeline });
        this.horizon = wrap;
        continue;
      }
      break;
    }
    this.forget(now);
    const [stop, wrap] = this.until();
    if (wrap === null && this.horizon >= stop && this.timeOf(stop) <= now) return this.finish(stop);
    if (this.horizon < stop && this.timeOf(this.horizon) <= now + LEAD) this.set("buffering");
  }

  private until(): [number, number | null] {
    const loop = this.loop;
    if (loop && loop[1] > loop[0] && this.horizon <= loop[1]) return [loop[1], loop[0]];
    return [this.source.end, null];
  }

  /** After a stall: whether there is enough to go on, and if so, from when. */
  private refilled(now: number): boolean {
    const { timeline, frontier } = this.source;
    const [stop] = this.until();
    const enough = timeline.tick(timeline.seconds(this.horizon) + (this.anchors.length ? REFILL : FILL));
    if (frontier < Math.min(enough, stop) || frontier <= this.horizon) return this.horizon >= stop;
    const before = this.anchors.at(-1);
    const due = before ? this.timeOf(this.horizon) : 0;
    this.anchors.push({ time: Math.max(now + LEAD, due), tick: this.horizon, timeline });
    this.set("playing");
    return true;
  }

  private jump(tick: number): void {
    this.voice.silence();
    this.sounding.clear();
    this.from = tick;
    this.horizon = tick;
    this.anchors = [];
  }

  private hand(from: number, to: number): void {
    interface Event {
      tick: number;
      on: boolean;
      note: Note;
    }
    const events: Event[] = [];
    for (const note of this.source.notes) {
      const end = note.onset + note.duration;
      if (note.onset >= from && note.onset < to) events.push({ tick: note.onset, on: true, note });
      else if (note.onset < from && end > from && !this.sounding.has(key(note)) && this.fresh(from))
        events.push({ tick: from, on: true, note }); // begun in the middle of a note: it sounds from here
      if (end > from && end < to) events.push({ tick: end, on: false, note });
      else if (end === from && this.sounding.has(key(note))) events.push({ tick: end, on: false, note });
      else if (end === to && to >= this.source.end) events.push({ tick: end, on: false, note });
    }
    events.sort((a, b) => a.tick - b.tick || Number(a.on) - Number(b.on));
    for (const { tick, on, note } of events) {
      const time = this.timeOf(tick);
      if (on) {
        if (time < this.clock.currentTime + MARGIN) this.late++;
        if (this.sounding.has(key(note))) this.voice.off(time, note.part, note.pitch);
        this.voice.on(time, note.part, note.pitch, note.velocity);
        this.sounding.set(key(note), tick);
        this.scheduled++;
        this.firstNoteAt ??= performance.now();
      } else if (this.sounding.delete(key(note))) {
        this.voice.off(time, note.part, note.pitch);
      }
    }
    this.horizon = to;
  }

  /** Whether music was just begun here, by play, seek or a loop. */
  private fresh(tick: number): boolean {
    const anchor = this.anchors.at(-1);
    return anchor?.tick === tick && (this.anchors.length === 1 || this.loop?.[0] === tick);
  }

  /** Ends what sounds at the end of a loop. */
  private close(tick: number): void {
    const time = this.timeOf(tick);
    for (const sounding of this.sounding.keys()) {
      const [part, pitch] = sounding.split(":").map(Number);
      this.voice.off(time, part!, pitch!);
    }
    this.sounding.clear();
  }

  private timeOf(tick: number): number {
    const anchor = this.anchors.at(-1);
    if (!anchor) return 0;
    return anchor.time + anchor.timeline.seconds(tick) - anchor.timeline.seconds(anchor.tick);
  }

  private forget(now: number): void {
    while (this.anchors.length > 1 && this.anchors[1]!.time < now - 1) this.anchors.shift();
  }

  private finish(end: number): void {
    this.close(end);
    this.from = 0;
    this.set("stopped");
    this.onend();
  }

  private set(state: State): void {
    if (state === this.state) return;
    this.state = state;
    this.onstate(state);
  }
}

const key = (note: Note): string => `${note.part}:${note.pitch}`;
