// Files come by the button, or are dropped anywhere; they go by a link that the browser follows at once.
import { $, make } from "./dom.ts";

const KEPT = 60_000; // ms that a file is held for the browser to save

/** Calls with each file that is chosen or dropped. */
export function wireFiles(bring: (file: File) => void): void {
  const input = $<HTMLInputElement>("file");
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    if (file) bring(file);
    input.value = "";
  });
  const over = (event: DragEvent, on: boolean) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.toggle("dropping", on);
  };
  document.addEventListener("dragover", (event) => over(event, true));
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && over(event, false));
  document.addEventListener("drop", (event) => {
    over(event, false);
    const file = event.dataTransfer?.files[0];
    if (file) bring(file);
  });
}

/** Has the browser save it. */
export function handOver(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  make("a", { href: address, download: name }).click();
  window.setTimeout(() => URL.revokeObjectURL(address), KEPT);
}
