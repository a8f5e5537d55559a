// OpenAI's Codex, headless, set up in both of its ways: a provider of its own in config.toml, and the built-in provider
// with another address.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { runClient, Stack } from '../harness.mjs';

const program = join(import.meta.dirname, 'node_modules/@openai/codex/bin/codex.js');
const model = 'gemini-2.5-flash';

const ways = {
  'a provider of its own': (stack) => `model_provider = "nemo"

[model_providers.nemo]
name = "Nemo"
base_url = "${stack.baseUrl}"
env_key = "NEMO_KEY"
wire_api = "responses"
`,
  'the built-in provider with another address': (stack) => `openai_base_url = "${stack.baseUrl}"
`,
};

for (const [name, config] of Object.entries(ways)) {
  describe(`codex, ${name}`, { skip: !existsSync(program) && 'codex is not installed' }, () => {
    let stack;
    let home;
    let work;

    before(async () => {
      stack = await Stack.start();
      const folder = realpathSync(stack.folder);
      home = join(folder, 'home');
      work = join(folder, 'work');
      mkdirSync(join(home, '.codex'), { recursive: true });
      mkdirSync(work);
      writeFileSync(join(work, 'note.txt'), 'the word is xylophone\n');
      writeFileSync(join(home, '.codex/config.toml'), `model = "${model}"\n${config(stack)}`);
      if (name.startsWith('the built-in')) {
        writeFileSync(join(home, '.codex/auth.json'), JSON.stringify({ OPENAI_API_KEY: stack.key }));
      }
    });
    after(() => stack?.stop());
    beforeEach(() => stack.fake.post('/control/clear', {}));

    const ask = (prompt) =>
      runClient(process.execPath, [program, 'exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', prompt], {
        home, cwd: work,
        env: { CODEX_HOME: join(home, '.codex'), NEMO_KEY: stack.key, OPENAI_API_KEY: stack.key },
      });

    test('a question is answered, and its row is a finished call', async () => {
      const { code, stdout, stderr } = await ask('say something');
      assert.equal(code, 0, stderr + stdout);
      assert.equal(stdout.trim().split('\n').at(-1).trim().split(/\s+/).length, 12, stdout);
      const rows = await stack.logs(1);
      assert.ok(rows.every((row) => row.surface === 'openai-responses' && row.status === 'ok'), JSON.stringify(rows));
    });

    test('it calls a tool and tells its result', async () => {
      await stack.script(model, { tool_name: 'exec_command', tool_arguments: { cmd: 'cat note.txt' } });
      const { code, stdout, stderr } = await ask('use the tool');
      assert.equal(code, 0, stderr + stdout);
      assert.match(stdout, /The tool said: [^]*the word is xylophone/);
    });

    test('every token that upstream billed is in the ledger, at its exact price', () => stack.checkLedger());
  });
}
