// An engraved page as text, before it is read as elements.

/** Without style sheets and style attributes, which a strict content security policy refuses already when they are read. */
export const unstyled = (source: string): string =>
  source.replace(/<style[\s\S]*?<\/style>/g, "").replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/\sstyle\s*=\s*("[^"]*"|'[^']*')/gi, ""));
