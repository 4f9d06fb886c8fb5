import assert from "node:assert/strict";
import { Failure } from "../../../../lib/failure.ts";
import {
  type AwsOptions,
  credentials,
  CredentialsKeeper,
} from "../../../../lib/kafka/aws/credentials.ts";
import { parseProfiles } from "../../../../lib/kafka/aws/profiles.ts";
import { ConnectionError } from "../../../../lib/kafka/connection_error.ts";

const plain: AwsOptions = {
  profile: null,
  role: null,
  own: null,
  stsRegion: null,
  authorities: [],
};

/** AWS's services as a machine of its own sees them; STS, containers and instances, all here. */
class Aws implements AsyncDisposable {
  readonly asked: { method: string; path: string; headers: Headers; form: URLSearchParams }[] = [];
  /** When the credentials of each end. */
  expires = new Date(Date.now() + 3600_000).toISOString();
  /** What to answer instead: by path. */
  readonly instead = new Map<string, () => Response>();
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname: path } = new URL(request.url);
      const form = new URLSearchParams(await request.text());
      this.asked.push({ method: request.method, path, headers: request.headers, form });
      const instead = this.instead.get(path);
      if (instead) return instead();
      const json = (id: string) =>
        Response.json({
          ...{ Code: "Success", AccessKeyId: id, SecretAccessKey: `${id}-secret` },
          ...{ Token: `${id}-token`, Expiration: this.expires },
        });
      if (path === "/container") return json("CONTAINER");
      if (path === "/latest/api/token") {
        const ttl = request.headers.get("x-aws-ec2-metadata-token-ttl-seconds");
        return new Response(
          request.method === "PUT" && ttl ? "session" : "",
          { status: ttl ? 200 : 400 },
        );
      }
      if (path.startsWith("/latest/")) {
        if (request.headers.get("x-aws-ec2-metadata-token") !== "session") {
          return new Response("", { status: 401 });
        }
        return path.endsWith("/") ? new Response("the-role\n") : json("INSTANCE");
      }
      const id = form.get("Action") === "AssumeRole" ? "ASSUMED" : "WEB";
      return new Response(
        `<${
          form.get("Action")
        }Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Credentials>
        <AccessKeyId>${id}</AccessKeyId><SecretAccessKey>${id}-secret</SecretAccessKey>
        <SessionToken>${id}-token</SessionToken><Expiration>${this.expires}</Expiration>
        </Credentials></${form.get("Action")}Response>`,
      );
    },
  );
  readonly url = `http://127.0.0.1:${this.#server.addr.port}`;

  async [Symbol.asyncDispose]() {
    await this.#server.shutdown();
  }
}

