// The panel: what a piece is asked to be, and what may change while it plays.
import { $, gathered, make, option } from "./dom.ts";
import type { ModelInfo, Preset, RuleInfo, Start, Turn } from "./wire.ts";

const MAJOR = ["C", "G", "D", "A", "E", "B", "F#", "F", "Bb", "Eb", "Ab", "Db"];
const MINOR = ["Am", "Em", "Bm", "F#m", "C#m", "G#m", "Dm", "Gm", "Cm", "Fm", "Bbm", "Ebm"];
const SLIDERS = ["temperature", "top_p", "density"] as const;

export interface Settings {
  preset: string;
  model: string;
  bars: number;
  seed: number | null;
  key: string;
  meter: string;
  inKey: boolean;
  tempo: number;
  temperature: number;
  top_p: number;
  density: number;
  /** Names of rules that hold; null: those that hold by default. */
  rules: string[] | null;
}

export class Controls {
  /** A slider, a rule or the key came to rest somewhere else. */
  onturn: (turn: Turn) => void = () => {};
  ontempo: (tempo: number) => void = () => {};
  onchange: () => void = () => {};
  private models: ModelInfo[] = [];
  private rules: RuleInfo[] = [];
  private presets: Preset[] = [];
  private preset = "";
  /** What a preset asks for that has no control of its own. */
  private rest: Partial<Start> = {};
  /** Sliders that moved within a moment are one turn. */
  private readonly turned = gathered<Turn>(120, (changes) => this.onturn({ ...changes, type: "turn" }));

  constructor() {
    for (const name of SLIDERS)
      slider(name).addEventListener("input", () => {
        this.say();
        this.turned.add({ [name]: Number(slider(name).value) });
        this.onchange();
      });
    $<HTMLInputElement>("tempo").addEventListener("input", () => {
      this.say();
      this.ontempo(this.tempo);
      this.onchange();
    });
    $("key").addEventListener("change", () => {
      this.turnNow({ key: value("key") });
      this.onchange();
    });
    $("model").addEventListener("change", () => {
      this.suit();
      this.onchange();
    });
    for (const id of ["bars", "seed", "meter", "in-key"]) $(id).addEventListener("change", () => this.onchange());
  }

  fill(models: ModelInfo[], rules: RuleInfo[], presets: Preset[]): void {
    [this.models, this.rules, this.presets] = [models, rules, presets];
    const composing = models.filter((model) => !model.fills); // one that fills in is taken where it is needed
    $("model").replaceChildren(...composing.map((model) => option(model.name, model.name)));
    const group = (label: string, keys: string[]) => make("optgroup", { label }, ...keys.map((key) => option(key, spoken(key))));
    $("key").replaceChildren(option("", "any"), group("major", MAJOR), group("minor", MINOR));
    $("presets").replaceChildren(...presets.map((preset, index) => this.chip(preset, index === 0)));
    const first = presets[0];
    if (first) this.choose(first);
    else this.suit();
  }

  get model(): ModelInfo | undefined {
    return this.models.find((model) => model.name === value("model"));
  }

  /** A model that fills in, for what is between other notes: the chosen one if it does. */
  get filler(): string {
    return (this.model?.fills ? this.model : this.models.find((model) => model.fills))?.name ?? "chorale-infill";
  }

  get tempo(): number {
    return Number(value("tempo"));
  }

  set tempo(quartersPerMinute: number) {
    $<HTMLInputElement>("tempo").value = String(Math.round(quartersPerMinute));
    this.say();
  }

  get settings(): Settings {
    return {
      preset: this.preset,
      model: value("model"),
      bars: whole("bars") ?? 32,
      seed: whole("seed"),
      key: value("key"),
      meter: value("meter"),
      inKey: $<HTMLInputElement>("in-key").checked,
      tempo: this.tempo,
      temperature: Number(value("temperature")),
      top_p: Number(value("top_p")),
      density: Number(value("density")),
      rules: this.checked(),
    };
  }

  set settings(settings: Partial<Settings>) {
    const preset = this.presets.find(({ name }) => name === settings.preset);
    if (preset) this.choose(preset);
    if (settings.model) put("model", settings.model);
    this.suit();
    for (const name of ["bars", "seed", "key", "meter", "tempo", "temperature", "top_p", "density"] as const)
      if (settings[name] !== undefined) put(name, settings[name] === null ? "" : String(settings[name]));
    if (settings.inKey !== undefined) $<HTMLInputElement>("in-key").checked = settings.inKey;
    if (settings.rules)
      for (const box of boxes()) box.checked = settings.rules.includes(box.value);
    this.say();
  }

  /** The message that begins a piece as the panel asks for it. */
  start(): Start {
    const { model, bars, seed, key, meter, inKey, tempo, temperature, top_p, density } = this.settings;
    return {
      ...this.rest,
      type: "start",
      ...(model ? { model } : {}), // pressed before the lists have come
      bars,
      tempo,
      temperature,
      top_p,
      rules: this.spelt(),
      in_key: inKey,
      ...(seed === null ? {} : { seed }),
      ...(key ? { key } : {}),
      ...(meter ? { meter } : {}),
      ...(density ? { density } : {}),
    };
  }

