import { createHash } from "node:crypto";
import * as os from "node:os";
import * as path from "node:path";
import { type BootUnit, renderBootUnit } from "../model/boot-unit";
import type { RunCommand } from "../model/commands";
import { UserError } from "../model/user-error";
import { dataFolder } from "./data-folder";
import { exists, listFolder, readIfPresent, removeTree, writeFileAtomic } from "./file-store";
import { projectFolder } from "./project-folder";
import { runCommand } from "./run-command";
import { nameOfTemporary } from "./temporary-files";

/** Where units are written, and the systemd that reads them: that of the host for root, that of the user otherwise. */
export interface UnitManager {
  readonly folder: string;
  readonly systemctl: readonly string[];
  readonly wantedBy: "multi-user.target" | "default.target";
  readonly run: RunCommand;
}

export function unitManager(): UnitManager {
  const isRoot = process.getuid?.() === 0;
  const config = process.env.XDG_CONFIG_HOME;
  const base = config !== undefined && path.isAbsolute(config) ? config : path.join(os.homedir(), ".config");
  return isRoot
    ? { folder: "/etc/systemd/system", systemctl: ["systemctl"], wantedBy: "multi-user.target", run: runCommand }
    : {
        folder: path.join(base, "systemd", "user"),
        systemctl: ["systemctl", "--user"],
        wantedBy: "default.target",
        run: runCommand,
      };
}

/** Exists only while systemd is the host's init. */
const BOOTED = "/run/systemd/system";

/** @throws UserError `no-systemd` */
export async function requireSystemd(stack: string, booted = BOOTED): Promise<void> {
  if (await exists(booted)) return;
  throw new UserError(
    "no-systemd",
    "this host does not run systemd, so no unit can start the stack at boot",
    `let the host's init run this command at boot: cd ${projectFolder()} && npx groundplane start --yes --stack ${stack}`,
  );
}

/** Stacks of other data folders may have the same name. */
export function unitName(stack: string): string {
  const isUsual = dataFolder() === path.join(os.homedir(), ".local", "share", "groundplane");
  const suffix = isUsual ? "" : `.${createHash("sha256").update(dataFolder()).digest("hex").slice(0, 8)}`;
  return `groundplane-${stack}${suffix}.service`;
}

/**
 * Writes and enables the unit. Returns false if it was there, unchanged and enabled.
 * @throws UserError `unit-not-enabled`
 */
export async function installBootUnit(
  unit: Omit<BootUnit, "wantedBy">,
  manager: UnitManager = unitManager(),
): Promise<boolean> {
  const name = unitName(unit.stack);
  const file = path.join(manager.folder, name);
  const text = renderBootUnit({ ...unit, wantedBy: manager.wantedBy });
  const isWritten = (await readIfPresent(file)) === text;
  if (isWritten && (await exists(wantsLink(manager, name)))) return false;
  if (!isWritten) await writeFileAtomic(file, text, 0o644);
  await systemctl(manager, ["daemon-reload"]);
  await systemctl(manager, ["enable", name]);
  return true;
}

const wantsLink = ({ folder, wantedBy }: UnitManager, name: string): string =>
  path.join(folder, `${wantedBy}.wants`, name);

async function systemctl({ systemctl: argv, run }: UnitManager, words: readonly string[]): Promise<void> {
  await run([...argv, ...words], { timeoutMs: 60_000 }).catch((cause: Error) => {
    throw new UserError(
      "unit-not-enabled",
      `systemd did not accept the unit that starts the stack at boot: ${cause.message}`,
      argv.includes("--user")
        ? "log in with a session of systemd (XDG_RUNTIME_DIR must be set), then run the same command again"
        : "repair systemd, then run the same command again",
      { cause },
    );
  });
}

/** Removes the unit, also one that was written half. Returns whether there was something. */
export async function removeBootUnit(stack: string, manager: UnitManager = unitManager()): Promise<boolean> {
  const name = unitName(stack);
  // A killed write leaves its temporary file.
  const files = (await listFolder(manager.folder)).filter((file) => nameOfTemporary(file) === name);
  const written = files.map((file) => path.join(manager.folder, file));
  const link = wantsLink(manager, name);
  const left = [...((await exists(link)) ? [link] : []), ...written];
  // The link first: without it, the next boot starts nothing.
  for (const file of left) await removeTree(file);
  // It forgets the unit. A systemd that does not run has nothing to forget.
  if (left.length > 0) await manager.run([...manager.systemctl, "daemon-reload"]).catch(() => undefined);
  return left.length > 0;
}

/** What a user other than root must do so that units start without a login; `undefined` if it is done. */
export async function lingerHint(lingering = "/var/lib/systemd/linger"): Promise<string | undefined> {
  const user = os.userInfo().username;
  if (process.getuid?.() === 0 || (await exists(path.join(lingering, user)))) return undefined;
  return `it starts with your first login; to start it at boot: loginctl enable-linger ${user}`;
}
