import { guestCommand } from "../../model/guest-paths";
import { ownUnit, type TextFile } from "../role-content";

const name = "groundplane-limit-logs";
export const limitLogsTimer = `${name}.timer`;

/** Not while a node boots, and at another minute on each: many nodes share few processors. */
export const limitLogsUnits: readonly TextFile[] = [
  ownUnit(
    `${name}.service`,
    `[Unit]\nDescription=Limit the logs that programs write themselves\n\n[Service]\nType=oneshot\nExecStart=${guestCommand("limit-logs")}\n`,
  ),
  ownUnit(
    limitLogsTimer,
    `[Unit]\nDescription=Limit logs every hour\n\n[Timer]\nOnActiveSec=30min\nOnUnitActiveSec=1h\nRandomizedDelaySec=10min\n`,
  ),
];
