import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ReadAnswer } from "../../../../verify/health/findings";
import { readFirewall } from "../../../../verify/health/firewall-answers";
import * as read from "../../../../verify/health/machine-answers";
import type { Answer } from "../../../../verify/health/questions";

const answer = (text: string, code = 0): Answer => ({ code, text });
const statesOf = (reader: ReadAnswer, given: Answer): string =>
  [reader("worker-1", given)]
    .flat()
    .map(({ state, observed }) => `${state}: ${observed}`)
    .join("\n");

const mount = "10.0.0.1:/data /v fuse.glusterfs rw,relatime 0 0";

/** Lines of `chronyc -n -c tracking` (4.3), and of `chronyc -n -c sources`. */
const measured = "0.000001501,-0.000001632,0.000002360,-331.898,0.004,0.154,0.000373169,0.024780000,64.2";
const synchronised = `C0A83801,192.168.56.1,11,1794999966.123456789,${measured},Normal`;
const ownClock = `7F7F0101,,10,1795000000.123456789,${measured},Normal`;
const unsynchronised =
  "00000000,,0,0.000000000,0.000000000,0.0,0.0,-12.1,0.000,0.000,1.000000000,1.000000000,0.0,Not synchronised";
const chrony = (...lines: readonly string[]): Answer => answer(["1795000000000", ...lines].join("\n"));

