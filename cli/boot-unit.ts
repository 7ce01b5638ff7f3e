import * as path from "node:path";
import { installBootUnit, lingerHint, requireSystemd, unitName } from "../host/boot-units";
import { dataFolder } from "../host/data-folder";
import { projectFolder } from "../host/project-folder";
import type { BootUnit } from "../model/boot-unit";
import { UserError, withoutCredentials } from "../model/user-error";

/** Variables that decide what `start` does. The session's other variables do not matter at boot. */
const kept = ["PATH", "GROUNDPLANE_DRIVER", "PULUMI_BACKEND_URL", "PULUMI_HOME", "PULUMI_CREDENTIALS_PATH"];
const secret = ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_ACCESS_TOKEN"] as const;

/**
 * @throws UserError `secret-in-environment`: a unit is readable by all users
 */
export function describeBootUnit(
  stack: string,
  environment: NodeJS.ProcessEnv = process.env,
): Omit<BootUnit, "wantedBy"> {
  for (const name of [...secret, "PULUMI_BACKEND_URL"]) {
    const value = environment[name];
    if (value === undefined || (name === "PULUMI_BACKEND_URL" && withoutCredentials(value) === value)) continue;
    throw new UserError(
      "secret-in-environment",
      `${name} has a secret, which a unit of systemd would show to all users`,
      name === "PULUMI_CONFIG_PASSPHRASE"
        ? "write it to a file with mode 0600, unset it, and set PULUMI_CONFIG_PASSPHRASE_FILE to the file's path"
        : `run \`pulumi login\`, unset ${name}, and run the same command again`,
    );
  }
  const { HOME, PULUMI_CONFIG_PASSPHRASE_FILE: file } = environment;
  const found = kept.flatMap((name) => (environment[name] ? [[name, environment[name]]] : []));
  return {
    ...{ stack, project: projectFolder(), node: process.execPath, data: dataFolder() },
    environment: {
      ...(HOME ? { HOME } : {}),
      ...Object.fromEntries(found),
      GROUNDPLANE_DATA: dataFolder(),
      ...(file ? { PULUMI_CONFIG_PASSPHRASE_FILE: path.resolve(file) } : {}),
    },
  };
}

/** What a start must know before it does anything: the unit can be written. */
export async function checkBootUnit(stack: string): Promise<Omit<BootUnit, "wantedBy">> {
  await requireSystemd(stack);
  return describeBootUnit(stack);
}

/** Returns what happened, for users. */
export async function startAtBoot(unit: Omit<BootUnit, "wantedBy">): Promise<string> {
  const isNew = await installBootUnit(unit);
  const hint = await lingerHint();
  const said = isNew
    ? `${unitName(unit.stack)} starts ${unit.stack} at boot`
    : `${unitName(unit.stack)} starts ${unit.stack} at boot; no changes`;
  return hint === undefined ? said : `${said}\n  next step: ${hint}`;
}
