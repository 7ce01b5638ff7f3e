import { UserError } from "../../model/user-error";
import { isFrom, parseRelease } from "./release";

/** How this version of VBoxManage wants to be spoken to: what differs between versions, as data. */
export interface Dialect {
  /** e.g. `7.2.22_Debianr175245` */
  readonly version: string;
  /** Words that `createvm` needs to be told the processor's architecture. */
  readonly architecture: readonly string[];
  /** What machines are said to run, in a word that this version knows. */
  readonly osType: string;
  /** The host's adapter of a host-only network: an interface of its own, or on macOS a network. */
  readonly hostOnly: "interface" | "network";
}

/** What a version adds, from the oldest to the newest. */
const additions: readonly {
  readonly since: readonly [major: number, minor: number];
  readonly adds: Partial<Dialect>;
}[] = [{ since: [7, 1], adds: { architecture: ["--platform-architecture", "x86"] } }];

const OLDEST = [7, 0] as const;

/**
 * @param text what `VBoxManage --version` printed
 * @param osTypes what `VBoxManage list ostypes` listed
 * @throws UserError `virtualbox-too-old`, `virtualbox-version-unknown`
 */
export function dialectFor(text: string, osTypes: readonly string[], platform: string): Dialect {
  const version = parseRelease(text);
  if (version === undefined) throw unknownVersion(text);
  if (!isFrom(version, ...OLDEST)) {
    const problem = `VirtualBox ${text.trim()} is older than 7.0, the oldest version that groundplane knows`;
    throw new UserError("virtualbox-too-old", problem, "install VirtualBox 7.1 or newer");
  }
  const base: Dialect = {
    version: text.trim(),
    architecture: [],
    osType: chooseOsType(osTypes),
    hostOnly: platform === "darwin" ? "network" : "interface",
  };
  const added = additions.filter(({ since }) => isFrom(version, ...since)).map(({ adds }) => adds);
  return Object.assign({}, base, ...added) as Dialect;
}

const unknownVersion = (text: string): UserError =>
  new UserError(
    "virtualbox-version-unknown",
    `VBoxManage's version is ${JSON.stringify(text.slice(0, 200))}`,
    "install VirtualBox 7.0 or newer",
  );

/** What a machine is said to run, best first: VirtualBox takes an unknown word silently and then chooses badly. */
const guestTypes = ["Debian12_64", "Debian_64", "Linux26_64", "Linux_64"];

function chooseOsType(known: readonly string[]): string {
  const found = guestTypes.find((name) => known.includes(name));
  if (found) return found;
  throw new UserError(
    "virtualbox-os-types",
    `this VirtualBox knows none of the guest types ${guestTypes.join(", ")}`,
    "install VirtualBox 7.1 or newer for a 64-bit x86 host",
  );
}

/** Debian's wrapper of VBoxManage warns on standard output when the kernel module is missing. */
export function withoutWarning(stdout: string): { readonly text: string; readonly driverMissing: boolean } {
  const warning = /^WARNING: The character device[^\n]*\n(?:[ \t][^\n]*\n|\n)*/.exec(stdout);
  return { text: warning ? stdout.slice(warning[0].length) : stdout, driverMissing: warning !== null };
}
