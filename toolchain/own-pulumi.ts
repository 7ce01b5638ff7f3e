import * as path from "node:path";
import { realPath } from "../host/file-store";
import { runCommand } from "../host/run-command";
import { PULUMI_VERSION, satisfies } from "./pulumi-tool";
import { readRecord } from "./sealed-folder";

export interface OwnPulumi {
  readonly binFolder: string;
  readonly version: string;
  readonly how: "own";
}

/** What was found on PATH: a Pulumi that can be used, or one that cannot, with the reason. */
export interface OwnPulumiSearch {
  readonly own?: OwnPulumi;
  /** e.g. `/usr/bin/pulumi: version 3.200.0 is older than 3.248.0` */
  readonly passedOver?: string;
}

/**
 * The user's own Pulumi: the first on PATH, if it is recent enough and its Node language host is in the same folder,
 * where the engine looks for it first. One that groundplane keeps does not count, although `groundplane env` puts it on
 * PATH.
 */
export async function lookForOwnPulumi(): Promise<OwnPulumiSearch> {
  for (const folder of (process.env.PATH ?? "").split(path.delimiter).filter(path.isAbsolute)) {
    const file = await realPath(path.join(folder, programFile("pulumi")));
    if (!file) continue;
    const binFolder = path.dirname(file);
    if (await readRecord(path.dirname(binFolder))) continue;
    if (!(await realPath(path.join(binFolder, programFile("pulumi-language-nodejs"))))) {
      return { passedOver: `${file}: pulumi-language-nodejs is not in its folder` };
    }
    const version = await pulumiVersion(file);
    if (!version) return { passedOver: `${file}: \`pulumi version\` fails` };
    if (satisfies(version, PULUMI_VERSION)) return { own: { binFolder, version, how: "own" } };
    return { passedOver: `${file}: version ${version}, needed is ${PULUMI_VERSION} or later within version 3` };
  }
  return {};
}

export const findOwnPulumi = async (): Promise<OwnPulumi | undefined> => (await lookForOwnPulumi()).own;

/** The version that a `pulumi` reports, without the leading `v`; `undefined` when it does not run. */
export async function pulumiVersion(file: string): Promise<string | undefined> {
  const options = { env: { PULUMI_SKIP_UPDATE_CHECK: "true" }, timeoutMs: 20_000 };
  const result = await runCommand([file, "version"], options).catch(() => undefined);
  return result?.stdout.trim().replace(/^v/, "") || undefined;
}

/** A program's file name on this platform. */
export const programFile = (name: string, platform: string = process.platform): string =>
  platform === "win32" ? `${name}.exe` : name;
