// What the ledger must say about calls that the fake upstream billed. Money is counted in nano-dollars, as BigInt.

import assert from 'node:assert/strict';

// Nano-dollars per million tokens, from the built-in catalog.
const dollars = 1_000_000_000n;
const prices = {
  'gemini-2.5-flash': { input: (dollars * 30n) / 100n, cached: (dollars * 3n) / 100n, output: (dollars * 250n) / 100n },
  'gemini-2.5-flash-lite': { input: dollars / 10n, cached: dollars / 100n, output: (dollars * 4n) / 10n },
  'codestral-2': { input: (dollars * 3n) / 10n, cached: (dollars * 3n) / 10n, output: (dollars * 9n) / 10n },
  'text-embedding-005': { input: dollars / 10n, cached: dollars / 10n, output: 0n },
};

// Summed exactly, rounded up once.
export function costOf(model, billed) {
  const price = prices[model];
  assert.ok(price, `no price is known here for ${model}`);
  const exact =
    BigInt(billed.input_tokens - billed.cached_tokens) * price.input +
    BigInt(billed.cached_tokens) * price.cached +
    BigInt(billed.output_tokens) * price.output;
  return (exact + 999_999n) / 1_000_000n;
}

// "0.0000015" -> 1500n, refusing anything that is not exact.
export function nanoDollars(text) {
  const match = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  assert.ok(match, `not an exact amount of dollars: ${text}`);
  return BigInt(match[1]) * dollars + BigInt((match[2] ?? '').padEnd(9, '0'));
}

export function exactDollars(nanos) {
  const fraction = (nanos % dollars).toString().padStart(9, '0').replace(/0+$/, '');
  return `${nanos / dollars}${fraction && '.'}${fraction}`;
}

const tokenNames = ['input_tokens', 'cached_tokens', 'output_tokens', 'reasoning_tokens'];
const line = (model, tokens, cost) => [model, ...tokenNames.map((name) => tokens[name]), cost].join(' ');

export function assertRowsMatchJournal(rows, journal) {
  const billed = journal
    .filter((call) => call.state === 'completed')
    .map((call) => line(call.model, call.billed, exactDollars(costOf(call.model, call.billed))));
  const written = rows
    .filter((row) => row.status === 'ok' && row.usage_source === 'provider')
    .map((row) => line(row.model, row, exactDollars(nanoDollars(row.cost))));
  assert.deepEqual(written.sort(), billed.sort(), 'ledger rows (actual) and what upstream billed (expected) differ');
}
