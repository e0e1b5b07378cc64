// Small words for the page: find, make, label.
export function $<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found as E;
}

type Child = Node | string;

/** An element with properties and children; `data` and `aria` names are set as attributes. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<Record<string, unknown>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, String(value));
    else Reflect.set(element, name, value);
  }
  element.append(...children);
  return element;
}

export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

export const option = (value: string, text: string, chosen = false): HTMLOptionElement =>
  make("option", { value, textContent: text, selected: chosen });

/** Calls once things have been quiet for so many milliseconds. */
export function settled<A extends unknown[]>(wait: number, what: (...values: A) => void): (...values: A) => void {
  let timer = 0;
  return (...values) => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => what(...values), wait);
  };
}

/** The same for changes of several fields: what comes while it is not yet quiet is told all together, the last of each. */
export function gathered<T extends object>(wait: number, what: (changes: Partial<T>) => void): { add: (changes: Partial<T>) => void; flush: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let changes: Partial<T> | null = null;
  const flush = () => {
    clearTimeout(timer);
    const all = changes;
    changes = null;
    if (all) what(all);
  };
  const add = (more: Partial<T>) => {
    changes = { ...changes, ...more };
    clearTimeout(timer);
    timer = setTimeout(flush, wait);
  };
  return { add, flush };
}

export function dialog(id: string): { box: HTMLDialogElement; body: HTMLElement } {
  const box = $<HTMLDialogElement>(id);
  return { box, body: box.querySelector<HTMLElement>(".body")! };
}
