// Google's SDK for Gemini, in front of a model that speaks OpenAI's dialect.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { ApiError, GoogleGenAI, Type } from '@google/genai';
import { direct, Stack } from './harness.mjs';

const model = 'gemini-2.5-flash';
const weather = {
  name: 'get_weather',
  parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ['city'] },
};

describe('google genai', { skip: direct && 'the fake upstream does not speak this dialect' }, () => {
  let stack;
  let client;

  before(async () => {
    stack = await Stack.start();
    client = new GoogleGenAI({ apiKey: stack.key, httpOptions: { baseUrl: stack.origin } });
  });
  after(() => stack?.stop());
  beforeEach(() => stack.fake.post('/control/clear', {}));

  test('an answer has text, a finish reason and usage', async () => {
    const answer = await client.models.generateContent({ model, contents: 'hello there' });
    assert.equal(answer.text.split(' ').length, 12);
    assert.equal(answer.candidates[0].finishReason, 'STOP');
    assert.equal(answer.usageMetadata.candidatesTokenCount, 12);
  });

  test('a stream has the same text', async () => {
    const whole = await client.models.generateContent({ model, contents: 'the same' });
    let text = '';
    let usage;
    for await (const chunk of await client.models.generateContentStream({ model, contents: 'the same' })) {
      text += chunk.text ?? '';
      usage = chunk.usageMetadata ?? usage;
    }
    assert.equal(text, whole.text);
    assert.equal(usage.candidatesTokenCount, 12);
  });

  for (const streamed of [false, true]) {
    test(`a function round trip ${streamed ? 'in streams' : 'with whole answers'}`, async () => {
      const config = { tools: [{ functionDeclarations: [weather] }] };
      const ask = async (contents) => {
        if (!streamed) return client.models.generateContent({ model, contents, config });
        const parts = [];
        for await (const chunk of await client.models.generateContentStream({ model, contents, config })) {
          parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
        }
        return { parts, functionCalls: parts.filter((part) => part.functionCall).map((part) => part.functionCall),
          text: parts.map((part) => part.text ?? '').join('') };
      };
      const contents = [{ role: 'user', parts: [{ text: 'use the tool get_weather with {"city":"Kraków"}' }] }];
      const first = await ask(contents);
      const [call] = first.functionCalls;
      assert.equal(call.name, 'get_weather');
      assert.deepEqual(call.args, { city: 'Kraków' });
      contents.push({ role: 'model', parts: [{ functionCall: call }] });
      contents.push({ role: 'user', parts: [{ functionResponse: { id: call.id, name: call.name, response: { output: 'rain' } } }] });
      const second = await ask(contents);
      assert.match(second.text, /^The tool said: .*rain/);
    });
  }

  test('tokens are counted and models are listed without asking a model', async () => {
    const count = await client.models.countTokens({ model, contents: 'how long is this?' });
    assert.ok(count.totalTokens > 2 && count.totalTokens < 60);
    const names = [];
    for await (const one of await client.models.list()) names.push(one.name);
    assert.ok(names.includes(`models/${model}`), names.join(' '));
  });

  test('errors carry their status', async () => {
    await assert.rejects(client.models.generateContent({ model: 'no-such-model', contents: 'hi' }),
      (error) => error instanceof ApiError && error.status === 404);
    const stranger = new GoogleGenAI({ apiKey: 'sk-nemo-wrong', httpOptions: { baseUrl: stack.origin } });
    await assert.rejects(stranger.models.generateContent({ model, contents: 'hi' }),
      (error) => error instanceof ApiError && error.status === 401);
  });

  test('every row names the surface and has the tokens that upstream billed', async () => {
    await stack.resetJournal();
    const before = (await stack.logs()).length;
    await client.models.generateContent({ model, contents: 'one more' });
    const [row] = (await stack.logs(before + 1)).slice(before);
    const [call] = await stack.journal();
    assert.equal(row.surface, 'gemini');
    assert.deepEqual([row.input_tokens, row.output_tokens], [call.billed.input_tokens, call.billed.output_tokens]);
  });
});
