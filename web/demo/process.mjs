// Runs our programs for the demo and the tests: each with a log file, stopped by its own process id.
import { spawn, execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** Runs a command to its end. Gives what it printed; fails with what it said. */
export function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { maxBuffer: 16 << 20, ...options }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${program.split('/').pop()} ${args[0] ?? ''}: ${stderr.trim() || stdout.trim() || error.message}`));
      else resolve(stdout);
    });
    if (options.input !== undefined) child.stdin.end(options.input);
  });
}

/**
 * Starts a program that stays. Resolves when a line of its output matches `ready`.
 * @param {{name: string, program: string, args: string[], logFile: string, ready: RegExp, environment?: object, seconds?: number}} options
 */
export async function start({ name, program, args, logFile, ready, environment = {}, seconds = 30 }) {
  const child = spawn(program, args, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = createWriteStream(logFile, { flags: 'a' });
  const last = [];
  let exited = null;
  const gone = new Promise((resolve) => child.on('close', (code, signal) => {
    exited = { code, signal };
    resolve(exited);
  }));
  await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${name} was not ready within ${seconds} s; its log: ${logFile}`)), seconds * 1000);
    const look = (line) => {
      log.write(line + '\n');
      last.push(line);
      if (last.length > 20) last.shift();
      if (ready.test(line)) {
        clearTimeout(late);
        resolve();
      }
    };
    createInterface({ input: child.stdout }).on('line', look);
    createInterface({ input: child.stderr }).on('line', look);
    child.on('error', (error) => {
      clearTimeout(late);
      reject(new Error(`${name} could not be started: ${error.message}`));
    });
    gone.then(() => {
      clearTimeout(late);
      reject(new Error(`${name} ended at its start:\n${last.join('\n')}`));
    });
  }).catch((error) => {
    child.kill('SIGKILL');
    throw error;
  });
  return {
    name,
    pid: child.pid,
    gone,
    get exited() {
      return exited;
    },
    kill: (signal) => child.kill(signal),
    async stop() {
      if (exited) return exited;
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
      const how = await gone;
      clearTimeout(late);
      log.end();
      return how;
    },
  };
}

/** A port of the loopback that nobody uses now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
