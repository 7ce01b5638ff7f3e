import { etcdSlowWriteMs } from "../../model/health-check";
import { type Finding, healthy, type MachineAnswers, readAnswers, unhealthy } from "./findings";
import { notUnderstood } from "./machine-answers";

const FEW_WRITES = 100;

export const readEtcdDisk = (machines: readonly MachineAnswers[]): readonly Finding[] =>
  readAnswers(machines, "etcd-disk", (of, answer) => {
    const buckets = [...answer.text.matchAll(/_bucket\{le="([^"]+)"\} (\d+)/g)].map(
      ([, limit = "", count = ""]) =>
        [limit === "+Inf" ? Number.POSITIVE_INFINITY : Number(limit), Number(count)] as const,
    );
    const total = buckets.find(([limit]) => limit === Number.POSITIVE_INFINITY)?.[1];
    if (total === undefined) return notUnderstood(of, answer);
    if (total < FEW_WRITES) return healthy(of, `${total} writes since its start`);
    const p99 = buckets.find(([, count]) => count >= total * 0.99)?.[0] ?? Number.POSITIVE_INFINITY;
    const observed = `99 % of ${total} writes within ${p99 * 1000} ms`;
    return p99 * 1000 <= etcdSlowWriteMs ? healthy(of, observed) : unhealthy(of, observed);
  });
