import * as fs from "node:fs/promises";
import * as path from "node:path";
import { after } from "node:test";
import { localHost } from "../../host/local-host";
import { diskDataFolder } from "../../hypervisors/nspawn/disks";
import { createNspawnDriver } from "../../hypervisors/nspawn/driver";
import { makeNspawnHost, nspawnSkipReason, tracesOf } from "../support/nspawn-host";
import { hypervisorContract } from "./hypervisor-contract";

const skip = nspawnSkipReason();
const host = skip ? undefined : makeNspawnHost();
after(() => host?.remove());

hypervisorContract("nspawn", {
  create: () => createNspawnDriver(localHost),
  inOtherProcess: {
    file: require.resolve("../../hypervisors/nspawn/driver"),
    expression: "createNspawnDriver(localHost)",
  },
  image: async () => host?.image("infrastructure") ?? "",
  absentImage: "infrastructure-000000000000",
  traces: (stacks) => tracesOf(host?.data ?? "", stacks),
  diskFile: (stack, name) => {
    const file = path.join(diskDataFolder(localHost, { stack, name }), "kept");
    return {
      write: (text) => fs.writeFile(file, text),
      read: () => fs.readFile(file, "utf8").catch(() => undefined),
    };
  },
  skip,
});
