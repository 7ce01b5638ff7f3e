import { groundplaneProvider } from "./definition";
import { servePlugin } from "./rpc/serve";

servePlugin(groundplaneProvider);
