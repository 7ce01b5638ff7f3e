import { type BalancerName, balancers } from "../../model/balancers";
import { guestCommand, guestPaths } from "../../model/guest-paths";
import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { balancerAddresses } from "../../stacks/plan/plan-listeners";
import { renderHaproxyCfg } from "../files/haproxy-cfg";
import { renderKeepalivedConf } from "../files/keepalived-conf";
import { deadConnections, renderNginxConf } from "../files/nginx-conf";
import { commandFile } from "../guest-command";
import { ownUnit, type RoleContent, type SeedFile, unitFile } from "../role-content";
import { balancingChange } from "./balancing-change";
import { clusterMemberContent } from "./cluster-member";
import { handOverContent } from "./hand-over";

type Content = Pick<RoleContent, "files" | "enable">;

/** Forwards connections to the masters. A pair shares the floating IP; a single balancer owns it. */
export function balancerContent(plan: DataCenterPlan, node: NodePlan): RoleContent {
  const { movedBy, program } = plan.balancing;
  const { title, unit, answers } = balancers[program];
  const { files, commands } = programs[program](plan, node);
  const early = bindsEarly(plan, node);
  const mover = movers[movedBy](plan, node);
  const change = balancingChange(plan);
  const handOver = handOverContent(plan, node);
  return {
    files: [
      ...early.files,
      ...files,
      commandFile("balancer/role-ready", { title, answers }),
      ...reload[program],
      ...mover.files,
      ...handOver.files,
      ...change.files,
    ],
    environment: { FLOATING_IP_BY: movedBy, ...change.environment },
    withSettings: change.withSettings,
    commands: [...early.commands, ...commands],
    enable: [`${unit}.service`, ...mover.enable, ...handOver.enable],
  };
}

/** Pacemaker forbids systemd to restart a unit by `50-pacemaker.conf`; this sorts after it, so that a crash costs 100 ms and no move. */
const restart = `[Service]
Restart=always
RestartSec=100ms
`;

/**
 * At boot the program runs before Pacemaker checks it, because Pacemaker's own start of a unit waits two seconds. An ordering between
 * the units would have the same effect, but would block every stop: Pacemaker stops the program, which would wait for Pacemaker.
 */
const startFirst = (unit: string): string => `[Service]
ExecStartPre=-/usr/bin/systemctl start ${unit}.service
`;

/**
 * Releases the address as soon as Corosync loses quorum on this balancer, 250 ms before the majority takes it over. Pacemaker
 * releases it as well, but only after it has elected a controller, which may be after the takeover.
 */
const guardUnit = "quorum-guard.service";

const quorumGuard = `[Unit]
Description=Releases the floating IP without a majority
After=corosync.service
PartOf=corosync.service
# Without Corosync it ends at once, and comes again until Corosync is back.
StartLimitIntervalSec=0

[Service]
ExecStart=${guestCommand("quorum-guard")}
Restart=always
RestartSec=1
`;

/** Never both: each of the two programs would hold the address. */
const keepalivedUnit = (unit: string): string => `[Unit]
Conflicts=pacemaker.service corosync.service
After=${unit}.service pacemaker.service corosync.service
`;

const movers: Readonly<
  Record<DataCenterPlan["balancing"]["movedBy"], (plan: DataCenterPlan, node: NodePlan) => Content>
> = {
  pacemaker(plan) {
    const { unit } = balancers[plan.balancing.program];
    const { files, enable } = clusterMemberContent(plan);
    const guard = ownUnit(guardUnit, quorumGuard, `systemctl try-restart ${guardUnit}`);
    const first = unitFile("pacemaker.service", `10-${unit}-first`, startFirst(unit));
    const command = { ...commandFile("balancer/quorum-guard"), changes: guard.changes };
    return { files: [...files, first, guard, command], enable: [...enable, guardUnit] };
  },
  keepalived: (plan, node) => ({
    files: [
      changing(
        unitFile("keepalived.service", "10-floating-ip", keepalivedUnit(balancers[plan.balancing.program].unit)),
      ),
      {
        path: "/etc/keepalived/keepalived.conf",
        mode: "0644",
        content: renderKeepalivedConf(plan, node),
        changes: {
          reload: "systemctl try-reload-or-restart keepalived",
          check: 'keepalived --config-test --use-file "$1"',
        },
      },
    ],
    enable: ["keepalived.service"],
  }),
  static: () => ({ files: [], enable: [] }),
};

/** A running node follows it: a change of what runs there may bring it. */
const changing = (file: ReturnType<typeof unitFile>): SeedFile => ({
  ...file,
  changes: { reload: "systemctl daemon-reload" },
});

/** The authority comes before the configuration that names it, which HAProxy checks. */
const authority = ({ rotations }: DataCenterPlan, reloading: string): SeedFile => ({
  ...{ path: guestPaths.balancerAuthority, mode: "0644" },
  // A stage of the rotation keeps it. Before that stage, a new balancer finds API servers with certificates of the former authority.
  ...(rotations["kubernetes-ca"] === undefined
    ? { secret: "kubernetes-ca-bundle.crt", changes: { reload: reloading } }
    : { secret: "kubernetes-authorities.crt" }),
});

const configuration = (program: BalancerName, content: string): SeedFile => ({
  ...{ path: balancers[program].configuration, mode: "0644", content },
  changes: { reload: guestCommand(balancers[program].reload), check: balancers[program].check },
});

/** After a crash its socket remains, which nginx would not replace. Its packaged stop would wait five seconds for streams. */
const nginxUnit = `${restart}ExecStartPre=-/usr/bin/rm -f ${balancers.nginx.socket}
ExecStop=
`;

/** Settings of the kernel, and the command that applies them. */
function kernelSettings(name: string, content: string): Program {
  const path = `/etc/sysctl.d/90-${name}.conf`;
  const apply = ["/usr/lib/systemd/systemd-sysctl", path];
  return { files: [{ path, mode: "0644", content, changes: { reload: apply.join(" ") } }], commands: [apply] };
}

/** Lets a program bind to the floating IP while another balancer holds it. */
const bindsEarly = (plan: DataCenterPlan, node: NodePlan): Program =>
  balancerAddresses(plan, node).includes(plan.balancing.floatingIp)
    ? kernelSettings("floating-ip", "net.ipv4.ip_nonlocal_bind = 1\n")
    : { files: [], commands: [] };

type Program = Pick<RoleContent, "files" | "commands">;

const programs: Readonly<Record<BalancerName, (plan: DataCenterPlan, node: NodePlan) => Program>> = {
  haproxy: (plan, node) => ({
    files: [
      authority(plan, guestCommand("reload-haproxy")),
      configuration("haproxy", renderHaproxyCfg(plan, balancerAddresses(plan, node))),
      unitFile("haproxy.service", "90-restart", restart),
    ],
    commands: [],
  }),
  nginx: (plan, node) => ({
    files: [
      // Only `status` uses it.
      authority(plan, ""),
      ...kernelSettings("nginx", deadConnections).files,
      // Before the reload of the configuration, which may start the unit.
      changing(unitFile("nginx.service", "90-restart", nginxUnit)),
      configuration("nginx", renderNginxConf(plan, balancerAddresses(plan, node))),
    ],
    commands: kernelSettings("nginx", deadConnections).commands,
  }),
};

const reload: Readonly<Record<BalancerName, readonly SeedFile[]>> = {
  haproxy: [commandFile("balancer/reload-haproxy")],
  nginx: [commandFile("balancer/reload-nginx")],
};
