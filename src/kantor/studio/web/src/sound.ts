// The audio context and who plays: oscillators at first, the SoundFont once it has loaded, a MIDI output if one is chosen.
import { MidiVoice } from "./midi.ts";
import { OscillatorVoice } from "./oscillator.ts";
import type { SoundFontVoice } from "./soundfont.ts";
import type { Voice } from "./transport.ts";

export class Sound {
  readonly context = new AudioContext({ latencyHint: "interactive" });
  onvoice: (voice: Voice) => void = () => {};
  /** The MIDI instrument that was played on takes no more: this computer plays again. */
  onfallback: () => void = () => {};
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
    const before = this.midi;
    this.midi = null; // should it fail now, it has been left already
    before?.silence();
    const next = output && new MidiVoice(output, this.context, () => this.midi === next && this.fallBack());
    this.midi = next;
    this.tell();
    this.onvoice(this.voice);
  }

  private fallBack(): void {
    this.midi = null;
    this.tell();
    this.onfallback();
    queueMicrotask(() => this.onvoice(this.voice)); // not amid the note that failed
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
    if (!this.midi) return;
    this.midi.volumes = this.volumes;
    this.midi.instruments(this.programs);
  }
}
