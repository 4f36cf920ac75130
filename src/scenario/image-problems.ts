/** What cannot be said of a node that runs an image of the user's own, and what can only be said of one. */
import { commonKnobs } from '../nodes/knobs.js';
import { layerOf, type Topology } from '../topology/chain.js';
import type { Problem } from './problem.js';

/** Knobs of the host rather than of the daemon in it. */
const OF_THE_HOST = new Set([...Object.keys(commonKnobs), 'kind', 'to', 'sourceAddresses', 'config']);

/** Knobs that `{{backends}}` of a configuration file is filled with, or that say how clients speak to it. */
const OF_PLACEHOLDERS = new Set(['maxFails', 'failTimeout', 'mode']);

/** The problems of one node. `written` is the node as the file has it, without defaults. */
export function imageProblems(topology: Topology, name: string, written: unknown): Problem[] {
  const spec = topology[name];
  const problem = (knob: string, message: string, hint: string): Problem => ({
    message,
    hint,
    path: ['topology', name, knob],
    at: 'key',
  });
  if (spec.image === undefined)
    return (['port', 'ready', 'readyWithin'] as const)
      .filter((knob) => spec[knob] !== undefined)
      .map((knob) =>
        problem(knob, `\`${knob}\` tells of an \`image\` of your own, and there is none`, `leave out \`${knob}\``),
      );
  const layer = layerOf(spec);
  if (layer === 'client' || layer === 'L3')
    return [problem('image', `a ${spec.kind} has no \`image\`: the kernel does its work`, 'leave out `image`')];
  const hasConfig = 'config' in spec && spec.config !== undefined;
  return Object.keys(Object(written))
    .filter((knob) => !OF_THE_HOST.has(knob) && !(hasConfig && OF_PLACEHOLDERS.has(knob)))
    .map((knob) =>
      problem(
        knob,
        `\`${knob}\` would do nothing: ${spec.image} runs with the configuration that is in it`,
        layer === 'L7'
          ? 'say it in a file of your own with `config:`, or leave out `image`'
          : 'leave it out, or leave out `image`',
      ),
    );
}
