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
  row("balancer-kill", "longest gap of the API when the balancer with the floating IP loses cables and power"),
  row("planned-move", "the same when the floating IP is asked to move"),
  row("haproxy-crash", "the same when HAProxy is killed beside the floating IP"),
  row("isolation", "the same when the balancer with the floating IP is cut off and lives"),
  row("partition", "the same when it is cut off behind its cable, which it cannot see"),
  row("master-kill", "the same when a master loses cables and power"),
  row("etcd-leader-kill", "the same for the master with etcd's leader"),
  row("etcd-leader-kill", "longest gap of acknowledged writes then", "write-gap", "etcd-leader-kill-writes"),
  row("worker-kill", "until a lost worker's pod serves on another", "pods-elsewhere"),
  row(
    "storage-kill",
    "longest wait of a writer that syncs when a storage machine loses cables and power",
    "write-stall",
  ),
  row("gateway-kill", "from the start of a killed gateway until the host and a worker reach the API", "back"),
  row("quorum-loss", "from the start of two killed masters until a write is acknowledged", "back"),
  row("all-stopped", "from the start of all machines until the API answers", "back"),
];

/** What `groundplane verify` measures, one of its rounds in each of the bench's. */
export const contract: LabStep = {
  rows,
  async run({ stack }, round) {
    const wanted = rows.filter(({ name }) => round.wants(name));
    if (wanted.length === 0) return;
    const faults = [...new Set(wanted.map(({ fault }) => fault))].join(",");
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-verify-")), "report.json");
    const output = await stack.cluster.groundplane("verify", "--only", faults, "--json", file);
    // A target that is missed is for the reader of the table; without a report nothing was measured.
    if (!fs.existsSync(file)) mustSucceed("groundplane verify", output);
    const report = JSON.parse(fs.readFileSync(file, "utf8")) as VerifyReport;
    fs.rmSync(path.dirname(file), { recursive: true });
    const results = report.faults.flatMap((fault) => fault.results);
    for (const { name, fault, measure } of wanted) {
      const result = results.find((one) => one.fault === fault && one.name === measure);
      if (result) round.record(name, { value: result.p95 });
    }
  },
};
