import { metallbNamespace, systemNamespace } from "../../model/cluster-namespaces";
import { registryService } from "../../stacks/plan/plan-registry";
import type { ApiClient } from "../api-client";
import { ask, type ClusterState, isReady, type Told } from "./cluster-state";
import { type Finding, healthy, unhealthy, unknown } from "./findings";

/** What the API tells about add-ons. `absent`: the cluster does not have the add-on. */
export interface AddOnState {
  readonly metrics: Told<readonly MetricsObject[]> | "absent";
  readonly services: Told<readonly ServiceObject[]>;
  /** Which node answers for a Service. */
  readonly announced: Told<readonly AnnouncementObject[]> | "absent";
  /** The pods of Services. */
  readonly slices: Told<readonly EndpointSliceObject[]>;
  /** The names of some images. The registry reads them on its volume. */
  readonly registry: Told<unknown> | "absent";
}

export interface MetricsObject {
  readonly metadata: { readonly name: string };
}

export interface ServiceObject {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly type?: string; readonly loadBalancerClass?: string };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

export interface AnnouncementObject {
  readonly status?: { readonly node?: string; readonly serviceName?: string; readonly serviceNamespace?: string };
}

export interface EndpointSliceObject {
  readonly metadata: { readonly namespace: string; readonly labels?: Readonly<Record<string, string>> };
  readonly endpoints?: readonly { readonly conditions?: { readonly ready?: boolean } }[] | null;
}

/** Where the answers are in the API. */
const paths = {
  metricsService: "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io",
  metrics: "/apis/metrics.k8s.io/v1beta1/nodes",
  services: "/api/v1/services",
  announced: `/apis/metallb.io/v1beta1/namespaces/${metallbNamespace}/servicel2statuses`,
  slices: "/apis/discovery.k8s.io/v1/endpointslices",
  registryService: `/api/v1/namespaces/${systemNamespace}/services/${registryService}`,
  registry: `/api/v1/namespaces/${systemNamespace}/services/https:${registryService}:https/proxy/v2/_catalog?n=1`,
} as const;

/** Never throws. */
export async function askAddOns(api: ApiClient): Promise<AddOnState> {
  const items = async <T>(path: string): Promise<Told<readonly T[]>> => {
    const told = await ask<{ readonly items: readonly T[] }>(api, path);
    return "value" in told ? { value: told.value.items } : told;
  };
  const [registered, announced, registryObject] = await Promise.all([
    ask<unknown>(api, paths.metricsService),
    items<AnnouncementObject>(paths.announced),
    ask<unknown>(api, paths.registryService),
  ]);
  const none = { value: [] } as const;
  // Stacks without the add-on are not asked for the rest.
  const [metrics, services, slices, registry] = await Promise.all([
    isAbsent(registered) ? ("absent" as const) : items<MetricsObject>(paths.metrics),
    isAbsent(announced) ? none : items<ServiceObject>(paths.services),
    isAbsent(announced) ? none : items<EndpointSliceObject>(paths.slices),
    isAbsent(registryObject) ? ("absent" as const) : ask<unknown>(api, paths.registry),
  ]);
  return { metrics, services, slices, announced: isAbsent(announced) ? "absent" : announced, registry };
}

const isAbsent = (told: Told<unknown>): boolean => "reason" in told && /status 404$/.test(told.reason);

/** Nodes without metrics. A Node that is not Ready has none. */
export function readMetrics({ metrics }: AddOnState, { nodes }: Pick<ClusterState, "nodes">): readonly Finding[] {
  if (metrics === "absent") return [];
  if ("reason" in nodes) return [unknown("cluster", nodes.reason)];
  if ("reason" in metrics) return [unhealthy("cluster", metrics.reason)];
  const known = new Set(metrics.value.map(({ metadata }) => metadata.name));
  return nodes.value
    .filter(isReady)
    .map(({ metadata: { name } }) =>
      known.has(name) ? healthy(name, "has metrics") : unhealthy(name, "has no metrics"),
    );
}

/** Without its API, an answer of the registry is unknown. */
export function readRegistry(
  { registry }: Pick<AddOnState, "registry">,
  { nodes }: Pick<ClusterState, "nodes">,
): readonly Finding[] {
  if (registry === "absent") return [];
  if ("reason" in nodes) return [unknown("cluster", nodes.reason)];
  return ["reason" in registry ? unhealthy("cluster", registry.reason) : healthy("cluster", "answers")];
}

/**
 * Services of another class have addresses of another program. What a lost node has said last does not count. A Service without ready
 * pods is its user's matter: no node answers for it.
 */
export function readServiceAddresses(
  { services, announced, slices }: Pick<AddOnState, "services" | "announced" | "slices">,
  { nodes }: Pick<ClusterState, "nodes">,
): readonly Finding[] {
  if (announced === "absent") return [];
  if ("reason" in announced) return [unknown("cluster", announced.reason)];
  if ("reason" in services) return [unknown("cluster", services.reason)];
  if ("reason" in slices) return [unknown("cluster", slices.reason)];
  if ("reason" in nodes) return [unknown("cluster", nodes.reason)];
  const ready = new Set(nodes.value.filter(isReady).map(({ metadata }) => metadata.name));
  const nodeOf = new Map(
    announced.value
      .filter(({ status }) => ready.has(status?.node ?? ""))
      .map(({ status = {} }) => [`${status.serviceNamespace}/${status.serviceName}`, status.node]),
  );
  const withPods = new Set(slices.value.filter(hasReadyPod).map(serviceOf));
  const balanced = services.value.filter(
    ({ spec }) => spec.type === "LoadBalancer" && spec.loadBalancerClass === undefined,
  );
  if (balanced.length === 0) return [healthy("cluster", "no Service asks for an address")];
  return balanced.map(({ metadata, status }) => {
    const name = `${metadata.namespace}/${metadata.name}`;
    const address = status?.loadBalancer?.ingress?.[0]?.ip;
    if (address === undefined) return unhealthy(name, "has no address");
    const node = nodeOf.get(name);
    if (node !== undefined) return healthy(name, `${node} answers for ${address}`);
    return withPods.has(name)
      ? unhealthy(name, `no node answers for ${address}`)
      : healthy(name, `no node answers for ${address}, because it has no ready pod`);
  });
}

/** An absent condition counts as ready. */
const hasReadyPod = ({ endpoints }: EndpointSliceObject): boolean =>
  (endpoints ?? []).some(({ conditions }) => conditions?.ready !== false);

const serviceOf = ({ metadata: { namespace, labels = {} } }: EndpointSliceObject): string =>
  `${namespace}/${labels["kubernetes.io/service-name"]}`;