/** Every reader with good, bad and missing answers. */
const cases: readonly {
  readonly row: string;
  readonly reader: ReadAnswer;
  readonly good: readonly Answer[];
  readonly bad: readonly (readonly [Answer, RegExp])[];
  readonly missing: readonly Answer[];
}[] = [
  {
    row: "services",
    reader: read.readServices,
    good: [answer("")],
    bad: [
      [answer("the kubelet is not healthy", 1), /the kubelet is not healthy/],
      [answer("", 1), /code 1/],
    ],
    missing: [],
  },
  {
    row: "failed-units",
    reader: read.readFailedUnits,
    good: [answer("")],
    bad: [
      [
        answer("nscd.service loaded failed failed Name Service Cache\nx.mount not-found failed failed x"),
        /nscd\.service, x\.mount/,
      ],
    ],
    missing: [answer("Failed to connect to bus: Host is down", 1)],
  },
  {
    row: "clock",
    reader: read.readClock,
    good: [{ ...answer("1795000000000\nshared"), skewMs: 40 }],
    bad: [[{ ...answer("1795000000000\nshared"), skewMs: 61_500 }, /by 61\.5 s/]],
    missing: [answer(""), answer("bash: date: command not found", 127)],
  },
  {
    row: "clock-source",
    reader: read.readClockSource,
    good: [
      answer("1795000000000\nshared"),
      chrony(synchronised, "^,*,192.168.56.1,10,6,377,34,0.000012,0.000012,0.000301"),
      // Polled every 1024 s, and three answers were lost.
      chrony(synchronised, "^,*,192.168.56.1,3,10,370,4000,0.000012,0.000012,0.000301"),
      chrony(synchronised, "^,?,192.0.2.1,0,6,0,4294967295,0.0,0.0,0.0", "^,*,192.168.56.1,10,6,17,3,0.0,0.0,0.0003"),
      chrony(synchronised.replace("Normal", "Insert second"), "#,*,PHC0,0,3,377,5,-0.000000061,0.000000593,0.0000001"),
      // A gateway without the internet: its servers' names do not resolve.
      chrony(ownClock),
    ],
    bad: [
      [
        chrony(synchronised, "^,*,192.168.56.1,10,6,0,4100,0.000012,0.000012,0.000301"),
        /^unhealthy: no source responds, 192\.168\.56\.1 for 4100 s$/,
      ],
      [chrony(synchronised, "^,*,192.168.56.1,10,6,360,300,0.0,0.0,0.0003"), /no source responds, .* for 300 s/],
      [chrony(synchronised, "^,?,192.168.56.1,10,6,0,4100,0.0,0.0,0.0003"), /^unhealthy: no source responds$/],
      [chrony(synchronised), /^unhealthy: no source responds$/],
      [
        chrony(synchronised, "^,x,192.0.2.1,2,6,377,3,0.5,0.5,0.001", "^,x,192.0.2.2,2,6,377,9,-0.5,-0.5,0.001"),
        /^unhealthy: no source is used, although these respond: 192\.0\.2\.1, 192\.0\.2\.2$/,
      ],
      [
        chrony(ownClock, "^,?,192.0.2.1,0,7,0,4294967295,0.0,0.0,0.0", "^,?,192.0.2.2,2,10,0,90000,0.0,0.0,0.0"),
        /^unhealthy: serves its own clock: no source responds$/,
      ],
      [
        chrony(unsynchronised, "^,?,192.168.56.1,0,6,0,4294967295,0.0,0.0,0.0"),
        /^unhealthy: not synchronised: no source responds$/,
      ],
      [answer("1795000000000\n506 Cannot talk to daemon", 1), /^unhealthy: chronyd does not run$/],
    ],
    missing: [
      answer("1795000000000"),
      answer(""),
      answer("1795000000000\nbash: chronyc: command not found", 127),
      // Its sources were not read within the time limit.
      { ...chrony(synchronised), code: 124 },
    ],
  },
  {
    row: "disk-room",
    reader: read.readDiskRoom,
    good: [
      answer(df("/ 20000M 9000M 100 90")),
      answer(df("/data/brick 4000M 500M 0 0")),
      answer(df("/ 900000M 2000M - -")),
    ],
    bad: [
      [answer(df("/ 20000M 1200M 100 90", "/var/log 900M 800M 100 90")), /unhealthy: \/ has 1200 of 20000 MiB free/],
      [answer(df("/var/log 900M 20M 100 90")), /\/var\/log has 20/],
      [answer(df("/ 20000M 9000M 1000 10")), /10 of 1000 inodes/],
      [answer(`${df("/ 20000M 9000M 100 90")}\nread-only /var`), /unhealthy: \/var is read-only/],
    ],
    missing: [answer(""), answer("df: /: Input/output error", 1)],
  },
  {
    row: "certificates",
    reader: read.readCertificates(Date.parse("2026-11-28T09:00:00Z")),
    good: [answer("/etc/kubernetes/pki/ca.crt notAfter=Nov  8 09:00:00 2036 GMT")],
    bad: [
      [
        answer("/a.crt notAfter=Nov 28 09:00:00 2027 GMT\n/b.crt notAfter=Nov 28 09:01:00 2026 GMT"),
        /healthy: \/a\.crt ends on 2027-11-28 09:00 UTC, in 365 days\nunhealthy: \/b\.crt ends on 2026-11-28 09:01 UTC, in 0 days/,
      ],
      [answer("/b.crt notAfter=Nov 26 08:00:00 2026 GMT"), /ended on 2026-11-26 08:00 UTC, 2 days ago/],
    ],
    missing: [answer(""), answer("/b.crt "), answer("bash: openssl: command not found", 127)],
  },
  {
    row: "dns",
    reader: read.readDns,
    good: [answer("expected 192.168.56.10\n192.168.56.10   STREAM api.lab.internal\n192.168.56.10   DGRAM")],
    bad: [
      [answer("expected 192.168.56.10", 2), /no answer/],
      [answer("expected 192.168.56.10\n10.0.0.1   STREAM api.lab.internal"), /resolves to 10\.0\.0\.1/],
    ],
    missing: [answer("")],
  },
  {
    row: "dhcp",
    reader: read.readDhcp,
    good: [answer("UNCONN 0 0 0.0.0.0%dmz:67 0.0.0.0:*"), answer("answered")],
    bad: [
      [answer(""), /no process listens/],
      [answer("no answer: Connection refused", 1), /no answer: Connection refused/],
    ],
    missing: [answer("ss: command not found", 127)],
  },
  {
    row: "firewall",
    reader: readFirewall,
    good: [
      answer("expected\nlive"),
      answer(`expected\n${tables({ own: ["a", "b"] })}\nlive\n# Warning: managed\n${tables({ own: ["a", "b"] })}`),
      answer(
        `expected\n${tables({ own: ["flags dynamic,timeout"] })}\nlive\n${tables({ own: ["flags dynamic,timeout", "elements = { 1.2.3.4,\n 1.2.3.5 }"] })}`,
      ),
    ],
    bad: [
      [answer(`expected\n${tables({ own: ["a"] })}\nlive`), /: inet own chain input is missing$/],
      [answer(`expected\nlive\n${tables({ other: ["a"] })}`), /: inet other chain input is not in its file$/],
      [answer("expected\nlive\ntable ip empty {\n}"), /: ip empty is not in its file$/],
      [
        answer(`expected\n${tables({ own: ["a", "b"] })}\nlive\n${tables({ own: ["a", "a", "c"] })}`),
        /also has `a`; inet own chain input also has `c`; inet own chain input lacks `b`$/,
      ],
      [answer(`expected\n${tables({ own: ["a", "b"] })}\nlive\n${tables({ own: ["b", "a"] })}`), /another order/],
    ],
    missing: [
      answer("expected\nunshare: unshare failed: Operation not permitted", 1),
      answer("expected\n/etc/nftables.conf:1:8-8: Error: syntax error\n^", 1),
      answer("bash: nft: command not found", 127),
    ],
  },
  {
    row: "mounts",
    reader: read.readMounts,
    good: [answer(`${mount}\n  File: "/v"\n    ID: 0 Namelen: 255 Type: fuseblk\nBlocks: Total: 1 Free: 1`)],
    bad: [
      [answer("", 1), /not mounted/],
      [answer(`${mount}\nno response within 4 s`), /does not respond: no response within 4 s/],
      [
        answer(`${mount}\nstat: cannot read file system information for '/v': Transport endpoint is not connected`),
        /not connected/,
      ],
    ],
    missing: [answer("grep: command not found", 127)],
  },
];

/** Tables of one chain, as `nft list ruleset` prints them. */
function tables(chains: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(chains)
    .map(([name, rules]) => `table inet ${name} {\n\tchain input {\n\t\t${rules.join("\n\t\t")}\n\t}\n}`)
    .join("\n");
}

function df(...rows: string[]): string {
  return ["Mounted on 1M-blocks Avail Inodes IFree", ...rows].join("\n");
}

for (const { row, reader, good, bad, missing } of cases) {
  describe(row, () => {
    test("good answers are healthy", () => {
      for (const given of good) assert.match(statesOf(reader, given), /^healthy/, given.text);
    });
    test("bad answers are unhealthy and say why", () => {
      for (const [given, observed] of bad) {
        assert.match(statesOf(reader, given), /^unhealthy|\nunhealthy/, given.text);
        assert.match(statesOf(reader, given), observed);
      }
    });
    test("an answer that is not understood is unknown", () => {
      for (const given of missing) assert.match(statesOf(reader, given), /^unknown/, given.text);
    });
  });
}
