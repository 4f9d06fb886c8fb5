import assert from "node:assert/strict";
import { SaslError } from "../../../../lib/kafka/sasl/mechanism.ts";
import { newNonce, ScramClient } from "../../../../lib/kafka/sasl/scram.ts";

// RFC 7677, section 3.
const vector = {
  user: {
    hash: "SHA-256",
    username: "user",
    password: "pencil",
    nonce: "rOprNGfwEbeRWgbNEkqO",
  },
  first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
  serverFirst: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0," +
    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
  final: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0," +
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
  serverFinal: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
} as const;

Deno.test({
  name: "scram: the exchange of RFC 7677, byte for byte",
  permissions: "none",
  fn: async () => {
    const client = new ScramClient(vector.user);
    assert.equal(client.first(), vector.first);
    assert.equal(await client.final(vector.serverFirst), vector.final);
    client.verify(vector.serverFinal);
  },
});

Deno.test({
  name: "scram: SHA-512 proves and is proved; made with Python's hashlib and hmac",
  permissions: "none",
  fn: async () => {
    const client = new ScramClient({
      hash: "SHA-512",
      username: "user",
      password: "pencil",
      nonce: "rOprNGfwEbeRWgbNEkqO",
    });
    const proof = (await client.final(vector.serverFirst)).split(",p=")[1];
    assert.equal(
      proof,
      "gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw" +
        "+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
    );
    client.verify(
      "v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0v" +
        "SVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==",
    );
  },
});

Deno.test({
  name: "scram: a name's commas and equals signs are escaped, its other characters are not",
  permissions: "none",
  fn: () => {
    const client = new ScramClient({ ...vector.user, username: "a=b,c=2Cü" });
    assert.equal(client.first(), "n,,n=a=3Db=2Cc=3D2Cü,r=rOprNGfwEbeRWgbNEkqO");
  },
});

Deno.test({
  name: "scram: a delegation token is named as one, by KIP-48's extension",
  permissions: "none",
  fn: async () => {
    const client = new ScramClient({ ...vector.user, tokenauth: true });
    assert.equal(client.first(), `${vector.first},tokenauth=true`);
    // What is signed has the extension, too: the proof is another one.
    assert.notEqual(await client.final(vector.serverFirst), vector.final);
  },
});

Deno.test({
  name: "scram: a server that does not prove itself is rejected",
  permissions: "none",
  fn: async () => {
    const wrong = ["v=", "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "v=AAAA", "", "x=1"];
    for (const serverFinal of wrong) {
      const client = new ScramClient(vector.user);
      await client.final(vector.serverFirst);
      assert.throws(() => client.verify(serverFinal), /has not proved that it knows the password/);
    }
    // Nor is one that proves itself before it was asked to.
    assert.throws(() => new ScramClient(vector.user).verify(vector.serverFinal), SaslError);
    const client = new ScramClient(vector.user);
    await client.final(vector.serverFirst);
    assert.throws(() => client.verify("e=other-error"), /^SaslError: other-error$/);
  },
});

Deno.test({
  name: "scram: a first message that is not SCRAM's, or not for this client, is rejected",
  permissions: "none",
  fn: async () => {
    const nonce = vector.user.nonce;
    const cases: [string, RegExp][] = [
      ["", /not SCRAM's/],
      [`r=${nonce}x,s=W22ZaJ0SNY7soEsUEjb6gQ==`, /not SCRAM's/],
      [`m=1,r=${nonce}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`, /not SCRAM's/],
      [`r=${nonce}x,s=W,i=4096`, /not SCRAM's/],
      [
        `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
        /its nonce is not an answer to this client's/,
      ],
      [
        "r=someone-else,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        /its nonce is not an answer to this client's/,
      ],
      [`r=${nonce}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1`, /asks for 1 iterations, 4096 to/],
      [`r=${nonce}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=999999999`, /asks for 999999999 iterations/],
    ];
    for (const [message, expected] of cases) {
      await assert.rejects(new ScramClient(vector.user).final(message), expected);
    }
  },
});

Deno.test({
  name: "scram: a nonce is new each time and can stand in a message",
  permissions: "none",
  fn: () => {
    const nonces = new Set(Array.from({ length: 100 }, newNonce));
    assert.equal(nonces.size, 100);
    for (const nonce of nonces) assert.match(nonce, /^[\x21-\x2b\x2d-\x7e]{24}$/);
  },
});
