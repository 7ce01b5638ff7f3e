import { fixedTimers } from "../../model/failover-profiles";
import { guestPaths } from "../../model/guest-paths";
import { ports } from "../../model/ports";
import { type DataCenterPlan, etcdMachinesOf, type NodePlan } from "../../stacks/plan/data-center-plan";
import { confValue } from "../quoting";
import { ownUnit, type SeedFile } from "../role-content";

export const etcdProxyName = "groundplane-etcd-proxy.service";

/** Where the API server finds etcd, as on a master that is a member. The members' certificates contain this address. */
export const localEtcd = `127.0.0.1:${ports.etcdClient}`;

/**
 * Connects the API server of a master with one member of etcd, and with another one when that does not respond.
 *
 * The API server could know all members. But it notices a member that has lost its power only after ten seconds, and until then
 * every third request waits, those of the balancers' checks among them: all masters would be unavailable. This proxy checks the
 * member, closes all its connections as soon as it is silent, and opens new ones to the next member. Each master prefers another
 * member, so that the masters that use the others notice nothing.
 */
export const etcdProxy = (plan: DataCenterPlan, node: NodePlan): readonly SeedFile[] => [
  {
    path: guestPaths.etcdProxy,
    mode: "0644",
    content: renderEtcdProxy(plan, node),
    changes: { reload: `systemctl restart ${etcdProxyName}`, check: 'haproxy -c -f "$1"' },
  },
  ownUnit(
    etcdProxyName,
    `[Unit]
Description=Connect the API server with a member of etcd that responds
After=network.target
Before=groundplane-pods.service kubelet.service
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=/usr/sbin/haproxy -db -f ${guestPaths.etcdProxy}
Restart=always
RestartSec=100ms
TimeoutStopSec=2s

[Install]
WantedBy=multi-user.target
`,
    `systemctl try-restart ${etcdProxyName}`,
  ),
];

function renderEtcdProxy(plan: DataCenterPlan, node: NodePlan): string {
  const { connectMs, checkMs } = plan.balancing;
  return `global
  user haproxy
  group haproxy
  chroot /var/lib/haproxy
  maxconn 8000
  ssl-load-extra-del-ext

defaults
  mode tcp
  timeout connect ${confValue(connectMs)}ms
  timeout client 4h
  timeout server 4h
  timeout check ${confValue(checkMs)}ms
  retries 2
  option redispatch 1

frontend api_server
  bind ${localEtcd}
  default_backend etcd

# A member is usable as soon as it votes, also while there is no leader: all members would be away then.
backend etcd
  option httpchk
  http-check send meth GET uri /readyz?exclude=linearizable_read
  http-check expect status 200
  default-server check check-ssl verify required ca-file ${guestPaths.etcdPki}/ca.crt crt ${guestPaths.etcdClient}.crt ${checkTimers} on-marked-down shutdown-sessions
${byPreference(plan, node).map(serverLine).join("")}`;
}

const { intervalMs, fastIntervalMs, downIntervalMs, fall, rise } = fixedTimers.etcdCheck;
const checkTimers = `inter ${intervalMs}ms fastinter ${fastIntervalMs}ms downinter ${downIntervalMs}ms fall ${fall} rise ${rise}`;

/** Each master begins with another member. */
function byPreference(plan: DataCenterPlan, { index }: NodePlan): readonly NodePlan[] {
  const members = etcdMachinesOf(plan);
  const first = (index - 1) % members.length;
  return [...members.slice(first), ...members.slice(0, first)];
}

const serverLine = ({ name, address }: NodePlan, position: number): string =>
  `  server ${confValue(name)} ${confValue(address)}:${ports.etcdClient} verifyhost ${confValue(name)}${position > 0 ? " backup" : ""}\n`;
