import * as path from "node:path";
import { runCommand } from "../host/run-command";
import { obtainGo } from "./obtain-go";
import type { ObtainOptions } from "./pulumi-tool";
import { PULUMI_VERSION } from "./pulumi-tool";

const MODULE_FOLDER = path.join(__dirname, "..", "toolchain", "pulumi-cli");
/** The oldest Go that go.mod there accepts. */
const GO_MINIMUM = "1.25.11";
const VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

/**
 * Builds `pulumi` into `binFolder` from the Go module proxy, every module pinned by the go.sum in pulumi-cli/. Minutes
 * the first time, seconds with a filled build cache, from which an interrupted build resumes.
 *
 * @throws UserError `go-missing`, `command-failed`
 */
export async function buildPulumi(binFolder: string, { progress, signal }: ObtainOptions): Promise<void> {
  const go = await obtainGo(GO_MINIMUM, { progress, signal });
  progress?.(`building Pulumi ${PULUMI_VERSION} from the Go module proxy (takes minutes the first time)`);
  await runCommand(
    [
      go,
      "build",
      "-trimpath",
      "-tags",
      "osusergo,grpcnotrace",
      "-ldflags",
      // The version is empty unless set here, and the engine parses it.
      `-s -w -X ${VERSION_VARIABLE}=v${PULUMI_VERSION}`,
      "-o",
      path.join(binFolder, "pulumi"),
      "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    ],
    {
      cwd: MODULE_FOLDER,
      env: {
        CGO_ENABLED: "0",
        GOFLAGS: "-mod=readonly -buildvcs=false",
        GOWORK: "off",
        GOTOOLCHAIN: "local",
        // See the comment in pulumi-cli/go.mod: the committed go.sum is what pins these modules.
        GONOSUMDB: "github.com/pulumi/*",
      },
      signal,
      onLine: (line) => {
        const module = /^go: downloading (\S+)/.exec(line)?.[1];
        if (module) progress?.(`downloading ${module}`);
      },
    },
  );
}
