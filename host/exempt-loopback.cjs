// Plain CommonJS, because it also runs before the Pulumi program, when TypeScript cannot be loaded yet.

const loopback = ["localhost", "127.0.0.1", "::1", "[::1]"];

/**
 * Exempts loopback from proxies in an environment, by default that of this process, which child processes inherit.
 * Pulumi's engine, language host, plugins and program use gRPC over loopback. gRPC's Node library sends this traffic
 * through a proxy unless a variable prevents it.
 */
function exemptLoopback(environment = process.env) {
  const { no_proxy: lower, NO_PROXY: upper, no_grpc_proxy: grpc } = environment;
  environment.no_proxy = withLoopback(lower || upper);
  environment.NO_PROXY = withLoopback(upper || lower);
  // gRPC's Node library prefers this variable, and does not support the wildcard of the other two.
  environment.no_grpc_proxy = withLoopback(grpc || (lower === "*" ? "" : lower));
  return environment;
}

/** A single wildcard is kept unchanged, because most programs support it only as the whole value. */
function withLoopback(list) {
  if (list === "*") return list;
  const entries = (list ?? "").split(",").map((entry) => entry.trim());
  return [...new Set([...entries, ...loopback])].filter(Boolean).join(",");
}

module.exports = { exemptLoopback };