/** Runs with AWS's services, and a home with these files. */
async function within(
  files: Record<string, string>,
  work: (
    aws: Aws,
    find: (env?: Record<string, string>, options?: Partial<AwsOptions>) => CredentialsKeeper,
    home: string,
  ) => Promise<void>,
): Promise<void> {
  await using aws = new Aws();
  const home = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${home}/.aws`);
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${home}/${name}`, text);
    }
    const find = (env: Record<string, string> = {}, options: Partial<AwsOptions> = {}) => {
      const all: Record<string, string> = {
        HOME: home,
        AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.url,
        AWS_ENDPOINT_URL_STS: aws.url,
        ...env,
      };
      return new CredentialsKeeper({ ...plain, ...options }, (name) => all[name]);
    };
    await work(aws, find, home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

const shown = async (keeper: CredentialsKeeper) => {
  const { accessKeyId, secretAccessKey, sessionToken } = await keeper.get("eu-west-1", 10_000);
  return [accessKeyId, secretAccessKey.reveal(), sessionToken?.reveal()];
};
const of = (id: string) => [id, `${id}-secret`, `${id}-token`];

const files = {
  ".aws/credentials":
    "# keys\n[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = d/+=# \n" +
    "[other]\naws_access_key_id=OTHER\naws_secret_access_key=OTHER-secret\n" +
    "aws_session_token = OTHER-token ; of today\n",
  ".aws/config":
    "[default]\nregion = eu-north-1\n[profile deep]\nrole_arn = arn:aws:iam::1:role/deep\n" +
    "source_profile = other\nexternal_id = ext\nrole_session_name = sess\nregion=us-west-1\n" +
    "[profile machine]\nrole_arn = arn:aws:iam::1:role/machine\n" +
    "credential_source = Ec2InstanceMetadata\n[profile web]\nrole_arn = arn:aws:iam::1:role/web\n" +
    "web_identity_token_file = TOKEN\n[profile sso]\nsso_session = corp\n[profile runs]\n" +
    "credential_process = /bin/keys\n[profile loop]\nrole_arn = a\nsource_profile = loop2\n" +
    "[profile loop2]\nrole_arn = a\nsource_profile = loop\n[sso-session corp]\nx = y\n",
};

Deno.test("aws: credentials are found in the order of AWS's own programs", () =>
  within(files, async (aws, find, home) => {
    const keys = { AWS_ACCESS_KEY_ID: "ENV", AWS_SECRET_ACCESS_KEY: "s", AWS_SESSION_TOKEN: "t" };
    await Deno.writeTextFile(`${home}/token`, "web.identity.jwt\n");
    const web = {
      AWS_WEB_IDENTITY_TOKEN_FILE: `${home}/token`,
      AWS_ROLE_ARN: "arn:aws:iam::1:role/w",
    };
    assert.deepEqual(await shown(find({ ...keys, ...web })), ["ENV", "s", "t"]);
    assert.equal(aws.asked.length, 0);
    assert.deepEqual(await shown(find({ ...web, AWS_ROLE_SESSION_NAME: "pod" })), of("WEB"));
    const { form, headers } = aws.asked.pop()!;
    assert.deepEqual(Object.fromEntries(form), {
      ...{ Version: "2011-06-15", Action: "AssumeRoleWithWebIdentity" },
      RoleArn: "arn:aws:iam::1:role/w",
      ...{ RoleSessionName: "pod", WebIdentityToken: "web.identity.jwt" },
    });
    assert.equal(headers.get("authorization"), null);
    assert.deepEqual(await shown(find()), ["DEFAULT", "d/+=#", undefined]);
    assert.deepEqual(await shown(find({ AWS_PROFILE: "other" })), of("OTHER"));
    assert.deepEqual(await shown(find({ ...keys, AWS_PROFILE: "other" })), ["ENV", "s", "t"]);
    assert.deepEqual(await shown(find(keys, { profile: "other" })), of("OTHER"));
    const elsewhere = { AWS_SHARED_CREDENTIALS_FILE: "~/nothing", AWS_CONFIG_FILE: "/no/file" };
    const container = { ...elsewhere, AWS_CONTAINER_CREDENTIALS_FULL_URI: `${aws.url}/container` };
    await Deno.writeTextFile(`${home}/container-token`, "c-token\n");
    const token = { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: `${home}/container-token` };
    assert.deepEqual(await shown(find({ ...container, ...token })), of("CONTAINER"));
    assert.equal(aws.asked.pop()!.headers.get("authorization"), "c-token");
    assert.deepEqual(await shown(find(elsewhere)), of("INSTANCE"));
    assert.deepEqual(aws.asked.map(({ method, path }) => `${method} ${path}`), [
      "PUT /latest/api/token",
      "GET /latest/meta-data/iam/security-credentials/",
      "GET /latest/meta-data/iam/security-credentials/the-role",
    ]);
  }));

Deno.test("aws: roles are assumed, by profiles and by options", () =>
  within(files, async (aws, find, home) => {
    assert.deepEqual(await shown(find({ AWS_PROFILE: "deep" })), of("ASSUMED"));
    const deep = aws.asked.pop()!;
    assert.deepEqual(Object.fromEntries(deep.form), {
      ...{ Version: "2011-06-15", Action: "AssumeRole", RoleArn: "arn:aws:iam::1:role/deep" },
      ...{ RoleSessionName: "sess", ExternalId: "ext" },
    });
    assert.match(
      deep.headers.get("authorization")!,
      /Credential=OTHER\/\d{8}\/us-west-1\/sts\/aws4_request, SignedHeaders=content-type;host;x-amz-/,
    );
    assert.deepEqual(await shown(find({}, { profile: "machine" })), of("ASSUMED"));
    assert.match(aws.asked.pop()!.headers.get("authorization")!, /Credential=INSTANCE\//);
    const role = { arn: "arn:aws:iam::1:role/r", sessionName: null, externalId: null };
    const keeper = find({}, { role, own: credentials("OWN", "s"), stsRegion: "ap-east-1" });
    assert.deepEqual(await shown(keeper), of("ASSUMED"));
    const own = aws.asked.pop()!;
    assert.match(own.headers.get("authorization")!, /Credential=OWN\/\d{8}\/ap-east-1\/sts/);
    const name = own.form.get("RoleSessionName");
    assert.match(name!, /^gpdb-kafka-[0-9a-f]{8}$/);
    // The same name again: brokers reject another one when a session is renewed.
    aws.expires = new Date(Date.now() + 60_000).toISOString();
    const short = find({}, { role });
    for (let i = 0; i < 2; i++) await shown(short);
    const [first, second] = aws.asked.splice(0).map(({ form }) => form.get("RoleSessionName"));
    assert.equal(first, second);
    await Deno.writeTextFile(`${home}/TOKEN`, "jwt");
    const config = files[".aws/config"].replace("TOKEN", `${home}/TOKEN`);
    await Deno.writeTextFile(`${home}/.aws/config`, config);
    assert.deepEqual(await shown(find({}, { profile: "web" })), of("WEB"));
  }));

Deno.test("aws: credentials are kept until shortly before their end, and then while AWS is away", () =>
  within({}, async (aws, find) => {
    const keeper = find();
    for (let i = 0; i < 3; i++) assert.deepEqual(await shown(keeper), of("INSTANCE"));
    assert.equal(aws.asked.length, 3);
    aws.expires = new Date(Date.now() + 200_000).toISOString();
    const short = find();
    await shown(short);
    const before = aws.asked.length;
    await shown(short);
    assert.equal(aws.asked.length, before + 3);
    aws.instead.set("/latest/api/token", () => new Response("", { status: 500 }));
    assert.deepEqual(await shown(short), of("INSTANCE"));
    aws.expires = new Date(Date.now() - 1).toISOString();
    aws.instead.clear();
    await shown(short);
    aws.instead.set("/latest/api/token", () => new Response("", { status: 500 }));
    await assert.rejects(shown(short), ConnectionError);
  }));

Deno.test("aws: what is wrong is one line that says what to do, without a secret", () =>
  within(files, async (aws, find, home) => {
    const nothing = { AWS_SHARED_CREDENTIALS_FILE: "/no/file", AWS_CONFIG_FILE: "/no/file" };
    const gone = "http://127.0.0.1:1";
    const role = { arn: "arn:aws:iam::1:role/r", sessionName: null, externalId: null };
    const error = (status: number, body: string) => () => new Response(body, { status });
    const denied =
      "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User &quot;x&quot; is " +
      "not authorized</Message></Error></ErrorResponse>";
    const full = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    const cases: [CredentialsKeeper, "usage" | "denied" | "broker" | "passing", RegExp][] = [
      [
        find({ ...nothing, AWS_EC2_METADATA_SERVICE_ENDPOINT: gone }),
        "passing",
        /^cannot find AWS credentials: not in env AWS_ACCESS_KEY_ID, .*; the machine: http:\/\/127\.0\.0\.1:1\/latest\/api\/token does not answer: .*refused/i,
      ],
      [
        find({ ...nothing, AWS_EC2_METADATA_DISABLED: "true" }),
        "denied",
        /the machine: it has no role$/,
      ],
      [
        find({ AWS_PROFILE: "none" }),
        "usage",
        /^AWS profile "none" has no credentials, or does not/,
      ],
      [find({ AWS_PROFILE: "sso" }), "usage", /^AWS profile "sso": sso_session is not supported —/],
      [find({ AWS_PROFILE: "runs" }), "usage", /"runs": credential_process is not supported —/],
      [find({ AWS_PROFILE: "loop" }), "usage", /^AWS profile "loop2?" names itself$/],
      [find({ AWS_CONFIG_FILE: home }), "usage", /^cannot read ".*": Is a directory/],
      [
        find({ AWS_WEB_IDENTITY_TOKEN_FILE: "/no/token", AWS_ROLE_ARN: "a" }),
        "usage",
        /^cannot read the web identity "\/no\/token": No such file/,
      ],
      [
        find({ ...nothing, [full]: "http://10.0.0.1/x" }),
        "usage",
        /FULL_URI is not https:\/\/…, nor/,
      ],
      [find({ ...nothing, [full]: "nonsense" }), "usage", /FULL_URI is not https/],
      [
        find({ AWS_ENDPOINT_URL_STS: `${aws.url}/denied` }, { role }),
        "denied",
        /^cannot assume role "arn.*": http.*\/denied answers HTTP 403: AccessDenied: User "x" is not/,
      ],
      [
        find({ AWS_ENDPOINT_URL_STS: `${aws.url}/html` }, { role }),
        "broker",
        /\/html does not answer as STS does$/,
      ],
      [
        find({ AWS_ENDPOINT_URL_STS: `${aws.url}/busy` }, { role }),
        "passing",
        /^cannot assume role .*\/busy answers HTTP 503$/,
      ],
      [
        find({ ...nothing, [full]: `${aws.url}/html` }),
        "passing",
        /^cannot get AWS credentials: http.*\/html answers without credentials$/,
      ],
    ];
    aws.instead.set("/denied", error(403, denied));
    aws.instead.set("/html", error(200, "<html>"));
    aws.instead.set("/busy", error(503, "later"));
    for (const [keeper, kind, message] of cases) {
      const found = await keeper.get("r-1", 5000).then(() => "found", (error) => error);
      assert.match(String(found?.message), message);
      if (kind === "passing") assert.ok(found instanceof ConnectionError, String(found));
      else assert.ok(found instanceof Failure && found.kind === kind, String(found));
      assert.ok(!/secret|d\/\+=/.test(found.message));
    }
  }));

Deno.test("aws: a proxy of the environment is not asked for a machine's own services", () =>
  within({}, async (_aws, find) => {
    Deno.env.set("HTTP_PROXY", "http://127.0.0.1:1");
    try {
      assert.deepEqual(await shown(find()), of("INSTANCE"));
    } finally {
      Deno.env.delete("HTTP_PROXY");
    }
  }));

Deno.test({
  name: "aws: the shared files, as AWS's programs write them and people do",
  permissions: "none",
  fn: () => {
    const text =
      "\ufeff[default]\r\naws_access_key_id=A\r\n  nested = x\r\nAWS_SECRET_ACCESS_KEY = s=1 \r\n" +
      "; comment\n# comment\n[ profile  a b ]\nregion = r\n[profile 'q']\nregion=2 # why\n[a]\nx=1\n[" +
      "\nnonsense\n[sso-session s]\nregion = no\n";
    const plain = (map: Map<string, Map<string, string>>) =>
      Object.fromEntries([...map].map(([name, values]) => [name, Object.fromEntries(values)]));
    assert.deepEqual(plain(parseProfiles(text, true)), {
      "default": { aws_access_key_id: "A", aws_secret_access_key: "s=1" },
      "a b": { region: "r" },
      "q": { region: "2" },
    });
    assert.deepEqual(parseProfiles(text, false).get("a")?.get("x"), "1");
  },
});
