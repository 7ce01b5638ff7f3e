import type { BackupsPlan } from "../../model/backups";
import { backupFolderName, guestCommand, guestPaths } from "../../model/guest-paths";
import { type DataCenterPlan, type NodePlan, nodesOf } from "../../stacks/plan/data-center-plan";
import { commandFile } from "../guest-command";
import { noContent, ownUnit, type RoleContent, type TextFile } from "../role-content";

const name = "groundplane-backup";
export const backupTimer = `${name}.timer`;

/** What takes backups on a master. */
export function backupContent(plan: DataCenterPlan, node: NodePlan): RoleContent {
  const { backups } = plan;
  if (!backups) return noContent;
  const isMember = node.roles.includes("etcd");
  return {
    files: [
      ...(["take-snapshot", "take-backup"] as const).map((command) => commandFile(`backup/${command}`)),
      service,
      timer(backups, node),
    ],
    environment: {
      BACKUP_EVERY: String(backups.everySeconds),
      BACKUP_KEEP: String(backups.keep),
      ...placeOf(plan, node),
      BACKUP_WORK: guestPaths.backupWork,
      BACKUP_STATE: guestPaths.backupState,
      BACKUP_KEY_FILE: guestPaths.encryptionConfiguration,
      BACKUP_ETCD_CLIENT: isMember ? `${guestPaths.etcdPki}/healthcheck-client` : guestPaths.etcdClient,
      BACKUP_MEMBERS: nodesOf(plan, "etcd")
        .map((member) => member.name)
        .join(" "),
    },
    commands: [],
    enable: [backupTimer],
  };
}

/** On the volume where there is one: it outlasts the masters. Else on the first data disk, which outlasts its machine. */
function placeOf({ volume }: DataCenterPlan, { dataDisks: [disk] }: NodePlan): Readonly<Record<string, string>> {
  if (volume)
    return {
      BACKUP_VOLUME: volume.name,
      BACKUP_SERVERS: volume.bricks.map(({ address }) => address).join(" "),
      BACKUP_MOUNT: guestPaths.backupMount,
      BACKUP_FOLDER: `${guestPaths.backupMount}/${backupFolderName}`,
    };
  if (!disk) return { BACKUP_FOLDER: guestPaths.backups };
  return { BACKUP_MOUNT: disk.mountPoint, BACKUP_FOLDER: `${disk.mountPoint}/${backupFolderName}` };
}

/** The volume is mounted for the time of a backup, and no other process sees it. */
const service: TextFile = ownUnit(
  `${name}.service`,
  `[Unit]
Description=Take a backup of the cluster when one is due
ConditionPathExists=${guestPaths.adminKubeconfig}
After=network.target

[Service]
Type=oneshot
ExecStart=${guestCommand("take-backup")}
PrivateMounts=yes
Nice=10
TimeoutStartSec=30min
`,
);

/** Divisors of an hour. */
const minutesBetween = [15, 10, 5, 3, 2, 1] as const;
/** Attempts in a period: after a failed one the next follows soon. */
const ATTEMPTS = 12;
const SECONDS_APART = 8;

/** Looks far more often than a backup is due, so that no failure and no reboot costs a period. Masters look one after the other. */
function timer({ everySeconds }: BackupsPlan, { index }: NodePlan): TextFile {
  const minutes = minutesBetween.find((each) => each * 60 * ATTEMPTS <= everySeconds) ?? 1;
  const second = String(((index - 1) * SECONDS_APART) % 60).padStart(2, "0");
  return ownUnit(
    backupTimer,
    `[Unit]
Description=See every few minutes whether a backup is due

[Timer]
OnCalendar=*:0/${minutes}:${second}
AccuracySec=1s

[Install]
WantedBy=timers.target
`,
    `systemctl restart --no-block ${backupTimer}`,
  );
}
