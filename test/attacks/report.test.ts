/** Several attackers as one. */
import { expect, test } from 'vitest';
import { mergeReports, newReport } from '../../src/attacks/report.js';

test('reports add up; what one of them laid open counts for all, once', () => {
  const first = { ...newReport('port-scan'), attempts: 5, refused: 2, statuses: { 200: 1 }, open: ['a:80', 'b:80'] };
  const second = { ...newReport('port-scan'), attempts: 7, held: 3, statuses: { 200: 2, 401: 1 }, open: ['a:80'] };
  const found = { password: 'guess-3', attempt: 3 };
  expect(mergeReports([first, { ...second, found }])).toEqual({
    ...newReport('port-scan'),
    attempts: 12,
    refused: 2,
    held: 3,
    statuses: { 200: 3, 401: 1 },
    open: ['a:80', 'b:80'],
    found,
  });
  expect(first.open).toHaveLength(2);
});
