/** HAProxy's options of a server: what every server of a backend got is one `default-server` line, which needs nobody's address. */
import type { MarkedStatement } from './difference.js';

const SERVER = /^server (\S+ \S+)(.*)$/;

/** Says of each backend whose servers all changed from the same options to the same other ones, and in nothing else, only the options. */
export function sharedOptions(statements: MarkedStatement[]): MarkedStatement[] {
  const backends = new Set(statements.flatMap(({ blocks, text }) => (SERVER.test(text) ? [blocks.at(-1)!.id] : [])));
  return [...backends].reduce(sharedIn, statements);
}

function sharedIn(statements: MarkedStatement[], backend: string): MarkedStatement[] {
  const servers = statements.filter(({ blocks, text }) => blocks.at(-1)?.id === backend && SERVER.test(text));
  const [gone, fresh] = (['gone', 'new'] as const).map((mark) => servers.filter((server) => server.mark === mark));
  const names = (of: MarkedStatement[]) => of.map(({ text }) => SERVER.exec(text)![1]).join('\n');
  const options = (of: MarkedStatement[]) => [...new Set(of.map(({ text }) => SERVER.exec(text)![2].trim()))];
  const [before, after] = [options(gone), options(fresh)];
  const isShared = gone.length + fresh.length === servers.length && names(gone) === names(fresh);
  if (!isShared || before.length !== 1 || after.length !== 1) return statements;
  const { blocks } = servers[0];
  const was = before[0] === '' ? [] : [{ blocks, text: `${before[0]}, on each server line`, mark: 'gone' as const }];
  const now: MarkedStatement = {
    blocks,
    text: `default-server ${after[0]}`,
    mark: 'new',
    remark: 'above your `server` lines, or the same words on each of them',
  };
  const instead: MarkedStatement[] = [
    ...was.map((statement) => ({ ...statement, replaced: after[0] !== '' })),
    ...(after[0] === '' ? [] : [now]),
  ];
  const at = statements.indexOf(servers[0]);
  return statements.flatMap((statement, index) =>
    index === at ? instead : servers.includes(statement) ? [] : [statement],
  );
}
