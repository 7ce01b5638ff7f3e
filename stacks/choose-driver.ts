import { UserError } from "../provider/host/user-error";
import type { Configuration, DriverName } from "./config/configuration";

/** What the choice depends on beside the configuration. */
export interface DriverSurroundings {
  /** `process.platform` */
  readonly platform: string;
  /** The variable GROUNDPLANE_DRIVER: wins over the configuration, e.g. `fake` in tests. */
  readonly override: string | undefined;
}

export interface DriverChoice {
  readonly driver: DriverName;
  /** One sentence for people: why this one. */
  readonly reason: string;
}

const available: readonly string[] = ["nspawn", "fake"] satisfies DriverName[];
/** Names that configurations may carry for versions to come. */
const planned: readonly string[] = ["virtualbox", "qemu"] satisfies DriverName[];

/** The one place where `auto` becomes a driver. Throws `UserError` when there is none to take. */
export function chooseDriver(configured: Configuration["driver"], surroundings: DriverSurroundings): DriverChoice {
  const { override, platform } = surroundings;
  if (override) return { driver: checked(override), reason: `GROUNDPLANE_DRIVER says ${override}` };
  if (configured !== "auto") return { driver: checked(configured), reason: `the configuration says ${configured}` };
  if (platform === "linux") return { driver: "nspawn", reason: "auto: on Linux, system containers need no hypervisor" };
  throw new UserError(
    "no-driver",
    `no driver works on ${platform}`,
    "run this on Linux, e.g. in a virtual machine with 16 GiB of memory",
  );
}

function checked(name: string): DriverName {
  if (available.includes(name)) return name as DriverName;
  if (planned.includes(name)) {
    throw new UserError("driver-not-yet", `this version has no ${name} driver yet`, "use `driver: auto` or `nspawn`");
  }
  throw new UserError(
    "unknown-driver",
    `there is no driver called ${JSON.stringify(name)}`,
    `use one of: auto, ${available.join(", ")}`,
  );
}

/** The surroundings of this very process. */
export function driverSurroundings(): DriverSurroundings {
  return { platform: process.platform, override: process.env.GROUNDPLANE_DRIVER };
}
