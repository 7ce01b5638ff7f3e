import * as fs from "node:fs";
import * as path from "node:path";
import { runCommand } from "../../host/run-command";
import type { CommandOptions, CommandResult } from "../../model/commands";

/** An unused user id. The host's list of users does not change. */
const UID = 54_321;
const NAME = "groundplane-test";

export interface OrdinaryUser {
  /** The user's own folder. */
  readonly home: string;
  /** Runs a command as this user, in a mount namespace whose /etc contains the user. */
  readonly run: (argv: readonly string[], options?: CommandOptions) => Promise<CommandResult>;
}

/**
 * A user without any rights. Needs root.
 * @param folder accessible to all users, for the user's files
 * @param subordinate whether the user has subordinate ids
 */
export function makeOrdinaryUser(folder: string, subordinate = true): OrdinaryUser {
  const home = path.join(folder, subordinate ? "home" : "home-of-one");
  fs.mkdirSync(home, { mode: 0o700 });
  fs.chownSync(home, UID, UID);
  const files = {
    passwd: `${fs.readFileSync("/etc/passwd", "utf8")}${NAME}:x:${UID}:${UID}::${home}:/bin/sh\n`,
    group: `${fs.readFileSync("/etc/group", "utf8")}${NAME}:x:${UID}:\n`,
    ...Object.fromEntries(["subuid", "subgid"].map((name) => [name, subordinate ? `${NAME}:7000000:65536\n` : ""])),
  };
  const etc = fs.mkdtempSync(path.join(folder, "etc-"));
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(etc, name), text, { mode: 0o644 });
  const mounts = Object.keys(files).map((name) => `touch /etc/${name}; mount --bind "$0/${name}" /etc/${name}`);
  const become = `setpriv --reuid=${UID} --regid=${UID} --clear-groups -- "$@"`;
  const enter = ["unshare", "--mount", "--propagation", "private", "sh", "-ec"];
  return {
    home,
    run: (argv, options) =>
      runCommand([...enter, [...mounts, `exec ${become}`].join("\n"), etc, ...argv], {
        cwd: home,
        ...options,
        env: {
          HOME: home,
          GROUNDPLANE_DATA: path.join(home, "data"),
          TMPDIR: undefined,
          FORCE_COLOR: undefined,
          ...options?.env,
        },
      }),
  };
}
