/** A right scenario, ways to make it wrong, and what is expected of a mistake. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PortPartyError } from '../../src/errors.js';
import { KIND_NAMES, kindOf } from '../../src/nodes/registry.js';
import { type LoadOptions, parseScenario } from '../../src/scenario/parse.js';

/** Text of the right scenario. */
export const RIGHT = readFileSync(new URL('../fixtures/ticket-sale.yaml', import.meta.url), 'utf8');

/** What, in which text, `line:column`, the message, the hint. */
export type Mistake = [name: string, text: string, where: string, message: string, hint: string | undefined];

/** The right scenario with one thing changed. */
export function changed(right: string | RegExp, wrong: string): string {
  const text = RIGHT.replace(right, wrong);
  if (text === RIGHT) throw new Error(`"${right}" is not in the fixture`);
  return text;
}

/** The kinds that have a knob, as a hint lists them. */
export function havingKnob(knob: string): string {
  const having = KIND_NAMES.filter((name) => knob in kindOf(name).knobs.shape);
  return having.map((name) => `\`${name}\``).join(', ');
}

/** The error that loading gives. */
export function errorOf(text: string, options: LoadOptions = {}): PortPartyError {
  try {
    parseScenario(text, 'sale.yaml', options, () => {
      throw new Error('there is no such file');
    });
  } catch (error) {
    if (error instanceof PortPartyError) return error;
    throw error;
  }
  throw new Error('the scenario was accepted');
}

/** Each mistake is told with its line, its column and what would be right, and exits with 2. */
export function testMistakes(mistakes: Mistake[]): void {
  test.each(mistakes)('%s', (_, text, where, message, hint) => {
    const error = errorOf(text);
    expect({ where: error.where, message: error.message, hint: error.hint, exitCode: error.exitCode }).toEqual({
      where: `sale.yaml:${where}`,
      message,
      hint,
      exitCode: 2,
    });
  });
}
