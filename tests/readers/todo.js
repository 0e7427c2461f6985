// Starts the built service with empty data, and signs a user up.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import readline from "node:readline";

const ROOT = path.resolve(import.meta.dirname, "../..");
const BINARY = process.env.TODO ?? path.join(ROOT, "target/release/todo");

/** Runs the service with some of its variables, and gives what calls it, as a user and as the sidecar, and how to end it. */
export async function startTodo(variables = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), "readers-"));
  const cache = path.join(ROOT, "target/devhost-cache");
  const options = ["up", "--port", "0", "--dapr-port", "0", "--data", folder, "--cache", cache];
  const named = Object.entries(variables).map(([name, value]) => [`SPIN_VARIABLE_${name.toUpperCase()}`, value]);
  const env = { ...process.env, DEVHOST_ALLOW_PRIVATE_NETWORKS: "true", ...Object.fromEntries(named) };
  const child = spawn(BINARY, options, { cwd: ROOT, env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const address = await announced(child);
  const account = { email: "ada@example.com", name: "Ada", password: "correct horse", timeZone: "Europe/Berlin" };
  const json = { "content-type": "application/json" };
  const signedUp = await fetch(`${address}/api/auth/sign-up`, { method: "POST", headers: json, body: JSON.stringify(account) });
  const { token, user } = await signedUp.json();
  const keys = JSON.parse(await readFile(path.join(folder, "keys.json")));
  const call = async (method, target, body, headers = json) => {
    const authorization = `Bearer ${token}`;
    const answer = await fetch(address + target, { method, headers: { ...headers, authorization }, body });
    if (!answer.ok) throw new Error(`${method} ${target}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  const deliver = async (target, event) => {
    const headers = { ...json, "dapr-api-token": keys.appApiToken };
    const answer = await fetch(address + target, { method: "POST", headers, body: JSON.stringify(event) });
    if (!answer.ok) throw new Error(`${target}: ${answer.status} ${await answer.text()}`);
  };
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true });
  };
  return { address, user, call, deliver, stop };
}

async function announced(child) {
  for await (const line of readline.createInterface({ input: child.stdout })) {
    const found = line.match(/^\s*API\s+(\S+)/);
    if (found) {
      child.stdout.resume();
      return found[1];
    }
  }
  throw new Error("`todo up` ended before it served: build it with `cargo xtask build`");
}
