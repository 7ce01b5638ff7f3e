/** One line of `pulumi up`'s plain output about one resource. */
export interface ResourceLine {
  /** The last part of the type, e.g. `Machine`. */
  readonly kind: string;
  readonly name: string;
  /** e.g. `creating`, `created`, `updated`, `refresh` */
  readonly verb: string;
  readonly seconds: number | undefined;
  readonly message: string;
}

/** What a whole run said. */
export interface UpReport {
  /** True when there was nothing to create, change or delete. */
  readonly isUnchanged: boolean;
  /** Errors and warnings as Pulumi summed them up; empty when there are none. */
  readonly diagnostics: string;
}

const OWN_TYPES = /^(?:groundplane:index|command:(?:local|remote)):/;
const RESOURCE_LINE = /^ ?[ +~\-@<>=!*]{1,3} +(\S+:\S+:\S+) (\S+) ([a-z][a-z ]*?)(?: \(([\d.]+)s\))?(?: (.*))?$/;

/** `undefined` for every other line, and for resources that only group others. */
export function parseResourceLine(line: string): ResourceLine | undefined {
  const [, type, name, verb, seconds, message] = RESOURCE_LINE.exec(line) ?? [];
  if (type === undefined || name === undefined || verb === undefined || !OWN_TYPES.test(type)) return undefined;
  const kind = type.slice(type.lastIndexOf(":") + 1);
  return { kind, name, verb, seconds: seconds === undefined ? undefined : Number(seconds), message: message ?? "" };
}

/** Is it over with this resource, and was it touched? Reading it before an update is neither. */
export const isDone = ({ verb }: ResourceLine): boolean => /^(?:created|updated|deleted|replaced|imported)/.test(verb);

/** e.g. `master-1: machine created`, `gateway-files: node files updated` */
export function describeResource({ kind, name, verb }: ResourceLine): string {
  return `${name}: ${kind.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase()} ${verb}`;
}

/** @param lines the whole output */
export function readUpReport(lines: readonly string[]): UpReport {
  const section = (title: string): string[] => {
    const from = lines.lastIndexOf(title);
    if (from < 0) return [];
    const rest = lines.slice(from + 1);
    const end = rest.findIndex((line) => /^\S/.test(line));
    return end < 0 ? rest : rest.slice(0, end);
  };
  const resources = section("Resources:")
    .map((line) => line.trim())
    .filter(Boolean);
  return {
    isUnchanged: resources.length > 0 && resources.every((line) => /^\d+ unchanged$/.test(line)),
    diagnostics: section("Diagnostics:").join("\n").trimEnd(),
  };
}
