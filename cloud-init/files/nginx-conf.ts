import { balancers } from "../../model/balancers";
import { fixedTimers } from "../../model/failover-profiles";
import { type DataCenterPlan, type NodePlan, nodesOf } from "../../stacks/plan/data-center-plan";
import { everyAddress } from "../../stacks/plan/plan-listeners";
import { confValue } from "../quoting";
import { type Addresses, placeOf } from "./haproxy-cfg";

const { failures, leftOutSeconds, idleSeconds, probes, retransmissions } = fixedTimers.passive;

/**
 * Forwards TCP to the masters like HAProxy. nginx without its commercial part has no checks, so connections are the check: one
 * that a master refuses, or does not accept in time, goes on to another master, and the master is left out for two seconds.
 *
 * Its second server answers health checks of this balancer. With `reuseport` it starts while another program still has the port.
 */
export function renderNginxConf(plan: DataCenterPlan, addresses: Addresses = [everyAddress]): string {
  const port = confValue(plan.balancing.port);
  return `load_module modules/ngx_stream_module.so;
user www-data;
worker_processes auto;
worker_rlimit_nofile 32768;
pid /run/nginx.pid;
error_log syslog:server=unix:/dev/log,nohostname warn;

events {
  worker_connections 16000;
}

stream {
  # All workers share what they know about the masters.
  upstream masters {
    zone masters 64k;
${nodesOf(plan, "master")
  .map((node) => serverLine(node, port))
  .join("")}  }

  # ${placeOf(addresses)}
  server {
${listenLines(addresses, plan.balancing.port)}    proxy_pass masters;
    proxy_connect_timeout ${confValue(plan.balancing.connectMs)}ms;
    proxy_next_upstream on;
    proxy_socket_keepalive on;
    proxy_timeout 4h;
  }

  server {
    listen unix:${balancers.nginx.socket};
    return "nginx answers\\n";
  }
${plan.hostPorts.nodePorts.map(({ nodePort }) => nodePortServer(plan, addresses, nodePort)).join("")}}
`;
}

const listenLines = (addresses: Addresses, port: number): string =>
  addresses
    .map((address) => (address === everyAddress ? `${port}` : `${confValue(address)}:${port}`))
    .map((place) => `    listen ${place} reuseport so_keepalive=on;\n`)
    .join("");

/** Of every worker; one that does not accept a connection is left out like a master. */
const nodePortServer = (plan: DataCenterPlan, addresses: Addresses, nodePort: number): string => `
  upstream node-port-${nodePort} {
    zone node-port-${nodePort} 64k;
${nodesOf(plan, "worker")
  .map((node) => serverLine(node, String(nodePort)))
  .join("")}  }

  server {
${listenLines(addresses, nodePort)}    proxy_pass node-port-${nodePort};
    proxy_connect_timeout ${confValue(plan.balancing.connectMs)}ms;
    proxy_next_upstream on;
    proxy_socket_keepalive on;
    proxy_timeout 4h;
  }
`;

/** The name is for `status`, which asks each master for itself. */
const serverLine = ({ name, address }: NodePlan, port: string): string =>
  `    server ${confValue(address)}:${port} max_fails=${failures} fail_timeout=${leftOutSeconds}s; # ${confValue(name)}\n`;

/**
 * How soon the kernel ends connections to a dead master, which nginx would keep for four hours. The defaults are two hours, and 15
 * minutes with unanswered data.
 */
export const deadConnections = `net.ipv4.tcp_keepalive_time = ${idleSeconds}
net.ipv4.tcp_keepalive_intvl = 1
net.ipv4.tcp_keepalive_probes = ${probes}
net.ipv4.tcp_retries2 = ${retransmissions}
`;
