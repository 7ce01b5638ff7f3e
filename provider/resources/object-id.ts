import { UserError } from "../../model/user-error";

/**
 * Ids of what a hypervisor holds: `<driver>/<stack>/<name>`. They say all that is needed to find the object, so that
 * `pulumi import` works with nothing but the id.
 */
export interface ObjectId {
  readonly driver: string;
  readonly stack: string;
  readonly name: string;
}

export const objectId = ({ driver, stack, name }: ObjectId): string => `${driver}/${stack}/${name}`;

export function parseObjectId(id: string): ObjectId {
  const [driver, stack, name, ...rest] = id.split("/");
  if (driver && stack && name && rest.length === 0) return { driver, stack, name };
  throw new UserError("bad-id", `"${id}" is not the id of a groundplane object`, "give <driver>/<stack>/<name>");
}
