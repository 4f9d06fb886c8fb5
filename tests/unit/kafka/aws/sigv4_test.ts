import assert from "node:assert/strict";
import { Failure } from "../../../../lib/failure.ts";
import { credentials } from "../../../../lib/kafka/aws/credentials.ts";
import { mskToken, regionFor, regionOf } from "../../../../lib/kafka/aws/msk.ts";
import { presignedUrl, signedHeaders } from "../../../../lib/kafka/aws/sigv4.ts";
import msk from "./golden/msk.json" with { type: "json" };
import sts from "./golden/sts.json" with { type: "json" };

const id = "AKIDEXAMPLE";
const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const at = new Date("2026-01-31T12:30:15Z");
const form = "application/x-www-form-urlencoded; charset=utf-8";

Deno.test({
  name: "aws: the signature of AWS's documentation (GET ListUsers of IAM)",
  permissions: "none",
  fn: async () => {
    const headers = await signedHeaders({
      method: "GET",
      url: "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
      headers: { "content-type": form },
      body: "",
      region: "us-east-1",
      service: "iam",
      credentials: credentials(id, secret),
      at: new Date("2015-08-30T12:36:00Z"),
    });
    assert.deepEqual(headers, {
      "content-type": form,
      "x-amz-date": "20150830T123600Z",
      "authorization":
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, " +
        "SignedHeaders=content-type;host;x-amz-date, " +
        "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    });
  },
});

Deno.test({
  name: "aws: a request to STS is signed as AWS's own SDK signs it",
  permissions: "none",
  fn: async () => {
    const { url, body, signed } = sts;
    for (const { token, authorization } of signed) {
      const headers = await signedHeaders({
        ...{ method: "POST", url, body, headers: { "content-type": form }, at },
        ...{ region: "eu-west-1", service: "sts" },
        credentials: credentials(id, secret, token ?? undefined),
      });
      assert.equal(headers.authorization, authorization);
      assert.equal(headers["x-amz-security-token"], token ?? undefined);
    }
  },
});

Deno.test({
  name: "aws: a token for MSK is the URL that AWS's own signer makes",
  permissions: "none",
  fn: async () => {
    assert.equal(msk.length, 4);
    for (const { region, token, url } of msk) {
      const own = await mskToken(region, credentials(id, secret, token ?? undefined), at);
      const text = own.reveal();
      assert.match(text, /^[A-Za-z0-9_-]+$/);
      const made = new URL(atob(text.replaceAll("-", "+").replaceAll("_", "/")));
      const golden = new URL(url);
      assert.equal(made.origin + made.pathname, golden.origin + golden.pathname);
      assert.equal(made.searchParams.get("User-Agent"), "gpdb-kafka");
      for (const { searchParams } of [made, golden]) searchParams.delete("User-Agent");
      assert.deepEqual([...made.searchParams].sort(), [...golden.searchParams].sort());
    }
  },
});

Deno.test({
  name: "aws: what a URL has of special characters is signed in its encoded form",
  permissions: "none",
  fn: async () => {
    const url = await presignedUrl({
      method: "GET",
      url: "https://example.amazonaws.com/?b=x+y&a=!'()*~&a=%2F",
      ...{ headers: {}, body: "", region: "r-1", service: "s", at },
      credentials: credentials(id, secret),
    }, 60);
    assert.match(url, /\?X-Amz-.*&a=%21%27%28%29%2A~&a=%2F&b=x%20y&X-Amz-Signature=[0-9a-f]{64}$/);
  },
});

Deno.test({
  name: "aws: the region is in a broker's name, else in the environment",
  permissions: "none",
  fn: () => {
    const names: [string, string | null][] = [
      ["b-1.load.abc123.c2.kafka.us-east-1.amazonaws.com", "us-east-1"],
      ["b-2-public.load.abc123.c2.kafka.eu-central-1.amazonaws.com", "eu-central-1"],
      ["boot-abc.c1.kafka-serverless.ap-southeast-2.amazonaws.com", "ap-southeast-2"],
      ["b-1.load.abc.c3.kafka.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"],
      ["b-1.load.abc.c3.kafka.us-gov-west-1.amazonaws.com", "us-gov-west-1"],
      ["kafka.internal.example", null],
      ["amazonaws.com", null],
      ["us-east-1.amazonaws.com.example", null],
    ];
    for (const [name, region] of names) assert.equal(regionOf(name), region, name);
    assert.equal(regionFor("kafka.example", "us-west-2"), "us-west-2");
    assert.throws(() => regionFor("kafka.example", null), (error) => {
      assert.ok(error instanceof Failure && error.kind === "usage");
      assert.match(error.message, /region of broker kafka\.example: .* — set env AWS_REGION$/);
      return true;
    });
  },
});
