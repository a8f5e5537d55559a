// Claude Code, headless, set up by the two variables that its documentation names.

import assert from 'node:assert/strict';
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { runClient, Stack } from '../harness.mjs';

const program = join(import.meta.dirname, 'node_modules/@anthropic-ai/claude-code/cli-wrapper.cjs');
const model = 'gemini-2.5-flash';

describe('claude code', () => {
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
  });
  after(() => stack?.stop());
  beforeEach(() => stack.fake.post('/control/clear', {}));

  const ask = (prompt) =>
    runClient(process.execPath, [program, '-p', prompt, '--model', model, '--allowedTools', 'Read'], {
      home, cwd: work,
      env: {
        ANTHROPIC_BASE_URL: stack.origin,
        ANTHROPIC_AUTH_TOKEN: stack.key,
        ANTHROPIC_SMALL_FAST_MODEL: 'gemini-2.5-flash-lite',
        ANTHROPIC_DEFAULT_HAIKU_MODEL: 'gemini-2.5-flash-lite',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
        IS_SANDBOX: '1',
      },
    });

  test('a question is answered', async () => {
    const { code, stdout, stderr } = await ask('say something');
    assert.equal(code, 0, stderr + stdout);
    assert.equal(stdout.trim().split(/\s+/).length, 12, stdout);
    const rows = await stack.logs(1);
    assert.ok(rows.every((row) => row.surface === 'anthropic-messages'));
  });

  test('it calls a tool and tells its result', async () => {
    await stack.script(model, { tool_name: 'Read', tool_arguments: { file_path: join(work, 'note.txt') } });
    const { code, stdout, stderr } = await ask('use the tool');
    assert.equal(code, 0, stderr + stdout);
    assert.match(stdout, /The tool said: [^]*the word is xylophone/);
  });

  test('every token that upstream billed is in the ledger, at its exact price', () => stack.checkLedger());
});
