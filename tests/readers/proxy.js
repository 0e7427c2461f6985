// A network that breaks: passes bytes on, and cuts connections when it is told to.

import { once } from "node:events";
import net from "node:net";

/** Listens on a free port and passes connections on to an address such as `http://127.0.0.1:3000`. */
export async function startProxy(address) {
  const { hostname, port } = new URL(address);
  const open = new Set();
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(port), hostname);
    const cut = () => {
      client.destroy();
      upstream.destroy();
      open.delete(cut);
    };
    open.add(cut);
    for (const [from, to] of [[client, upstream], [upstream, client]]) {
      from.on("error", cut);
      from.on("close", cut);
      from.pipe(to);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `http://127.0.0.1:${server.address().port}`,
    /** Cuts what is open, in the middle of whatever passes. */
    cut: () => [...open].forEach((cut) => cut()),
    stop: () => {
      server.close();
      [...open].forEach((cut) => cut());
    },
  };
}
