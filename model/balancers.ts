import type { GuestCommand } from "./guest-paths";

/** A program that forwards connections to the API on to the masters: what differs between them, beside its configuration. */
export interface Balancer {
  readonly title: string;
  /** The systemd unit, without `.service`; Pacemaker names its resource after it. */
  readonly unit: string;
  readonly packages: readonly string[];
  readonly configuration: string;
  /** Checks the configuration in `$1`. */
  readonly check: string;
  /** Activates a changed configuration without an interruption. */
  readonly reload: GuestCommand;
  /** The local socket on which it answers, so that a check costs the masters nothing. */
  readonly socket: string;
  /** Succeeds when it answers there. */
  readonly answers: string;
  /** What it does with a master that does not work. */
  readonly onBadMaster: string;
  /** What a user loses with it, compared with the others. */
  readonly lacks: readonly string[];
}

const haproxySocket = "/run/haproxy/admin.sock";
const nginxSocket = "/run/nginx-answers.sock";

export const balancers = {
  haproxy: {
    title: "HAProxy",
    unit: "haproxy",
    packages: ["haproxy"],
    configuration: "/etc/haproxy/haproxy.cfg",
    check: 'haproxy -c -f "$1"',
    reload: "reload-haproxy",
    socket: haproxySocket,
    answers: `echo "show info" | socat -t 1 - UNIX-CONNECT:${haproxySocket} 2>/dev/null | grep -q '^Name: HAProxy'`,
    onBadMaster: "sends it no connections",
    lacks: [],
  },
  nginx: {
    title: "nginx",
    unit: "nginx",
    packages: ["libnginx-mod-stream", "nginx"],
    configuration: "/etc/nginx/nginx.conf",
    check: 'nginx -t -q -c "$1"',
    reload: "reload-nginx",
    socket: nginxSocket,
    answers: `socat -t 1 -u UNIX-CONNECT:${nginxSocket} - 2>/dev/null | grep -q '^nginx answers'`,
    onBadMaster: "sends it connections as long as it accepts them",
    lacks: [
      "It does not check masters. One that accepts connections gets its share of them, even if it is not ready or its certificate has ended.",
      "Open connections to a dead master end after 6 to 8 seconds, and not at once.",
      "It does not report which masters it uses.",
    ],
  },
} as const satisfies Readonly<Record<string, Balancer>>;

export type BalancerName = keyof typeof balancers;
export const balancerNames = Object.keys(balancers) as readonly BalancerName[];

/** That of stacks whose configuration does not say it. */
export const defaultBalancer: BalancerName = "haproxy";
