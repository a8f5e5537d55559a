// Continue's command line agent, headless, with the configuration that its editor extensions use too.

import assert from 'node:assert/strict';
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { direct, runClient, Stack } from './harness.mjs';

const program = join(import.meta.dirname, 'node_modules/.bin/cn');

describe('continue', () => {
  let stack;
  let home;
  let work;

  before(async () => {
    stack = await Stack.start();
    const folder = realpathSync(stack.folder);
    home = join(folder, 'home');
    work = join(folder, 'work');
    mkdirSync(home);
    mkdirSync(work);
    writeFileSync(join(work, 'note.txt'), 'the word is xylophone\n');
    writeFileSync(join(home, 'config.yaml'), `name: nemo
version: 1.0.0
schema: v1
models:
  - name: through nemo
    provider: openai
    model: gemini-2.5-flash
    apiBase: ${stack.baseUrl}
    apiKey: ${stack.key}
    roles: [chat]
`);
  });
  after(() => stack?.stop());

  const ask = (prompt) =>
    runClient(program, ['--config', join(home, 'config.yaml'), '-p', prompt], {
      home, cwd: work, env: { CONTINUE_TELEMETRY_ENABLED: '0', CONTINUE_ALLOW_ANONYMOUS_TELEMETRY: '0' },
    });

  test('a question is answered', async () => {
    const { code, stdout, stderr } = await ask('say something');
    assert.equal(code, 0, stderr);
    assert.equal(stdout.trim().split(/\s+/).length, 12);
    const journal = await stack.journal();
    assert.equal(journal.length, 1);
    assert.equal(journal[0].stream, true);
  });

  test('it calls a tool and tells its result', async () => {
    const path = join(work, 'note.txt');
    const { code, stdout, stderr } = await ask(`use the tool Read with {"filepath":"${path}"}`);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /The tool said: [^]*the word is xylophone/);
  });

  test('every token that upstream billed is in the ledger, at its exact price', async () => {
    await stack.checkLedger();
    if (!direct) assert.equal((await stack.logs(3)).length, 3);
  });
});
