// The ollama package, in front of a model that speaks OpenAI's dialect.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Ollama } from 'ollama';
import { direct, Stack } from './harness.mjs';

const model = 'gemini-2.5-flash';
const user = (content) => [{ role: 'user', content }];
const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

describe('ollama', { skip: direct && 'the fake upstream does not speak this dialect' }, () => {
  let stack;
  let client;

  before(async () => {
    stack = await Stack.start();
    client = new Ollama({ host: stack.origin, headers: { authorization: `Bearer ${stack.key}` } });
  });
  after(() => stack?.stop());
  beforeEach(() => stack.fake.post('/control/clear', {}));

  test('the catalog can be listed and looked up', async () => {
    const { models } = await client.list();
    const one = models.find(({ name }) => name === model || name === `${model}:latest`);
    assert.ok(one && one.digest && one.details.family);
    const shown = await client.show({ model });
    assert.ok(shown.capabilities.includes('tools') && shown.capabilities.includes('completion'));
    const [major, minor, patch] = (await client.version()).version.split('.').map(Number);
    assert.ok(major > 0 || minor > 6 || (minor === 6 && patch >= 4));
  });

  test('a chat has text and counts, and its stream the same', async () => {
    const whole = await client.chat({ model, messages: user('the same') });
    assert.equal(whole.message.content.split(' ').length, 12);
    assert.equal(whole.done_reason, 'stop');
    assert.equal(whole.eval_count, 12);
    let text = '';
    let last;
    for await (const chunk of await client.chat({ model, messages: user('the same'), stream: true })) {
      text += chunk.message.content;
      last = chunk;
    }
    assert.equal(text, whole.message.content);
    assert.equal(last.done, true);
    assert.equal(last.eval_count, 12);
  });

  for (const stream of [false, true]) {
    test(`a tool round trip ${stream ? 'in streams' : 'with whole answers'}`, async () => {
      const ask = async (messages) => {
        if (!stream) return (await client.chat({ model, messages, tools: [weather] })).message;
        const message = { role: 'assistant', content: '', tool_calls: [] };
        for await (const chunk of await client.chat({ model, messages, tools: [weather], stream: true })) {
          message.content += chunk.message.content;
          message.tool_calls.push(...(chunk.message.tool_calls ?? []));
        }
        return message;
      };
      const messages = user('use the tool get_weather with {"city":"Kraków"}');
      const first = await ask(messages);
      const [call] = first.tool_calls;
      assert.equal(call.function.name, 'get_weather');
      assert.deepEqual(call.function.arguments, { city: 'Kraków' });
      messages.push(first, { role: 'tool', tool_name: 'get_weather', content: 'rain, 4 degrees' });
      assert.equal((await ask(messages)).content, 'The tool said: rain, 4 degrees');
    });
  }

  test('generate fills in between prompt and suffix', async () => {
    const answer = await client.generate({
      model: 'codestral-2', prompt: 'def add(a, b):\n', suffix: '\n\nprint(add(1, 2))', options: { num_predict: 5 },
    });
    assert.equal(answer.response.trim().split(' ').length, 5);
    assert.equal(answer.done_reason, 'length');
  });

  test('texts are embedded', async () => {
    const { embeddings } = await client.embed({ model: 'text-embedding-005', input: ['one', 'two'] });
    assert.equal(embeddings.length, 2);
    assert.ok(embeddings[0].length > 10);
  });

  test('errors say what is wrong', async () => {
    await assert.rejects(client.chat({ model: 'no-such-model', messages: user('hi') }), /no-such-model/);
  });

  test('a stream that the client leaves is cancelled upstream', async () => {
    await stack.resetJournal();
    await stack.script(model, { tokens: 2000, chunk_ms: 10 }, 1);
    const stream = await client.chat({ model, messages: user('a very long story'), stream: true });
    await stream[Symbol.asyncIterator]().next();
    stream.abort();
    await stack.fake.wait({ cancelled: 1 });
    await stack.row((row) => row.status === 'cancelled' && row.surface === 'ollama-chat', 'the call that was left');
  });

  test('a key may stand in the address, for clients that cannot send one', async () => {
    const silent = new Ollama({ host: `${stack.origin}/key/${stack.key}` });
    const { models } = await silent.list();
    assert.ok(models.length > 0);
    const nobody = new Ollama({ host: stack.origin });
    await assert.rejects(nobody.list(), /key/);
  });
});
