import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { Live } from "../src/live.ts";

const STARTED = { type: "started", session: "s" };

/** A server that can be switched off, and a page's world around the socket. */
function world(context: TestContext) {
  context.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const sockets: Socket[] = [];
  let status: { room: number } | null = { room: 5 };
  let online = () => {};

  class Socket extends EventTarget {
    readyState = 0;
    said: { type: string; [field: string]: unknown }[] = [];
    readonly address: string;
    constructor(address: URL) {
      super();
      this.address = String(address);
      sockets.push(this);
    }
    send(text: string): void {
      this.said.push(JSON.parse(text));
    }
    open(): void {
      this.readyState = 1;
      this.dispatchEvent(new Event("open"));
    }
    hear(message: object): void {
      this.dispatchEvent(Object.assign(new Event("message"), { data: JSON.stringify(message) }));
    }
    close(code = 1006, reason = ""): void {
      this.readyState = 3;
      this.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
    }
  }
  const globals = {
    WebSocket: Socket,
    document: { baseURI: "http://localhost/" },
    addEventListener: (name: string, what: () => void) => name === "online" && (online = what),
    fetch: async () => {
      if (!status) throw new TypeError("refused");
      return { ok: true, json: async () => status };
    },
  };
  const before = Object.keys(globals).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
  for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true });
  context.after(() => {
    for (const [name, old] of before) old ? Object.defineProperty(globalThis, name, old) : Reflect.deleteProperty(globalThis, name);
  });
  const live = new Live();
  const said: [string, string][] = [];
  live.onstatus = (kind, text) => said.push([kind, text]);
  live.whereabouts = () => ({ since: 960, branch: 2 });
  live.composing = () => true;
  return {
    live, sockets, said,
    serve: (answer: { room: number } | null) => (status = answer),
    comeOnline: () => online(),
    wait: (ms: number) => context.mock.timers.tick(ms),
    last: () => sockets.at(-1)!,
    begin: () => {
      live.start({ type: "start", bars: 4 });
      sockets.at(-1)!.open();
      sockets.at(-1)!.hear(STARTED);
    },
  };
}

const turns = async () => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

test("a lost socket is tried again for ten minutes, and its session is taken up", (context) => {
  const { live, sockets, said, wait, last, begin } = world(context);
  begin();
  last().close();
  for (let second = 0; second < 590; second++) {
    wait(1000);
    if (last().readyState === 0) last().close();
  }
  assert.ok(sockets.length > 35 && sockets.length < 60, `${sockets.length}: neither given up nor hammered`);
  assert.deepEqual([...new Set(said.map(([kind]) => kind))], ["open", "lost"]);
  wait(15_000);
  if (last().readyState === 3) assert.fail("it is tried at the end as well");
  last().open();
  assert.match(last().address, /session=s$/);
  assert.deepEqual(last().said, [{ type: "resume_session", id: "s", since: 960, branch: 2 }]);
  live.say({ type: "pause" });
  assert.equal(last().said.at(-1)!.type, "pause");
});

test("after ten minutes it is given up, in the words that came first", async (context) => {
  const { said, wait, last, begin } = world(context);
  begin();
  last().close(1013, "the studio is going down");
  for (let second = 0; second < 700; second++) {
    wait(1000);
    if (last().readyState === 0) last().close();
  }
  assert.deepEqual(said.at(-1), ["closed", "the studio is going down"]);
});

test("when the browser is on the net again it is tried at once", (context) => {
  const { sockets, comeOnline, wait, last, begin } = world(context);
  begin();
  last().close();
  for (let tries = 0; tries < 6; tries++) {
    wait(15_000);
    last().close();
  }
  const before = sockets.length;
  comeOnline();
  assert.equal(sockets.length, before + 1);
  last().open();
  comeOnline();
  assert.equal(sockets.length, before + 1, "a socket that is open stays");
});

for (const code of [4400, 4404, 4408, 4409, 1011])
  test(`code ${code} ends a piece at once, with its reason`, (context) => {
    const { sockets, said, wait, last, begin } = world(context);
    begin();
    last().close(code, "because");
    wait(700_000);
    assert.deepEqual(said.at(-1), ["closed", "because"]);
    assert.equal(sockets.length, 1);
  });

test("a piece that was asked for and had not begun is asked for again", (context) => {
  const { live, wait, last } = world(context);
  live.start({ type: "start", bars: 4 });
  last().open();
  last().close();
  wait(300);
  last().open();
  assert.deepEqual(last().said, [{ type: "start", bars: 4 }]);
  live.say({ type: "turn", temperature: 1 });
  assert.equal(last().said.length, 1, "what is turned meanwhile waits for it");
  last().hear(STARTED);
  assert.deepEqual(last().said[1], { type: "turn", temperature: 1 });
});

test("what was pressed without a socket is told once the session is taken up", (context) => {
  const { live, wait, last, begin } = world(context);
  begin();
  last().close();
  live.say({ type: "played", tick: 1, scheduled: 2, branch: 0 });
  live.say({ type: "back", bars: 1 });
  wait(300);
  last().open();
  assert.deepEqual(last().said.map(({ type }) => type), ["resume_session", "back"]);
});

test("a socket that nobody needs may go, silently", (context) => {
  const { live, sockets, said, wait, last } = world(context);
  live.composing = () => false;
  live.warm();
  last().open();
  last().close(4408, "silent");
  wait(700_000);
  assert.equal(sockets.length, 1);
  assert.deepEqual(said, [["open", ""]]);
});

test("a page is told whether the server is full or gone", async (context) => {
  const { live, said, serve, wait, last } = world(context);
  serve({ room: 0 });
  live.start({ type: "start" });
  last().close();
  await turns();
  assert.match(said.at(-1)![1], /full/);
  serve(null);
  wait(300);
  last().close();
  await turns();
  assert.match(said.at(-1)![1], /does not answer/);
  serve({ room: 1 });
  wait(600);
  last().open();
  last().hear(STARTED);
  assert.deepEqual(said.at(-1), ["open", ""]);
});

test("a piece that is left is not come back for", (context) => {
  const { live, sockets, wait, last, begin } = world(context);
  begin();
  last().close();
  live.composing = () => false;
  live.leave();
  wait(700_000);
  assert.equal(sockets.length, 1);
});
