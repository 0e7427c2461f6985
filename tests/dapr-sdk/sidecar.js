// Starts the built sidecar on free ports, with resources and data in a folder of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import readline from "node:readline";

const BINARY = process.env.SIDELET ?? path.resolve(import.meta.dirname, "../../target/release/sidelet");

/** The longest that a test waits for anything, in milliseconds. */
export const DEADLINE = 30_000;

const component = (name, type, metadata) => `
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: ${type}
  version: v1
  metadata: ${JSON.stringify(Object.entries(metadata).map(([name, value]) => ({ name, value })))}
`;

/** State and messages: in one SQLite file, or in the servers that the variables name. */
function stores() {
  const { POSTGRES_URL, KAFKA_BROKERS } = process.env;
  const file = { connectionString: "data.db" };
  const state = POSTGRES_URL
    ? component("statestore", "state.postgresql", { connectionString: POSTGRES_URL })
    : component("statestore", "state.sqlite", file);
  const pubsub = KAFKA_BROKERS
    ? component("pubsub", "pubsub.kafka", { brokers: KAFKA_BROKERS, authType: "none" })
    : component("pubsub", "pubsub.sqlite", file);
  return state + pubsub;
}

/** A logger that keeps the errors that a test provokes to itself. */
export const quiet = { service: Object.fromEntries(["error", "warn", "info", "verbose", "debug"].map((name) => [name, () => {}])) };

/** A port that was free a moment ago. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Runs a sidecar of the app `sdk`, and gives its port and how to end it. */
export async function startSidecar({ appPort, port = 0 } = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), "dapr-sdk-"));
  const secrets = path.join(folder, "secrets.json");
  await writeFile(secrets, JSON.stringify({ plain: "a secret", nested: { deep: "another" } }));
  const app = appPort ? component("app", "bindings.http", { url: `http://127.0.0.1:${appPort}` }) : "";
  const resources =
    app +
    stores() +
    component("secrets", "secretstores.local.file", { secretsFile: secrets }) +
    component("tick", "bindings.cron", { schedule: "@every 200ms" }) +
    component("tock", "bindings.cron", { schedule: "@every 200ms" });
  await writeFile(path.join(folder, "resources.yaml"), resources);
  const options = ["--app-id", "sdk", "--dapr-http-port", String(port), "--enable-metrics=false", "--log-as-json"];
  options.push("--resources-path", path.join(folder, "resources.yaml"), "--data-directory", folder);
  if (appPort) options.push("--app-port", String(appPort));
  const child = spawn(BINARY, options, { stdio: ["ignore", "ignore", "pipe"], env: {} });
  const ended = once(child, "exit");
  const bound = await boundPort(child);
  const stop = async () => {
    child.kill("SIGTERM");
    const [code] = await ended;
    await rm(folder, { recursive: true });
    return code;
  };
  return { port: String(bound), ended, stop };
}

async function boundPort(child) {
  const log = [];
  for await (const line of readline.createInterface({ input: child.stderr })) {
    log.push(line);
    if (line.includes('"sidelet serves"')) {
      child.stderr.resume();
      return JSON.parse(line).fields.addresses.match(/:(\d+)/)[1];
    }
  }
  throw new Error(`the sidecar ended before it served:\n${log.join("\n")}`);
}

/** Waits until `found` gives something. */
export async function eventually(what, found) {
  const end = Date.now() + DEADLINE;
  for (;;) {
    const value = await found();
    if (value) return value;
    if (Date.now() > end) throw new Error(`${what} did not happen`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
