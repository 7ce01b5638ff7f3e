import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { VerifyReport } from "../../../model/contract-report";
import { mustSucceed } from "../../support/cluster-under-test";
import type { BenchRow } from "../bench";
import type { LabStep } from "../lab-under-bench";

interface ContractRow extends BenchRow {
  readonly fault: string;
  readonly measure: string;
}

const row = (fault: string, what: string, measure = "api-gap", name = fault): ContractRow => ({
  ...{ name, fault, measure, what },
  unit: "ms",
});

const rows: readonly ContractRow[] = [
  row("balancer-kill", "longest API gap when the balancer with the floating IP loses its network and power"),
  row("planned-move", "longest API gap of a planned move of the floating IP"),
  row("haproxy-crash", "longest API gap when HAProxy is killed on the balancer with the floating IP"),
  row("isolation", "longest API gap when the balancer with the floating IP loses its link"),
  row("partition", "longest API gap when the network beyond its link fails"),
  row("master-kill", "longest API gap when a master loses its network and power"),
  row("etcd-leader-kill", "longest API gap when the master with the etcd leader does"),
  row(
    "etcd-leader-kill",
    "longest time without an acknowledged write in that case",
    "write-gap",
    "etcd-leader-kill-writes",
  ),
  row("worker-kill", "until the pod of a lost worker serves on another worker", "pods-elsewhere"),
  row(
    "storage-kill",
    "longest wait of a syncing writer when a storage machine loses its network and power",
    "write-stall",
  ),
  row("gateway-kill", "from the restart of a killed gateway until the host and a worker reach the API", "recovery"),
  row("quorum-loss", "from the restart of two killed masters until a write is acknowledged", "recovery"),
  row("all-stopped", "from the start of all machines until the API responds", "recovery"),
];

/** Each round runs one round of `groundplane verify` and takes its figures, so that a fault has one source. */
export const contract: LabStep = {
  rows,
  async run({ stack }, round) {
    const wanted = rows.filter(({ name }) => round.wants(name));
    if (wanted.length === 0) return;
    const faults = [...new Set(wanted.map(({ fault }) => fault))].join(",");
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-verify-")), "report.json");
    const output = await stack.cluster.groundplane("verify", "--only", faults, "--json", file);
    // Exit code 1 can mean a missed target, which the table shows. Without a report nothing was measured.
    if (!fs.existsSync(file)) mustSucceed("groundplane verify", output);
    const report = JSON.parse(fs.readFileSync(file, "utf8")) as VerifyReport;
    fs.rmSync(path.dirname(file), { recursive: true });
    for (const { name, fault, measure } of wanted) {
      const of = report.faults.find((one) => one.name === fault);
      const result = of?.results.find((one) => one.name === measure);
      if (result) round.record(name, { value: result.p95 });
      else round.miss(name, of?.failed ?? of?.broken ?? of?.skipped ?? `verify did not report ${measure} of ${fault}`);
    }
  },
};
