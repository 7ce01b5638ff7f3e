import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { pinHostKey } from "../../../host/pin-host-key";
import { type Properties, UNKNOWN } from "../../../provider/rpc/property-values";
import type { Context } from "../../../provider/rpc/resource-handler";
import { checkCommandInputs, readCommandInputs } from "../../../toolchain/command-plugin/command-inputs";
import { checkConnection, readConnection } from "../../../toolchain/command-plugin/connection";
import { OutputCollector } from "../../../toolchain/command-plugin/output-collector";
import { previousOutputEnvironment, type Step, stepFailure } from "../../../toolchain/command-plugin/run-step";

function step(inputs: Parameters<typeof readCommandInputs>[0], shown: string[] = []): Step {
  const context: Context = {
    urn: "",
    name: "it",
    type: "",
    signal: new AbortController().signal,
    timeoutSeconds: 0,
    log: (_severity, message) => void shown.push(message),
  };
  return { command: "do it", inputs: readCommandInputs(inputs), context, previous: { stdout: "before", stderr: "" } };
}

const properties = (failures: readonly { readonly property: string }[]) => failures.map(({ property }) => property);

test("all wrong inputs are reported at once, and unknown values are accepted", () => {
  const wrong = { create: 1, stdin: true, logging: "loud", environment: { A: 1 }, assetPaths: ["x"] };
  assert.deepEqual(properties(checkCommandInputs(wrong)), ["create", "stdin", "assetPaths", "logging", "environment"]);
  const later: Properties = { create: UNKNOWN, stdin: UNKNOWN, logging: UNKNOWN, environment: { A: UNKNOWN } };
  assert.deepEqual(checkCommandInputs(later), []);
});

test("problems of a connection do not show its values", () => {
  const failures = checkConnection({ host: "", port: "22", prot: "hush", proxy: { user: 1 } });
  assert.deepEqual(properties(failures), [
    "connection.host",
    "connection.port",
    "connection.prot",
    "connection.proxy.host",
    "connection.proxy.user",
  ]);
  assert.ok(!JSON.stringify(failures).includes("hush"));
  assert.deepEqual(checkConnection(UNKNOWN), []);
  assert.deepEqual(checkConnection({ host: UNKNOWN, privateKey: UNKNOWN }), []);
});

test("a connection has the official defaults", () => {
  const { port, user, dialErrorLimit, perDialTimeout, proxy } = readConnection({ host: "h" });
  assert.deepEqual(
    { port, user, dialErrorLimit, perDialTimeout, proxy },
    {
      port: 22,
      user: "root",
      dialErrorLimit: 10,
      perDialTimeout: 15,
      proxy: undefined,
    },
  );
});

test("only the pinned host key is accepted, and only its type is offered", () => {
  const { algorithms, hostVerifier } = pinHostKey("ssh-ed25519 AAAAC3Nz comment");
  assert.deepEqual(algorithms, { serverHostKey: ["ssh-ed25519"] });
  const verify = hostVerifier as (key: Buffer) => boolean;
  assert.equal(verify(Buffer.from("AAAAC3Nz", "base64")), true);
  assert.equal(verify(Buffer.from("AAAAC3Nx", "base64")), false);
  assert.throws(() => pinHostKey("AAAAC3Nz"), /TYPE BASE64/);
});

test("complete lines are shown, also with a split character or without a final line end", async () => {
  const shown: string[] = [];
  const [out, err] = [new PassThrough(), new PassThrough()];
  const collector = new OutputCollector(step({ logging: "stdout" }, shown), out, err);
  const bytes = Buffer.from("höhe\nend");
  out.write(bytes.subarray(0, 2));
  out.end(bytes.subarray(2));
  err.end("aside\n");
  await new Promise((resolve) => out.on("end", resolve));
  assert.deepEqual(collector.finish(), { stdout: "höhe\nend", stderr: "aside" });
  assert.deepEqual(shown, ["höhe", "end"]);
});

test("the next run gets the previous output, unless this is disabled", () => {
  assert.deepEqual(previousOutputEnvironment(step({})), { PULUMI_COMMAND_STDOUT: "before" });
  assert.deepEqual(previousOutputEnvironment(step({ addPreviousOutputInEnv: false })), {});
});

test('a failure shows the command and the output, and neither with logging "none"', () => {
  assert.match(stepFailure(step({}), "exit status 1", "hush").message, /do it[\s\S]*hush/);
  assert.doesNotMatch(stepFailure(step({ logging: "none" }), "exit status 1", "hush").message, /do it|hush/);
});
