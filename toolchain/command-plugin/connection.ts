import { isObject, type Properties, type PropertyValue, UNKNOWN } from "../../provider/rpc/property-values";
import type { CheckFailure } from "../../provider/rpc/resource-handler";
import { optionalText } from "./command-inputs";

/** How to reach a host over SSH: @pulumi/command's `Connection` with its defaults filled in. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly privateKey: string | undefined;
  readonly privateKeyPassword: string | undefined;
  readonly agentSocketPath: string | undefined;
  /** `TYPE BASE64`; absent: the host key is not checked. */
  readonly hostKey: string | undefined;
  /** Number of failed attempts before giving up, -1 = no limit. */
  readonly dialErrorLimit: number;
  /** Seconds for one attempt, 0 = no limit. */
  readonly perDialTimeout: number;
  readonly proxy: Connection | undefined;
}

const NUMBERS = ["port", "dialErrorLimit", "perDialTimeout"];
const TEXTS = ["host", "user", "password", "privateKey", "privateKeyPassword", "agentSocketPath", "hostKey"];

export function readConnection(value: PropertyValue | undefined): Connection {
  const given: Properties = isObject(value) ? value : {};
  const number = (name: string, otherwise: number): number => {
    const found = given[name];
    return typeof found === "number" ? found : otherwise;
  };
  return {
    host: optionalText(given.host) ?? "",
    port: number("port", 22),
    user: optionalText(given.user) ?? "root",
    password: optionalText(given.password),
    privateKey: optionalText(given.privateKey),
    privateKeyPassword: optionalText(given.privateKeyPassword),
    agentSocketPath: optionalText(given.agentSocketPath) ?? process.env.SSH_AUTH_SOCK,
    hostKey: optionalText(given.hostKey),
    dialErrorLimit: number("dialErrorLimit", 10),
    perDialTimeout: number("perDialTimeout", 15),
    proxy: isObject(given.proxy) ? readConnection(given.proxy) : undefined,
  };
}

/** Reports problems by name and rule, never with the value: every part of a connection may be secret. */
export function checkConnection(value: PropertyValue | undefined, property = "connection"): CheckFailure[] {
  if (value === UNKNOWN) return [];
  if (!isObject(value)) return [{ property, reason: "must be an object with at least a host" }];
  const wrong = (name: string, reason: string): CheckFailure => ({ property: `${property}.${name}`, reason });
  const isOpen = (name: string): boolean =>
    value[name] === undefined || value[name] === null || value[name] === UNKNOWN;
  const known = [...NUMBERS, ...TEXTS, "proxy"];
  return [
    ...(value.host === undefined || value.host === "" ? [wrong("host", "is missing")] : []),
    ...NUMBERS.filter((name) => !isOpen(name) && typeof value[name] !== "number").map((name) =>
      wrong(name, "must be a number"),
    ),
    ...TEXTS.filter((name) => !isOpen(name) && typeof value[name] !== "string").map((name) =>
      wrong(name, "must be a string"),
    ),
    ...Object.keys(value)
      .filter((name) => !known.includes(name))
      .map((name) => wrong(name, `is not one of ${known.join(", ")}`)),
    ...(isOpen("proxy") ? [] : checkConnection(value.proxy, `${property}.proxy`)),
  ];
}
