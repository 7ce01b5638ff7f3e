import { driverRequirements, installedHypervisor, installHint } from "../../model/driver-requirements";
import { UserError } from "../../model/user-error";
import { formatVersion, isAtLeast, type Version } from "../../model/versions";

/** The differences between versions of VBoxManage, as data. */
export interface Dialect {
  /** e.g. `7.2.22_Debianr175245` */
  readonly version: string;
  /** Options of `createvm` that select the processor's architecture. */
  readonly architecture: readonly string[];
  /** The guest type of machines, an identifier that this version supports. */
  readonly osType: string;
  /** What a host-only network is on the host: an interface, or on macOS a network. */
  readonly hostOnly: "interface" | "network";
}

/** Additions of each version, from the oldest to the newest. */
const additions: readonly {
  readonly since: Version;
  readonly adds: Partial<Dialect>;
}[] = [{ since: [7, 1], adds: { architecture: ["--platform-architecture", "x86"] } }];

const required = driverRequirements.virtualbox.hypervisor;

/**
 * @param text what `VBoxManage --version` printed
 * @param osTypes what `VBoxManage list ostypes` listed
 * @throws UserError `virtualbox-too-old`, `virtualbox-version-unknown`
 */
export function dialectFor(text: string, osTypes: readonly string[], platform: string): Dialect {
  const installed = installedHypervisor(required, text);
  if (installed === undefined) throw unknownVersion(text);
  if (installed.tooOld) {
    const oldest = formatVersion(required.oldest);
    const problem = `VirtualBox ${installed.text} is older than ${oldest}, the oldest version that works`;
    throw new UserError("virtualbox-too-old", problem, installHint(required));
  }
  const base: Dialect = {
    version: text.trim(),
    architecture: [],
    osType: chooseOsType(osTypes),
    hostOnly: platform === "darwin" ? "network" : "interface",
  };
  const added = additions.filter(({ since }) => isAtLeast(installed.version, since)).map(({ adds }) => adds);
  return Object.assign({}, base, ...added) as Dialect;
}

const unknownVersion = (text: string): UserError =>
  new UserError(
    "virtualbox-version-unknown",
    `VBoxManage's version is ${JSON.stringify(text.slice(0, 200))}`,
    installHint(required),
  );

/** Guest types, best first. VirtualBox silently accepts an unknown identifier and then chooses bad defaults. */
const guestTypes = ["Debian12_64", "Debian_64", "Linux26_64", "Linux_64"];

function chooseOsType(known: readonly string[]): string {
  const found = guestTypes.find((name) => known.includes(name));
  if (found) return found;
  throw new UserError(
    "virtualbox-os-types",
    `this VirtualBox knows none of the guest types ${guestTypes.join(", ")}`,
    `${installHint(required)} for a 64-bit x86 host`,
  );
}

/** Debian's wrapper of VBoxManage prints a warning to standard output when the kernel module is missing. */
export function withoutWarning(stdout: string): { readonly text: string; readonly driverMissing: boolean } {
  const warning = /^WARNING: The character device[^\n]*\n(?:[ \t][^\n]*\n|\n)*/.exec(stdout);
  return { text: warning ? stdout.slice(warning[0].length) : stdout, driverMissing: warning !== null };
}
