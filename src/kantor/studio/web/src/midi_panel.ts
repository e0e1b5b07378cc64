// The panel for MIDI instruments: what is played in is recorded, and the piece can be played out.
import { $, option } from "./dom.ts";
import { hasMidi, midiAccess, Recorder, type Struck } from "./midi.ts";
import type { Sound } from "./sound.ts";

/** What the panel needs of the page. */
export interface Stage {
  readonly sound: Sound;
  /** The part that is played. */
  voice(): number;
  /** Where the music is; null while none plays. */
  where(): number | null;
  /** Recording begins. */
  begin(): void;
  /** What was played. */
  take(struck: Struck[]): void;
  say(text: string, warn?: boolean): void;
}

const REFUSED = "The browser does not let this page reach MIDI instruments.";

export class MidiPanel {
  private readonly stage: Stage;
  private readonly outputs = $<HTMLSelectElement>("output");
  private access: MIDIAccess | null = null;
  private recorder: Recorder | null = null;

  constructor(stage: Stage) {
    this.stage = stage;
    if (!hasMidi()) return;
    $("midi").hidden = false;
    $("record").addEventListener("click", () => void (this.recorder ? this.stop() : this.record()));
    this.outputs.addEventListener("pointerdown", () => this.look());
    this.outputs.addEventListener("keydown", (event) => event.key !== "Tab" && this.look());
    this.outputs.addEventListener("change", () => this.play(this.outputs.value));
    stage.sound.onfallback = () => this.fallBack();
  }

  private look(): void {
    if (!this.access) this.reach().catch(() => this.stage.say(REFUSED));
  }

  private async reach(): Promise<MIDIAccess> {
    if (this.access) return this.access;
    const access = await midiAccess();
    this.access = access;
    access.onstatechange = () => this.list();
    this.list();
    return access;
  }

  /** Instruments that are plugged in now. */
  private list(): void {
    const there = [...(this.access?.outputs.values() ?? [])].filter((output) => output.state === "connected");
    const chosen = this.outputs.value;
    this.outputs.replaceChildren(option("", "this computer"), ...there.map((output) => option(output.id, output.name ?? "MIDI", output.id === chosen)));
    if (chosen && !there.some((output) => output.id === chosen)) {
      this.play("");
      this.fallBack();
    }
  }

  private play(id: string): void {
    this.stage.sound.out(this.access?.outputs.get(id) ?? null);
  }

  private fallBack(): void {
    this.outputs.value = "";
    this.stage.say("The MIDI instrument does not answer any more; this computer plays.", true);
  }

  private stop(): void {
    const struck = this.recorder?.stop() ?? [];
    this.recorder = null;
    this.shown(false);
    if (struck.length) this.stage.take(struck);
    else this.stage.say("Nothing was played.");
  }

  private async record(): Promise<void> {
    try {
      const access = await this.reach();
      if (!access.inputs.size) return this.stage.say("No MIDI keyboard is plugged in.");
      const { stage } = this;
      stage.sound.wake();
      stage.begin();
      this.recorder = new Recorder(access, (pitch, velocity) => velocity && stage.sound.touch(stage.voice(), pitch), () => stage.where());
      this.shown(true);
      stage.say("Recording; play along, or at the tempo of the slider.");
    } catch {
      this.stage.say(REFUSED);
    }
  }

  private shown(recording: boolean): void {
    $("record").setAttribute("aria-pressed", String(recording));
    $("record").textContent = recording ? "Stop recording" : "Record";
  }
}
