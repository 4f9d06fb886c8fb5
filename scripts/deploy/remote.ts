/** What happens on a host: small POSIX shell scripts, so that nothing must be installed there. */

export interface Place {
  /** The folder there, relative to the home folder of the user; "" is that folder itself. */
  folder: string;
  /** The program's file name. */
  name: string;
}

/** Where the copy is put until it is known to be right. */
export function freshPath({ folder, name }: Place): string {
  return join(folder, `${name}.new`);
}

/**
 * Puts the copy into the program's place. It must have the checksum and must start there: a host
 * may have another processor or too old a glibc. The old file is kept by a second name and then
 * replaced by a rename, so that the program is never missing, and runs under way go on with theirs.
 * Prints `same` where that program is there already (the one kept for a rollback stays), else `new`.
 */
export function installScript({ folder, name }: Place, sha256: string): string {
  return `set -eu
cd ${quote(folder || ".")}
sum() { if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1; }
new=${quote(`./${name}.new`)} now=${quote(`./${name}`)} old=${quote(`./${name}.previous`)}
there=$(sum "$new")
if [ "$there" != ${sha256} ]; then
  rm -f "$new"; echo "the copy has SHA-256 $there" >&2; exit 1
fi
chmod 755 "$new"
if ! said=$("$new" --version 2>&1); then
  rm -f "$new"; echo "it does not start there: $said" >&2; exit 1
fi
if [ -f "$now" ] && [ "$(sum "$now")" = ${sha256} ]; then rm -f "$new"; echo "same $said"; exit; fi
if [ -f "$now" ]; then ln -f "$now" "$old"; fi
mv -f "$new" "$now"
echo "new $said"`;
}

/** Changes the program and the one kept from before. Prints the version that then is in place. */
export function rollbackScript({ folder, name }: Place): string {
  return `set -eu
cd ${quote(folder || ".")}
now=${quote(`./${name}`)} old=${quote(`./${name}.previous`)} aside=${quote(`./${name}.aside`)}
if [ ! -f "$old" ]; then echo "$PWD/${name}.previous does not exist" >&2; exit 1; fi
if [ -f "$now" ]; then ln -f "$now" "$aside"; fi
mv -f "$old" "$now"
if [ -f "$aside" ]; then mv -f "$aside" "$old"; fi
echo "back to $("$now" --version)"`;
}

function join(folder: string, name: string): string {
  return folder === "" ? name : `${folder.replace(/\/+$/, "")}/${name}`;
}

/** One word for a shell. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
