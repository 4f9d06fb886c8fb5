/** What identity providers and AWS answer, and AWS's files. */
import { parseProfiles } from "../../lib/kafka/aws/profiles.ts";
import { describeToken } from "../../lib/kafka/tokens/jwt.ts";
import { tokenOf } from "../../lib/kafka/tokens/oidc.ts";
import { Secret } from "../../lib/secret.ts";
import { odd, parser } from "./texts.ts";

const claims = btoa('{"aud":["a"],"iss":"https://idp","exp":4000000000,"sub":"s"}');

export const tokens = [
  parser(
    "token answer",
    [
      `{"access_token":"e30.${claims}.x","expires_in":300,"token_type":"Bearer"}`,
      '{"error":"invalid_client","error_description":"no such client"}',
      '{"id_token":"opaque"}',
    ],
    [...odd, "{", "}", ":", ",", "null", "-1", "1e999", '"exp":', "access_token", "\\u0000"],
    (text) => {
      for (const status of [200, 400, 401, 404]) {
        tokenOf({ status, type: "application/json", text }, "https://idp/token", 0, true);
      }
    },
  ),
  parser(
    "jwt",
    [`e30.${claims}.x`, "a.b.c", "opaque"],
    [...odd, ".", "=", "-", "_", "e30", "bnVsbA", "W10"],
    (text) => describeToken(new Secret(text)),
  ),
  parser(
    "aws profiles",
    [
      "[default]\naws_access_key_id = A\naws_secret_access_key = s/+=\n",
      "[profile a b]\nrole_arn = x\n  nested = y\n# comment\n[sso-session x]\n",
    ],
    [...odd, "[", "]", "=", "profile ", "#", "\t", "\ufeff", "__proto__"],
    (text) => {
      for (const ofConfig of [true, false]) parseProfiles(text, ofConfig);
    },
  ),
];
