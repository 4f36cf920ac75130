import { expect, test } from 'vitest';
import { journeySteps } from '../../src/traffic/journey.js';

test.each([
  ['buy-ticket', ['GET /event', 'POST /seats', 'POST /checkout']],
  ['view-event', ['GET /event']],
  ['hold', ['GET /event']],
] as const)('%s', (name, requests) => {
  expect(journeySteps(name).map(({ method, path }) => `${method} ${path}`)).toEqual(requests);
});
