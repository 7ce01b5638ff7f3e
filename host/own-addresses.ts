import * as os from "node:os";

/** IPv4 addresses of this host's interfaces at this moment, without its loopback. */
export const ownAddresses = (): readonly string[] =>
  Object.values(os.networkInterfaces()).flatMap((found = []) =>
    found.filter(({ family, internal }) => family === "IPv4" && !internal).map(({ address }) => address),
  );
