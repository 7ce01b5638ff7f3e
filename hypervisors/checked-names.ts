import { isImageName, isObjectName, objectNameRule } from "../model/object-names";
import { UserError } from "../model/user-error";
import type { Hypervisor } from "./hypervisor";

/**
 * The driver, which refuses names that could lead out of a stack's folders. Calls arrive over a port of 127.0.0.1, which every
 * program of this host can reach, and with ids that a user typed.
 */
export function withCheckedNames(driver: Hypervisor): Hypervisor {
  return checked(driver);
}

/** Methods of the port and of its optional parts; all but those that return a path return promises. */
function checked<T extends object>(part: T): T {
  return new Proxy(part, {
    get(target, key, receiver) {
      const value: unknown = Reflect.get(target, key, receiver);
      if (typeof value === "object" && value !== null) return checked(value);
      if (typeof value !== "function") return value;
      return (...values: unknown[]): unknown => {
        const wrong = wrongName(String(key), values);
        if (wrong === undefined) return value.apply(target, values);
        if (String(key).endsWith("Path")) throw wrong;
        return Promise.reject(wrong);
      };
    },
  });
}

type Named = Readonly<Record<string, unknown>>;

function wrongName(method: string, values: readonly unknown[]): UserError | undefined {
  const isImage = /Image$/.test(method);
  for (const value of values) {
    if (typeof value === "string" && /^list/.test(method) && !isObjectName(value)) return badName("stack", value);
    if (typeof value !== "object" || value === null) continue;
    const wrong = wrongIn(value as Named, isImage);
    if (wrong) return badName(...wrong);
  }
  return undefined;
}

/** What is wrong in a specification, with the name of its field. */
function wrongIn(spec: Named, isImage: boolean): readonly [string, string] | undefined {
  const { stack, name, image, segment, disk, nics, disks } = spec;
  for (const [field, text] of Object.entries({ stack, segment, disk, ...(isImage ? {} : { name }) }))
    if (typeof text === "string" && !isObjectName(text)) return [field, text];
  for (const [field, text] of Object.entries({ image, ...(isImage ? { name } : {}) }))
    if (typeof text === "string" && !isImageName(text)) return [field, text];
  for (const part of [nics, disks].flat())
    if (typeof part === "object" && part !== null) {
      const wrong = wrongIn(part as Named, false);
      if (wrong) return wrong;
    }
  return undefined;
}

const badName = (field: string, text: string): UserError =>
  new UserError(
    "bad-name",
    `${field} ${JSON.stringify(text)} ${objectNameRule}`,
    "use the name of an object of a stack",
  );
