import assert from "node:assert/strict";
import test from "node:test";
import { Engraving } from "../src/engraving.ts";
import { EMPTY, toWire } from "../src/music.ts";
import type { KantorScore } from "../src/score_view.ts";

test("while the server is busy the pages stay, and it is asked again at growing distances", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const statuses = [503, 503, 503, 200, 400];
  const asked: number[] = [];
  let clock = 0;
  const fetch = async () => {
    asked.push(clock);
    const status = statuses.shift()!;
    return { ok: status === 200, status, json: async () => ({ error: "no", pages: ["<svg/>"], notes: {}, timemap: [] }) };
  };
  const before = Object.entries({ fetch, window: globalThis }).map(([name, value]) => {
    const old = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true });
    return [name, old] as const;
  });
  context.after(() => {
    for (const [name, old] of before) old ? Object.defineProperty(globalThis, name, old) : Reflect.deleteProperty(globalThis, name);
  });
  const seen: string[] = [];
  const view = { show: () => seen.push("shown"), clear: () => seen.push("cleared") } as unknown as KantorScore;
  const engraving = new Engraving(view, () => ({ score: toWire(EMPTY), notes: [] }), () => {});
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      clock++;
      context.mock.timers.tick(1000);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
  };
  engraving.ask();
  await pass(20);
  assert.deepEqual(seen, ["shown"], "and nothing was cleared");
  assert.deepEqual(asked, [1, 3, 7, 15]);
  engraving.ask();
  await pass(60);
  assert.deepEqual(seen, ["shown", "cleared"], "what cannot be engraved is not asked for again");
  assert.equal(asked.length, 5);
});
