// A stand-in for the resource plugin `command` 1.2.1, for hosts that cannot reach the download site of the official one.
// It implements what this project uses: local.Command, remote.Command, local.run; no assets, no CopyToRemote.
import { servePlugin } from "../../provider/rpc/serve";
import { optionalText, readCommandInputs } from "./command-inputs";
import { commandResource } from "./command-resource";
import { checkConnection } from "./connection";
import { runLocal } from "./local-command";
import { runRemote } from "./remote-command";

servePlugin({
  name: "command",
  version: "1.2.1",
  resources: {
    "command:local:Command": commandResource(runLocal),
    "command:remote:Command": commandResource(runRemote, (inputs) => [
      ...checkConnection(inputs.connection),
      // An sshd without a matching AcceptEnv drops variables silently, so they are refused.
      ...(inputs.environment === undefined
        ? []
        : [{ property: "environment", reason: "is not supported for remote commands: use stdin" }]),
    ]),
  },
  invokes: {
    "command:local:run": async (args, context) => ({
      ...args,
      ...(await runLocal({ command: optionalText(args.command) ?? "", inputs: readCommandInputs(args), context })),
    }),
  },
});