  /** What the next pieces are played on: a choice of instruments outlives the piece that it was made for. */
  playOn(instruments: number[]): void {
    this.rest = { ...this.rest, instruments };
  }

  /** The rules as the wire spells them: nothing where the default ones hold. */
  spelt(): string[] {
    const names = this.checked();
    const given = this.rest.rules?.filter((rule) => rule.includes("=") && rule !== "none") ?? [];
    return names === null ? given : ["none", ...names, ...given];
  }

  private turnNow(changes: Partial<Turn>): void {
    this.turned.add(changes);
    this.turned.flush();
  }

  private chip(preset: Preset, first: boolean): HTMLButtonElement {
    const chip = make("button", { type: "button", role: "radio", title: preset.about, "aria-checked": "false", tabIndex: first ? 0 : -1 }, preset.name);
    chip.addEventListener("click", () => {
      this.choose(preset); // for the next piece: the present one stays as it is
      this.onchange();
    });
    chip.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const all = [...$("presets").querySelectorAll("button")];
      const next = all[(all.indexOf(chip) + step + all.length) % all.length];
      next?.focus();
      next?.click();
    });
    return chip;
  }

  private choose(preset: Preset): void {
    this.preset = preset.name;
    [...$("presets").querySelectorAll("button")].forEach((chip, index) => {
      const mine = this.presets[index] === preset;
      chip.setAttribute("aria-checked", String(mine));
      chip.tabIndex = mine ? 0 : -1;
    });
    const { model, bars, key, meter, tempo, temperature, top_p, density, in_key, rules, ...rest } = preset.start;
    this.rest = { ...rest, ...(rules ? { rules } : {}) };
    if (model) put("model", model);
    this.suit();
    put("bars", String(bars ?? 32));
    put("key", key ?? "");
    put("meter", meter ?? "");
    if (tempo) this.tempo = tempo;
    const sampling = this.model?.sampling ?? {};
    put("temperature", String(temperature ?? sampling["temperature"] ?? 1));
    put("top_p", String(top_p ?? sampling["top_p"] ?? 1));
    put("density", String(density ?? 0));
    $<HTMLInputElement>("in-key").checked = in_key ?? false;
    if (rules?.length) {
      const names = rules.map((rule) => rule.split("=")[0]);
      for (const box of boxes()) box.checked = names.includes(box.value) || (box.dataset["standard"] === "true" && !rules.includes("none"));
    }
    this.say();
  }

  /** Offers what the model can follow. */
  private suit(): void {
    const model = this.model;
    const meter = value("meter");
    const meters = model?.meters ?? [];
    $("meter").replaceChildren(option("", "any"), ...meters.map((each) => option(each, each, each === meter)));
    $<HTMLSelectElement>("meter").disabled = !meters.length;
    const standing = (rule: RuleInfo) => (Array.isArray(rule.by_default) ? rule.by_default.includes(model?.name) : Boolean(rule.by_default));
    const usable = this.rules.filter((rule) => rule.hard && rule.default !== "" && this.follows(rule));
    $("rules").replaceChildren(
      ...usable.map((rule) => {
        const box = make("input", { type: "checkbox", value: rule.name, checked: standing(rule), "data-standard": String(standing(rule)) });
        box.addEventListener("change", () => {
          this.turnNow({ rules: this.spelt() });
          this.onchange();
        });
        return make("label", { className: "check", title: `forbids ${rule.forbids}` }, box, rule.name.replaceAll("-", " "));
      }),
    );
  }

  private follows(rule: RuleInfo): boolean {
    const needs = Array.isArray(rule.needs) ? (rule.needs as string[]) : [];
    if (!this.model) return true;
    if (!this.model.ruled) return false;
    return (!needs.includes("voices") || this.model.voiced) && (!needs.includes("time") || this.model.timed);
  }

  private checked(): string[] | null {
    const all = boxes();
    if (all.every((box) => String(box.checked) === box.dataset["standard"])) return null;
    return all.filter((box) => box.checked).map((box) => box.value);
  }

  private say(): void {
    $("temperature-said").textContent = Number(value("temperature")).toFixed(2);
    $("top_p-said").textContent = Number(value("top_p")).toFixed(2);
    $("density-said").textContent = value("density") === "0" ? "free" : `at most ${value("density")} a quarter`;
    $("tempo-said").textContent = value("tempo");
  }
}

const slider = (name: string): HTMLInputElement => $<HTMLInputElement>(name);
const value = (id: string): string => $<HTMLInputElement | HTMLSelectElement>(id).value;
const boxes = (): HTMLInputElement[] => [...$("rules").querySelectorAll<HTMLInputElement>("input")];

function put(id: string, text: string): void {
  $<HTMLInputElement | HTMLSelectElement>(id).value = text;
}

function whole(id: string): number | null {
  const number = $<HTMLInputElement>(id).valueAsNumber;
  return Number.isFinite(number) ? Math.max(0, Math.round(number)) : null;
}

/** "Bbm" as people read it. */
const spoken = (key: string): string => {
  const name = key.replace(/m$/, "").replace("b", "♭").replace("#", "♯");
  return key.endsWith("m") ? `${name} minor` : `${name} major`;
};
