// opencode, headless. It asks the small model for a title while the main model answers.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runClient, Stack } from '../harness.mjs';

// The package's own launcher is put together by an install script, which npm does not run; the program is beside it.
const program = ['opencode-linux-x64', 'opencode-linux-arm64', 'opencode-linux-x64-baseline']
  .map((name) => join(import.meta.dirname, 'node_modules', name, 'bin/opencode'))
  .find(existsSync);

describe('opencode', { skip: !program && 'no opencode program for this machine' }, () => {
  let stack;
  let home;
  let work;

  before(async () => {
    stack = await Stack.start();
    const folder = realpathSync(stack.folder);
    home = join(folder, 'home');
    work = join(folder, 'work');
    mkdirSync(join(home, '.config/opencode'), { recursive: true });
    mkdirSync(work);
    writeFileSync(join(work, 'note.txt'), 'the word is xylophone\n');
    writeFileSync(join(home, '.config/opencode/opencode.json'), JSON.stringify({
      $schema: 'https://opencode.ai/config.json',
      autoupdate: false,
      share: 'disabled',
      model: 'nemo/gemini-2.5-flash',
      small_model: 'nemo/gemini-2.5-flash-lite',
      provider: {
        nemo: {
          npm: '@ai-sdk/openai-compatible',
          name: 'Nemo',
          options: { baseURL: stack.baseUrl, apiKey: stack.key },
          models: { 'gemini-2.5-flash': { name: 'Flash' }, 'gemini-2.5-flash-lite': { name: 'Flash Lite' } },
        },
      },
    }));
  });
  after(() => stack?.stop());

  const ask = (prompt) =>
    runClient(program, ['run', prompt], {
      home, cwd: work, env: { OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1' },
    });

  test('a question is answered', async () => {
    const { code, stdout, stderr } = await ask('say something');
    assert.equal(code, 0, stderr);
    assert.equal(stdout.trim().split(/\s+/).length, 12, stdout);
    const models = (await stack.journal()).map((call) => call.model);
    assert.ok(models.includes('gemini-2.5-flash'));
  });

  test('it calls a tool and tells its result', async () => {
    await stack.script('gemini-2.5-flash', {
      tool_name: 'read', tool_arguments: { filePath: join(work, 'note.txt') },
    });
    const { code, stdout, stderr } = await ask('use the tool');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /The tool said: [^]*the word is xylophone/);
  });

  test('every token that upstream billed is in the ledger, at its exact price', async () => {
    await stack.checkLedger();
  });
});
