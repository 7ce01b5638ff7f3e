import * as path from "node:path";
import { guestCommand } from "../../../model/guest-paths";
import type { VolumePlan } from "../../../stacks/plan/data-center-plan";
import { confValue } from "../../quoting";
import { ownUnit, type TextFile } from "../../role-content";

/** systemd's name of a mount unit: the path with dashes; planned paths need no escaping. */
function mountUnitName(mountPoint: string): string {
  if (!/^(?:\/[a-z]+)+$/.test(mountPoint)) throw new Error(`${mountPoint} needs systemd-escape`);
  return `${mountPoint.slice(1).replaceAll("/", "-")}.mount`;
}

const mountUnit = (mountPoint: string, content: string): TextFile => ownUnit(mountUnitName(mountPoint), content);

/**
 * First the placeholder, then the volume on top. The placeholder is a file system with space only for its root and the mount
 * point: while the volume is not mounted, creating a folder there (as kubelet does) fails, and nothing is written to the system
 * disk.
 */
export function volumeMountUnits(volume: VolumePlan): readonly TextFile[] {
  const folder = path.posix.dirname(volume.mountPoint);
  return [mountUnit(folder, floor(folder)), mountUnit(volume.mountPoint, mount(volume))];
}

/** The same units by name. */
export const volumeMountNames = (volume: VolumePlan): readonly string[] =>
  [path.posix.dirname(volume.mountPoint), volume.mountPoint].map(mountUnitName);

const floor = (folder: string): string => `[Unit]
Description=Nothing may be written where no volume is mounted
Before=kubelet.service

[Mount]
What=tmpfs
Where=${confValue(folder)}
Type=tmpfs
Options=mode=0755,size=4k,nr_inodes=2
`;

function mount({ bricks, name, mountPoint }: VolumePlan): string {
  const [first, ...others] = bricks.map(({ address }) => confValue(address));
  const backup = others.length === 0 ? [] : [`backup-volfile-servers=${others.join(":")}`];
  return `[Unit]
Description=The volume of the storage machines
After=network.target
Before=kubelet.service

[Mount]
What=${first}:/${confValue(name)}
Where=${confValue(mountPoint)}
Type=glusterfs
Options=${["_netdev", "log-level=WARNING", ...backup].join(",")}
TimeoutSec=15s
LazyUnmount=yes
`;
}

/** A mount unit cannot restart: this service mounts, watches, and mounts again. */
export const volumeUnit = ownUnit(
  "groundplane-volume.service",
  `[Unit]
Description=Keep the volume mounted and say so in the cluster
After=network.target
StartLimitIntervalSec=0

[Service]
ExecStart=${guestCommand("keep-volume-mounted")}
Restart=always
RestartSec=2s
TimeoutStopSec=5s

[Install]
WantedBy=multi-user.target
`,
  "systemctl try-restart groundplane-volume",
);
