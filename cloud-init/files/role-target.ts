import { ownUnit, type TextFile } from "../role-content";

export const roleTarget = "groundplane.target";

/**
 * One systemd unit that wants all units of the role. Enabling each unit would reload systemd twice for every unit with a SysV
 * script, 300 ms each at first boot; the target needs one reload.
 */
export const renderRoleTarget = (units: readonly string[]): TextFile =>
  ownUnit(
    roleTarget,
    `[Unit]
Description=What this node is for
Wants=${units.join(" ")}

[Install]
WantedBy=multi-user.target
`,
    `systemctl start --no-block ${roleTarget}`,
  );

/** Started without waiting: node-ready checks the units, and the first boot ends sooner. */
export const startRole: readonly string[] = ["systemctl", "enable", "--now", "--no-block", roleTarget];
