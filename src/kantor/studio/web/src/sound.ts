// The audio context and who plays: oscillators at first, the SoundFont once it has loaded, a MIDI output if one is chosen.
import { MidiVoice } from "./midi.ts";
import { OscillatorVoice } from "./oscillator.ts";
import type { SoundFontVoice } from "./soundfont.ts";
import type { Voice } from "./transport.ts";

export class Sound {
  readonly context = new AudioContext({ latencyHint: "interactive" });
  onvoice: (voice: Voice) => void = () => {};
  private readonly simple = new OscillatorVoice(this.context);
  private sampled: SoundFontVoice | null = null;
  private midi: MidiVoice | null = null;
  private programs: number[] = [];
  private volumes: number[] = [];

  /** Who plays now. */
  get voice(): Voice {
    return this.midi ?? this.sampled ?? this.simple;
  }

  get name(): string {
    return this.midi ? "midi" : this.sampled ? "soundfont" : "oscillator";
  }

  /** Browsers let pages sound after a gesture alone. */
  wake(): void {
    if (this.context.state !== "running") void this.context.resume();
  }

  async load(): Promise<void> {
    const { SoundFontVoice } = await import("./soundfont.ts");
    this.sampled = await SoundFontVoice.load(this.context, new URL("soundfont", document.baseURI).href);
    this.tell();
    this.onvoice(this.voice);
  }

  out(output: MIDIOutput | null): void {
    this.voice.silence();
    this.midi = output && new MidiVoice(output, this.context);
    this.tell();
    this.onvoice(this.voice);
  }

  instruments(programs: readonly number[], volumes: readonly number[]): void {
    this.programs = [...programs];
    this.volumes = [...volumes];
    this.tell();
  }

  /** One note at once, as when a note is touched. */
  touch(part: number, pitch: number): void {
    this.wake();
    const now = this.context.currentTime;
    this.voice.on(now + 0.01, part, pitch, 80);
    this.voice.off(now + 0.4, part, pitch);
  }

  private tell(): void {
    this.simple.volumes = this.volumes;
    this.sampled?.instruments(this.programs);
    this.sampled?.levels(this.volumes);
    this.midi?.instruments(this.programs);
  }
}
