import { isObjectName } from "../../model/object-names";
import { UserError } from "../../model/user-error";

/**
 * Ids of objects on a hypervisor: `<driver>/<stack>/<name>`. They are sufficient to find the object, so that
 * `pulumi import` needs only the id.
 */
export interface ObjectId {
  readonly driver: string;
  readonly stack: string;
  readonly name: string;
}

export const objectId = ({ driver, stack, name }: ObjectId): string => `${driver}/${stack}/${name}`;

export function parseObjectId(id: string): ObjectId {
  const [driver, stack, name, ...rest] = id.split("/");
  if (driver && stack && name && rest.length === 0 && [stack, name].every(isObjectName)) return { driver, stack, name };
  throw new UserError("bad-id", `"${id}" is not the id of a groundplane object`, "use <driver>/<stack>/<name>");
}
