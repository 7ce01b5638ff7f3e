import type { Host } from "../../model/host";
import { type HostFinding, type HostProblem, ok, problem } from "../../model/host-finding";
import { UserError } from "../../model/user-error";
import type { DriverChoice } from "../choice/choose-driver";
import { portTaken } from "../host-ports";
import type { Hypervisor } from "../hypervisor";

/** The driver, why it was chosen and others were not, and what it finds on this host. */
export async function checkDriver(
  driver: Hypervisor,
  { reason, passedOver }: Pick<DriverChoice, "reason" | "passedOver">,
): Promise<readonly HostFinding[]> {
  const others = passedOver.map((other) => `\nnot ${other.driver}: ${other.reason}`).join("");
  return [ok("driver", `driver ${driver.name}; ${reason}${others}`), ...(await examine(driver))];
}

async function examine(driver: Hypervisor): Promise<readonly HostFinding[]> {
  if (driver.examineHost) return driver.examineHost();
  return (await driver.problems()).map(({ id, problem: text, hint }) => problem(id, text, hint));
}

/**
 * For before minutes of building.
 * @throws UserError `host-unusable` with all problems at once
 */
export async function refuseUnusableHost(driver: Hypervisor): Promise<void> {
  const problems = await driver.problems();
  if (problems.length > 0) throw hostUnusable(problems);
}

/** All problems at once, the decisive one first. */
export const hostUnusable = (problems: readonly HostProblem[]): UserError =>
  new UserError(
    "host-unusable",
    `this host cannot run the stack's machines:\n${problems.map((each) => `  - ${each.problem}`).join("\n")}`,
    [...new Set(problems.map(({ hint }) => hint))].join("; "),
  );

/** The ports of 127.0.0.1 that lead to a stack's gateway. */
export async function checkGatewayPorts(
  driver: Hypervisor,
  stack: string,
  hostPorts: readonly number[],
  host: Host,
): Promise<readonly HostFinding[]> {
  const listed = [hostPorts.slice(0, -1).join(", "), ...hostPorts.slice(-1)].join(" and ");
  const gateway = await driver.inspectMachine({ stack, name: "gateway" }).catch(() => undefined);
  if (gateway?.power === "running") return [ok("host-ports", `ports ${listed} lead to the running gateway`)];
  const taken = (
    await Promise.all(hostPorts.map(async (port) => ((await host.ports.isFree(port)) ? [] : [port])))
  ).flat();
  if (taken.length === 0) return [ok("host-ports", `ports ${listed} of 127.0.0.1 are free`)];
  const errors = await Promise.all(taken.map((port) => portTaken(host, "gateway", port)));
  return errors.map((error) => problem("host-ports", error.problem, error.hint));
}
