// Sampled instruments: spessasynth in an AudioWorklet, which takes notes with their times on the audio clock.
//
// What was handed to its queue cannot be called back. So there are several *decks* of sixteen channels: to be silent is
// to mute the deck that plays, with all that is still due on it, and go on with another one.
import { WorkletSynthesizer } from "spessasynth_lib";
import processor from "../node_modules/spessasynth_lib/dist/spessasynth_processor.min.js?url";
import { CHANNELS, channelOf } from "./channels.ts";
import type { Voice } from "./transport.ts";

const DECKS = 4;
const VOLUME = 7; // the MIDI controller

export class SoundFontVoice implements Voice {
  private readonly context: BaseAudioContext;
  private readonly synth: WorkletSynthesizer;
  private programs: number[] = [];
  private volumes: number[] = [];
  private deck = 0;
  /** Until when something is due on each deck, in seconds of the audio clock. */
  private readonly due = new Array<number>(DECKS).fill(0);

  private constructor(context: BaseAudioContext, synth: WorkletSynthesizer) {
    this.context = context;
    this.synth = synth;
  }

  /** Fetches and unpacks the SoundFont; takes a second or two. */
  static async load(context: AudioContext, address: string): Promise<SoundFontVoice> {
    const [bank] = await Promise.all([
      fetch(address).then((answer) => {
        if (!answer.ok) throw new Error(`no SoundFont: ${answer.status}`);
        return answer.arrayBuffer();
      }),
      context.audioWorklet.addModule(processor),
    ]);
    const synth = new WorkletSynthesizer(context);
    synth.connect(context.destination);
    await synth.isReady;
    await synth.soundBankManager.addSoundBank(bank, "main");
    for (let channel = CHANNELS; channel < DECKS * CHANNELS; channel++) synth.addNewChannel();
    return new SoundFontVoice(context, synth);
  }

  /** Which instrument each part is played on: General MIDI programs, 128 for drums. */
  instruments(programs: readonly number[]): void {
    programs.forEach((program, part) => {
      if (this.programs[part] === program) return;
      this.programs[part] = program;
      if (program < 128)
        for (let deck = 0; deck < DECKS; deck++) this.synth.programChange(deck * CHANNELS + channelOf(part, program), program);
    });
  }

  /** How loud each part is, 0 to 1. */
  levels(volumes: readonly number[]): void {
    volumes.forEach((volume, part) => {
      if (this.volumes[part] === volume) return;
      this.volumes[part] = volume;
      for (let deck = 0; deck < DECKS; deck++)
        this.synth.controllerChange(deck * CHANNELS + channelOf(part, this.programs[part]), VOLUME, Math.round(volume * 110));
    });
  }

  on(time: number, part: number, pitch: number, velocity: number): void {
    this.due[this.deck] = Math.max(this.due[this.deck]!, time);
    this.synth.noteOn(this.channel(part), pitch, velocity, { time });
  }

  off(time: number, part: number, pitch: number): void {
    this.due[this.deck] = Math.max(this.due[this.deck]!, time);
    this.synth.noteOff(this.channel(part), pitch, { time });
  }

  silence(): void {
    const now = this.context.currentTime;
    if (this.due[this.deck]! < now - 3) return; // nothing sounds and nothing is due
    this.mute(this.deck, true);
    const order = Array.from({ length: DECKS - 1 }, (_, step) => (this.deck + 1 + step) % DECKS);
    this.deck = order.find((deck) => this.due[deck]! < now) ?? order[0]!;
    this.mute(this.deck, false);
  }

  private mute(deck: number, quiet: boolean): void {
    for (let channel = 0; channel < CHANNELS; channel++)
      this.synth.midiChannels[deck * CHANNELS + channel]?.setSystemParameter("isMuted", quiet);
  }

  private channel(part: number): number {
    return this.deck * CHANNELS + channelOf(part, this.programs[part]);
  }
}
