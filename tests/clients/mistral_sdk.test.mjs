// Mistral's SDK: chat, and fill in the middle as Codestral's clients ask for it; and Continue's own code for the latter.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Mistral } from '@mistralai/mistralai';
import { constructLlmApi } from '@continuedev/openai-adapters';
import { direct, Stack } from './harness.mjs';

const prompt = 'def add(a, b):\n    ';
const suffix = '\n\nprint(add(1, 2))\n';

describe('mistral', { skip: direct && 'the fake upstream does not speak this dialect' }, () => {
  let stack;
  let client;

  before(async () => {
    stack = await Stack.start();
    client = new Mistral({ apiKey: stack.key, serverURL: stack.origin });
  });
  after(() => stack?.stop());
  beforeEach(() => stack.fake.post('/control/clear', {}));

  for (const model of ['codestral-2', 'gemini-2.5-flash']) {
    test(`${model} fills in between prompt and suffix, whole and streamed`, async () => {
      await stack.script(model, { content: 'return a + b' });
      const whole = await client.fim.complete({ model, prompt, suffix, maxTokens: 40 });
      assert.equal(whole.choices[0].message.content, 'return a + b');
      let text = '';
      for await (const event of await client.fim.stream({ model, prompt, suffix, maxTokens: 40 })) {
        text += event.data.choices[0]?.delta.content ?? '';
      }
      assert.equal(text, 'return a + b');
    });

    test(`Continue's own code fills in with ${model}`, async () => {
      await stack.script(model, { content: 'return a + b' });
      const api = constructLlmApi({ provider: 'mistral', apiKey: stack.key, apiBase: `${stack.baseUrl}/` });
      let text = '';
      for await (const chunk of api.fimStream({ model, prompt, suffix, max_tokens: 40, stream: true }, new AbortController().signal)) {
        text += chunk.choices[0]?.delta.content ?? '';
      }
      assert.equal(text, 'return a + b');
    });
  }

  test('a prompt that an editor rendered for another model is understood', async () => {
    const model = 'gemini-2.5-flash';
    await stack.script(model, { content: 'return a + b' });
    await stack.resetJournal();
    const api = constructLlmApi({ provider: 'openai', apiKey: stack.key, apiBase: `${stack.baseUrl}/` });
    const rendered = `<|fim_prefix|>${prompt}<|fim_suffix|>${suffix}<|fim_middle|>`;
    let text = '';
    for await (const chunk of api.completionStream({ model, prompt: rendered, max_tokens: 40, stream: true }, new AbortController().signal)) {
      text += chunk.choices[0]?.text ?? '';
    }
    assert.equal(text, 'return a + b');
    const [call] = await stack.journal();
    assert.ok(!JSON.stringify(call).includes('fim_prefix'), 'the sentinels went on to the model');
  });

  test('chat works by its SDK too', async () => {
    const answer = await client.chat.complete({ model: 'gemini-2.5-flash', messages: [{ role: 'user', content: 'hello there' }] });
    assert.equal(answer.choices[0].message.content.split(' ').length, 12);
  });

  test('rows name the surface', async () => {
    const rows = await stack.logs(1);
    assert.ok(rows.some((row) => row.surface === 'mistral-fim'));
  });
});
