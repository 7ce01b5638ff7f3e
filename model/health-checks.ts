import { balancerNames, balancers } from "./balancers";
import { clusterChecks, etcdChecks, storageChecks } from "./cluster-health-checks";
import { expiryWarningDays, type HealthCheck, logs } from "./health-check";
import type { Role } from "./roles";

const every: readonly Role[] = ["gateway", "balancer", "master", "etcd", "worker", "storage"];

const machineChecks = {
  power: {
    ...{ asks: "every machine runs", of: [], promised: true },
    means: "a machine is off or missing, and the others work without reserve",
    next: "`npx groundplane start` starts or recreates it",
  },
  services: {
    ...{ asks: "the services of its roles work", of: every, promised: true },
    means: "a machine runs, but does not do its work",
    next: `${logs}; a stopped unit: \`systemctl start UNIT\` on the machine; \`npx groundplane start\` waits until it is ready`,
  },
  "failed-units": {
    ...{ asks: "no unit of systemd has failed", of: every, promised: false },
    means: "a service has ended with an error and is not restarted",
    next: "on the machine: `systemctl status UNIT`, then `systemctl reset-failed UNIT`",
  },
  clock: {
    ...{ asks: "the clock shows the time of this host", of: every, promised: true },
    means: "certificates, leases and logs have wrong times: certificates may count as expired or not yet valid",
    next: "on the machine: `chronyc sources` shows its time sources, `chronyc makestep` sets the clock",
  },
  "clock-source": {
    ...{ asks: "the clock follows a source that responds, or is shared with this host", of: every, promised: false },
    means:
      "the clock drifts away from those of the other machines, or on the gateway, which they follow, all of them from the true time",
    next: "on the machine: `chronyc sources` shows its time sources; they must be reachable, through the gateway",
  },
  "disk-room": {
    ...{ asks: "file systems have free space and inodes", of: every, promised: true },
    means: "writes fail soon; a kubelet evicts its pods when less than 1 GiB is left",
    next: "remove files, or let the volume grow with `diskGiB` or `volumes` in the stack's file; system containers use the host's disk",
  },
  certificates: {
    ...{ asks: `no certificate ends within ${expiryWarningDays} days`, of: ["balancer", "master", "etcd", "worker"] },
    means: "the certificate was not renewed: after its end, its users are refused",
    next: "control plane and etcd: `systemctl start groundplane-renew-certificates` on the machine; kubelet: `systemctl restart kubelet`",
    promised: true,
  },
  firewall: {
    ...{ asks: "the firewall's rules are those of its files", of: every, promised: true },
    means: "rules were changed by hand: traffic passes that should not, or is refused; the change ends at a restart",
    next:
      "gateway: `systemctl reload-or-restart nftables`; master, worker: `systemctl reload-or-restart groundplane-pod-filter`; a table that is not " +
      "in a file: `nft delete table NAME` on the machine",
  },
} as const satisfies Readonly<Record<string, HealthCheck>>;

/** What each program of balancers does with a master that does not work. */
const onBadMasters = balancerNames.map((name) => `${balancers[name].title} ${balancers[name].onBadMaster}`).join(", ");

const apiChecks = {
  api: {
    ...{ asks: "the API responds through the floating IP and this host's port", of: [], promised: true },
    means: "clients outside the data centre have no API",
    next: "the rows backends, floating-ip and api-servers show where requests end",
  },
  "api-servers": {
    ...{ asks: "each API server is ready and has a valid certificate", of: ["master"], promised: true },
    means: `the others work without reserve: ${onBadMasters}`,
    next: `${logs}; an expired certificate: \`systemctl start groundplane-renew-certificates\` on the master`,
  },
  backends: {
    ...{ asks: "each balancer finds every master ready and its certificate valid", of: ["balancer"], promised: true },
    means: `this balancer has fewer masters: ${onBadMasters}`,
    next: "the row api-servers shows the master's state; if it is ready, the network between the two is broken",
  },
  "floating-ip": {
    ...{ asks: "exactly one balancer holds the floating IP", of: ["balancer"], promised: true },
    means: "without a holder there is no API; with two, packets reach either of them",
    next: "the rows corosync and pacemaker show the reason; without Pacemaker: `systemctl status keepalived` on the balancers",
  },
  corosync: {
    ...{ asks: "Corosync has quorum and all its members", of: ["gateway", "balancer"], promised: true },
    means: "the floating IP does not move, or the next failure costs the quorum",
    next: "on the missing member: `systemctl start corosync pacemaker`",
  },
  pacemaker: {
    ...{ asks: "Pacemaker manages every resource, and none has failed", of: ["balancer"], promised: true },
    means: "the floating IP is not moved, or HAProxy or nginx not restarted, after a failure",
    next:
      "on a balancer: `crm_resource --cleanup`; unmanaged: `crm_resource --meta --delete-parameter is-managed --resource NAME`; " +
      "standby: `crm_standby --delete --node NODE`; a ban: `crm_resource --clear --resource NAME`",
  },
  dns: {
    ...{ asks: "the gateway resolves the API's name", of: every, promised: true },
    means: "names of the data centre and of the internet are not resolved; addresses still work",
    next: "on the gateway: `systemctl restart dnsmasq`",
  },
  dhcp: {
    ...{ asks: "the gateway answers a DHCP client", of: ["gateway", "balancer"], promised: true },
    means: "machines that boot and unknown hosts get no lease; existing leases stay",
    next: "on the gateway: `systemctl restart dnsmasq`",
  },
} as const satisfies Readonly<Record<string, HealthCheck>>;

/**
 * The health of a data centre as one table: `status` and `verify` ask every row. A row without an answer is unknown, never
 * healthy.
 */
const table = { ...machineChecks, ...apiChecks, ...etcdChecks, ...clusterChecks, ...storageChecks } as const;

export type HealthCheckName = keyof typeof table;

export const healthChecks: Readonly<Record<HealthCheckName, HealthCheck>> = table;

/** In the order in which they are shown. */
export const healthCheckNames = Object.keys(table) as readonly HealthCheckName[];
