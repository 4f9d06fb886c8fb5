/**
 * The principals of a keytab, `user@REALM` each, once; null if it is not one. Its format is MIT
 * Kerberos' (https://web.mit.edu/kerberos/krb5-latest/doc/formats/keytab_file_format.html), version
 * 2: entries of a size (int32; negative for a hole) and count, realm, components, …
 */
export function keytabPrincipals(file: Uint8Array): string[] | null {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 2 || view.getUint16(0) !== 0x0502) return null;
  const principals = new Set<string>();
  try {
    for (let at = 2; at + 4 <= file.length;) {
      const size = view.getInt32(at);
      at += 4;
      if (size > 0) principals.add(principalAt(view, at));
      if (size === 0) break;
      at += Math.abs(size);
    }
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
  return [...principals];
}

/** Throws RangeError if the file ends in it. */
function principalAt(view: DataView, at: number): string {
  const count = view.getUint16(at);
  at += 2;
  const texts: string[] = [];
  for (let i = 0; i <= count; i++) {
    const length = view.getUint16(at);
    if (at + 2 + length > view.byteLength) throw new RangeError("a text after the end");
    texts.push(decoder.decode(new Uint8Array(view.buffer, view.byteOffset + at + 2, length)));
    at += 2 + length;
  }
  const [realm, ...components] = texts;
  return `${components.join("/")}@${realm}`;
}

const decoder = new TextDecoder();
