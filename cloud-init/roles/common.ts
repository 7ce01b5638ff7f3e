import { guestCommand, guestPaths } from "../../model/guest-paths";
import { isClusterNode } from "../../model/roles";
import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { capacityFile, capacityName, capacityUnit } from "../files/capacity";
import { chronyConf } from "../files/chrony-conf";
import { renderHosts } from "../files/hosts";
import { limitLogsTimer, limitLogsUnits } from "../files/limit-logs";
import { renderNodeEnv } from "../files/node-env";
import { renderSshdConf } from "../files/sshd-conf";
import { renderDataDisks, renderVolumes } from "../files/volumes";
import { commandFile } from "../guest-command";
import { firstInterface, segmentOf } from "../network-config";
import { confValue } from "../quoting";
import type { RoleContent, SecretFile, SeedFile } from "../role-content";

/** The common part of every node's seed. The environment of the roles is added to node.env. */
export function commonContent(
  plan: DataCenterPlan,
  node: NodePlan,
  { environment, withSettings }: Pick<Required<RoleContent>, "environment" | "withSettings">,
): RoleContent {
  return {
    files: [
      { path: "/etc/hosts", mode: "0644", content: renderHosts(plan, node), changes: { reload: hostsReload(node) } },
      { path: "/etc/resolv.conf", mode: "0644", content: renderResolvConf(plan, node) },
      chronyConf(plan, node),
      {
        path: guestPaths.nodeEnvironment,
        mode: "0644",
        content: renderNodeEnv(plan, node, environment),
        changes: { reload: "", ...(withSettings.length > 0 && { alongside: withSettings }) },
      },
      commandFile("common/node-ready"),
      // A running machine needs the command and the unit before the capacity, whose reload starts them.
      commandFile("common/show-capacity"),
      capacityUnit,
      capacityFile(node),
      commandFile("common/prepare-volumes"),
      commandFile("common/limit-logs"),
      ...limitLogsUnits,
      { path: guestPaths.volumes, mode: "0644", content: renderVolumes(node), changes: prepareVolumes },
      { path: guestPaths.dataDisks, mode: "0644", content: renderDataDisks(node), changes: prepareVolumes },
      ...accessFiles(node, plan),
    ],
    commands: [],
    enable: [capacityName, limitLogsTimer],
  };
}

/** Virtual machines run it at every boot; system containers have nothing to prepare. */
const prepareVolumes = { reload: guestCommand("prepare-volumes") };

/** Open sessions stay. */
const reloadSshd = "systemctl try-reload-or-restart ssh";

function accessFiles(node: NodePlan, { distribution, rotations }: DataCenterPlan): SeedFile[] {
  const hostKey: SecretFile = { path: guestPaths.sshHostKey, mode: "0600", secret: `ssh-host-key:${node.name}` };
  return [
    hostKey,
    ...(rotations["ssh-host-keys"] === undefined ? [] : [followHostKey(node, hostKey)]),
    {
      path: "/root/.ssh/authorized_keys",
      mode: "0600",
      secret: "authorized-keys.pub",
      // sshd reads it for each connection.
      changes: { reload: "" },
    },
    {
      path: "/etc/ssh/sshd_config.d/10-groundplane.conf",
      mode: "0644",
      content: renderSshdConf(node.roles, distribution),
      changes: { reload: reloadSshd, check: 'sshd -t -f "$1"' },
    },
  ];
}

/** dnsmasq serves the gateway's /etc/hosts to all other nodes. */
const hostsReload = (node: NodePlan): string =>
  node.roles.includes("gateway") ? "systemctl try-reload-or-restart dnsmasq" : "";

/** A comparison of the public key, which is not secret, shows whether a rotation has reached the node. sshd has read the private key after a reload. */
const followHostKey = (node: NodePlan, hostKey: SecretFile): SeedFile => ({
  path: guestPaths.presentHostKey,
  mode: "0644",
  secret: `ssh-host-key.pub:${node.name}`,
  changes: { reload: reloadSshd, alongside: [hostKey] },
});

/** A plain file: nodes use no local resolver service. */
function renderResolvConf(plan: DataCenterPlan, node: NodePlan): string {
  // Pods use the file of their node, and 127.0.0.1 is their own.
  const isOwnServer = node.roles.includes("gateway") && !isClusterNode(node.roles);
  const server = isOwnServer ? "127.0.0.1" : segmentOf(plan, firstInterface(node)).gateway;
  return `search ${confValue(plan.domain)}\nnameserver ${confValue(server)}\noptions timeout:1 attempts:3\n`;
}
