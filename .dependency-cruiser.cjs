// Imports point one way: config <- plan <- cloud-init <- components <- program; host <- drivers <- provider. Each room
// lists what it may import beside its own files and packages; everything else of this repository is forbidden.

const path = require("node:path");

/** What a layer above the provider, or the provider of the layers above, has to know: types, names, pure functions. */
const contracts = {
  seedTypes: "cloud-init/seed\\.ts",
  imageNames: "image/image-names\\.ts",
  volumes: "image/volumes\\.ts",
  distributions: "image/distributions\\.ts",
  resourceTypes: "provider/resource-types\\.ts",
  hypervisorTypes: "provider/hypervisor(?:-objects)?\\.ts",
  userError: "provider/host/user-error\\.ts",
  /** What hypervisors this host has, and which one has a stack already. */
  driverFacts: "provider/host/(?:hypervisors-here|stack-driver)\\.ts",
  hostKeys: "provider/host/derive-host-key\\.ts",
};

const rooms = [
  { name: "config", room: "stacks/config/", may: [contracts.volumes, contracts.distributions] },
  { name: "plan", room: "stacks/plan/", may: ["stacks/config/", contracts.volumes, contracts.distributions] },
  { name: "cloud-init", room: "cloud-init/", may: ["stacks/config/", "stacks/plan/"] },
  {
    name: "components",
    room: "components/",
    may: [
      "stacks/config/",
      "stacks/plan/",
      "cloud-init/",
      contracts.resourceTypes,
      contracts.hypervisorTypes,
      contracts.imageNames,
      contracts.distributions,
      contracts.hostKeys,
    ],
  },
  {
    name: "program",
    room: "stacks/[^/]+\\.ts",
    may: ["stacks/", "cloud-init/", "components/", contracts.userError, contracts.driverFacts],
  },
  { name: "host", room: "provider/host/", may: [] },
  { name: "rpc", room: "provider/rpc/", may: ["provider/host/"] },
  {
    name: "drivers",
    room: "provider/drivers/",
    may: ["provider/host/", contracts.hypervisorTypes, contracts.imageNames],
  },
  {
    name: "provider",
    room: "provider/(?!host/|rpc/|drivers/)",
    may: ["provider/", contracts.seedTypes, contracts.imageNames, contracts.volumes],
  },
  { name: "image", room: "image/", may: ["provider/host/"] },
  { name: "toolchain", room: "toolchain/", may: ["provider/rpc/", "provider/host/"] },
  { name: "cli", room: "cli/", may: ["stacks/", "cloud-init/", "components/", "provider/", "image/", "toolchain/"] },
];

const anyRoom = "^(?:stacks|cloud-init|components|provider|image|cli|toolchain|test)/";

const imports = rooms.map(({ name, room, may }) => ({
  name: `imports-of-${name}`,
  comment: `${room} may import ${["itself", ...may].join(", ")}`,
  severity: "error",
  from: { path: `^${room}` },
  to: { path: anyRoom, pathNot: [room, ...may].map((allowed) => `^${allowed}`) },
}));

/** The core is a function of the configuration: no clock, no network, no disk but its own scripts. */
const pureCore = {
  name: "pure-core",
  comment: "config, plan and cloud-init compute; reading is done by the two loaders that are named here",
  severity: "error",
  from: {
    path: "^(?:stacks/config|stacks/plan|cloud-init)/",
    pathNot: ["^stacks/config/read-stack-config\\.ts$", "^cloud-init/scripts\\.ts$"],
  },
  to: { dependencyTypes: ["core"], pathNot: "^(?:node:)?(?:crypto|path)$" },
};

const processes = {
  name: "processes-only-in-host",
  comment: "start processes through provider/host: it keeps argv, output and exit codes, and tests can replace it",
  severity: "error",
  from: {
    // The two stand-ins for Pulumi's own plugins exist to run the user's program and commands.
    pathNot: ["^provider/host/", "^test/", "^toolchain/(?:language-host|command-plugin)/", "\\.cjs$"],
  },
  to: { path: "^(?:node:)?child_process$" },
};

const filesAndSockets = {
  name: "files-and-sockets-only-in-host",
  comment: "read and write files and open sockets through provider/host",
  severity: "error",
  from: {
    pathNot: [
      "^provider/host/",
      "^(?:cli|image|toolchain|test)/",
      "^stacks/config/read-stack-config\\.ts$",
      "^cloud-init/scripts\\.ts$",
      "\\.cjs$",
    ],
  },
  to: { path: "^(?:node:)?(?:fs|fs/promises|net|dgram)$" },
};

const driversBehindThePort = {
  name: "drivers-behind-the-port",
  comment: "the program and its components meet drivers only through resource types",
  severity: "error",
  from: { path: "^(?:stacks|components|cloud-init)/" },
  to: { path: "^provider/drivers/", reachable: true },
};

const noCycles = {
  name: "no-cycles",
  comment: "two files that need each other are one file, or hide a third",
  severity: "error",
  from: {},
  to: { circular: true },
};

module.exports = {
  forbidden: [...imports, pureCore, processes, filesAndSockets, driversBehindThePort, noCycles],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(?:^|/)(?:node_modules|dist)/" },
    tsConfig: { fileName: path.join(__dirname, "tsconfig.json") },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: [".ts", ".js", ".cjs", ".json"] },
  },
};
