import { askLocally } from "./ask_locally.ts";
import { tokenOf } from "./oidc.ts";
import type { Token } from "./token.ts";

/** Azure's instance metadata service, which only the machine itself reaches. */
const ENDPOINT = "http://169.254.169.254/metadata/identity/oauth2/token";

/**
 * A token of the machine's managed identity; `query` has its API's version and the resource that it
 * is for (https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token).
 * Throws ConnectionError if another try may help, else Failure.
 */
export async function fetchAzureToken(
  query: string,
  limit: number,
  url = ENDPOINT,
): Promise<Token> {
  const issued = Date.now();
  const answer = await askLocally({
    failed: "cannot get a token",
    url: `${url}${url.includes("?") ? "&" : "?"}${query}`,
    method: "GET",
    headers: { "Metadata": "true" },
    limit,
  });
  return tokenOf(answer, "Azure's instance metadata", issued);
}
