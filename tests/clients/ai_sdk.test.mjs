// Vercel's AI SDK with its provider for OpenAI-compatible endpoints, which opencode, Cline and others are built on.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { embedMany, generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai';
import { Stack } from './harness.mjs';

describe('ai sdk', () => {
  let stack;
  let provider;
  let model;

  before(async () => {
    stack = await Stack.start();
    provider = createOpenAICompatible({ name: 'nemo', baseURL: stack.baseUrl, apiKey: stack.key, includeUsage: true });
    model = provider('gemini-2.5-flash');
  });
  after(() => stack?.stop());

  test('generateText has text and usage', async () => {
    const result = await generateText({ model, prompt: 'hello there', maxRetries: 0 });
    assert.equal(result.text.split(' ').length, 12);
    assert.equal(result.finishReason, 'stop');
    assert.equal(result.usage.inputTokens, 6);
    assert.equal(result.usage.outputTokens, 12);
  });

  test('streamText gives the same text word by word, and usage at the end', async () => {
    const whole = await generateText({ model, prompt: 'the same again', maxRetries: 0 });
    const result = streamText({ model, prompt: 'the same again', maxRetries: 0 });
    const parts = [];
    for await (const part of result.textStream) parts.push(part);
    assert.equal(parts.join(''), whole.text);
    assert.ok(parts.length > 1);
    assert.equal((await result.usage).outputTokens, 12);
    assert.equal(await result.finishReason, 'stop');
  });

  for (const [name, generate] of [['generateText', generateText], ['streamText', streamText]]) {
    test(`${name} calls a tool and goes on with its result`, async () => {
      const asked = [];
      const result = await generate({
        model,
        prompt: 'use the tool lookUp with {"word":"nautilus"}',
        maxRetries: 0,
        stopWhen: stepCountIs(3),
        tools: {
          lookUp: tool({
            description: 'Looks a word up.',
            inputSchema: jsonSchema({ type: 'object', properties: { word: { type: 'string' } }, required: ['word'] }),
            execute: async ({ word }) => {
              asked.push(word);
              return `${word} is a mollusc`;
            },
          }),
        },
      });
      assert.match(await result.text, /The tool said: .*nautilus is a mollusc/);
      assert.deepEqual(asked, ['nautilus']);
    });
  }

  test('embedMany gets one vector for each text', async () => {
    const { embeddings } = await embedMany({
      model: provider.textEmbeddingModel('text-embedding-005'), values: ['one', 'two', 'three'], maxRetries: 0,
    });
    assert.equal(embeddings.length, 3);
    assert.ok(embeddings.every((one) => one.length === 64));
  });

  test('an error inside a stream is reported', async () => {
    await stack.script('gemini-2.5-flash', { tokens: 30, error_event_after: 6, error_message: 'lost my thread' }, 1);
    const errors = [];
    const result = streamText({ model, prompt: 'go on', maxRetries: 0, onError: ({ error }) => errors.push(error) });
    await result.consumeStream();
    assert.equal(errors.length, 1);
  });

  test('every token that upstream billed is in the ledger, at its exact price', async () => {
    await stack.checkLedger();
  });
});
