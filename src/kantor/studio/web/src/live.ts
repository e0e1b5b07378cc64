// The live socket: it opens with the first message, comes back by itself after a loss, and takes up its session again.
//
// A session waits on the server for ten minutes, so that is how long a lost socket is tried again, at growing distances
// and as soon as the browser is back on the net. Some closes are final: there is no session any more to come back to.
import { type ClientMessage, FULL, get, GONE, type ServerMessage, type Start } from "./wire.ts";

const FIRST = 300; // ms until the first try after a loss; each wait is twice as long as the one before,
const SLOWEST = 15_000; // but no longer than this
const PATIENCE = 600_000; // ms that the server keeps a session, and that a lost socket is tried again
/** Garbage was sent, the session is not known or another page's, the server broke off. */
const FINAL = new Set([4400, 4404, 4409, 1011]);
const SILENT = 4408; // nothing was said for long
const HALTS: readonly string[] = ["played", "pause", "resume"]; // of the moment: told anew by a page that comes again

export class Live {
  onmessage: (message: ServerMessage) => void = () => {};
  /** "lost": it is tried again; "closed": what was composed live is at its end. */
  onstatus: (status: "open" | "lost" | "closed", text: string) => void = () => {};
  /** What to ask for when taking up a session again. */
  whereabouts: () => { since: number; branch: number } = () => ({ since: 0, branch: 0 });
  /** Whether music is still to come: else a lost socket may stay lost until there is something to say. */
  composing: () => boolean = () => false;

  private socket: WebSocket | null = null;
  private session: string | null = null;
  /** A piece that was asked for and has not begun: asked for again should the socket be lost meanwhile. */
  private asked: Start | null = null;
  private waiting: ClientMessage[] = [];
  private tries = 0;
  private lostAt: number | null = null;
  private why = "";
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    globalThis.addEventListener?.("online", () => this.timer !== undefined && this.open());
  }

  /** Opens ahead of time, so that the first press of Compose does not wait for it. */
  warm(): void {
    if (!this.socket) this.open();
  }

  start(message: Start): void {
    this.session = null;
    this.waiting = [];
    this.asked = message;
    if (this.ready) this.send(message);
    else if (!this.socket) this.open();
  }

  /** The piece is no longer wanted: nothing is asked for any more, and a lost socket may stay lost. */
  leave(): void {
    this.waiting = [];
    this.asked = null;
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.session) this.say({ type: "pause" });
  }

  say(message: ClientMessage): void {
    if (this.ready && !this.asked) return this.send(message);
    if (message.type === "played" || message.type === "pause") return;
    if (!HALTS.includes(message.type)) this.waiting.push(message);
    if (!this.socket) this.open();
  }

  private get ready(): boolean {
    return this.socket?.readyState === 1;
  }

  private get needed(): boolean {
    return this.asked !== null || this.waiting.length > 0 || (this.session !== null && this.composing());
  }

  private send(message: ClientMessage): void {
    this.socket?.send(JSON.stringify(message));
  }

  private open(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const address = new URL("api/live", document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    if (this.session && !this.asked) address.searchParams.set("session", this.session);
    const socket = new WebSocket(address);
    let opened = false;
    this.socket = socket;
    socket.addEventListener("open", () => {
      opened = true;
      this.opened(socket);
    });
    socket.addEventListener("message", (event) => socket === this.socket && this.heard(JSON.parse(String(event.data)) as ServerMessage));
    socket.addEventListener("close", (event) => this.closed(socket, event, opened));
  }

  private opened(socket: WebSocket): void {
    if (socket !== this.socket) return;
    this.onstatus("open", "");
    if (this.asked) this.send(this.asked); // what waits is told once it has begun
    else if (this.session) {
      this.send({ type: "resume_session", id: this.session, ...this.whereabouts() });
      this.tell();
    }
  }

  private tell(): void {
    for (const message of this.waiting.splice(0)) this.send(message);
  }

  private heard(message: ServerMessage): void {
    this.tries = 0; // the server has room for this page, and talks
    this.lostAt = null;
    this.why = "";
    if (message.type === "started") this.session = message.session;
    if (message.type === "error" && this.asked) this.waiting = []; // was for a piece that will not be
    if (message.type === "started" || message.type === "error") this.asked = null;
    this.onmessage(message);
    if (message.type === "started") this.tell();
  }

  private closed(socket: WebSocket, event: CloseEvent, opened: boolean): void {
    if (socket !== this.socket) return;
    this.socket = null;
    this.why ||= event.reason;
    if (FINAL.has(event.code)) return this.end(event.reason);
    if (!this.needed) return; // it opens again when there is something to say
    if (event.code === SILENT && !this.asked && !this.waiting.length) return this.end(event.reason);
    this.lostAt ??= Date.now();
    if (Date.now() - this.lostAt >= PATIENCE) return this.end(this.why || GONE);
    this.onstatus("lost", this.why);
    this.timer = setTimeout(() => this.open(), Math.min(FIRST * 2 ** this.tries++, SLOWEST));
    if (!opened && !event.reason) void this.find();
  }

  /** A socket that is refused does not say why: the server is full, or it is not there. */
  private async find(): Promise<void> {
    let why = "";
    try {
      const { room } = await get<{ room: number }>("api/status");
      if (room <= 0) why = FULL;
    } catch {
      why = GONE;
    }
    if (why && !this.ready && this.timer !== undefined) {
      this.why = why;
      this.onstatus("lost", why);
    }
  }

  private end(reason: string): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.session = this.asked = this.lostAt = null;
    this.waiting = [];
    this.tries = 0;
    this.why = "";
    this.onstatus("closed", reason);
  }
}
