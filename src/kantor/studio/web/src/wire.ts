// What goes between page and server (docs/studio.md): the shapes, the calls, the live socket.
import type { Key, Meter, Part, Tempo, WireScore } from "./music.ts";

export interface ModelInfo {
  name: string;
  about: string;
  unit: string;
  fills: boolean;
  voiced: boolean;
  ruled: boolean;
  timed: boolean;
  keyed: boolean;
  meters: string[];
  sampling: Record<string, unknown>;
}

export interface RuleInfo {
  name: string;
  forbids: string;
  needs: unknown;
  option: string | null;
  default: unknown;
  hard: boolean;
  by_default: boolean;
}

export interface Preset {
  name: string;
  about: string;
  start: Start;
}

export interface Instrument {
  program: number;
  name: string;
}

export interface WirePiece {
  score: WireScore;
  nats_per_note: number;
  notes_decided: number;
  rules_cost: number;
  dead_ends: number;
  remarks: string[];
}

export interface WireFault {
  rule: string;
  tick: number;
  end: number;
  voices: number[];
  notes: number[];
  text: string;
}

export interface Choice {
  pitch: number | null;
  probability: number;
  name: string;
}

export interface Engraved {
  pages: string[];
  timemap: { tick: number; on: string[]; off: string[] }[];
  notes: Record<string, number>;
}

export interface Start {
  type: "start";
  model?: string;
  bars?: number;
  key?: string | null;
  meter?: string | null;
  tempo?: number | null;
  seed?: number | null;
  temperature?: number | null;
  top_p?: number | null;
  rules?: string[];
  soft?: string[];
  density?: number | null;
  in_key?: boolean;
  prompt?: WireScore | null;
  instruments?: number[];
  ahead?: number;
}

export interface Turn {
  type: "turn";
  temperature?: number;
  top_p?: number;
  rules?: string[];
  key?: string;
  density?: number;
}

export type ClientMessage =
  | Start
  | Turn
  | { type: "pause" }
  | { type: "resume" }
  | { type: "back"; bars: number }
  | { type: "branch"; tick?: number }
  | { type: "played"; tick: number; scheduled: number; branch: number }
  | { type: "resume_session"; id: string; since: number; branch: number };

export interface Started {
  type: "started";
  session: string;
  model: string;
  seed: number;
  branch: number;
  length_ticks: number;
  ticks_per_quarter: number;
  bars: { start: number; length: number; beats: number; unit: number; offset: number }[];
  keys: Key[];
  meters: Meter[];
  tempi: Tempo[];
  fermatas: number[];
  parts: Part[];
  temperature: number;
  top_p: number;
  rules: string[];
  given_until: number;
  resumed: boolean;
}

export interface LiveNote {
  id: number;
  part: number;
  pitch: number;
  onset: number;
  duration: number;
  velocity: number;
  nats: number | null;
}

export interface Done {
  type: "done";
  branch: number;
  recipe: string;
  nats_per_note: number;
  rules_cost: number;
  dead_ends: number;
  score: WireScore;
}

export type ServerMessage =
  | Started
  | { type: "notes"; branch: number; until: number; notes: LiveNote[] }
  | { type: "taken_back"; to: number; branch: number }
  | Done
  | { type: "remark"; text: string }
  | { type: "error"; text: string };

export const GONE = "The studio's server does not answer; is `kantor studio` still running?";
export const FULL = "The studio is full; this page comes in as soon as there is room.";

/** An answer that is not the one hoped for, in the server's own sentence. */
export class Refusal extends Error {
  /** Of HTTP; 0 where there was no answer. */
  readonly status: number;
  constructor(text: string, status = 0) {
    super(text);
    this.status = status;
  }
}

/** What went wrong, for people. */
export const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Not now, but maybe soon: the server is busy, or does not answer. */
export const isPassing = (error: unknown): boolean => error instanceof Refusal && (error.status === 0 || error.status === 503);

async function answered(answer: Response): Promise<Response> {
  if (answer.ok) return answer;
  let text = `The server answered ${answer.status}.`;
  try {
    const body = (await answer.json()) as { error?: unknown };
    if (typeof body.error === "string") text = body.error;
  } catch {
    // no JSON: the status is all there is to tell
  }
  throw new Refusal(text, answer.status);
}

async function reach(address: string, init?: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(address, init);
  } catch {
    throw new Refusal(GONE);
  }
  return answered(answer);
}

export const get = async <T>(address: string): Promise<T> => (await (await reach(address)).json()) as T;

export async function post<T>(address: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return (await (await send(address, body, signal)).json()) as T;
}

export const save = async (kind: string, body: unknown): Promise<Blob> => (await send(`api/save/${kind}`, body)).blob();

export async function upload(file: File): Promise<{ score: WireScore; name: string; remarks: string[] }> {
  const form = new FormData();
  form.append("file", file);
  return (await (await reach("api/read", { method: "POST", body: form })).json()) as never;
}

const send = (address: string, body: unknown, signal?: AbortSignal): Promise<Response> =>
  reach(address, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
