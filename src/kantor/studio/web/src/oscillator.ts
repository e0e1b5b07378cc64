// A voice that needs nothing: two soft oscillators a note. It speaks until a SoundFont has loaded.
import type { Voice } from "./transport.ts";

const RELEASE = 0.12; // seconds
const ATTACK = 0.012;

export class OscillatorVoice implements Voice {
  private readonly context: BaseAudioContext;
  private readonly out: GainNode;
  private readonly sounding = new Map<string, { gain: GainNode; sources: OscillatorNode[] }[]>();
  /** By part: silent ones are left out. */
  volumes: number[] = [];

  constructor(context: BaseAudioContext, destination: AudioNode = context.destination) {
    this.context = context;
    this.out = context.createGain();
    this.out.gain.value = 0.5;
    this.out.connect(destination);
  }

  on(time: number, part: number, pitch: number, velocity: number): void {
    const volume = (this.volumes[part] ?? 1) * (velocity / 127) * 0.16;
    if (volume <= 0) return;
    const gain = this.context.createGain();
    const frequency = 440 * 2 ** ((pitch - 69) / 12);
    gain.gain.setValueAtTime(0, time);
    gain.gain.linearRampToValueAtTime(volume, time + ATTACK);
    gain.gain.setTargetAtTime(volume * 0.6, time + ATTACK, 0.4);
    gain.connect(this.out);
    const sources = (["triangle", "sine"] as const).map((type, octave) => {
      const source = this.context.createOscillator();
      source.type = type;
      source.frequency.value = frequency * (octave + 1);
      source.connect(gain);
      source.start(time);
      return source;
    });
    sources[0]!.onended = () => gain.disconnect();
    const name = `${part}:${pitch}`;
    const voices = this.sounding.get(name) ?? [];
    voices.push({ gain, sources });
    this.sounding.set(name, voices);
  }

  off(time: number, part: number, pitch: number): void {
    const voice = this.sounding.get(`${part}:${pitch}`)?.shift();
    if (voice) end(voice, time);
  }

  silence(): void {
    for (const voices of this.sounding.values())
      for (const { gain, sources } of voices) {
        gain.disconnect();
        for (const source of sources) source.stop();
      }
    this.sounding.clear();
  }
}

function end({ gain, sources }: { gain: GainNode; sources: OscillatorNode[] }, time: number): void {
  gain.gain.cancelScheduledValues(time);
  gain.gain.setTargetAtTime(0, time, RELEASE / 3);
  for (const source of sources) source.stop(time + RELEASE * 2);
}
