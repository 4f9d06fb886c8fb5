const QUOTE = 0x22, BACKSLASH = 0x5c, COMMA = 0x2c;
const OPEN_OBJECT = 0x7b, CLOSE_OBJECT = 0x7d, OPEN_ARRAY = 0x5b, CLOSE_ARRAY = 0x5d;

/** Longer paths are cut to their last steps, longer names to their first characters. */
const STEPS_SHOWN = 12;
const NAME_SHOWN = 64;

/** An object or array that is open at the byte. */
interface Open {
  isObject: boolean;
  /** Where the name of its value is, without the quotes; -1 before the first one. */
  name: number;
  nameEnd: number;
  /** The index of its element. */
  index: number;
}

/**
 * The path of what is at a byte of a JSON text that need not be valid, as --fields writes it; "" for
 * the whole value. For messages: `customer.addresses[2].zip`.
 */
export function jsonPlace(bytes: Uint8Array, at: number): string {
  const open: Open[] = [];
  let isName = false;
  for (let i = 0; i < at && i < bytes.length; i++) {
    const inner = open.at(-1);
    switch (bytes[i]) {
      case QUOTE: {
        const start = i + 1;
        i = stringEnd(bytes, start, at);
        if (isName && inner && i < at) {
          [inner.name, inner.nameEnd] = [start, i];
          isName = false;
        }
        break;
      }
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        isName = bytes[i] === OPEN_OBJECT;
        open.push({ isObject: isName, name: -1, nameEnd: -1, index: 0 });
        break;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        open.pop();
        isName = false;
        break;
      case COMMA:
        if (!inner) break;
        inner.index++;
        // The name that comes next is not known.
        inner.name = -1;
        isName = inner.isObject;
    }
  }
  return pathOf(bytes, open);
}

/** Where the string ends whose first byte is at `at`: its last quote, or `end`. */
function stringEnd(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at; i < end; i++) {
    if (bytes[i] === BACKSLASH) i++;
    else if (bytes[i] === QUOTE) return i;
  }
  return end;
}

function pathOf(bytes: Uint8Array, open: readonly Open[]): string {
  const shown = open.slice(-STEPS_SHOWN);
  let path = shown.length < open.length ? "…" : "";
  for (const { isObject, name, nameEnd, index } of shown) {
    if (!isObject) path += `[${index}]`;
    else if (name !== -1) path += (path === "" ? "" : ".") + nameOf(bytes.subarray(name, nameEnd));
  }
  return path;
}

function nameOf(bytes: Uint8Array): string {
  let name = new TextDecoder().decode(bytes.subarray(0, 4 * NAME_SHOWN));
  try {
    name = JSON.parse(`"${name}"`);
  } catch {
    // As it stands: it is cut, or what is wrong.
  }
  if (name.length > NAME_SHOWN) name = `${name.slice(0, NAME_SHOWN)}…`;
  if (/^[^\s,.[\]"\p{C}]+$/u.test(name)) return name;
  return `"${name.replaceAll(/\p{C}/gu, "\ufffd").replaceAll('"', '""')}"`;
}
