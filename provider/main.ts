import { closeDataFolder } from "../host/data-folder";
import { groundplaneProvider } from "./definition";
import { servePlugin } from "./rpc/serve";

closeDataFolder().finally(() => servePlugin(groundplaneProvider));
