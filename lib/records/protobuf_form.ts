import type { SchemaForm } from "./schema_form.ts";
export const protobufForm = {} as SchemaForm<unknown>;
