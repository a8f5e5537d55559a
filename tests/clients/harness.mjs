// Starts what the tests talk to: a fake upstream and, in front of it, a real daemon with a key for one seat.
//
//   NEMO_BIN_DIR  where nemod, nemo and fake_upstream are (default: build/dev/bin, then build/release/bin)
//   NEMO_DIRECT   1: no daemon, the clients talk to the fake upstream itself; checks of the ledger are left out

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { assertRowsMatchJournal } from './ledger.mjs';

const run = promisify(execFile);
const repository = resolve(import.meta.dirname, '../..');

export const direct = process.env.NEMO_DIRECT === '1';

function programPath(name) {
  const folders = process.env.NEMO_BIN_DIR
    ? [process.env.NEMO_BIN_DIR]
    : ['build/dev/bin', 'build/release/bin'].map((folder) => join(repository, folder));
  const found = folders.map((folder) => join(folder, name)).find(existsSync);
  assert.ok(found, `${name} is not in ${folders.join(' or ')}: build it first`);
  return found;
}

// A child that says when it is ready. Ended by its own process id and nothing else.
class Program {
  constructor(path, args, { stream, ready, env = {} }) {
    this.name = path.split('/').at(-1);
    this.output = '';
    this.child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    this.exited = new Promise((done) => this.child.once('exit', (code, signal) => done({ code, signal })));
    this.ready = new Promise((done, fail) => {
      const look = (from) => (data) => {
        this.output += data;
        const match = from === stream && ready.exec(this.output);
        if (match) done(match[1]);
      };
      this.child.stdout.setEncoding('utf8').on('data', look('stdout'));
      this.child.stderr.setEncoding('utf8').on('data', look('stderr'));
      this.child.once('error', fail);
      this.exited.then(({ code }) => fail(new Error(`${this.name} ended with ${code} before it was ready:\n${this.output}`)));
      setTimeout(() => fail(new Error(`${this.name} is not ready after 15 s:\n${this.output}`)), 15_000).unref();
    });
  }

  async stop() {
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    const end = await this.exited;
    clearTimeout(timer);
    return end;
  }
}

export class Fake {
  constructor(program, url) {
    this.program = program;
    this.url = url;
  }

  static async start(args = []) {
    const program = new Program(programPath('fake_upstream'), ['--port', '0', '--exit-with-parent', ...args], {
      stream: 'stdout',
      ready: /fake upstream ready on (http:\S+)/,
    });
    return new Fake(program, await program.ready);
  }

  async get(path) {
    const answer = await fetch(this.url + path);
    return answer.json();
  }

  async post(path, body) {
    const answer = await fetch(this.url + path, { method: 'POST', body: JSON.stringify(body) });
    assert.equal(answer.status, 200, await answer.clone().text());
    return answer.json();
  }

  // Waits until so many calls ended, were cancelled or started; fails the test when they do not.
  async wait(wanted) {
    const query = new URLSearchParams({ timeout_ms: '10000', ...wanted });
    const answer = await fetch(`${this.url}/journal/wait?${query}`);
    assert.equal(answer.status, 200, `waited for ${query}, got ${await answer.clone().text()}`);
    return answer.json();
  }
}

export class Stack {
  // `config` is added to the usual one; a function is given the fake's address and returns the whole of it.
  static async start({ config = '', fakeArgs = [] } = {}) {
    const stack = new Stack();
    stack.folder = mkdtempSync(join(tmpdir(), 'nemo-clients-'));
    stack.fake = await Fake.start(fakeArgs);
    try {
      if (direct) {
        stack.origin = stack.fake.url;
        stack.key = 'sk-nemo-direct';
      } else {
        await stack.startDaemon(config);
      }
    } catch (error) {
      await stack.stop();
      throw error;
    }
    stack.baseUrl = `${stack.origin}/v1`;
    return stack;
  }

