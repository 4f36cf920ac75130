/** The run-time parameters on varnishd's command line that a variant has and its base has not. */
import { headLines, type Part } from './part.js';

/** Both as `-p name=value` arguments; undefined where they are the same. */
export function optionsPart(node: string, base: string[], variant: string[]): Part | undefined {
  const [before, after] = [base, variant].map(
    (argv) => new Map(argv.filter((word) => word !== '-p').map((word) => word.split('=') as [string, string])),
  );
  const names = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => before.get(name) !== after.get(name),
  );
  if (names.length === 0) return undefined;
  const name = `varnish-${node}.options`;
  return {
    name,
    node,
    about: "options for varnishd's command line",
    changes: names.length,
    render(context) {
      const hints = [
        'Add them to the command line of varnishd (ExecStart= of its unit); while it runs: varnishadm param.set <name> <value>',
      ];
      const lines = names.flatMap((parameter) => {
        const was = before.has(parameter) ? `-p ${parameter}=${before.get(parameter)}` : "varnish's own default";
        return after.has(parameter)
          ? [`# ${context.comment}`, `# was: ${was}`, `-p ${parameter}=${after.get(parameter)}`]
          : [`# remove: ${was}  # ${context.comment}`];
      });
      return { name, text: `${headLines(node, context, hints)}\n${lines.join('\n')}\n` };
    },
  };
}
