// Which MIDI channel a part plays on: fifteen for parts; the tenth is the drums'.
export const CHANNELS = 16;
export const DRUMS = 9; // counted from 0

/** `program` is General MIDI's, 128 for drums. */
export function channelOf(part: number, program = 0): number {
  if (program > 127) return DRUMS;
  const channel = part % (CHANNELS - 1);
  return channel >= DRUMS ? channel + 1 : channel;
}
