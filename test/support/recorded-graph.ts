import assert from "node:assert/strict";
import type { DriverName } from "../../model/drivers";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";

/** One resource as the program registered it. */
export interface RecordedResource {
  readonly type: string;
  readonly name: string;
  /** `<type> <name>` of the parent. The stack itself is left out. */
  readonly parent: string;
  /** Names of its dependencies, sorted. */
  readonly dependencies: readonly string[];
  readonly inputs: Record<string, unknown>;
}

/** How inputs are shown: secret and unknown values have their own form. */
export const unknown = "(known later)";
export const secretOf = (value: unknown) => ({ secret: value });

const unknownSentinel = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** Sample values, one for each name, so that a test sees where each secret is used. */
export const sampleSecret = (name: string): string => (name === "ssh-host-seed" ? "5eed".repeat(16) : `the ${name}`);

const clusterSecrets = [
  ...["kubernetes-ca", "front-proxy-ca", "etcd-ca", "etcd-client", "admin", "registry"].flatMap((name) => [
    `${name}.crt`,
    `${name}.key`,
  ]),
  ...["service-account.key", "service-account.pub", "kubernetes-ca-hash", "encryption-key"],
  ...["corosync-key", "ssh-user-key", "ssh-user-key.pub", "ssh-host-seed"],
];

export interface RecordOptions {
  readonly preview?: boolean;
  readonly stack?: string;
}

/** Records everything that `build` registers, with mocks. Computed outputs are known except in a preview. */
export async function recordGraph(
  build: () => unknown,
  { preview = false, stack = "lab" }: RecordOptions = {},
): Promise<readonly RecordedResource[]> {
  const { runtime } = await import("@pulumi/pulumi");
  const recorded: RecordedResource[] = [];
  await runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => ({
        id: `${name}-id`,
        state: { ...inputs, ...(preview ? {} : computedOutputs(type, name)) },
      }),
      call: ({ token }) => assert.fail(`nothing may call ${token}`),
    },
    "groundplane",
    stack,
    preview,
  );
  watchRegistrations(runtime, recorded);
  await withoutStacks(async () => {
    await build();
    // Waits for all registrations, also for those inside outputs.
    await runtime.disconnect();
  });
  return recorded;
}

/** Pulumi records the stack of every promise. With source maps this would take most of a recording's time. */
async function withoutStacks(action: () => Promise<void>): Promise<void> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  await action().finally(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });
}

const dataCenters = new Map<string, Promise<readonly RecordedResource[]>>();

/** Recorded once for each plan and options, because most tests of a file use the same graph. */
export function recordDataCenter(plan: DataCenterPlan, options: RecordOptions & { driver?: DriverName } = {}) {
  const key = JSON.stringify([plan, options]);
  const known = dataCenters.get(key) ?? buildDataCenter(plan, options);
  dataCenters.set(key, known);
  return known;
}

function buildDataCenter(plan: DataCenterPlan, options: RecordOptions & { driver?: DriverName }) {
  const build = async () => {
    // After the mocks, because a resource that is created before them looks for an engine.
    const { DataCenter } = await import("../../components/data-center");
    new DataCenter(plan.stack, { plan, driver: options.driver ?? "nspawn" });
  };
  return recordGraph(build, { ...options, stack: plan.stack });
}

function computedOutputs(type: string, name: string): Record<string, unknown> {
  const computed: Record<string, Record<string, unknown>> = {
    "groundplane:index:ClusterSecrets": {
      values: Object.fromEntries(clusterSecrets.map((secret) => [secret, sampleSecret(secret)])),
    },
    "groundplane:index:Machine": { power: "running", generation: `generation of ${name}` },
    "groundplane:index:Image": { digest: `digest of ${name}` },
    "groundplane:index:Bootstrap": { bootstrappedWith: ["master-1"], clusterId: "cluster" },
  };
  return computed[type] ?? {};
}

interface Registration {
  getType(): string;
  getName(): string;
  getParent(): string;
  getDependenciesList(): string[];
  getObject(): { toJavaScript(): Record<string, unknown> } | undefined;
}

/** Reads the messages themselves, because the mocks' record lacks parents, dependencies and secrets. */
function watchRegistrations(runtime: typeof import("@pulumi/pulumi").runtime, recorded: RecordedResource[]): void {
  const monitor = runtime.getMonitor() as unknown as { registerResource(...values: unknown[]): unknown };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (...values) => {
    const request = values[0] as Registration;
    if (request.getType() !== "pulumi:pulumi:Stack") {
      recorded.push({
        type: request.getType(),
        name: request.getName(),
        parent: shortUrn(request.getParent()),
        dependencies: [...new Set(request.getDependenciesList().map(nameOf))].sort(),
        inputs: readable(request.getObject()?.toJavaScript() ?? {}) as Record<string, unknown>,
      });
    }
    return register(...values);
  };
}

const nameOf = (urn: string): string => urn.split("::").at(-1) ?? "";

function shortUrn(urn: string): string {
  const type = urn.split("::").at(-2)?.split("$").at(-1) ?? "";
  return type === "" || type === "pulumi:pulumi:Stack" ? "" : `${type} ${nameOf(urn)}`;
}

function readable(value: unknown): unknown {
  if (value === unknownSentinel) return unknown;
  if (Array.isArray(value)) return value.map(readable);
  if (value === null || typeof value !== "object") return value;
  const object = value as Record<string, unknown>;
  if (object[signatureKey] === secretSignature) return secretOf(readable(object.value));
  return Object.fromEntries(Object.entries(object).map(([key, entry]) => [key, readable(entry)]));
}

/** The resource, which must be there. */
export function resourceOf(graph: readonly RecordedResource[], type: string, name: string): RecordedResource {
  const found = graph.find((resource) => resource.type === type && resource.name === name);
  assert.ok(found, `${type} ${name} is registered`);
  return found;
}
