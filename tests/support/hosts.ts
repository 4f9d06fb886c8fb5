/**
 * Stand-ins for scp and ssh, whose hosts are folders of this machine: they leave out the options
 * and find a host's home in $HOSTS/HOST; one without a folder does not answer.
 */
export const scp = `#!/bin/sh
while [ $# -gt 2 ]; do shift; done
host=\${2%%:*} path=\${2#*:}
[ -d "$HOSTS/$host" ] || { echo "greetings" >&2; echo "ssh: connect to host $host: No route" >&2; exit 255; }
cd "$HOSTS/$host" && if [ -e "$HOSTS/garble" ]; then echo garbled >"$path"; else cp "$1" "$path"; fi
`;

export const ssh = `#!/bin/sh
while [ $# -gt 2 ]; do shift; done
[ -d "$HOSTS/$1" ] || { echo "ssh: connect to host $1: No route" >&2; exit 255; }
cd "$HOSTS/$1" && exec sh -c "$2"
`;
