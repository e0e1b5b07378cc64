// What opens over the page: other choices for a note, variations side by side, history, saving, help.
import { dialog, make } from "./dom.ts";
import type { History } from "./history.ts";
import { type Note, type Piece, pitchName, type WireScore } from "./music.ts";
import { KEYS, type KantorRoll } from "./roll.ts";
import type { Choice } from "./wire.ts";

const MOST = 9; // choices that are shown,
const LEAST = 0.001; // and how likely they are at least

/** The model's own candidates for one note, likeliest first; one click takes one of them. */
export function showChoices(note: Note, name: string, choices: Choice[], nats: number | null, take: ((pitch: number) => void) | null): void {
  const { box, body } = dialog("choices");
  const surprise = nats === null ? "" : ` It surprised the model by ${nats.toFixed(2)} nats.`;
  const shown = choices.filter((choice, index) => index < MOST && (choice.probability >= LEAST || choice.pitch === note.pitch));
  const rows = shown.map((choice) => {
    const percent = (100 * choice.probability).toFixed(choice.probability < 0.1 ? 1 : 0);
    const bar = make("meter", { min: 0, max: 1, value: choice.probability, "aria-hidden": "true" });
    const text = choice.pitch === null ? choice.name : pitchName(choice.pitch);
    const here = choice.pitch === note.pitch;
    const row = make("button", { type: "button", disabled: here || choice.pitch === null || take === null }, `${text}${here ? " (as it is)" : ""}`, make("span", {}, `${percent} % `, bar));
    row.addEventListener("click", () => {
      box.close();
      take?.(choice.pitch!);
    });
    return row;
  });
  const locked = take === null ? " It is locked: unlock it to change it." : "";
  body.replaceChildren(make("p", {}, `${name} ${pitchName(note.pitch)}.${surprise}${locked}`), make("div", { className: "list" }, ...rows));
  box.showModal();
}

export interface Take {
  title: string;
  piece: Piece;
  about: string;
}

/** Takes side by side. `play` plays one from where the music stands, so that A and B can be told apart at the same place. */
export function showVariations(takes: Take[], dark: boolean, play: (take: Take | null) => void, keep: (take: Take) => void): void {
  const { box, body } = dialog("variations");
  let playing: Take | null = null;
  const buttons: HTMLButtonElement[] = [];
  const cards = takes.map((take) => {
    const roll = document.createElement("kantor-roll") as KantorRoll;
    roll.setAttribute("readonly", "");
    roll.setAttribute("label", take.title);
    roll.toggleAttribute("dark", dark);
    roll.fitted = true;
    roll.piece = take.piece;
    const listen = make("button", { type: "button", "aria-pressed": "false", "aria-label": `Listen to ${take.title}` }, "Listen");
    const keeper = make("button", { type: "button", "aria-label": `Keep ${take.title}` }, "Keep");
    buttons.push(listen);
    const card = make("section", { className: "card", "aria-label": take.title }, make("h3", {}, take.title), roll, make("p", {}, take.about), make("div", { className: "row" }, listen, keeper));
    listen.addEventListener("click", () => {
      playing = playing === take ? null : take;
      buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(takes[index] === playing)));
      play(playing);
    });
    keeper.addEventListener("click", () => {
      box.close();
      keep(take);
    });
    return card;
  });
  body.replaceChildren(make("div", { className: "cards" }, ...cards));
  box.addEventListener("close", () => playing && play(null), { once: true });
  box.showModal();
}

export function showHistory(history: History<Piece>, visit: (id: number) => void): void {
  const { box, body } = dialog("moments");
  const rows = history.tree().map(({ moment, depth, current, line }) => {
    const text = `${moment.label} – ${moment.value.notes.length} notes`;
    const row = make("button", { type: "button", className: line ? "" : "off", "aria-current": String(current) }, text);
    row.style.marginInlineStart = `${Math.min(depth, 8) * 1.4}em`;
    row.addEventListener("click", () => {
      box.close();
      visit(moment.id);
    });
    return row;
  });
  body.replaceChildren(make("div", { className: "list moments" }, ...rows));
  box.showModal();
  body.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "center" });
}

const KINDS = [
  ["mid", "MIDI"],
  ["musicxml", "MusicXML"],
  ["wav", "WAV sound"],
  ["mp3", "MP3 sound"],
  ["svg", "Score (SVG)"],
  ["csv", "CSV grid"],
] as const;

export function showSaving(piece: WireScore, take: (kind: string) => Promise<void>, link: () => Promise<string>): void {
  const { box, body } = dialog("taking");
  const said = make("p", { role: "status", className: "wide" }, piece.recipe ? "The link holds the recipe: whoever opens it hears the same piece." : "No recipe makes this piece as it is now, so the link holds its notes.");
  const kinds = KINDS.map(([kind, name]) => {
    const button = make("button", { type: "button", "data-kind": kind, disabled: !piece.notes.length && !piece.length_ticks }, name);
    button.addEventListener("click", () => void take(kind).then(() => (said.textContent = `${name} saved.`), (error: Error) => (said.textContent = error.message)));
    return button;
  });
  const copy = make("button", { type: "button", id: "copy-link", className: "wide" }, "Copy link");
  const shown = make("input", { type: "text", readOnly: true, id: "link", className: "wide", "aria-label": "Link to this piece" });
  void link().then((address) => (shown.value = address));
  copy.addEventListener("click", () => {
    shown.select();
    const byHand = () => (said.textContent = "The browser does not let this page copy; copy the link from the field.");
    // Only pages from this machine, or over HTTPS, have a clipboard.
    const copied = (navigator.clipboard as Clipboard | undefined)?.writeText(shown.value);
    if (copied) copied.then(() => (said.textContent = "Link copied."), byHand);
    else byHand();
  });
  body.replaceChildren(make("div", { className: "taking" }, ...kinds, copy, shown, said));
  box.showModal();
}

export function showHelp(): void {
  const { box, body } = dialog("helping");
  const keys: [string, string][] = [["Ctrl + Enter", "compose"], ["Ctrl + Z", "undo; with Shift redo"], ...KEYS];
  body.replaceChildren(
    make("p", {}, "Press Compose, listen, and turn what you like while it plays. Drag notes to move them, their ends to lengthen them; double-click to add one. Drag along the bar numbers to loop. Lock what you like and let the rest be composed anew."),
    make("h2", {}, "Keys on the piano roll"),
    make("div", { className: "keys" }, ...keys.flatMap(([key, what]) => [make("kbd", {}, key), make("span", {}, what)])),
  );
  box.showModal();
}
