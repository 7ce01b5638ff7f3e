// Imports point one way. Each room lists the rooms that it may import in addition to itself and packages; everything else of
// this repository is forbidden. A rule names rooms, never single files: what two rooms need lies below both.

const path = require("node:path");

/** From the bottom to the top. A room that lies in another one comes first: a file belongs to the first that fits. */
const rooms = [
  { name: "model", room: "model/", may: [] },
  { name: "host", room: "host/", may: ["model/"] },
  { name: "config", room: "stacks/config/", may: ["model/"] },
  { name: "plan", room: "stacks/plan/", may: ["model/", "stacks/config/"] },
  { name: "cloud-init", room: "cloud-init/", may: ["model/", "stacks/config/", "stacks/plan/"] },
  { name: "recipes", room: "image/recipes/", may: ["model/"] },
  {
    name: "components",
    room: "components/",
    may: ["model/", "stacks/config/", "stacks/plan/", "cloud-init/", "image/recipes/"],
  },
  { name: "choice", room: "hypervisors/choice/", may: ["model/"] },
  {
    name: "program",
    room: "stacks/[^/]+\\.ts",
    may: ["model/", "host/", "stacks/", "components/", "hypervisors/choice/"],
  },
  // A separate process, which composes its own host.
  { name: "switch", room: "hypervisors/qemu/switch/", may: ["model/", "host/"] },
  { name: "hypervisors", room: "hypervisors/", may: ["model/", "image/recipes/"] },
  { name: "guests", room: "guests/", may: ["model/", "host/", "hypervisors/"] },
  { name: "rpc", room: "provider/rpc/", may: ["model/", "host/"] },
  { name: "provider", room: "provider/", may: ["model/", "host/", "image/recipes/", "hypervisors/", "guests/"] },
  // Entry points of separate processes; all other files of image/ take the host as a parameter.
  { name: "image-entry", room: "image/entry/", may: ["model/", "host/", "image/"] },
  { name: "image", room: "image/", may: ["model/"] },
  { name: "toolchain", room: "toolchain/", may: ["model/", "host/", "provider/rpc/"] },
  {
    name: "verify",
    room: "verify/",
    may: ["model/", "host/", "stacks/config/", "stacks/plan/", "cloud-init/", "hypervisors/", "guests/"],
  },
  {
    name: "explain",
    room: "explain/",
    may: ["model/", "stacks/config/", "stacks/plan/", "cloud-init/", "verify/"],
  },
  { name: "backup", room: "backup/", may: ["model/", "host/", "cloud-init/", "guests/"] },
  {
    name: "review",
    room: "review/",
    may: ["model/", "host/", "stacks/config/", "stacks/plan/", "cloud-init/", "image/recipes/"],
  },
  // Runs in the browser: nothing of Node.js, and of this repository only what is pure.
  { name: "view-picture", room: "view/picture/", may: ["model/"] },
  { name: "view-page", room: "view/page/", may: ["model/", "view/picture/"] },
  {
    name: "view",
    room: "view/",
    may: [
      ...["model/", "host/", "stacks/config/", "stacks/plan/", "cloud-init/", "hypervisors/", "guests/"],
      ...["verify/", "review/", "view/picture/"],
    ],
  },
  {
    name: "cli",
    room: "cli/",
    may: [
      ...["model/", "host/", "stacks/config/", "stacks/plan/", "cloud-init/", "components/", "hypervisors/", "guests/"],
      ...["image/", "verify/", "explain/", "review/", "view/", "backup/", "toolchain/"],
    ],
  },
];

const anyRoom =
  "^(?:model|host|stacks|cloud-init|components|hypervisors|guests|provider|image|toolchain|verify|explain|review|view|backup|cli|test)/";

const imports = rooms.map(({ name, room, may }, index) => ({
  name: `imports-of-${name}`,
  comment: `${room} may import ${["itself", ...may].join(", ")}`,
  severity: "error",
  from: { path: `^${room}`, pathNot: rooms.slice(0, index).map((inner) => `^${inner.room}`) },
  to: { path: anyRoom, pathNot: [room, ...may].map((allowed) => `^${allowed}`) },
}));

/** The core is a function of the configuration: no clock, no network, no disk but its own scripts. */
const pureCore = {
  name: "pure-core",
  comment: "model, config, plan, cloud-init and recipes compute; only the folder of guest scripts is read",
  severity: "error",
  from: {
    path: "^(?:model|stacks/config|stacks/plan|cloud-init|image/recipes)/",
    pathNot: "^cloud-init/scripts/",
  },
  to: { dependencyTypes: ["core"], pathNot: "^(?:node:)?(?:crypto|path)$" },
};

const processes = {
  name: "processes-only-in-host",
  comment: "start processes through host: it keeps argv, output and exit codes, and tests can replace it",
  severity: "error",
  from: {
    // The two stand-ins for Pulumi's own plugins exist to run the user's program and commands.
    pathNot: ["^host/", "^test/", "^toolchain/(?:language-host|command-plugin)/", "\\.cjs$"],
  },
  to: { path: "^(?:node:)?child_process$" },
};

const filesAndSockets = {
  name: "files-and-sockets-only-in-host",
  comment: "read and write files and open sockets through host",
  severity: "error",
  from: {
    // The two stand-ins are programs of their own, and cloud-init reads its scripts.
    pathNot: [
      ...["^host/", "^test/", "^cloud-init/scripts/", "\\.cjs$"],
      "^toolchain/(?:language-host|command-plugin)/",
    ],
  },
  to: { path: "^(?:node:)?(?:fs|fs/promises|net|dgram)$" },
};

const inTheBrowser = {
  name: "page-without-node",
  comment: "the page and its picture run in the browser, which has no modules of Node.js",
  severity: "error",
  from: { path: "^view/(?:page|picture)/" },
  to: { dependencyTypes: ["core"] },
};

/** `Host` of model/host.ts is all that drivers and the image build have of the host, so that another one can take its place. */
const driversOnInjectedHost = {
  name: "drivers-on-injected-host",
  comment: "a driver reads files, runs commands and asks for the time through the Host that it is given",
  severity: "error",
  from: { path: "^hypervisors/", pathNot: "^hypervisors/qemu/switch/" },
  to: { dependencyTypes: ["core"], pathNot: "^(?:node:)?(?:crypto|path|util)$" },
};

const imageOnInjectedHost = {
  name: "image-on-injected-host",
  comment: "the image build reads files, runs commands and asks for the time through the Host that it is given",
  severity: "error",
  from: { path: "^image/", pathNot: "^image/(?:entry|recipes)/" },
  to: { dependencyTypes: ["core"], pathNot: "^(?:node:)?(?:crypto|path|util|stream|stream/promises|zlib)$" },
};

const driversBehindThePort = {
  name: "drivers-behind-the-port",
  comment: "the program and its components meet drivers only through resource types",
  severity: "error",
  from: { path: "^(?:stacks|components|cloud-init)/" },
  to: { path: "^hypervisors/(?!choice/)", reachable: true },
};

const noCycles = {
  name: "no-cycles",
  comment: "two files that need each other are one file, or hide a third",
  severity: "error",
  from: {},
  to: { circular: true },
};

module.exports = {
  forbidden: [
    ...[...imports, pureCore, processes, filesAndSockets, inTheBrowser],
    ...[driversOnInjectedHost, imageOnInjectedHost, driversBehindThePort, noCycles],
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(?:^|/)(?:node_modules|dist)/" },
    tsConfig: { fileName: path.join(__dirname, "tsconfig.json") },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: [".ts", ".tsx", ".js", ".cjs", ".json"] },
  },
};
