/** A registry's URL, taken apart. */
export interface ParsedUrl {
  /** Without user info, and without a slash at its end. */
  base: string;
  user: string;
  password: string;
}

/**
 * Reads `http://user:password@host:port/path`; user and password are percent-decoded. Null if it is
 * not such a URL. An `@` after the host means that a password has a character that must be encoded:
 * then what follows would be taken for a path, and shown.
 */
export function parseRegistryUrl(text: string): ParsedUrl | null {
  let url: URL;
  let user: string;
  let password: string;
  try {
    url = new URL(text);
    [user, password] = [url.username, url.password].map(decodeURIComponent);
  } catch {
    return null;
  }
  if (!["http:", "https:"].includes(url.protocol) || url.hostname === "") return null;
  if (/[@?#]/.test(url.pathname + url.search + url.hash) || /[?#]/.test(text)) return null;
  return { base: url.origin + url.pathname.replace(/\/+$/, ""), user, password };
}
