// Ticks to seconds and back: tempi, all of them faster or slower by one factor.
import type { Tempo } from "./music.ts";

export const UNMARKED_TEMPO = 120; // quarters a minute where a score says nothing, as in MIDI

interface Stretch {
  tick: number;
  seconds: number;
  secondsPerTick: number;
}

export class Timeline {
  private readonly stretches: Stretch[];

  /** `speed` 2 is twice as fast. */
  constructor(tempi: readonly Tempo[], ticksPerQuarter: number, speed = 1) {
    const sorted = [...tempi].sort((a, b) => a.tick - b.tick);
    if (!sorted.length || sorted[0]!.tick > 0)
      sorted.unshift({ tick: 0, quarters_per_minute: sorted[0]?.quarters_per_minute ?? UNMARKED_TEMPO });
    this.stretches = [];
    let seconds = 0;
    let before: Stretch | undefined;
    for (const { tick, quarters_per_minute } of sorted) {
      if (before) seconds += (tick - before.tick) * before.secondsPerTick;
      before = { tick, seconds, secondsPerTick: 60 / (quarters_per_minute * speed) / ticksPerQuarter };
      this.stretches.push(before);
    }
  }

  seconds(tick: number): number {
    const at = this.stretches.findLast((stretch) => stretch.tick <= tick) ?? this.stretches[0]!;
    return at.seconds + (tick - at.tick) * at.secondsPerTick;
  }

  tick(seconds: number): number {
    const at = this.stretches.findLast((stretch) => stretch.seconds <= seconds) ?? this.stretches[0]!;
    return at.tick + (seconds - at.seconds) / at.secondsPerTick;
  }
}
