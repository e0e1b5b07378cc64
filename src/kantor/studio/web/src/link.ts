// A link that is a piece: its recipe, or its notes where hands have changed it, deflated into the address's fragment,
// which no browser sends to any server.

async function squeeze(data: Uint8Array<ArrayBuffer>, through: CompressionStream | DecompressionStream): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([data]).stream().pipeThrough(through);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export async function pack(text: string): Promise<string> {
  const bytes = await squeeze(new TextEncoder().encode(text), new CompressionStream("deflate-raw"));
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export async function unpack(packed: string): Promise<string> {
  const binary = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  return new TextDecoder().decode(await squeeze(bytes, new DecompressionStream("deflate-raw")));
}

export type Linked = { kind: "recipe" | "score"; text: string };

export const linkTo = async ({ kind, text }: Linked): Promise<string> => {
  const address = new URL(location.href);
  address.hash = `${kind}=${await pack(text)}`;
  return address.href;
};

/** What the page's own address holds, if it holds something. */
export async function linked(fragment: string): Promise<Linked | null> {
  const found = /^#(recipe|score)=([\w-]+)$/.exec(fragment);
  if (!found) return null;
  return { kind: found[1] as "recipe" | "score", text: await unpack(found[2]!) };
}
