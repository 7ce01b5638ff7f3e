import { closeDataFolder } from "../host/data-folder";
import { prepareEnvironment } from "../host/prepare-environment.cjs";
import { groundplaneProvider } from "./definition";
import { servePlugin } from "./rpc/serve";

prepareEnvironment();
closeDataFolder().finally(() => servePlugin(groundplaneProvider));
