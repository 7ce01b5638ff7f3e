import { createHash } from "node:crypto";
import type { Configuration } from "./configuration";

/** All ports of the host that lead into the data centre. */
export const hostPortNumbers = ({
  api,
  ssh,
  registry,
  nodePorts,
  services,
}: Configuration["hostPorts"]): readonly number[] => [
  ...[api, ssh],
  ...(registry === undefined ? [] : [registry]),
  ...nodePorts.map(({ port }) => port),
  ...services.map(({ port }) => port),
];

const firstDerivedPort = 20_000;
const derivedPairs = 5_000;

/**
 * Two neighbouring ports in 20000-29999 that follow from the stack's name: two stacks rarely meet, and the same stack
 * keeps its kubeconfig valid. The range lies below Linux's ephemeral ports.
 */
export function derivedHostPorts(stack: string): Pick<Configuration["hostPorts"], "api" | "ssh"> {
  const pair = createHash("sha256").update(stack).digest().readUInt32BE(0) % derivedPairs;
  const api = firstDerivedPort + 2 * pair;
  return { api, ssh: api + 1 };
}
