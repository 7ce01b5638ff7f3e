import { guestCommand, guestPaths } from "../../../model/guest-paths";
import type { BrickPlan, VolumePlan } from "../../../stacks/plan/data-center-plan";
import { confValue } from "../../quoting";
import { ownUnit, type TextFile } from "../../role-content";

/** For Gluster 11: a glusterd with an identity but without a version assumes a very old version. */
const operatingVersion = 110000;

const state = guestPaths.glusterState;

/** The identity of this peer. It is planned, so that a recreated machine is the same peer. */
export const glusterdIdentity = ({ peerId }: BrickPlan): TextFile => ({
  path: `${state}/glusterd.info`,
  mode: "0600",
  content: `UUID=${confValue(peerId)}\noperating-version=${operatingVersion}\n`,
});

/**
 * The other peers, as members from the start (state 3): no probing is needed, and a recreated machine gets the volume from the
 * first peer that it contacts. After the first start, Gluster owns the files.
 */
export const glusterdPeers = (volume: VolumePlan, own: BrickPlan): readonly TextFile[] =>
  volume.bricks
    .filter(({ node }) => node !== own.node)
    .map(({ peerId, address }) => ({
      path: `${state}/peers/${confValue(peerId)}`,
      mode: "0600",
      content: `uuid=${confValue(peerId)}\nstate=3\nhostname1=${confValue(address)}\n`,
    }));

/** A machine without its data disk must not serve: the brick would be a folder on the system disk. */
export const glusterdUnit = ({ mountPoint, folder }: BrickPlan): TextFile => ({
  path: "/etc/systemd/system/glusterd.service.d/10-groundplane.conf",
  mode: "0644",
  content: `[Unit]
RequiresMountsFor=${confValue(mountPoint)}
AssertPathIsMountPoint=${confValue(mountPoint)}

[Service]
# See adopt-brick: a brick that is still to be filled is not served.
ExecStartPre=-/bin/sh -c 'if [ -e ${confValue(folder)}.to-be-filled ]; then setfattr -x trusted.glusterfs.volume-id ${confValue(folder)}; fi'
Restart=on-failure
RestartSec=2s
`,
  changes: { reload: "systemctl daemon-reload" },
});

export const brickUnit = ownUnit(
  "groundplane-brick.service",
  `[Unit]
Description=Have an empty data disk filled from the other copies
After=glusterd.service
Wants=glusterd.service
StartLimitIntervalSec=0

[Service]
ExecStart=${guestCommand("adopt-brick")}
Restart=on-failure
RestartSec=2s
TimeoutStopSec=5s

[Install]
WantedBy=multi-user.target
`,
);
