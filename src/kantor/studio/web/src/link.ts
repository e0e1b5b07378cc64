// A link that is a piece: its recipe, or its notes where hands have changed it, deflated into the address's fragment,
// which no browser sends to any server.
//
// Anybody may have made a link. So it is inflated up to a limit and no farther, and the notes in it are looked at.
import { EMPTY, type WireScore } from "./music.ts";

const MOST = 10 * 2 ** 20; // bytes, inflated: what the server takes of a score

/** A link that holds no piece. */
export class LinkError extends Error {}

async function squeeze(data: Uint8Array<ArrayBuffer>, through: CompressionStream | DecompressionStream): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([data]).stream().pipeThrough(through).getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    chunks.push(value!);
    size += value!.byteLength;
    if (size > MOST) {
      await reader.cancel();
      throw new LinkError("This link holds more than 10 MB of music; ask for it as a file.");
    }
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

export async function pack(text: string): Promise<string> {
  const bytes = await squeeze(new TextEncoder().encode(text), new CompressionStream("deflate-raw"));
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export async function unpack(packed: string): Promise<string> {
  const binary = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  return new TextDecoder().decode(await squeeze(bytes, new DecompressionStream("deflate-raw")));
}

export type Linked = { kind: "recipe" | "score"; text: string };

export const linkTo = async ({ kind, text }: Linked): Promise<string> => {
  const address = new URL(location.href);
  address.hash = `${kind}=${await pack(text)}`;
  return address.href;
};

/** Whether an address's fragment is a piece; others are places on the page. */
export const isLink = (fragment: string): boolean => /^#(recipe|score)=/.test(fragment);

/** What a fragment holds, if it holds something. */
export async function linked(fragment: string): Promise<Linked | null> {
  if (!isLink(fragment)) return null;
  const [kind, packed] = [fragment.slice(1, fragment.indexOf("=")), fragment.slice(fragment.indexOf("=") + 1)];
  return { kind: kind as "recipe" | "score", text: await unpack(packed) };
}

type Check = (value: unknown) => boolean;

const whole = (from: number, to: number): Check => (value) => Number.isInteger(value) && (value as number) >= from && (value as number) <= to;
const text = (most: number): Check => (value) => typeof value === "string" && value.length <= most;
const oneOf = (...known: unknown[]): Check => (value) => known.includes(value);
const list = (most: number, each: Check): Check => (value) => Array.isArray(value) && value.length <= most && value.every(each);
const fields = (checks: Record<string, Check>): Check => (value) =>
  typeof value === "object" && value !== null && Object.entries(checks).every(([name, check]) => check((value as Record<string, unknown>)[name]));

const TICK = whole(0, 2 ** 40);
/** What each field may be, as the server has it (`studio/messages.py`). */
const SHAPE: Record<keyof WireScore, Check> = {
  ticks_per_quarter: whole(1, 100_000),
  notes: list(200_000, fields({ part: whole(0, 255), pitch: whole(0, 127), onset: TICK, duration: TICK, velocity: whole(1, 127) })),
  parts: list(256, fields({ name: text(200), program: whole(0, 127), is_drum: oneOf(true, false) })),
  tempi: list(10_000, fields({ tick: TICK, quarters_per_minute: (value) => typeof value === "number" && value >= 0.01 && value <= 100_000 })),
  meters: list(10_000, fields({ tick: TICK, numerator: whole(1, 255), denominator: oneOf(1, 2, 4, 8, 16, 32, 64, 128) })),
  keys: list(10_000, fields({ tick: TICK, fifths: whole(-7, 7), mode: oneOf("major", "minor", "") })),
  fermatas: list(10_000, TICK),
  barlines: list(20_000, TICK),
  anacrusis_ticks: TICK,
  length_ticks: TICK,
  title: text(2000),
  recipe: text(4_000_000),
};

/** A score from a stranger: its shape and ranges are looked at, what is not known is left out, what lacks is empty. */
export function scoreIn(source: string): WireScore {
  let given: unknown;
  try {
    given = JSON.parse(source);
  } catch {
    throw new LinkError("This link is damaged; ask for it again.");
  }
  if (typeof given !== "object" || given === null || !("notes" in given)) throw new LinkError("This link holds no notes; ask for it again.");
  const score: Record<string, unknown> = {};
  for (const [name, check] of Object.entries(SHAPE)) {
    const value = (given as Record<string, unknown>)[name] ?? EMPTY[name as keyof WireScore];
    if (!check(value)) throw new LinkError(`This link is damaged in its ${name.replaceAll("_", " ")}; ask for it again.`);
    score[name] = value;
  }
  return score as unknown as WireScore;
}