  async startDaemon(config) {
    const file = join(this.folder, 'nemo.toml');
    const data = join(this.folder, 'data');
    writeFileSync(file, typeof config === 'function' ? config(this.fake.url) : this.daemonConfig(config));
    this.socket = join(data, 'nemod.sock');
    this.daemon = new Program(programPath('nemod'), ['--config', file, '--data-dir', data], {
      stream: 'stderr',
      ready: /nemod ready on (http:\S+)/,
      env: { FAKE_KEY: 'fake-upstream-key', NEMO_CONFIG: '', NEMO_DATA_DIR: '', NEMO_SOCKET: '' },
    });
    this.origin = await this.daemon.ready;
    const created = await this.nemo('keys', 'create', '--seat', 'test');
    assert.match(created.key, /^sk-nemo-/);
    this.key = created.key;
  }

  // The daemon's own retries are off: the tests count what a client's retries do. The breaker is out of the way too.
  daemonConfig(more) {
    return `listen = "127.0.0.1:0"

[[upstream]]
name = "fake"
kind = "openai"
base_url = "${this.fake.url}/v1"
key = "env:FAKE_KEY"

[routing]
num_retries = 0
allowed_fails = 100

${more}`;
  }

  async nemo(...args) {
    const { stdout } = await run(programPath('nemo'), ['--socket', this.socket, '--json', ...args], { maxBuffer: 64 << 20 });
    return JSON.parse(stdout);
  }

  // Ledger rows, oldest first, once there are at least `count`: they are written behind the answer.
  async logs(count = 0) {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const rows = await this.nemo('logs', '-n', '1000');
      if (rows.length >= count) return rows.sort((a, b) => (a.at < b.at ? -1 : 1));
      assert.ok(Date.now() < deadline, `the ledger has ${rows.length} rows, ${count} were expected`);
      await pause(20);
    }
  }

  async row(predicate, what) {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const row = (await this.nemo('logs', '-n', '1000')).find(predicate);
      if (row) return row;
      assert.ok(Date.now() < deadline, `the ledger has no row for ${what}`);
      await pause(20);
    }
  }

  journal() {
    return this.fake.get('/journal');
  }

  resetJournal() {
    return this.fake.post('/journal/reset', {});
  }

  // A rule for the next `times` calls (or all) of a model; see tests/support/fake_upstream/script.h for the fields.
  script(model, script, times) {
    return this.fake.post('/control/rule', { model, script, times });
  }

  // Every completed upstream call must be in the ledger with its tokens and its exact cost, and nothing beside them.
  async checkLedger() {
    if (direct) return;
    const journal = await this.journal();
    const deadline = Date.now() + 10_000;
    for (;;) {
      try {
        assertRowsMatchJournal(await this.nemo('logs', '-n', '1000'), journal);
        return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await pause(50);
      }
    }
  }

  async stop() {
    const end = this.daemon && (await this.daemon.stop());
    await this.fake.program.stop();
    if (!process.env.NEMO_KEEP) rmSync(this.folder, { recursive: true, force: true });
    if (end) assert.equal(end.code, 0, `nemod ended with ${JSON.stringify(end)}:\n${this.daemon.output}`);
  }
}

// Runs a command line client in a home of its own, so that no setting of the person who tests leaks in.
export function runClient(path, args, { home, cwd, env = {}, timeoutMs = 90_000 }) {
  return new Promise((done, fail) => {
    const child = spawn(path, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOME: home,
        XDG_CONFIG_HOME: join(home, '.config'),
        XDG_DATA_HOME: join(home, '.local/share'),
        XDG_CACHE_HOME: join(home, '.cache'),
        XDG_STATE_HOME: join(home, '.local/state'),
        TMPDIR: tmpdir(),
        CI: '1',
        NO_COLOR: '1',
        ...env,
      },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (data) => (stdout += data));
    child.stderr.setEncoding('utf8').on('data', (data) => (stderr += data));
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.once('error', fail);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      done({ code, signal, stdout, stderr });
    });
  });
}
