import { emitYaml } from "../../emit-yaml";

/**
 * Anonymous access: health checks (HAProxy, the kubelet's probes), and joining nodes, which have only a token and must read
 * `cluster-info` before they can trust the API. Everything else is rejected before authorization.
 */
export function authenticationConfiguration(): string {
  const paths = ["/healthz", "/livez", "/readyz", "/api/v1/namespaces/kube-public/configmaps/cluster-info"];
  return emitYaml({
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "AuthenticationConfiguration",
    anonymous: { enabled: true, conditions: paths.map((path) => ({ path })) },
  });
}
