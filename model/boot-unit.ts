import { UserError } from "./user-error";

export interface BootUnit {
  readonly stack: string;
  /** The folder of groundplane itself. */
  readonly project: string;
  /** Path of the Node.js program. */
  readonly node: string;
  readonly data: string;
  /** Variables of the command. They must not be secret: every user can read a unit. */
  readonly environment: Readonly<Record<string, string>>;
  /** The target that starts it at boot. */
  readonly wantedBy: string;
}

/** The unit of systemd that starts a stack after a reboot of the host. */
export function renderBootUnit({ stack, project, node, data, environment, wantedBy }: BootUnit): string {
  for (const file of [project, node, data]) refuseControlCharacters(file);
  const start = [node, `${project}/cli/groundplane.cjs`, "start", "--yes", "--stack", stack];
  return [
    `# Written by \`npx groundplane start --at-boot --stack ${stack}\`. To remove it: npx groundplane start --no-at-boot --stack ${stack}`,
    "[Unit]",
    `Description=Start the groundplane stack ${stack}`,
    "Wants=network-online.target",
    "After=network-online.target",
    `RequiresMountsFor=${[project, data].map(quoted).join(" ")}`,
    "",
    "[Service]",
    "Type=oneshot",
    // The machines are processes of this unit on some drivers: they must outlive the command and a stop of the unit.
    "RemainAfterExit=yes",
    "KillMode=process",
    // Images may have to be built first.
    "TimeoutStartSec=infinity",
    `WorkingDirectory=${percent(project)}`,
    ...Object.entries(environment).map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`),
    `ExecStart=${start.map((word) => quoted(word).replaceAll("$", "$$$$")).join(" ")}`,
    "",
    "[Install]",
    `WantedBy=${wantedBy}`,
    "",
  ].join("\n");
}

/** `%` starts a specifier in every setting. */
const percent = (text: string): string => text.replaceAll("%", "%%");

/** One word of a setting, whatever it contains. */
const quoted = (text: string): string =>
  /^[A-Za-z0-9_@:,./=+-]+$/.test(text)
    ? text
    : `"${percent(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\t", "\\t")}"`;

/** WorkingDirectory= has no form for these. */
function refuseControlCharacters(file: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what it refuses
  if (!/[\x00-\x1f\x7f]|^\s|\s$/.test(file)) return;
  throw new UserError(
    "path-unusable",
    `a unit of systemd cannot name ${JSON.stringify(file)}: control characters, and spaces at its ends, are not possible`,
    "move the folder to a path without them",
  );
}
