/** A step of a test whose others run at the same time: what is open is not held against it. */
export async function stepBeside(
  t: Deno.TestContext,
  name: string,
  fn: () => void | Promise<void>,
): Promise<void> {
  await t.step({ name, fn, sanitizeOps: false, sanitizeResources: false, sanitizeExit: false });
}
