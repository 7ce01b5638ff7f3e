import { fixedTimers } from "../../model/failover-profiles";
import { guestPaths } from "../../model/guest-paths";
import { type DataCenterPlan, type NodePlan, nodesOf } from "../../stacks/plan/data-center-plan";
import { everyAddress } from "../../stacks/plan/plan-listeners";
import { confValue } from "../quoting";

/**
 * Forwards TCP to the masters, which terminate TLS. A connection attempt to a failed master times out after 250 ms and goes to
 * another master, long before the checks detect the failure. Streams (watches, `logs -f`) may be idle for four hours.
 *
 * Round robin: leastconn would favour the dead master, whose streams have ended.
 */
export function renderHaproxyCfg(plan: DataCenterPlan, addresses: Addresses = [everyAddress]): string {
  const port = confValue(plan.balancing.port);
  return `global
  user haproxy
  group haproxy
  chroot /var/lib/haproxy
  maxconn 8000
  stats socket /run/haproxy/admin.sock mode 600 level admin expose-fd listeners

defaults
  mode tcp
  timeout connect ${confValue(plan.balancing.connectMs)}ms
  timeout client 4h
  timeout server 4h
  timeout check ${confValue(plan.balancing.checkMs)}ms
  retries 2
  option redispatch 1
  option clitcpka
  option srvtcpka

# ${placeOf(addresses)}
frontend api
  bind ${bindings(addresses, plan.balancing.port)}
  default_backend masters

# A check verifies the master's certificate as clients do, in a full handshake: a resumed session would skip it.
backend masters
  balance roundrobin
  option httpchk
  http-check send meth GET uri /readyz
  http-check expect status 200
  default-server check check-ssl verify required ca-file ${guestPaths.balancerAuthority} no-ssl-reuse ${checkTimers} on-marked-down shutdown-sessions
${nodesOf(plan, "master")
  .map((node) => serverLine(node, port))
  .join("")}${plan.hostPorts.nodePorts.map(({ nodePort }) => nodePortListener(plan, addresses, nodePort)).join("")}`;
}

/** Those on which a balancing program listens. */
export type Addresses = readonly string[];

export const placeOf = (addresses: Addresses): string =>
  addresses.includes(everyAddress)
    ? "Bound to all addresses: the floating IP may come later."
    : "Not on this machine's own address, where it has these ports for itself. The floating IP may come later.";

const bindings = (addresses: Addresses, port: number): string =>
  addresses.map((address) => `${address === everyAddress ? "" : confValue(address)}:${confValue(port)}`).join(",");

/**
 * A check is a connection, which a pod accepts: it fails where the worker is down, and where the worker does not serve the
 * Service. A connection attempt that fails goes to another worker. Sessions stay when a check fails, because pods that end may
 * still serve them; keepalives end those of a dead worker.
 */
const nodePortListener = (plan: DataCenterPlan, addresses: Addresses, nodePort: number): string => `
listen node-port-${nodePort}
  bind ${bindings(addresses, nodePort)}
  balance roundrobin
  srvtcpka-idle 10s
  srvtcpka-intvl 5s
  srvtcpka-cnt 3
  default-server check inter ${nodePortCheck.intervalMs}ms fastinter ${nodePortCheck.fastIntervalMs}ms fall ${fall} rise ${rise}
${nodesOf(plan, "worker")
  .map(({ name, address }) => `  server ${confValue(name)} ${confValue(address)}:${nodePort}\n`)
  .join("")}`;

const { intervalMs, fastIntervalMs, downIntervalMs, fall, rise } = fixedTimers.check;
const { nodePortCheck } = fixedTimers;
const checkTimers = `inter ${intervalMs}ms fastinter ${fastIntervalMs}ms downinter ${downIntervalMs}ms fall ${fall} rise ${rise}`;

const serverLine = ({ name, address }: NodePlan, port: string): string =>
  `  server ${confValue(name)} ${confValue(address)}:${port} verifyhost ${confValue(name)}\n`;
