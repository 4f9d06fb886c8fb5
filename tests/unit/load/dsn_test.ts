import assert from "node:assert/strict";
import { inspect } from "node:util";
import { Failure } from "../../../lib/failure.ts";
import { Dsn } from "../../../lib/load/dsn.ts";

const secret = "hunter2-S3cret";

Deno.test({
  name: "dsn: what a URL says, as libpq reads it",
  permissions: "none",
  fn: () => {
    const dsn = (text: string) => Dsn.parse("--dsn", text);
    const whole = dsn(
      "postgresql://a%40b:p%2F%3F%23%40w@h1:5433,[::1],h3/d%20b?sslmode=verify-full",
    );
    assert.deepEqual(
      [whole.user, whole.password?.reveal(), whole.database, whole.sslMode],
      ["a@b", "p/?#@w", "d b", "verify-full"],
    );
    assert.deepEqual(whole.hosts, [
      { host: "h1", port: 5433 },
      { host: "::1", port: null },
      { host: "h3", port: null },
    ]);
    // The last @ is the one before the host.
    assert.equal(dsn("postgres://u:a@b:c@h/d").password?.reveal(), "a@b:c");
    const socket = dsn("postgres://%2Fvar%2Frun:5433/d");
    assert.deepEqual(socket.hosts, [{ host: "/var/run", port: 5433 }]);
    const asked = dsn(
      "postgres:///?host=%2Ftmp&port=1&user=u&password=p&dbname=d&connect_timeout=3" +
        "&application_name=a+b&search_path=x,y&target_session_attrs=primary&sslrootcert=system",
    );
    assert.deepEqual(
      [asked.hosts, asked.user, asked.password?.reveal(), asked.database, asked.connectTimeout],
      [[{ host: "/tmp", port: 1 }], "u", "p", "d", 3],
    );
    assert.deepEqual(asked.settings, { application_name: "a b", search_path: "x,y" });
    assert.deepEqual([asked.sessionState, asked.sslRootCert], ["primary", "system"]);
    const empty = dsn("postgres://");
    assert.deepEqual([empty.hosts, empty.user, empty.password], [[], null, null]);
  },
});

Deno.test({
  name: "dsn: an error names its place, and shows nothing of the text",
  permissions: "none",
  fn: () => {
    const s = secret;
    const wrong: [string, RegExp][] = [
      [`host=h password=${s}`, /^--dsn must be of the form postgres:\/\/user@host:5432\/database$/],
      [`mysql://u:${s}@h/d`, /^--dsn must be of the form/],
      [` postgres://u:${s}@h/d`, /^--dsn must be of the form/],
      [`postgres://u:${s}#1@h/d`, /^--dsn: character 28 is not allowed there — write/],
      [`postgres://u:${s}/1@h/d`, /^--dsn: character 30 is not allowed/],
      [`postgres://u:12/${s}@h/d`, /^--dsn: character 31 is not allowed/],
      [`postgres://u:12?${s}@h/d`, /^--dsn: character 31 is not allowed/],
      [`postgres://u:${s} x@h/d`, /^--dsn: character 28 is not allowed/],
      [
        `postgres://u:${s}%zz@h/d`,
        /^--dsn: a "%" in the password does not begin an encoded character/,
      ],
      [`postgres://${s}%@h/d`, /^--dsn: a "%" in the user name/],
      [`postgres://u:${s}/d`, /^--dsn: the port of host 1 is not a number from 1 to 65535$/],
      [`postgres://u:p@h1,h:${s}/d`, /^--dsn: the port of host 2/],
      [`postgres://u:p@[${s}]/d`, /^--dsn: host 1 is not HOST:PORT$/],
      [`postgres://u:p@h/d?${s}`, /^--dsn: parameter 1 is not NAME=VALUE$/],
      [`postgres://u:p@h/d?a=b&x y`, /^--dsn: character/],
      [`postgres://u:p@h/d?sslpassword=${s}`, /^--dsn: parameter "sslpassword" is not supported/],
      [`postgres://u:p@h/d?passfile=${s}`, /^--dsn: parameter "passfile" is not supported/],
      [`postgres://u:p@h/d?sslmode=${s}`, /^--dsn: sslmode is not one of disable, allow/],
      [`postgres://u:p@h/d?target_session_attrs=${s}`, /^--dsn: target_session_attrs is not one/],
      [`postgres://u:p@h/d?connect_timeout=${s}`, /^--dsn: connect_timeout is not a number/],
      [`postgres://u:p@h/d?options=%${s}`, /^--dsn: a "%" in the parameter "options"/],
      [`postgres://u:p@h/d?port=${s}`, /^/],
    ];
    for (const [text, message] of wrong) {
      let error: unknown = null;
      try {
        Dsn.parse("--dsn", text);
      } catch (thrown) {
        error = thrown;
      }
      assert.ok(error instanceof Failure && error.kind === "usage", text);
      assert.match(error.message, message);
      assert.ok(!inspect(error, { depth: 9 }).includes(s.slice(0, 7)), error.message);
    }
  },
});

Deno.test({
  name: "dsn: printed, it shows its hosts and its database only",
  permissions: "none",
  fn: () => {
    const dsn = Dsn.parse("--dsn", `postgres://ann:${secret}@h:1,b/d?options=${secret}`);
    assert.equal(`${dsn}`, "postgres://h:1,b/d");
    const shown = [inspect({ dsn: dsn.password }, { depth: 9, showHidden: true }), `${dsn}`];
    for (const text of shown) assert.ok(!text.includes(secret), text);
  },
});
