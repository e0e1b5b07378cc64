// Light or dark: as the system has it, until somebody chooses; the choice is kept in the browser.
import { $ } from "./dom.ts";

const NAME = "kantor.theme";

/** Wires the button, and tells at once and at every change whether the page is dark. */
export function wireTheme(changed: (dark: boolean) => void): void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let wanted = read() ?? "auto";
  const apply = () => {
    const dark = wanted === "dark" || (wanted === "auto" && system.matches);
    document.documentElement.dataset["theme"] = dark ? "dark" : "light";
    $("theme").setAttribute("aria-label", `Theme: ${wanted === "auto" ? "as the system" : wanted}`);
    changed(dark);
  };
  system.addEventListener("change", apply);
  $("theme").addEventListener("click", () => {
    wanted = wanted === "auto" ? (system.matches ? "light" : "dark") : wanted === "light" ? "dark" : "light";
    write(wanted);
    apply();
  });
  apply();
}

function read(): string | null {
  try {
    return localStorage.getItem(NAME);
  } catch {
    return null;
  }
}

function write(text: string): void {
  try {
    localStorage.setItem(NAME, text);
  } catch {
    // a private window: it is forgotten
  }
}
