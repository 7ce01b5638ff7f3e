import type { TextFile } from "../role-content";

export const roleTarget = "groundplane.target";

/**
 * One systemd unit that wants all units of the role. Enabling each of them would reload systemd twice for every one
 * that also has a SysV script, 300 ms each at first boot; this is one.
 */
export const renderRoleTarget = (units: readonly string[]): TextFile => ({
  path: `/etc/systemd/system/${roleTarget}`,
  mode: "0644",
  content: `[Unit]
Description=What this node is for
Wants=${units.join(" ")}

[Install]
WantedBy=multi-user.target
`,
  changes: { reload: `systemctl daemon-reload && systemctl start --no-block ${roleTarget}` },
});

/** Started without waiting: whether the units work is node-ready's question, and first boot ends sooner. */
export const startRole: readonly string[] = ["systemctl", "enable", "--now", "--no-block", roleTarget];
