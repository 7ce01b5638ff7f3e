// Plain CommonJS: it also runs before the Pulumi program, where nothing translates TypeScript.

const loopback = ["localhost", "127.0.0.1", "::1", "[::1]"];

/**
 * Exempts loopback from proxies in an environment, by default this process' own, which what it starts inherits. Pulumi's
 * engine, language host, plugins and program talk gRPC over loopback, and gRPC's Node library sends that through a proxy
 * unless a variable says otherwise.
 */
function exemptLoopback(environment = process.env) {
  const { no_proxy: lower, NO_PROXY: upper, no_grpc_proxy: grpc } = environment;
  environment.no_proxy = withLoopback(lower || upper);
  environment.NO_PROXY = withLoopback(upper || lower);
  // gRPC's Node library prefers this variable, and does not know the wildcard of the other two.
  environment.no_grpc_proxy = withLoopback(grpc || (lower === "*" ? "" : lower));
  return environment;
}

/** A lone wildcard stays as it is: most programs know it only when it stands alone. */
function withLoopback(list) {
  if (list === "*") return list;
  const entries = (list ?? "").split(",").map((entry) => entry.trim());
  return [...new Set([...entries, ...loopback])].filter(Boolean).join(",");
}

module.exports = { exemptLoopback };
