// A stand-in for `pulumi-language-nodejs`, Pulumi's language host for Node programs, for hosts that cannot reach the
// download site of the official one. The engine starts it with its address; it prints its own port and serves.
import * as http2 from "node:http2";
import * as grpc from "@grpc/grpc-js";
import { version } from "@pulumi/pulumi/package.json";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import { exemptLoopback } from "../../host/exempt-loopback.cjs";
import { signalChildren } from "./child-processes";
import { LanguageRuntime } from "./language-runtime";

/** A program's graph can be large; the engine allows as much. */
const MAX_MESSAGE_BYTES = 400 * 1024 * 1024;

/** The engine's port closes when the engine ends, even by SIGKILL; this process and its children end then, too. */
function endWithEngine(address: string): void {
  http2
    .connect(`http://${address}`)
    .on("error", () => undefined)
    .on("close", () => {
      signalChildren("SIGTERM");
      process.exit(0);
    });
}

function serve(engineAddress: string): void {
  exemptLoopback();
  const server = new grpc.Server({
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  });
  server.addService(LanguageRuntimeService, new LanguageRuntime(version, engineAddress).service());
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) {
      process.stderr.write(`${error.message}\n`);
      process.exit(1);
    }
    process.stdout.write(`${port}\n`);
  });
}

const args = process.argv.slice(2);
if (args.some((arg) => /^--?version$/.test(arg))) {
  process.stdout.write(`${version}\n`);
} else {
  const engineAddress = args.filter((arg) => !arg.startsWith("-")).pop() ?? "";
  if (engineAddress) endWithEngine(engineAddress);
  serve(engineAddress);
}
