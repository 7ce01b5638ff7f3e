import * as z from "zod";
import { configurationSchema } from "./configuration-schema";
import { configurationKey } from "./read-configuration-file";

/**
 * The JSON schema of a stack's file for editors, as text. Rules over several values are not in it; `pulumi preview`
 * and `groundplane render` report those.
 */
export function renderJsonSchema(): string {
  const { $schema, ...configuration } = z.toJSONSchema(configurationSchema, { io: "input", target: "draft-07" });
  const schema = {
    $schema,
    title: "A stack's file: stacks/Pulumi.<stack>.yaml",
    type: "object",
    properties: { config: { type: "object", properties: { [configurationKey]: configuration } } },
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
