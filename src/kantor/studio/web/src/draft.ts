// What is on the page, kept in the browser: closing the window loses nothing.
const NAME = "kantor";
const STORE = "drafts";

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("no IndexedDB"));
  });
}

async function ask<T>(mode: IDBTransactionMode, what: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  try {
    return await new Promise<T>((resolve, reject) => {
      const request = what(database.transaction(STORE, mode).objectStore(STORE));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error("not kept"));
    });
  } finally {
    database.close();
  }
}

/** Private windows may refuse to keep anything: then nothing is kept, and nothing breaks. */
export async function keep(draft: unknown): Promise<void> {
  try {
    await ask("readwrite", (store) => store.put(draft, "last"));
  } catch {
    // not kept
  }
}

export async function kept<T>(): Promise<T | undefined> {
  try {
    return (await ask("readonly", (store) => store.get("last") as IDBRequest<T | undefined>)) ?? undefined;
  } catch {
    return undefined;
  }
}
